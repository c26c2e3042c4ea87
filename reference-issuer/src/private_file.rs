//! Files that hold a secret: for their owner's eyes alone, and whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use clp_schemas::canonical;

use crate::context::Random;

/// Makes a file with this content, unless there is one; answers whether it did.
///
/// The content is durable under another name before the file has its own, so that a crash
/// leaves no half of it behind, and of two that make it at once one wins.
///
/// # Errors
/// Whatever the system says.
pub(crate) fn make(path: &Path, content: &[u8]) -> io::Result<bool> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let random: [u8; 8] = Random.bytes().map_err(io::Error::other)?;
    let mut draft = std::ffi::OsString::from(".");
    draft.push(name);
    draft.push(format!(".{}", canonical::to_base64url(&random)));
    let draft = parent.join(draft);
    let made = write(&draft, content).and_then(|()| match fs::hard_link(&draft, path) {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(fault) => Err(fault),
    });
    // Where the draft was not made, there is none to take away.
    let _ = fs::remove_file(&draft);
    File::open(parent)?.sync_all()?;
    made
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_made_once_and_nothing_stays_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        assert!(make(&path, b"first").unwrap());
        assert!(!make(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_left_where_it_cannot_be_made() {
        let directory = tempfile::tempdir().unwrap();
        assert!(make(&directory.path().join("missing/secret"), b"x").is_err());
        assert!(make(Path::new("/"), b"x").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
