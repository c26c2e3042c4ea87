//! Issuers that mistake what overlaps in time, or is cut off in it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{NONE, Saboteur};
use crate::http::{Answer, Asked};
use crate::seams::Seams;

pub(super) const ALL: &[Saboteur] = &[Saboteur::new(
    "CLP-TRN-043",
    "compares a tag in one step, and changes what it is of in another",
    Seams {
        mishear: Some(compare),
        tamper: Some(note),
        ..NONE
    },
)];

/// What shows only when the issuer is killed.
pub(super) const UNSEEN: &[Saboteur] = &[Saboteur::new(
    "CLP-AUD-002",
    "answers a while before it stores what was done",
    Seams {
        hasty: true,
        ..NONE
    },
)];

/// The newest tags that were answered, by path.
static TAGS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Lets a change through whose tag is the newest that was answered; by the time of the change it
/// can be another.
fn compare(asked: &mut Asked) {
    if asked.endpoint != "installation_put" {
        return;
    }
    let tags = TAGS.lock().unwrap_or_else(PoisonError::into_inner);
    if tags.get(asked.path()).map(String::as_str) == Some(asked.header("if-match")) {
        asked.set("if-match", "*");
    }
}

fn note(asked: &Asked, answer: &mut Answer) {
    let tag = answer.headers.get("etag").and_then(|tag| tag.to_str().ok());
    if let ("installation_put" | "installation_read", Some(tag)) = (asked.endpoint, tag) {
        let mut tags = TAGS.lock().unwrap_or_else(PoisonError::into_inner);
        tags.insert(asked.path().to_owned(), tag.to_owned());
    }
}
