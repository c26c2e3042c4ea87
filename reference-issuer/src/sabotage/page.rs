//! Saboteurs of the approval page (specification chapter 12, "The page").

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::Saboteur;
use crate::http::{Answer, Asked};
use crate::service::APPROVAL_PATH;

/// What was asked for, by the id of the request: these saboteurs tell it to everybody.
static ASKED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Most requests that are remembered.
const MOST: usize = 1000;

/// The id of the request whose page is asked for.
fn page_of(asked: &Asked) -> Option<&str> {
    asked.path().strip_prefix(APPROVAL_PATH)
}

/// Remembers the purpose of a request that was opened.
fn remember(asked: &Asked, answer: &Answer) {
    let opened = answer.json();
    let id = opened.get("id").and_then(Value::as_str);
    let purpose = opened.pointer("/submitted/purpose").and_then(Value::as_str);
    if asked.endpoint == "request_open"
        && let (Some(id), Some(purpose)) = (id, purpose)
    {
        let mut known = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.pop_first();
        }
        known.insert(id.to_owned(), purpose.to_owned());
    }
}

/// The purpose of the request whose page is asked for.
fn purpose(asked: &Asked) -> Option<String> {
    let known = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(page_of(asked)?).cloned()
}

/// Changes the policy of the page.
fn policy(asked: &Asked, answer: &mut Answer, value: &'static str) {
    if page_of(asked).is_some() {
        answer.set("content-security-policy", value);
    }
}

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-PAG-001",
        "says what a request is for before it knows to whom",
        |asked, answer| {
            remember(asked, answer);
            if let Some(purpose) = purpose(asked) {
                answer.body.extend_from_slice(purpose.as_bytes());
            }
        },
    ),
    Saboteur::tamper(
        "CLP-PAG-001/existence",
        "tells everybody which requests there are",
        |asked, answer| {
            remember(asked, answer);
            if page_of(asked).is_some() && purpose(asked).is_none() {
                answer.status = 404;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-PAG-002",
        "lets any page frame the approval page",
        |asked, answer| policy(asked, answer, "default-src 'self'"),
    ),
    Saboteur::tamper(
        "CLP-PAG-002/some",
        "lets any page over https frame the approval page",
        |asked, answer| {
            policy(
                asked,
                answer,
                "default-src 'self'; frame-ancestors 'self' https:",
            );
        },
    ),
    Saboteur::tamper(
        "CLP-PAG-003",
        "lets scripts of other origins into the approval page",
        |asked, answer| {
            policy(
                asked,
                answer,
                "script-src 'self' https://scripts.example; frame-ancestors 'none'",
            );
        },
    ),
    Saboteur::tamper(
        "CLP-PAG-003/inline",
        "lets scripts that stand in the approval page run",
        |asked, answer| {
            policy(
                asked,
                answer,
                "script-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
            );
        },
    ),
    Saboteur::tamper(
        "CLP-PAG-004",
        "lets the approval page be kept",
        |asked, answer| {
            if page_of(asked).is_some() {
                answer.set("cache-control", "private, max-age=600");
            }
        },
    ),
];
