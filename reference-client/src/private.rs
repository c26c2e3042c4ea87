//! Files that only the user may read (CLP-DLV-014), written so that a crash leaves either
//! the old content or the new.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::error::LocalFault;

/// Makes a directory, and those above it, for this user alone.
pub(crate) fn create_dir(path: &Path) -> Result<(), LocalFault> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(LocalFault::file("create", path))
}

/// Opens a file and refuses one that others can read, or that is not a file. It is the
/// opened file that is judged, so that it cannot be exchanged in between.
fn open(path: &Path) -> Result<File, LocalFault> {
    let file = File::open(path).map_err(LocalFault::file("read", path))?;
    let found = file.metadata().map_err(LocalFault::file("read", path))?;
    if !found.is_file() {
        return Err(LocalFault::Content {
            path: path.to_owned(),
            what: "is not a file",
        });
    }
    check_mode(path, &found)?;
    Ok(file)
}

#[cfg(unix)]
fn check_mode(path: &Path, found: &std::fs::Metadata) -> Result<(), LocalFault> {
    use std::os::unix::fs::MetadataExt as _;
    if found.mode() & 0o077 == 0 {
        Ok(())
    } else {
        Err(LocalFault::Permissions {
            path: path.to_owned(),
        })
    }
}

/// Where there are no modes, who else can read a file cannot be told from here.
#[cfg(not(unix))]
fn check_mode(path: &Path, _: &std::fs::Metadata) -> Result<(), LocalFault> {
    Err(LocalFault::Permissions {
        path: path.to_owned(),
    })
}

/// Reads a private file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, LocalFault> {
    let mut bytes = Zeroizing::new(Vec::new());
    open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(LocalFault::file("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(LocalFault::Content {
            path: path.to_owned(),
            what: "is too large",
        });
    }
    Ok(bytes)
}

/// The same, or `None` if there is no such file.
pub(crate) fn read_if_there(
    path: &Path,
    limit: u64,
) -> Result<Option<Zeroizing<Vec<u8>>>, LocalFault> {
    match read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(LocalFault::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Puts a private file in place of whatever is there: written under another name beside it,
/// brought to disk, renamed, and the rename brought to disk.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LocalFault> {
    let fault = || LocalFault::file("write", path);
    let directory = parent(path);
    let mut looks = DRAFTS;
    loop {
        looks -= 1;
        let mut file = draft(path)?;
        file.write_all(bytes).map_err(fault())?;
        file.as_file().sync_all().map_err(fault())?;
        match file.persist(path) {
            // Somebody took it for a rest, in the instant before it was locked.
            Err(lost) if lost.error.kind() == ErrorKind::NotFound && looks > 0 => {}
            Err(lost) => return Err(fault()(lost.error)),
            Ok(_) => return sync_dir(directory),
        }
    }
}

/// Writes a private file where none may be yet.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), LocalFault> {
    let fault = || LocalFault::file("write", path);
    let directory = parent(path);
    let mut file = draft(path)?;
    file.write_all(bytes).map_err(fault())?;
    file.as_file().sync_all().map_err(fault())?;
    file.persist_noclobber(path)
        .map_err(|lost| fault()(lost.error))?;
    sync_dir(directory)
}

/// How often a draft is begun.
const DRAFTS: u8 = 3;
/// How the name of a draft ends.
const DRAFT: &str = ".draft";

/// Begins what is to become this file. Its name is random and its mode 0600 from the start, and
/// it is locked while somebody works on it: drafts that nobody works on were left by runs that
/// were killed, and go.
pub(crate) fn draft(path: &Path) -> Result<NamedTempFile, LocalFault> {
    let fault = LocalFault::file("write", path);
    sweep(path)?;
    let begun = tempfile::Builder::new()
        .prefix(&prefix(path))
        .suffix(DRAFT)
        .tempfile_in(parent(path))
        .and_then(|file| file.as_file().lock().map(|()| file));
    begun.map_err(fault)
}

fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Removes what runs that were killed left of drafts of this file. A secret can stand in one.
pub(crate) fn sweep(path: &Path) -> Result<(), LocalFault> {
    let directory = parent(path);
    let fault = || LocalFault::file("read", directory);
    let listed = match std::fs::read_dir(directory) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(fault())?,
    };
    let prefix = prefix(path);
    for found in listed {
        let found = found.map_err(fault())?;
        let name = found.file_name();
        let (name, prefix) = (name.as_encoded_bytes(), prefix.as_encoded_bytes());
        if !name.starts_with(prefix) || !name.ends_with(DRAFT.as_bytes()) {
            continue;
        }
        // What is no file, or is gone meanwhile, is none of ours.
        let left = match found.file_type() {
            Ok(kind) if kind.is_file() => File::open(found.path()).ok(),
            _ => None,
        };
        if left.is_some_and(|left| left.try_lock().is_ok()) {
            // Of two that sweep at once, one comes too late.
            let _ = std::fs::remove_file(found.path());
        }
    }
    Ok(())
}

/// Removes a file, if there is one, and drafts of it.
pub(crate) fn remove(path: &Path) -> Result<(), LocalFault> {
    sweep(path)?;
    match std::fs::remove_file(path) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => {
            Err(LocalFault::file("remove", path)(fault))
        }
        _ => sync_dir(parent(path)),
    }
}

/// Waits until this process alone holds the lock; dropping the file releases it.
pub(crate) fn lock(path: &Path) -> Result<File, LocalFault> {
    let file = lock_file(path)?;
    file.lock().map_err(LocalFault::file("lock", path))?;
    Ok(file)
}

/// The same where nobody waits: `None` if another process holds the lock.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, LocalFault> {
    let file = lock_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(fault)) => Err(LocalFault::file("lock", path)(fault)),
    }
}

fn lock_file(path: &Path) -> Result<File, LocalFault> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(LocalFault::file("open", path))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn sync_dir(directory: &Path) -> Result<(), LocalFault> {
    // A directory can be opened, and synced, on Unix alone.
    if cfg!(unix) {
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(LocalFault::file("write", directory))?;
    }
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_made_private_and_looser_ones_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read(&path, 10).unwrap().as_slice(), b"two");
        assert!(read(&path, 2).is_err());
        assert!(create(&path, b"three").is_err());
        for loose in [0o640, 0o604, 0o660, 0o644] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(loose)).unwrap();
            assert!(
                matches!(read(&path, 10), Err(LocalFault::Permissions { .. })),
                "{loose:o}"
            );
        }
    }

    #[test]
    fn directories_are_no_files_and_nothing_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        assert!(matches!(
            read(directory.path(), 10),
            Err(LocalFault::Content { .. })
        ));
        replace(&path, b"one").unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(read_if_there(&path, 10).unwrap().is_none());
    }

    #[test]
    fn a_draft_that_nobody_works_on_goes_and_any_other_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let kept = draft(&path).unwrap();
        let other = draft(&directory.path().join("other")).unwrap();
        let rest = draft(&path).unwrap().keep().unwrap().1;
        let others_rest = draft(&directory.path().join("other")).unwrap().keep();
        let others_rest = others_rest.unwrap().1;
        replace(&path, b"one").unwrap();
        assert!(!rest.exists());
        assert!(kept.path().exists() && other.path().exists() && others_rest.exists());
        assert_eq!(mode(kept.path()), 0o600);
        remove(&directory.path().join("other")).unwrap();
        assert!(!others_rest.exists() && other.path().exists());
        sweep(&directory.path().join("nowhere").join("secret")).unwrap();
    }

    #[test]
    fn directories_are_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a").join("b");
        create_dir(&path).unwrap();
        create_dir(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }
}
