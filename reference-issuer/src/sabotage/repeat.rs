//! Saboteurs of repetitions, preconditions, queries and pages (specification chapter 02).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Saboteur;
use crate::http::{Answer, Asked};
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::skip(
        "CLP-TRN-017",
        "takes a call without an idempotency key",
        &["CLP-TRN-017"],
    ),
    Saboteur::mishear(
        "CLP-TRN-017/store",
        "names a store without an idempotency key",
        |asked| {
            if asked.endpoint == "store_register" && !asked.has("idempotency-key") {
                asked.set("idempotency-key", "none");
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-017/request",
        "opens a request without an idempotency key",
        |asked| {
            if asked.endpoint == "request_open" && !asked.has("idempotency-key") {
                asked.set("idempotency-key", "none");
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-018",
        "takes a key of another form for none",
        &["CLP-TRN-018"],
    ),
    Saboteur::mishear(
        "CLP-TRN-018/twice",
        "takes the first of two keys",
        |asked| {
            let first = asked.header("idempotency-key").to_owned();
            if !first.is_empty() {
                asked.set("idempotency-key", &first);
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-018/long", "takes a key of 256 letters", |asked| {
        let key = asked.header("idempotency-key");
        if key.len() == 256 {
            let key: String = key.chars().skip(1).collect();
            asked.set("idempotency-key", &key);
        }
    }),
    Saboteur::mishear(
        "CLP-TRN-018/space",
        "takes a key with a space in it",
        |asked| {
            let key = asked.header("idempotency-key").replace(' ', "_");
            if !key.is_empty() && asked.headers.get_all("idempotency-key").iter().count() == 1 {
                asked.set("idempotency-key", &key);
            }
        },
    ),
    Saboteur::alter(
        "CLP-TRN-019",
        "answers a repetition with 200",
        |_, effects| {
            for effect in effects {
                if let Effect::Record { answer, .. } = effect
                    && answer.status == 201
                {
                    answer.status = 200;
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-TRN-019/bytes",
        "writes the body of a repetition anew",
        |_, effects| {
            for effect in effects {
                if let Effect::Record { answer, .. } = effect {
                    answer.body.push(b'\n');
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-TRN-019/approval",
        "opens a request once more for a repetition",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::Record { answer, .. } if answer.status >= 400),
            );
        },
    ),
    Saboteur::alter(
        "CLP-TRN-020",
        "does a repeated call once more",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::Record { .. })),
    ),
    Saboteur::skip(
        "CLP-TRN-021",
        "answers another body with what the key stands for",
        &["CLP-TRN-021"],
    ),
    Saboteur::alter(
        "CLP-TRN-023",
        "forgets a key after 23 hours",
        |context, effects| {
            for effect in effects {
                if let Effect::Record { forget_at, .. } = effect {
                    *forget_at = context.now.plus(23 * 3600);
                }
            }
        },
    ),
    Saboteur::alter(
        "CLP-TRN-023/minute",
        "forgets a key a minute before the day is over",
        |context, effects| {
            for effect in effects {
                if let Effect::Record { forget_at, .. } = effect {
                    *forget_at = context.now.plus(24 * 3600 - 60);
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-024",
        "knows a key whoever sends it",
        |asked, answer| {
            static ANSWERS: Answers = Answers::new();
            let key = format!("{} {}", asked.path(), asked.header("idempotency-key"));
            if asked.has("idempotency-key") && asked.endpoint == "credential_create" {
                ANSWERS.again(key, answer, |answer| answer.status == 201);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-024/path",
        "knows a key whatever path it comes to",
        |asked, answer| {
            static ANSWERS: Answers = Answers::new();
            if asked.has("idempotency-key") && asked.endpoint == "rotation_open" {
                let key = format!("{} {}", caller(asked), asked.header("idempotency-key"));
                ANSWERS.again(key, answer, |answer| answer.status == 201);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-025",
        "remembers a refusal for the key",
        |asked, answer| {
            static ANSWERS: Answers = Answers::new();
            if asked.has("idempotency-key") {
                let key = format!("{} {}", caller(asked), asked.header("idempotency-key"));
                ANSWERS.again(key, answer, |answer| answer.status == 422);
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-027",
        "reads a query that is not in order as none",
        &["CLP-TRN-027"],
    ),
    Saboteur::mishear(
        "CLP-TRN-027/unknown",
        "passes over a filter that nobody defined",
        |asked| {
            let mut query = asked.query();
            query.retain(|(name, _)| name != "ownr" && name != "actor");
            if query.len() != asked.query().len() {
                asked.set_query(&query);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-027/repeated",
        "takes the first of two parameters of one name",
        |asked| {
            let mut query = Vec::<(String, String)>::new();
            for (name, value) in asked.query() {
                if !query.iter().any(|(have, _)| *have == name) {
                    query.push((name, value));
                }
            }
            if query.len() != asked.query().len() {
                asked.set_query(&query);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-027/bounds",
        "gives as many items as it can where too many are asked for",
        |asked| limit(asked, |limit| if limit == "201" { "200" } else { limit }),
    ),
    Saboteur::mishear("CLP-TRN-027/zero", "takes a limit of 0 for none", |asked| {
        limit(asked, |limit| if limit == "0" { "50" } else { limit })
    }),
    Saboteur::mishear(
        "CLP-TRN-027/spelling",
        "takes a number that begins with a zero",
        |asked| limit(asked, |limit| if limit == "05" { "5" } else { limit }),
    ),
    Saboteur::mishear(
        "CLP-TRN-028",
        "gives one item more than was asked for",
        |asked| {
            if asked.endpoint == "credential_list" {
                limit(asked, |limit| if limit == "2" { "3" } else { limit });
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-028/default",
        "gives a page of 60 where nobody says how many",
        |asked| {
            let mut query = asked.query();
            if asked.endpoint == "credential_list" && !query.iter().any(|(name, _)| name == "limit")
            {
                query.push(("limit".to_owned(), "60".to_owned()));
                asked.set_query(&query);
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-029",
        "begins anew with a cursor that is not of this listing",
        &["CLP-TRN-029"],
    ),
    Saboteur::tamper(
        "CLP-TRN-030",
        "leaves out an item between two pages",
        |asked, answer| {
            if asked.query().iter().any(|(name, _)| name == "cursor") && answer.status == 200 {
                answer.edit(|body| {
                    if let Some(items) = body["items"].as_array_mut() {
                        items.pop();
                    }
                });
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-030/last", "has no page after the first", |asked| {
        let mut query = asked.query();
        if asked.endpoint == "credential_list" && query.iter().any(|(name, _)| name == "cursor") {
            query.retain(|(name, _)| name != "cursor");
            asked.set_query(&query);
        }
    }),
    Saboteur::tamper(
        "CLP-TRN-035",
        "gives a credential one entity tag for ever",
        |asked, answer| {
            if asked.endpoint == "credential_read" && !asked.target.contains('?') {
                answer.set("etag", "\"one\"");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-035/weak",
        "tags a rotation weakly",
        |asked, answer| {
            if asked.endpoint == "rotation_read" && answer.headers.contains_key("etag") {
                answer.set("etag", "W/\"rotation\"");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-035/change",
        "does not tag what was amended",
        |asked, answer| {
            if asked.endpoint == "credential_amend" {
                answer.headers.remove("etag");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-042",
        "gives a place another tag once it was seen",
        |asked, answer| {
            if asked.endpoint == "installation_read" && !answer.json()["last_seen_at"].is_null() {
                answer.set("etag", "\"seen\"");
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-036",
        "changes what somebody did not say to have seen",
        &["CLP-TRN-036"],
    ),
    Saboteur::mishear(
        "CLP-TRN-036/amend",
        "amends what somebody did not say to have seen",
        |asked| unseen(asked, "credential_amend"),
    ),
    Saboteur::mishear(
        "CLP-TRN-036/resume",
        "resumes what somebody did not say to have seen",
        |asked| unseen(asked, "credential_resume"),
    ),
    Saboteur::mishear(
        "CLP-TRN-036/put",
        "changes a place that somebody did not say to have seen",
        |asked| unseen(asked, "installation_put"),
    ),
    Saboteur::mishear(
        "CLP-TRN-036/delete",
        "forgets a place that somebody did not say to have seen",
        |asked| unseen(asked, "installation_delete"),
    ),
    Saboteur::mishear(
        "CLP-TRN-036/advance",
        "advances a rotation that somebody did not say to have seen",
        |asked| unseen(asked, "rotation_advance"),
    ),
    Saboteur::skip(
        "CLP-TRN-037",
        "changes what is no longer as it was seen",
        &["CLP-TRN-037"],
    ),
    Saboteur::mishear(
        "CLP-TRN-037/weak",
        "takes a weak tag for a strong one",
        |asked| {
            if let Some(strong) = asked.header("if-match").strip_prefix("W/") {
                let strong = strong.to_owned();
                asked.set("if-match", &strong);
            }
        },
    ),
];

/// Takes a change of whatever is there for one of what was seen.
fn unseen(asked: &mut Asked, endpoint: &str) {
    if asked.endpoint == endpoint && !asked.has("if-match") && !asked.has("if-none-match") {
        asked.set("if-match", "*");
    }
}

/// Who calls.
fn caller(asked: &Asked) -> String {
    asked.header("authorization").to_owned()
}

/// Gives a query another limit, where it has one.
fn limit(asked: &mut Asked, change: impl Fn(&str) -> &str) {
    let changed: Vec<(String, String)> = asked
        .query()
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "limit" => (name, change(&value).to_owned()),
            _ => (name, value),
        })
        .collect();
    if changed != asked.query() {
        asked.set_query(&changed);
    }
}

/// Answers that are given again, by what somebody takes for the same call.
struct Answers(Mutex<BTreeMap<String, (u16, Vec<u8>)>>);

impl Answers {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Answers as the first time, where there was one that was to be kept.
    fn again(&self, call: String, answer: &mut Answer, keeps: impl Fn(&Answer) -> bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&call) {
            Some((status, body)) => {
                answer.status = *status;
                answer.body.clone_from(body);
                if *status >= 400 {
                    answer.set("content-type", "application/problem+json");
                }
            }
            None if keeps(answer) => {
                known.insert(call, (answer.status, answer.body.clone()));
            }
            None => {}
        }
    }
}
