//! What an approver signs (specification chapter 12-approve): the approval document, its
//! digest, and the challenge that binds digest, decision and approver together.

pub mod attestation;
pub mod cose;
pub mod record;
pub mod webauthn;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical::{self, CanonicalFault};
use crate::ids::{PrincipalId, RequestId};
use crate::state::named;

/// The protocol version that an approval document names in `clp`.
pub const DOCUMENT_VERSION: &str = "1.0";

/// Keeps a signature made for an approval from meaning anything elsewhere.
pub const CHALLENGE_CONTEXT: &str = "clp-approval-v1";

named! {
    /// What a principal is.
    PrincipalKind {
        /// Somebody who can be asked, and can decide.
        Person = "person",
        /// A program that does what somebody tells it to.
        Client = "client",
        /// A program that acts by its own judgement.
        Agent = "agent",
        /// A job that nobody sits at.
        Workload = "workload",
    }
}

/// Longest chain of actors: the requester, and those for whom it acts.
pub const MAX_ACTORS: usize = 8;

/// Somebody who asks, or for whom it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Who.
    pub principal: PrincipalId,
    /// What that is.
    pub kind: PrincipalKind,
}

/// What the approver decided. A refusal is signed just as an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Let the credential be created as asked for.
    Approve,
    /// Refuse the request for good.
    Deny,
}

impl Decision {
    /// The decision as the wire spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

/// The exact object whose canonical form is hashed and approved.
///
/// Unknown members are refused: one that the reader dropped would change the digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDocument {
    /// The protocol version, [`DOCUMENT_VERSION`].
    #[schemars(extend("const" = DOCUMENT_VERSION))]
    pub clp: String,
    /// The issuer identifier, an https URL (loopback http in a test environment).
    #[schemars(length(min = 1, max = 2048))]
    pub issuer: String,
    /// The request that is decided on.
    pub request_id: RequestId,
    /// The version of that request, from 1. An amendment makes a new version.
    #[schemars(range(min = 1, max = 9_007_199_254_740_992_u64))]
    pub version: u64,
    /// The principal that asked.
    pub requester: PrincipalId,
    /// The principal that asked, then the one that it acts for, and so on outwards (`act` of
    /// RFC 8693 section 4.1, read from the inside). Never empty.
    #[schemars(length(min = 1, max = MAX_ACTORS))]
    pub actors: Vec<Actor>,
    /// Digest of the permission document that says what the permissions mean.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub permission_schema_digest: String,
    /// The body of the request, every member as it was submitted.
    pub request: Value,
}

/// Why a document has no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalFault {
    /// `clp` is not [`DOCUMENT_VERSION`].
    #[error("the approval document names a protocol version other than 1.0")]
    Version,
    /// `request` is not an object.
    #[error("the request of the approval document is not an object")]
    NotAnObject,
    /// `actors` is empty, too long, or begins with another than the requester.
    #[error("the first of the actors is not the requester")]
    Actors,
    /// The document has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalFault),
}

/// The digest an approval binds: base64url(SHA-256(JCS(document))), 43 letters.
///
/// # Errors
/// [`ApprovalFault`] if the version is another, `actors` does not begin with the requester,
/// `request` is no object, or a `null` or an integer beyond 2^53 stands anywhere in it.
pub fn digest(document: &ApprovalDocument) -> Result<String, ApprovalFault> {
    if document.clp != DOCUMENT_VERSION {
        return Err(ApprovalFault::Version);
    }
    if !document.request.is_object() {
        return Err(ApprovalFault::NotAnObject);
    }
    let first = document.actors.first().map(|actor| &actor.principal);
    if first != Some(&document.requester) || document.actors.len() > MAX_ACTORS {
        return Err(ApprovalFault::Actors);
    }
    let value = serde_json::to_value(document).map_err(|_| CanonicalFault::Unwritable)?;
    let bytes = canonical::to_bytes_without_null(&value)?;
    Ok(canonical::to_base64url(&canonical::sha256(&bytes)))
}

/// What an approver agrees to in place of what was asked for, each value as it is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreed {
    /// In place of `permissions`.
    pub permissions: Option<Value>,
    /// In place of `lifetime_seconds`.
    pub lifetime_seconds: Option<Value>,
    /// In place of `renewable_until` of `rotation_policy`.
    pub renewable_until: Option<Value>,
}

/// The document that is signed by who agrees to less: the next version, with these values,
/// as they are sent, in place of those asked for. Whether they are less is not looked at.
///
/// # Errors
/// [`ApprovalFault::NotAnObject`] if `request`, or its `rotation_policy`, is no object.
pub fn narrowed(
    mut document: ApprovalDocument,
    agreed: Agreed,
) -> Result<ApprovalDocument, ApprovalFault> {
    let members = document
        .request
        .as_object_mut()
        .ok_or(ApprovalFault::NotAnObject)?;
    let replaced = [
        ("permissions", agreed.permissions),
        ("lifetime_seconds", agreed.lifetime_seconds),
    ];
    for (name, value) in replaced {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    }
    if let Some(until) = agreed.renewable_until {
        // A request without a rotation policy gets one that says this and nothing else.
        members
            .entry("rotation_policy")
            .or_insert_with(|| json!({}))
            .as_object_mut()
            .ok_or(ApprovalFault::NotAnObject)?
            .insert("renewable_until".to_owned(), until);
    }
    document.version = document.version.saturating_add(1);
    Ok(document)
}

/// The challenge that the approver's authenticator signs:
/// SHA-256(JCS({approver, context, decision, digest, nonce})).
///
/// `digest` and `nonce` are the base64url texts of the wire, `approver` the principal's
/// identifier. On the wire the challenge is base64url.
#[must_use]
pub fn challenge(digest: &str, nonce: &str, decision: Decision, approver: &str) -> [u8; 32] {
    // Five strings under names in sorted order: there plain JSON and the canonical form
    // are the same bytes, and writing it cannot fail.
    let text = json!({
        "approver": approver,
        "context": CHALLENGE_CONTEXT,
        "decision": decision.as_str(),
        "digest": digest,
        "nonce": nonce,
    })
    .to_string();
    canonical::sha256(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn actor(id: &str, kind: PrincipalKind) -> Actor {
        Actor {
            principal: id.parse().unwrap(),
            kind,
        }
    }

    fn document(request: Value) -> ApprovalDocument {
        ApprovalDocument {
            clp: DOCUMENT_VERSION.to_owned(),
            issuer: "https://issuer.example".to_owned(),
            request_id: "req_0123456789abcdefghij".parse().unwrap(),
            version: 1,
            requester: "prin_0123456789abcdefghij".parse().unwrap(),
            actors: vec![actor("prin_0123456789abcdefghij", PrincipalKind::Person)],
            permission_schema_digest: format!("sha256:{}", "0".repeat(64)),
            request,
        }
    }

    #[test]
    fn the_digest_covers_every_member() {
        let first = document(json!({"purpose": "x"}));
        let whole = digest(&first).unwrap();
        assert_eq!(whole.len(), 43);
        let changed = [
            ApprovalDocument {
                issuer: "https://other.example".to_owned(),
                ..first.clone()
            },
            ApprovalDocument {
                request_id: "req_0123456789abcdefghik".parse().unwrap(),
                ..first.clone()
            },
            ApprovalDocument {
                version: 2,
                ..first.clone()
            },
            ApprovalDocument {
                requester: "prin_0123456789abcdefghik".parse().unwrap(),
                actors: vec![actor("prin_0123456789abcdefghik", PrincipalKind::Person)],
                ..first.clone()
            },
            ApprovalDocument {
                actors: vec![actor("prin_0123456789abcdefghij", PrincipalKind::Agent)],
                ..first.clone()
            },
            ApprovalDocument {
                actors: vec![
                    actor("prin_0123456789abcdefghij", PrincipalKind::Person),
                    actor("prin_0123456789abcdefghik", PrincipalKind::Person),
                ],
                ..first.clone()
            },
            ApprovalDocument {
                permission_schema_digest: format!("sha256:{}", "1".repeat(64)),
                ..first.clone()
            },
            ApprovalDocument {
                request: json!({"purpose": "y"}),
                ..first.clone()
            },
            ApprovalDocument {
                request: json!({"purpose": "x", "more": 1}),
                ..first
            },
        ];
        for other in changed {
            assert_ne!(digest(&other), Ok(whole.clone()));
        }
    }

    #[test]
    fn what_could_be_read_two_ways_has_no_digest() {
        assert!(digest(&document(json!({"a": 1}))).is_ok());
        let null = digest(&document(json!({"a": {"b": null}})));
        assert_eq!(null, Err(CanonicalFault::Null.into()));
        let large = digest(&document(json!({"a": (1_i64 << 53) + 1})));
        assert_eq!(large, Err(CanonicalFault::IntegerTooLarge.into()));
        assert_eq!(
            digest(&document(json!([]))),
            Err(ApprovalFault::NotAnObject)
        );
        let version = ApprovalDocument {
            clp: "1.1".to_owned(),
            ..document(json!({}))
        };
        assert_eq!(digest(&version), Err(ApprovalFault::Version));
        let other = actor("prin_0123456789abcdefghik", PrincipalKind::Person);
        for actors in [vec![], vec![other.clone()], vec![other; MAX_ACTORS + 1]] {
            let document = ApprovalDocument {
                actors,
                ..document(json!({}))
            };
            assert_eq!(digest(&document), Err(ApprovalFault::Actors));
        }
    }

    #[test]
    fn a_document_with_a_member_nobody_knows_is_refused() {
        let mut value = serde_json::to_value(document(json!({}))).unwrap();
        assert!(serde_json::from_value::<ApprovalDocument>(value.clone()).is_ok());
        value["more"] = json!(true);
        assert!(serde_json::from_value::<ApprovalDocument>(value).is_err());
    }

    proptest! {
        #[test]
        fn the_challenge_hashes_the_canonical_form(digest: String, nonce: String, approver: String) {
            let value = json!({
                "context": CHALLENGE_CONTEXT,
                "digest": digest,
                "nonce": nonce,
                "decision": Decision::Deny,
                "approver": approver,
            });
            let expected = canonical::sha256(&canonical::to_bytes(&value).unwrap());
            prop_assert_eq!(challenge(&digest, &nonce, Decision::Deny, &approver), expected);
            prop_assert_ne!(challenge(&digest, &nonce, Decision::Approve, &approver), expected);
        }
    }
}
