//! What is left in files once everything is done.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;

use super::Stopped;

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => files(&path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}

/// Every file below a folder that is not hidden; none where there is no folder.
///
/// # Errors
/// Where it cannot be read.
pub fn visible(folder: &Path) -> Result<Vec<PathBuf>, Stopped> {
    let mut found = Vec::new();
    if folder.exists() {
        files(folder, &mut found).map_err(Stopped::system)?;
    }
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !name.ends_with(".lock")
    });
    Ok(found)
}

/// Looks through every file below these folders. What is there that should not be, in words:
/// a file of a name that no run leaves that is not killed, and a secret in a file that is none of
/// the places, or that somebody else can read.
///
/// # Errors
/// Where files cannot be read.
pub fn look(
    folders: &[&Path],
    places: &BTreeSet<PathBuf>,
    secrets: &[&str],
) -> Result<Vec<String>, Stopped> {
    let mut found = Vec::new();
    for folder in folders.iter().filter(|folder| folder.exists()) {
        files(folder, &mut found).map_err(Stopped::system)?;
    }
    let known = AhoCorasick::new(secrets.iter().filter(|secret| !secret.is_empty()))
        .map_err(Stopped::fell)?;
    let mut wrong = Vec::new();
    for path in found {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_place = places.contains(&path);
        // Only locks and places begin so.
        if name.starts_with('.') && name != ".lock" && !is_place {
            wrong.push(format!("`{}` is a rest", path.display()));
        }
        let bytes = fs::read(&path).map_err(Stopped::system)?;
        let mode = fs::metadata(&path)
            .map_err(Stopped::system)?
            .permissions()
            .mode();
        let holds = known.is_match(&bytes);
        if holds && !is_place {
            wrong.push(format!("a secret is in `{}`", path.display()));
        }
        if holds && mode & 0o077 != 0 {
            let mode = mode & 0o777;
            wrong.push(format!(
                "a secret is in `{}`, which has the mode {mode:o}",
                path.display()
            ));
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_and_a_secret_out_of_place_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let place = write("a.env", "KEY=hush-hush\n", 0o600);
        write("notes", "nothing", 0o644);
        let places = BTreeSet::from([place.clone()]);
        let look = || look(&[folder.path()], &places, &["hush-hush"]).unwrap();
        assert_eq!(look(), Vec::<String>::new());
        fs::set_permissions(&place, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(look().len(), 1);
        write("log", "with hush-hush in it", 0o600);
        write(".tmpAb12", "", 0o600);
        assert_eq!(look().len(), 3);
    }
}
