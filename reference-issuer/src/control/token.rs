//! The bearer token of test control: out of the environment, out of a file, or new.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use clp_schemas::canonical::to_base64url;
use clp_schemas::ops::store::SecretText;

use crate::config::ConfigFault;
use crate::context::Random;
use crate::private_file;

/// The environment variable that holds the token.
const VARIABLE: &str = "CLP_CONTROL_TOKEN";
/// Shortest token, in characters: 128 bits in base64.
const SHORTEST: usize = 22;
/// Longest token, in characters.
const LONGEST: usize = 512;

/// The token that whoever starts the program knows: that of the environment, or else that of
/// the file. A file that is not there is made, with a new token, for its owner alone.
///
/// # Errors
/// [`ConfigFault`] if the token is too short or malformed, or the file cannot be used or can
/// be read by others.
pub fn find(file: Option<&Path>) -> Result<Option<SecretText>, ConfigFault> {
    if let Ok(token) = std::env::var(VARIABLE) {
        return check(VARIABLE, &token).map(Some);
    }
    file.map(in_file).transpose()
}

/// A new token of 256 bits.
///
/// # Errors
/// None where the operating system has randomness.
pub fn fresh() -> Result<SecretText, crate::store::Fault> {
    let bytes: [u8; 32] = Random.bytes()?;
    Ok(SecretText::new(to_base64url(&bytes)))
}

fn in_file(path: &Path) -> Result<SecretText, ConfigFault> {
    let label = path.display().to_string();
    let fault = |reason: String| ConfigFault::new(label.clone(), "", reason);
    if !path.exists() {
        let token = fresh().map_err(|error| fault(error.to_string()))?;
        private_file::make(path, token.expose().as_bytes())
            .map_err(|error| fault(format!("cannot be made: {error}")))?;
    }
    let unread = |error: std::io::Error| fault(format!("cannot be read: {error}"));
    let file = File::open(path).map_err(unread)?;
    let about = file.metadata().map_err(unread)?;
    if !about.is_file() || about.mode() & 0o077 != 0 {
        let reason = "can be read by others; want a file of mode 0600";
        return Err(fault(reason.to_owned()));
    }
    let mut text = String::new();
    file.take(LONGEST as u64 + 2)
        .read_to_string(&mut text)
        .map_err(unread)?;
    check(&label, text.trim_end())
}

fn check(label: &str, token: &str) -> Result<SecretText, ConfigFault> {
    let admitted = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if (SHORTEST..=LONGEST).contains(&token.len()) && token.bytes().all(admitted) {
        return Ok(SecretText::new(token.to_owned()));
    }
    let reason =
        format!("want {SHORTEST} to {LONGEST} characters out of A-Z a-z 0-9 - . _ ~ + / =");
    Err(ConfigFault::new(label, "", reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_made_for_its_owner_alone_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let made = in_file(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(in_file(&path).unwrap(), made);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(in_file(&path).unwrap_err().reason.contains("0600"));
    }

    #[test]
    fn a_short_token_is_refused_without_being_shown() {
        let fault = check("file", "short").unwrap_err();
        assert!(!fault.to_string().contains("short"));
    }
}
