//! Entity tags: each stands for one state of one object, as one principal sees it (spec
//! chapter 02). Checked at every answer, so that no scenario has to ask for it.

use std::collections::HashMap;

use serde_json::Value;

use super::Fault;
use super::call::Call;
use super::wire::{Got, Sent};

/// Every tag that was seen, and what it stood for.
#[derive(Debug, Default)]
pub struct Tags(HashMap<String, Value>);

impl Tags {
    /// Checks the tag of an answer, and remembers it.
    ///
    /// # Errors
    /// Where there is none, where it is weak, or where it stood for something else before.
    pub fn check(
        &mut self,
        call: &Call,
        sent: &Sent,
        got: &Got,
        value: &Value,
    ) -> Result<(), Fault> {
        let broken = |got: &str| Fault::broken("CLP-TRN-035", "a strong `ETag`", got);
        let tag = got
            .header("etag")
            .ok_or_else(|| broken("no such header field"))?;
        let strong = tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"');
        if !strong {
            return Err(broken(tag));
        }
        let key = format!("{:?} {} {tag}", call.actor, sent.url);
        let mut value = value.clone();
        if let Value::Object(members) = &mut value {
            // No tag stands for it (CLP-TRN-042).
            members.remove("last_seen_at");
        }
        match self.0.insert(key, value.clone()) {
            Some(before) if before != value => Err(Fault::broken(
                "CLP-TRN-035",
                format!("another `ETag` than that of {before}"),
                format!("the same for {value}"),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::call::{Actor, Payload, row};
    use serde_json::json;

    #[test]
    fn a_tag_that_stays_while_its_object_changes_is_seen() {
        let call = Call::of(
            row("credential_read").unwrap(),
            Actor::Person("Ana".to_owned()),
            Payload::Nothing,
        );
        let sent = Sent {
            method: "GET".to_owned(),
            url: "http://localhost/credentials/cred_1".parse().unwrap(),
            headers: Vec::new(),
            body: None,
        };
        let answer = |tag: &str| Got {
            status: 200,
            headers: vec![("etag".to_owned(), tag.to_owned())],
            body: Vec::new(),
        };
        let mut tags = Tags::default();
        let mut judged = |tag: &str, owner: &str| {
            tags.check(&call, &sent, &answer(tag), &json!({"owner": owner}))
                .is_ok()
        };
        assert!(judged("\"1\"", "a"));
        assert!(judged("\"1\"", "a"));
        assert!(judged("\"2\"", "b"));
        assert!(!judged("\"2\"", "c"));
        assert!(!judged("W/\"3\"", "c"));
        assert!(!judged("4", "c"));
    }
}
