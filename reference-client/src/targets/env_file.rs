//! One line of an environment file such as `.env`. Everything else in it stays as it is
//! (CLP-INJ-008).

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::LocalFault;
use crate::private;

/// Largest file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Why a file is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvFault {
    #[error("the value has a line feed or another control character")]
    Value,
    #[error("sets the variable more than once")]
    Twice,
    #[error("sets the variable over several lines")]
    SeveralLines,
    #[error("has a quotation that does not end")]
    Unclosed,
}

impl EnvFault {
    fn words(self) -> &'static str {
        match self {
            Self::Value => "cannot hold a value with control characters",
            Self::Twice => "sets the variable more than once",
            Self::SeveralLines => "sets the variable over several lines",
            Self::Unclosed => "has a quotation that does not end",
        }
    }
}

/// Where the line of a variable is, with its end.
struct Found<'a> {
    before: usize,
    line: &'a str,
}

/// The content with the line of this variable replaced, or added at the end.
pub(crate) fn edit(
    content: &str,
    variable: &str,
    value: &str,
) -> Result<Zeroizing<String>, EnvFault> {
    let written = quote(value)?;
    let found = find(content, variable)?;
    // Room for everything at once: growing would leave copies of the secret behind.
    let room = content.len() + variable.len() + written.len() + 4;
    let mut edited = Zeroizing::new(String::with_capacity(room));
    match found {
        Some(found) => {
            let after = found.before + found.line.len();
            edited.push_str(content.get(..found.before).unwrap_or_default());
            let bare = found.line.trim_start();
            edited.push_str(found.line.strip_suffix(bare).unwrap_or_default());
            if bare.strip_prefix("export").is_some_and(begins_blank) {
                edited.push_str("export ");
            }
            edited.push_str(variable);
            edited.push('=');
            edited.push_str(&written);
            edited.push_str(end_of(found.line));
            edited.push_str(content.get(after..).unwrap_or_default());
        }
        None => {
            edited.push_str(content);
            if !content.is_empty() && !content.ends_with('\n') {
                edited.push('\n');
            }
            edited.push_str(variable);
            edited.push('=');
            edited.push_str(&written);
            edited.push('\n');
        }
    }
    Ok(edited)
}

/// What the file says that the variable is.
pub(crate) fn value(content: &str, variable: &str) -> Result<Option<Zeroizing<String>>, EnvFault> {
    let Some(found) = find(content, variable)? else {
        return Ok(None);
    };
    let text = found.line.split_once('=').map_or("", |(_, text)| text);
    Ok(Some(unquote(text.trim())))
}

fn begins_blank(text: &str) -> bool {
    text.starts_with([' ', '\t'])
}

fn end_of(line: &str) -> &str {
    match (line.ends_with("\r\n"), line.ends_with('\n')) {
        (true, _) => "\r\n",
        (false, true) => "\n",
        (false, false) => "",
    }
}

/// Name and value of a line that sets a variable.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = match line.strip_prefix("export") {
        Some(rest) if begins_blank(rest) => rest.trim_start(),
        _ => line,
    };
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    Some((name.trim_end(), value.trim_start()))
}

/// Finds the one line of a variable. What stands inside a quotation over several lines is
/// part of a value, whatever it looks like.
fn find<'a>(content: &'a str, variable: &str) -> Result<Option<Found<'a>>, EnvFault> {
    let mut found: Option<Found<'a>> = None;
    let mut open: Option<char> = None;
    let mut before = 0;
    for line in content.split_inclusive('\n') {
        let at = before;
        before += line.len();
        if let Some(quote) = open {
            if closes(line, quote) {
                open = None;
            }
            continue;
        }
        let Some((name, value)) = assignment(line) else {
            continue;
        };
        let mut letters = value.chars();
        let quote = letters.next().filter(|letter| matches!(letter, '"' | '\''));
        if let Some(quote) = quote
            && !closes(letters.as_str(), quote)
        {
            open = Some(quote);
        }
        if name != variable {
            continue;
        }
        if open.is_some() {
            return Err(EnvFault::SeveralLines);
        }
        if found.is_some() {
            return Err(EnvFault::Twice);
        }
        found = Some(Found { before: at, line });
    }
    match open {
        Some(_) => Err(EnvFault::Unclosed),
        None => Ok(found),
    }
}

/// Whether a quotation ends in this text. A backslash hides the next letter inside of
/// double quotes.
fn closes(text: &str, quote: char) -> bool {
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\' && quote == '"' {
            letters.next();
        } else if letter == quote {
            return true;
        }
    }
    false
}

/// The value as shells and the usual libraries read it back: bare where it can be, otherwise
/// in single quotes, which nothing inside can leave.
fn quote(value: &str) -> Result<Zeroizing<String>, EnvFault> {
    if value.chars().any(char::is_control) {
        return Err(EnvFault::Value);
    }
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:+=@%,-".contains(&byte);
    if !value.is_empty() && value.bytes().all(bare) {
        return Ok(Zeroizing::new(value.to_owned()));
    }
    let mut text = Zeroizing::new(String::with_capacity(value.len() * 2 + 2));
    if !value.contains('\'') {
        text.push('\'');
        text.push_str(value);
        text.push('\'');
        return Ok(text);
    }
    text.push('"');
    for letter in value.chars() {
        if matches!(letter, '\\' | '"' | '$' | '`') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
    Ok(text)
}

fn unquote(text: &str) -> Zeroizing<String> {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inner('\'') {
        return Zeroizing::new(inner.to_owned());
    }
    let Some(inner) = inner('"') else {
        return Zeroizing::new(text.to_owned());
    };
    let mut plain = Zeroizing::new(String::with_capacity(inner.len()));
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            _ => plain.push(letter),
        }
    }
    plain
}

/// The file from the root, so that a later run finds it from anywhere. The file itself need
/// not be there yet; its directory has to.
pub(crate) fn from_root(path: &Path) -> Result<PathBuf, LocalFault> {
    let content = |what| LocalFault::Content {
        path: path.to_owned(),
        what,
    };
    let name = path.file_name().ok_or_else(|| content("names no file"))?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = directory
        .canonicalize()
        .map_err(LocalFault::file("find the directory of", path))?;
    Ok(directory.join(name))
}

/// Whether the file can be written to, and what is in it.
fn read(path: &Path) -> Result<Option<Zeroizing<String>>, LocalFault> {
    let content = |what| LocalFault::Content {
        path: path.to_owned(),
        what,
    };
    match std::fs::symlink_metadata(path) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(LocalFault::file("read", path)(fault)),
        Ok(found) if !found.is_file() => {
            // Whoever can change where a link leads could choose where the secret goes.
            return Err(content("is a link or a directory, and no file"));
        }
        Ok(found) if found.len() > MAX_BYTES => return Err(content("is too large")),
        Ok(_) => {}
    }
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(LocalFault::file("read", path))?;
    Ok(Some(text))
}

/// Sees whether the file could take the value, and changes nothing.
pub(crate) fn check(path: &Path, variable: &str, secret: &str) -> Result<(), LocalFault> {
    let before = read(path)?.unwrap_or_default();
    edit(&before, variable, secret)
        .map(|_| ())
        .map_err(|fault| fault_of(path, fault))
}

/// Puts a value into the file and reads it back. The file is replaced whole, and from then
/// on nobody but its user can read it, whoever could before (CLP-DLV-014).
pub(crate) fn put(path: &Path, variable: &str, secret: &str) -> Result<(), LocalFault> {
    let before = read(path)?;
    let edited = edit(before.as_deref().map_or("", |text| text), variable, secret)
        .map_err(|fault| fault_of(path, fault))?;
    let fault = || LocalFault::file("write", path);
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = private::draft(path)?;
    file.write_all(edited.as_bytes()).map_err(fault())?;
    if before.is_some() {
        keep_mode(path, file.as_file()).map_err(fault())?;
    }
    file.as_file().sync_all().map_err(fault())?;
    file.persist(path).map_err(|lost| fault()(lost.error))?;
    private::sync_dir(directory)?;
    let after = read(path)?.unwrap_or_default();
    let read_back = value(&after, variable).map_err(|fault| fault_of(path, fault))?;
    match read_back.is_some_and(|text| *text == *secret) {
        true => Ok(()),
        false => Err(LocalFault::Content {
            path: path.to_owned(),
            what: "does not give back what was written",
        }),
    }
}

fn fault_of(path: &Path, fault: EnvFault) -> LocalFault {
    LocalFault::Content {
        path: path.to_owned(),
        what: fault.words(),
    }
}

/// The owner that the file had, whose service reads it, and the mode, less what others could do.
#[cfg(unix)]
fn keep_mode(path: &Path, file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let had = std::fs::metadata(path)?;
    let new = file.metadata()?;
    if (had.uid(), had.gid()) != (new.uid(), new.gid()) {
        fchown(file, Some(had.uid()), Some(had.gid()))?;
    }
    let mode = had.permissions().mode();
    file.set_permissions(std::fs::Permissions::from_mode(mode & 0o700))
}

#[cfg(not(unix))]
fn keep_mode(_: &Path, _: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(content: &str, value: &str) -> String {
        edit(content, "KEY", value).unwrap().to_string()
    }

    #[test]
    fn one_line_changes_and_every_other_stays() {
        for (before, after) in [
            ("", "KEY=new\n"),
            ("A=1", "A=1\nKEY=new\n"),
            ("A=1\nKEY=old\nB=2", "A=1\nKEY=new\nB=2"),
            ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\r\nB=2\r\n"),
            ("KEY=old", "KEY=new"),
            ("  export KEY = 'old' # note\n\n", "  export KEY=new\n\n"),
            ("#KEY=old\nKEYS=1\n", "#KEY=old\nKEYS=1\nKEY=new\n"),
            ("KEY=\n", "KEY=new\n"),
            (
                "A=\"x\nKEY=no\n\"\nKEY=\"o\\\"ld\"\n",
                "A=\"x\nKEY=no\n\"\nKEY=new\n",
            ),
        ] {
            assert_eq!(edited(before, "new"), after, "{before:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_alone() {
        let fault = |content: &str| edit(content, "KEY", "new").unwrap_err();
        assert_eq!(fault("KEY=1\nKEY=2\n"), EnvFault::Twice);
        assert_eq!(fault("KEY=\"1\n2\"\n"), EnvFault::SeveralLines);
        assert_eq!(fault("A='1\nKEY=2\n"), EnvFault::Unclosed);
        assert_eq!(edit("", "KEY", "a\nB=c").unwrap_err(), EnvFault::Value);
    }

    #[test]
    fn values_are_read_back_as_they_were() {
        for secret in [
            "plain_123",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw==",
            r#"{"kty":"OKP","d":"x y"}"#,
            "it's $HOME \\ `x` \"y\"",
            "",
            "#no comment",
        ] {
            let content = edited("KEY='old'\n", secret);
            assert_eq!(
                *value(&content, "KEY").unwrap().unwrap(),
                secret,
                "{content}"
            );
        }
        assert_eq!(value("A=1", "KEY").unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn files_become_private_and_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".env");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        put(&path, "KEY", "one").unwrap();
        assert_eq!(mode(), 0o600);
        for (before, after) in [(0o644, 0o600), (0o700, 0o700), (0o600, 0o600)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(before)).unwrap();
            put(&path, "KEY", "two").unwrap();
            assert_eq!(mode(), after);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "KEY=two\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(put(&link, "KEY", "three").is_err());
        assert!(put(directory.path(), "KEY", "three").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "KEY=two\n");
    }
}
