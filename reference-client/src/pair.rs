//! Key pairs of one's own: drawn here, and kept in the store before anybody hears of their
//! public half.

use clp_schemas::jose::{PublicJwk, SigningKey};
use clp_schemas::ops::store::SecretText;
use zeroize::Zeroizing;

use crate::error::LocalFault;

/// A key pair that is not in use yet.
#[derive(Debug)]
pub struct Pair {
    /// The public half.
    pub public: PublicJwk,
    /// Its thumbprint (RFC 7638), by which the store finds the private half.
    pub thumbprint: String,
    /// The private half, as JWK. It never prints.
    pub private: SecretText,
}

impl Pair {
    /// Draws an Ed25519 pair.
    ///
    /// # Errors
    /// [`LocalFault::System`] if the system gives no random numbers.
    pub fn generate() -> Result<Self, LocalFault> {
        const FAULT: LocalFault = LocalFault::System("the key pair cannot be made");
        let mut seed = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *seed)
            .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
        let private = SigningKey::private_jwk(&seed).map_err(|_| FAULT)?;
        let public = SigningKey::from_seed(&seed).map_err(|_| FAULT)?.public();
        Ok(Self {
            thumbprint: public.thumbprint().map_err(|_| FAULT)?,
            public,
            private: SecretText::new(private.as_str().to_owned()),
        })
    }
}

/// The signing half of a private JWK out of the store.
pub(crate) fn signing_key(private: &SecretText) -> Result<SigningKey, LocalFault> {
    SigningKey::from_private_jwk(private.expose())
        .map_err(|_| LocalFault::System("the stored private key cannot be used"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_holds_together_and_never_prints() {
        let pair = Pair::generate().unwrap();
        let key = signing_key(&pair.private).unwrap();
        assert_eq!(key.public(), pair.public);
        assert_eq!(pair.public.thumbprint().unwrap(), pair.thumbprint);
        let private: serde_json::Value = serde_json::from_str(pair.private.expose()).unwrap();
        let secret = private
            .get("d")
            .and_then(serde_json::Value::as_str)
            .unwrap();
        assert!(!format!("{pair:?}").contains(secret));
        assert_ne!(Pair::generate().unwrap().thumbprint, pair.thumbprint);
    }
}
