//! Authenticated encryption of the store: AES-256-GCM (NIST SP 800-38D) with a random nonce
//! for each writing. One key may seal 2^32 times before two nonces are likely to meet.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::error::LocalFault;
use crate::private;

/// What every sealed file begins with. It is authenticated, so that a later format cannot be
/// passed off as this one.
const MAGIC: &[u8] = b"clp store 1\n";
const KEY_BYTES: usize = 32;
/// Bytes that sealing adds.
pub(super) const OVERHEAD: usize = MAGIC.len() + NONCE_LEN + 16;

pub(super) struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Draws a new key and writes it where there is none.
    pub(super) fn create(path: &Path) -> Result<Self, LocalFault> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut *bytes)
            .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
        private::create(path, &*bytes)?;
        Self::from_bytes(path, &*bytes)
    }

    pub(super) fn load(path: &Path) -> Result<Self, LocalFault> {
        let bytes = private::read(path, KEY_BYTES as u64)?;
        Self::from_bytes(path, &bytes)
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, LocalFault> {
        UnboundKey::new(&AES_256_GCM, bytes)
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| LocalFault::Content {
                path: path.to_owned(),
                what: "is no key of a store",
            })
    }

    pub(super) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, LocalFault> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce)
            .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + OVERHEAD));
        text.extend_from_slice(plain);
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(MAGIC),
                &mut *text,
            )
            .map_err(|_| LocalFault::System("the store cannot be sealed"))?;
        Ok([MAGIC, &nonce, text.as_slice()].concat())
    }

    /// The plain text; `None` if a single bit is not as it was sealed.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed
            .strip_prefix(MAGIC)?
            .split_first_chunk::<NONCE_LEN>()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(MAGIC),
                &mut text,
            )
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }
}
