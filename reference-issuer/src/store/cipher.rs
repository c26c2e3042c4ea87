//! AES-256-GCM with a fresh nonce in front, for values that have to be read back.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use super::Fault;

/// Seals and opens values, each bound to what it belongs to.
pub struct Cipher(RandomizedNonceKey);

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cipher(..)")
    }
}

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, Fault> {
        RandomizedNonceKey::new(&AES_256_GCM, key)
            .map(Self)
            .map_err(|_| Fault::Seal)
    }

    /// Seals `value`; it opens only together with the same `owner`.
    ///
    /// # Errors
    /// [`Fault::Seal`] where the cipher fails.
    pub fn seal(&self, value: &[u8], owner: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut sealed = Zeroizing::new(value.to_vec());
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(owner), &mut *sealed)
            .map_err(|_| Fault::Seal)?;
        Ok([nonce.as_ref().as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`Cipher::seal`] made.
    ///
    /// # Errors
    /// [`Fault::Seal`] if the value was changed, or belongs to another owner or key.
    pub fn open(&self, sealed: &[u8], owner: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Fault::Seal)?;
        let mut value = Zeroizing::new(rest.to_vec());
        let length = self
            .0
            .open_in_place(Nonce::from(nonce), Aad::from(owner), &mut value)
            .map_err(|_| Fault::Seal)?
            .len();
        value.truncate(length);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_for_its_owner_alone() {
        let cipher = Cipher::new(&[7; 32]).unwrap();
        let sealed = cipher.seal(b"value", b"owner").unwrap();
        assert_eq!(cipher.open(&sealed, b"owner").unwrap().as_slice(), b"value");
        assert!(cipher.open(&sealed, b"other").is_err());
        assert!(
            Cipher::new(&[8; 32])
                .unwrap()
                .open(&sealed, b"owner")
                .is_err()
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(cipher.open(&changed, b"owner").is_err());
        }
        assert!(cipher.open(&[], b"owner").is_err());
        assert_ne!(cipher.seal(b"value", b"owner").unwrap(), sealed);
    }
}
