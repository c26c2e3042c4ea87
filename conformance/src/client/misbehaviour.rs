//! What the played issuer can do wrong, or at least not as usual: one table. Everything else
//! about it is the honest reference issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clp_schemas::approval::{Decision, challenge};
use serde_json::{Value, json};

use super::misstated;
use super::played::Exchanged;
use crate::world::names::set;

/// Largest document that is read in discovery, in bytes.
const DISCOVERY_LIMIT: usize = 262_144;

/// What a misbehaviour is made from.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The other origin, with the scheme of the issuer.
    pub elsewhere: String,
    /// The query of the request, if it has one.
    pub query: Option<&'a str>,
    /// What the issuer's own API needs for writing, in the permission language.
    pub write_permissions: &'a Value,
    /// What was exchanged before, oldest first.
    pub before: &'a [Exchanged],
}

impl Scene<'_> {
    /// The body of the first answer of an endpoint that was carried out.
    fn first(&self, endpoint: &str) -> Option<&[u8]> {
        self.before
            .iter()
            .filter(|one| one.endpoint == endpoint)
            .filter_map(|one| one.honest.as_ref())
            .find(|answer| answer.status < 300)
            .map(|answer| answer.body.as_slice())
    }

    /// The secret that was delivered first.
    pub(super) fn secret(&self) -> Value {
        let body = self.first("delivery_read").unwrap_or_default();
        let delivery: Value = serde_json::from_slice(body).unwrap_or_default();
        delivery
            .pointer("/secret/value")
            .cloned()
            .unwrap_or_default()
    }
}

/// A problem that stands in place of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The problem's name.
    pub problem: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Seconds in `Retry-After`.
    pub retry_after: Option<u32>,
    /// After so many refusals the issuer is honest again.
    pub times: usize,
}

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// The answer's JSON is changed.
    Edit(fn(&mut Value, &Scene<'_>)),
    /// The answer's bytes are others.
    Raw(fn(&[u8], &Scene<'_>) -> Vec<u8>),
    /// The answer is a redirect to the same path at the other origin.
    Redirect,
    /// The call is carried out, and the first answer does not arrive.
    Lose,
    /// A problem is the answer, and nothing is carried out.
    Refuse(Refusal),
    /// The call is carried out, and no answer ever comes: the suite stops the client.
    Silent,
    /// A resource refuses the key.
    Unserved,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Misbehaviour {
    /// The name in reports and triples.
    pub name: &'static str,
    /// The sentence of the features, after "the issuer".
    pub words: &'static str,
    /// Where: the name of an endpoint, `resource`, or `every` for all that answer JSON.
    pub at: &'static str,
    /// How.
    pub how: How,
}

/// Every one.
fn all() -> impl Iterator<Item = &'static Misbehaviour> {
    ALL.iter().chain(misstated::ALL)
}

/// Finds the one with these words.
#[must_use]
pub fn by_words(words: &str) -> Option<&'static Misbehaviour> {
    all().find(|one| one.words == words)
}

pub(super) const fn edit(
    name: &'static str,
    words: &'static str,
    at: &'static str,
    edit: fn(&mut Value, &Scene<'_>),
) -> Misbehaviour {
    Misbehaviour {
        name,
        words,
        at,
        how: How::Edit(edit),
    }
}

const fn plain(
    name: &'static str,
    words: &'static str,
    at: &'static str,
    how: How,
) -> Misbehaviour {
    Misbehaviour {
        name,
        words,
        at,
        how,
    }
}

/// Puts a value at a path. A path that leads nowhere leaves the answer honest, and the
/// scenario then fails for want of a refusal.
pub(super) fn put(value: &mut Value, path: &str, new: Value) {
    let _ = set(value, path, new);
}

/// Every one, in the order of a credential's life.
pub const ALL: &[Misbehaviour] = &[
    plain(
        "redirect",
        "redirects its manifest to another origin",
        "manifest_read",
        How::Redirect,
    ),
    edit(
        "other-identifier",
        "states the identifier of another issuer",
        "manifest_read",
        |value, scene| put(value, "issuer_identifier", json!(scene.elsewhere)),
    ),
    plain(
        "duplicate-member",
        "states a member of its manifest twice",
        "manifest_read",
        How::Raw(|body, _| {
            let text = String::from_utf8_lossy(body);
            let rest = text.trim_start().strip_prefix('{').unwrap_or_default();
            format!(
                "{{\"contact\":\"mailto:a@b.example\",\"contact\":\"mailto:b@b.example\",{rest}"
            )
            .into_bytes()
        }),
    ),
    plain(
        "oversized",
        "serves a manifest of more than 262144 bytes",
        "manifest_read",
        How::Raw(|body, _| {
            let mut large = body.to_vec();
            large.resize(DISCOVERY_LIMIT + 1, b' ');
            large
        }),
    ),
    plain(
        "garbage",
        "serves garbage in place of its manifest",
        "manifest_read",
        How::Raw(|_, _| b"\x00\x01\x02{this is not JSON".to_vec()),
    ),
    edit(
        "manifest-version-7",
        "is at version 7 of its manifest",
        "manifest_read",
        |value, _| put(value, "manifest_version", json!(7)),
    ),
    edit(
        "manifest-rollback",
        "goes back to version 6 of its manifest",
        "manifest_read",
        |value, _| put(value, "manifest_version", json!(6)),
    ),
    edit(
        "no-endpoint",
        "leaves `credential_issuer_endpoint` out of its manifest",
        "manifest_read",
        |value, _| {
            if let Some(members) = value.as_object_mut() {
                members.remove("credential_issuer_endpoint");
            }
        },
    ),
    edit(
        "contradiction",
        "contradicts itself about revocation",
        "manifest_read",
        |value, _| put(value, "supports_revocation", json!(false)),
    ),
    edit(
        "endpoint-elsewhere",
        "keeps its credentials at another origin",
        "manifest_read",
        |value, scene| {
            let there = format!("{}/credentials", scene.elsewhere);
            put(value, "credential_issuer_endpoint", json!(there));
        },
    ),
    edit(
        "one-member",
        "serves a manifest of one member",
        "manifest_read",
        |value, _| {
            if let Some(members) = value.as_object_mut() {
                members.retain(|name, _| name == "credential_issuer_endpoint");
            }
        },
    ),
    edit(
        "later-members",
        "adds members of a later version to its answers",
        "every",
        |value, _| put(value, "x_later_member", json!({"a": [1]})),
    ),
    edit(
        "other-document",
        "serves another permission document than the one asked for",
        "permission_document_read",
        |value, scene| {
            if scene.query.is_some_and(|query| query.contains("digest=")) {
                put(value, "version", json!("of-another-document"));
            }
        },
    ),
    edit(
        "unknown-permission-member",
        "adds an unknown member to its permission document",
        "permission_document_read",
        |value, _| put(value, "x_later_member", json!(true)),
    ),
    edit(
        "circular-document",
        "serves a permission document that goes round in circles",
        "permission_document_read",
        go_round,
    ),
    edit(
        "widened",
        "opens more than was asked for",
        "credential_create",
        |value, scene| put(value, "permissions", scene.write_permissions.clone()),
    ),
    plain(
        "lost-create",
        "loses its answer to credential_create",
        "credential_create",
        How::Lose,
    ),
    plain(
        "lost-delivery",
        "loses its answer to delivery_read",
        "delivery_read",
        How::Lose,
    ),
    edit(
        "same-secret-twice",
        "delivers the secret of the first credential once more",
        "delivery_read",
        |value, scene| {
            let first = scene
                .first("delivery_read")
                .and_then(|body| serde_json::from_slice::<Value>(body).ok());
            if let Some(secret) = first.and_then(|first| first.get("secret").cloned()) {
                put(value, "secret", secret);
            }
        },
    ),
    edit(
        "delivery-elsewhere",
        "links its deliveries at another origin",
        "credential_create",
        |value, scene| {
            let there = format!(
                "{}/credentials/deliveries/dlv_00000000000000000000",
                scene.elsewhere
            );
            put(value, "delivery.uri", json!(there));
        },
    ),
    plain(
        "misleading-title",
        "refuses for good and speaks of haste",
        "credential_create",
        How::Refuse(Refusal {
            status: 403,
            problem: "forbidden",
            title: "rate-limited: too many requests, try again",
            retry_after: Some(0),
            times: usize::MAX,
        }),
    ),
    plain(
        "patience",
        "asks for a second of patience",
        "credential_create",
        How::Refuse(Refusal {
            status: 429,
            problem: "rate-limited",
            title: "too many requests",
            retry_after: Some(1),
            times: 1,
        }),
    ),
    plain(
        "silent-create",
        "goes silent at credential_create",
        "credential_create",
        How::Silent,
    ),
    plain(
        "silent-ack",
        "goes silent at delivery_ack",
        "delivery_ack",
        How::Silent,
    ),
    plain(
        "silent-delivery",
        "goes silent at delivery_read",
        "delivery_read",
        How::Silent,
    ),
    plain(
        "silent-resource",
        "goes silent at the first call of its API",
        "resource",
        How::Silent,
    ),
    edit(
        "one-slot",
        "has room for one key only",
        "manifest_read",
        |value, _| put(value, "overlap_supported", json!(false)),
    ),
    plain(
        "key-refused",
        "serves no key any more",
        "resource",
        How::Unserved,
    ),
    edit(
        "slow-interval",
        "wants to be asked every 2 seconds",
        "request_open",
        |value, _| put(value, "interval", json!(2)),
    ),
    edit(
        "slow-interval",
        "says so on every reading",
        "request_read",
        |value, _| put(value, "interval", json!(2)),
    ),
    edit(
        "other-digest",
        "states another digest than that of the request",
        "request_read",
        |value, _| put(value, "digest", json!(URL_SAFE_NO_PAD.encode([7; 32]))),
    ),
    edit(
        "other-challenge",
        "has another challenge signed",
        "challenge_open",
        |value, _| put(value, "challenge", json!(URL_SAFE_NO_PAD.encode([7; 32]))),
    ),
    edit(
        "other-document-for-less",
        "makes something else of what is agreed to",
        "challenge_open",
        |value, _| {
            let digest = URL_SAFE_NO_PAD.encode([7; 32]);
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            let stated = challenge(&digest, text("nonce"), Decision::Approve, text("approver"));
            put(value, "digest", json!(digest));
            put(value, "challenge", json!(URL_SAFE_NO_PAD.encode(stated)));
        },
    ),
    edit(
        "recommends-too-little",
        "recommends less than was used",
        "scope_analysis",
        |value, _| {
            let recommended = value.get_mut("recommended").and_then(Value::as_array_mut);
            for statement in recommended.into_iter().flatten() {
                let selector = statement.get("selector").and_then(Value::as_str);
                let other = match selector.and_then(|text| text.rsplit_once('/')) {
                    Some((before, _)) => format!("{before}/of-nobody"),
                    None => "of-nobody".to_owned(),
                };
                put(statement, "selector", json!(other));
            }
        },
    ),
    plain(
        "log-rollback",
        "takes entries of its log back",
        "audit_checkpoint",
        How::Raw(|body, scene| {
            scene
                .first("audit_checkpoint")
                .map_or_else(|| body.to_vec(), <[u8]>::to_vec)
        }),
    ),
];

/// Lets the first two actions of a resource type imply each other.
fn go_round(value: &mut Value, _: &Scene<'_>) {
    let Some(types) = value
        .get_mut("resource_types")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for one in types.values_mut() {
        let Some(actions) = one.get_mut("actions").and_then(Value::as_object_mut) else {
            continue;
        };
        let names: Vec<String> = actions.keys().take(2).cloned().collect();
        if let [first, second] = names.as_slice() {
            for (name, implied) in [(first, second), (second, first)] {
                if let Some(action) = actions.get_mut(name) {
                    put(action, "implies", json!([implied]));
                }
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_words_of_its_own_and_a_place_that_exists() {
        let words: BTreeSet<&str> = all().map(|one| one.words).collect();
        assert_eq!(words.len(), all().count());
        for one in all() {
            let known = clp_schemas::endpoint::ALL
                .iter()
                .any(|row| row.name == one.at);
            assert!(
                known || ["resource", "every"].contains(&one.at),
                "{}",
                one.at
            );
        }
    }
}
