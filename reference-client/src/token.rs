//! Bearer tokens. They come from the environment or a private file, never from the command
//! line, which every user of a machine can list (CLP-SEC-007).

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::error::{Error, LocalFault};
use crate::private;

/// Longest token read, in bytes.
const MAX_BYTES: u64 = 16 * 1024;

/// A bearer token. It is wiped when dropped and never printed.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

impl Token {
    /// Takes a token in, without white space around it.
    ///
    /// # Errors
    /// [`Error::Usage`] if nothing is left, or anything but visible ASCII (RFC 6750
    /// section 2.1).
    pub fn new(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::usage(
                "the bearer token is empty or has characters that no token has",
            ));
        }
        Ok(Self(text.to_owned().into()))
    }

    /// Reads a token from a file that nobody else can read.
    ///
    /// # Errors
    /// [`Error::Local`] if the file cannot be read, or can be read by others.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let bytes = private::read(path, MAX_BYTES)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::usage("the token file does not hold text"))?;
        Self::new(text)
    }

    /// Reads the token that the variables `name` and `name_FILE` hold or point to.
    ///
    /// # Errors
    /// [`Error::Usage`] if both are set; what [`Token::from_file`] refuses.
    pub fn from_env(name: &str) -> Result<Option<Self>, Error> {
        let file = std::env::var_os(format!("{name}_FILE"));
        match (std::env::var(name), file) {
            (Ok(_), Some(_)) => Err(Error::usage(format!("set {name} or {name}_FILE, not both"))),
            (Ok(text), None) => Self::new(&zeroize::Zeroizing::new(text)).map(Some),
            (Err(_), Some(path)) => match Self::from_file(Path::new(&path)) {
                Err(Error::Local(fault)) => Err(LocalFault::TokenFile {
                    variable: format!("{name}_FILE"),
                    fault: Box::new(fault),
                }
                .into()),
                read => read.map(Some),
            },
            (Err(_), None) => Ok(None),
        }
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }

    /// Names the token in the journal without telling it.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = clp_schemas::canonical::sha256(self.0.expose_secret().as_bytes());
        clp_schemas::canonical::to_base64url(&digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_visible_ascii_and_never_printed() {
        let token = Token::new(" abc123\n").unwrap();
        assert_eq!(token.secret().expose_secret(), "abc123");
        assert!(!format!("{token:?}").contains("abc123"));
        for refused in ["", "  ", "a b", "a\u{7f}", "\u{e9}"] {
            assert!(Token::new(refused).is_err(), "{refused:?}");
        }
    }
}
