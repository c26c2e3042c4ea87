//! What `clp` is about to do, written down before it does it.
//!
//! A run that dies between minting and storing leaves its `Idempotency-Key` and body here.
//! The same command, run again, sends both once more, and so gets the same credential
//! instead of a second one (CLP-TRN-026).

use std::io::ErrorKind;
use std::path::PathBuf;

use clp_schemas::canonical;
use clp_schemas::ids::CredentialId;
use clp_schemas::json;
use clp_schemas::time::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::client::new_idempotency_key;
use crate::error::{Error, LocalFault};
use crate::private;

/// How long an issuer is bound to know a key (CLP-TRN-023), less an hour for clocks that
/// disagree. An older note could mint anew, so it is dropped: by then a delivery that nobody
/// read has long lapsed, and its credential with it.
const KEPT_SECONDS: i64 = 82_800;
const MAX_BYTES: u64 = 512 * 1024;

/// The directory of notes.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
}

/// What makes two runs the same: issuer, caller, endpoint, and what the caller meant. Not the
/// body, since a lifetime becomes another time in each run.
#[derive(Debug)]
pub(crate) struct Intent<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) caller: &'a str,
    pub(crate) endpoint: &'a str,
    pub(crate) meaning: Value,
}

/// A note as it stands in its file.
#[derive(Serialize, Deserialize)]
struct Note {
    key: String,
    /// What is begun, for whoever reads the file: of a rotation, the old credential's id.
    #[serde(default)]
    meaning: Value,
    body: Value,
    begun_at: Timestamp,
}

/// Something begun and not finished.
#[derive(Debug)]
pub(crate) struct Begun<B> {
    pub(crate) key: String,
    pub(crate) body: B,
    /// Whether an earlier run began it.
    pub(crate) resumed: bool,
    path: PathBuf,
}

impl Journal {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Notes that something is begun, or finds the note of an earlier run that did not
    /// finish. The note is on disk when this returns.
    pub(crate) fn begin<B: Serialize + DeserializeOwned>(
        &self,
        intent: &Intent<'_>,
        body: B,
    ) -> Result<Begun<B>, Error> {
        private::create_dir(&self.directory)?;
        let _held = private::lock(&self.directory.join(".lock"))?;
        let path = self.directory.join(name(intent)?);
        if let Some((key, body)) = read(&path)? {
            return Ok(Begun {
                key,
                body,
                resumed: true,
                path,
            });
        }
        let note = Note {
            key: new_idempotency_key()?,
            meaning: intent.meaning.clone(),
            body: serde_json::to_value(&body).map_err(unwritable)?,
            begun_at: Timestamp::system_now(),
        };
        private::replace(&path, &serde_json::to_vec(&note).map_err(unwritable)?)?;
        Ok(Begun {
            key: note.key,
            body,
            resumed: false,
            path,
        })
    }
}

impl Journal {
    /// Forgets what was begun with a credential that has since come to its end by another way:
    /// whoever began it again would be answered as the first time.
    pub(crate) fn forget(&self, about: &CredentialId) -> Result<(), LocalFault> {
        let fault = || LocalFault::file("read", &self.directory);
        let listed = match std::fs::read_dir(&self.directory) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(()),
            listed => listed.map_err(fault())?,
        };
        let _held = private::lock(&self.directory.join(".lock"))?;
        for found in listed {
            let path = found.map_err(fault())?.path();
            // What is no note is found out by whoever needs it.
            let note = private::read_if_there(&path, MAX_BYTES).ok().flatten();
            let note = note.and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
            let named = note
                .as_ref()
                .and_then(|note| note.meaning.get("credential"));
            if named.and_then(Value::as_str) == Some(about.as_str()) {
                private::remove(&path)?;
            }
        }
        Ok(())
    }
}

impl<B> Begun<B> {
    /// Notes that it is done, so that the same command begins anew.
    pub(crate) fn finish(&self) -> Result<(), LocalFault> {
        private::remove(&self.path)
    }
}

fn unwritable(_: serde_json::Error) -> LocalFault {
    LocalFault::System("the journal cannot be written as JSON")
}

fn name(intent: &Intent<'_>) -> Result<String, LocalFault> {
    let value = json!([
        intent.issuer,
        intent.caller,
        intent.endpoint,
        intent.meaning
    ]);
    let bytes = canonical::to_bytes(&value)
        .map_err(|_| LocalFault::System("the journal cannot be written as JSON"))?;
    Ok(canonical::to_base64url(&canonical::sha256(&bytes)))
}

/// The note, unless there is none or it is too old. What is no note is a fault: a torn file
/// cannot come from here, since notes are put in place whole.
fn read<B: DeserializeOwned>(path: &std::path::Path) -> Result<Option<(String, B)>, LocalFault> {
    let Some(bytes) = private::read_if_there(path, MAX_BYTES)? else {
        return Ok(None);
    };
    let limits = json::Limits {
        bytes: bytes.len(),
        depth: 64,
    };
    let malformed = || LocalFault::Content {
        path: path.to_owned(),
        what: "is no note of the journal: look at it, then remove it",
    };
    let note: Note = json::parse(&bytes, limits)
        .ok()
        .and_then(|value| serde_json::from_value(value).ok())
        .ok_or_else(malformed)?;
    let age = Timestamp::system_now().unix() - note.begun_at.unix();
    if !(0..KEPT_SECONDS).contains(&age) {
        return Ok(None);
    }
    // Without its body, what was begun cannot be gone on with; to begin anew could mint twice.
    let body = serde_json::from_value(note.body).map_err(|_| malformed())?;
    Ok(Some((note.key, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(meaning: &str) -> Intent<'_> {
        Intent {
            issuer: "https://api.example.com",
            caller: "somebody",
            endpoint: "credential_create",
            meaning: json!({"purpose": meaning}),
        }
    }

    #[test]
    fn what_is_not_finished_is_found_again_with_key_and_body() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path().join("journal"));
        let first = journal.begin(&intent("a"), "body 1".to_owned()).unwrap();
        assert!(!first.resumed);
        let again = journal.begin(&intent("a"), "body 2".to_owned()).unwrap();
        assert!(again.resumed);
        assert_eq!((&again.key, &again.body), (&first.key, &first.body));
        let other = journal.begin(&intent("b"), "body 1".to_owned()).unwrap();
        assert!(!other.resumed);
        assert_ne!(other.key, first.key);
        again.finish().unwrap();
        let anew = journal.begin(&intent("a"), "body 3".to_owned()).unwrap();
        assert!(!anew.resumed);
        assert_ne!(anew.key, first.key);
        assert_eq!(anew.body, "body 3");
    }

    #[test]
    fn what_was_begun_with_a_credential_is_forgotten_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path().join("journal"));
        let id = |number: u8| CredentialId::from_entropy([number; 16]);
        journal.forget(&id(1)).unwrap();
        let about = |number: u8| Intent {
            meaning: json!({"credential": id(number)}),
            ..intent("")
        };
        journal.begin(&about(1), 1).unwrap();
        journal.begin(&about(2), 2).unwrap();
        journal.begin(&intent("a"), 3).unwrap();
        journal.forget(&id(1)).unwrap();
        assert!(!journal.begin(&about(1), 1).unwrap().resumed);
        assert!(journal.begin(&about(2), 2).unwrap().resumed);
        assert!(journal.begin(&intent("a"), 3).unwrap().resumed);
    }

    #[test]
    fn a_note_whose_body_is_another_is_a_fault_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path().to_owned());
        let first = journal.begin(&intent("a"), "body".to_owned()).unwrap();
        let again = journal.begin(&intent("a"), 7_u32);
        assert!(matches!(
            again,
            Err(Error::Local(LocalFault::Content { .. }))
        ));
        let resumed = journal.begin(&intent("a"), "body".to_owned()).unwrap();
        assert!(resumed.resumed && resumed.key == first.key);
    }

    #[test]
    fn notes_older_than_the_issuers_memory_are_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path().to_owned());
        let first = journal.begin(&intent("a"), "body".to_owned()).unwrap();
        for begun in [
            Timestamp::system_now().plus(-KEPT_SECONDS),
            Timestamp::system_now().plus(900),
        ] {
            let note = json!({"key": first.key, "body": "body", "begun_at": begun});
            private::replace(&first.path, note.to_string().as_bytes()).unwrap();
            assert!(
                !journal
                    .begin(&intent("a"), "body".to_owned())
                    .unwrap()
                    .resumed
            );
        }
    }
}
