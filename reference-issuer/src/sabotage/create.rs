//! Saboteurs of creating credentials (specification chapter 13).

use clp_schemas::ids::{CredentialId, DeliveryId};
use clp_schemas::key::{GENERATION_BYTES, Key};
use clp_schemas::ops::create::{OriginKind, SubjectKind};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::state::request::State;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Saboteur;
use super::ways::{garble, minted, request};
use crate::context::Context;
use crate::lifecycle::Effect;
use crate::lifecycle::credential::{Blueprint, Fresh, FreshSecret, create};
use crate::store::Due;

/// No document of this issuer has it.
const OTHER_DIGEST: &str =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-CRE-001",
        "does not say where the credential is that it made",
        |asked, answer| {
            if asked.endpoint == "credential_create" {
                answer.headers.remove("location");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-001/state",
        "says of a new credential that it is active",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                body["state"] = json!("active");
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-001/status",
        "answers 200 when it made a webhook secret",
        |asked, answer| {
            if answer.status == 201 && asked.json()["type"] == "webhook_secret" {
                answer.status = 200;
            }
        },
    ),
    Saboteur::alter(
        "CLP-CRE-002",
        "puts a client secret among the labels of its credential",
        |_, effects| {
            if let Some((credential, secret)) = minted(effects)
                && credential.kind == CredentialType::OauthClient
                && let Some(text) = secret.text()
            {
                credential
                    .labels
                    .insert("hint".to_owned(), text.to_string());
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-003",
        "puts the permissions into an order of its own",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if let Some(Value::Array(permissions)) = body.get_mut("permissions") {
                    permissions.sort_by_key(ToString::to_string);
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-003/policy",
        "drops a member of a rotation policy",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if let Some(Value::Object(policy)) = body.get_mut("rotation_policy") {
                    policy.remove("renewable_until");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-003/end",
        "says of a credential that it ends later than was asked",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if asked.json()["expires_at"].is_string() {
                    body["expires_at"] = json!("2100-01-01T00:00:00Z");
                }
            });
        },
    ),
    Saboteur::alter(
        "CLP-CRE-003/stored",
        "answers the labels of a credential and does not keep them",
        |_, effects| {
            if let Some((credential, _)) = minted(effects) {
                credential.labels.clear();
            }
        },
    ),
    Saboteur::skip("CLP-CRE-004", "lets anybody create", &["CLP-CRE-004"]),
    Saboteur::skip(
        "CLP-CRE-005",
        "takes permissions on what it does not have for malformed ones",
        &["CLP-CRE-005/type"],
    ),
    Saboteur::skip(
        "CLP-CRE-005/action",
        "takes an action that it does not have",
        &["CLP-CRE-005/action"],
    ),
    Saboteur::skip(
        "CLP-CRE-005/constraint",
        "takes a constraint that it does not know for a malformed one",
        &["CLP-CRE-005/constraint"],
    ),
    Saboteur::skip(
        "CLP-CRE-006",
        "gives a key power over credentials",
        &["CLP-CRE-006"],
    ),
    Saboteur::skip(
        "CLP-CRE-007",
        "creates in an environment that it does not have",
        &["CLP-CRE-007"],
    ),
    Saboteur::skip(
        "CLP-CRE-008",
        "creates a type that its manifest does not list",
        &["CLP-CRE-008"],
    ),
    Saboteur::skip(
        "CLP-CRE-009",
        "creates what has ended already",
        &["CLP-CRE-009/past"],
    ),
    Saboteur::skip(
        "CLP-CRE-009/latest",
        "creates what outlives the bound of its manifest",
        &["CLP-CRE-009/latest"],
    ),
    Saboteur::skip(
        "CLP-CRE-010",
        "creates without the approval that its policy wants",
        &["CLP-CRE-010"],
    ),
    Saboteur::tamper(
        "CLP-CRE-011",
        "does not say which request a refused create became",
        |_, answer| {
            if answer.is_problem("approval-required") {
                answer.edit(|body| {
                    if let Value::Object(members) = body {
                        members.remove("request");
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-011/id",
        "names another request than that which a create became",
        |_, answer| {
            if answer.is_problem("approval-required") {
                answer.edit(|body| body["request"]["id"] = json!("req_00000000000000000000"));
            }
        },
    ),
    Saboteur::alter(
        "CLP-CRE-011/life",
        "asks for a life of its own choice where a create needs an approval",
        |_, effects| {
            if let Some(request) = of_create(effects) {
                request.submitted.lifetime_seconds = 7_776_000;
            }
        },
    ),
    Saboteur::alter(
        "CLP-CRE-012",
        "creates what it refuses until it is approved",
        |context, effects| {
            let made = of_create(effects).and_then(|request| made_of(context, request));
            effects.extend(made.unwrap_or_default());
        },
    ),
    Saboteur::skip(
        "CLP-CRE-013",
        "creates from a request that nobody approved",
        &["CLP-CRE-013"],
    ),
    Saboteur::skip(
        "CLP-CRE-014",
        "says of a stale approval that there was none",
        &["CLP-CRE-014"],
    ),
    Saboteur::skip(
        "CLP-CRE-014/used",
        "creates from a stale approval",
        &["CLP-CRE-014", "CLP-CRE-013"],
    ),
    Saboteur::alter(
        "CLP-CRE-014/minute",
        "lets an approval be used for a minute too long",
        |_, effects| {
            let is_approval =
                request(effects).is_some_and(|request| request.state == State::Approved);
            for effect in effects.iter_mut().filter(|_| is_approval) {
                if let Effect::Schedule(at, Due::Request(_)) = effect {
                    *at = at.plus(60);
                }
            }
        },
    ),
    Saboteur::skip(
        "CLP-CRE-015",
        "lets anybody create from a request that they see",
        &["CLP-CRE-015"],
    ),
    Saboteur::alter(
        "CLP-CRE-016",
        "creates once more from a request",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::SaveRequest(request) if request.state == State::Issued),
            );
        },
    ),
    Saboteur::alter(
        "CLP-CRE-016/forgets",
        "does not know what it created from a request",
        |_, effects| {
            if let Some(request) = request(effects) {
                request.credential_id = None;
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-017",
        "does not create for the purpose that was approved",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if asked.json()["request_id"].is_string() {
                    body["purpose"] = json!("as approved");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-017/life",
        "lets what was approved live for longer",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if asked.json()["request_id"].is_string() {
                    body["expires_at"] = json!("2100-01-01T00:00:00Z");
                }
            });
        },
    ),
    Saboteur::alter(
        "CLP-CRE-017/stored",
        "answers what was approved and stores another owner",
        |_, effects| {
            if let Some((credential, _)) = minted(effects)
                && credential.created_via.kind == OriginKind::Request
            {
                credential.owner = "somebody else".to_owned();
            }
        },
    ),
    Saboteur::alter(
        "CLP-CRE-018",
        "forms the key of a credential with labels without its checksum",
        |_, effects| reform(effects, |key| key.truncate(key.len() - 6)),
    ),
    Saboteur::alter(
        "CLP-CRE-018/checksum",
        "forms the key of a credential with labels with a wrong checksum",
        |_, effects| {
            reform(effects, |key| {
                let last = key.pop();
                key.push(if last == Some('0') { '1' } else { '0' });
            });
        },
    ),
    Saboteur::alter(
        "CLP-CRE-018/prefix",
        "forms the key of a credential with labels without a prefix",
        |_, effects| {
            reform(effects, |key| {
                let parts: Vec<&str> = key.rsplitn(3, '_').take(2).collect();
                *key = parts.into_iter().rev().collect::<Vec<_>>().join("_");
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-019",
        "states another key id than that in the key",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if let Some(id) = body["key_id"].as_str() {
                    body["key_id"] = id.chars().rev().collect::<String>().into();
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-020",
        "names another permission document than that in force",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                body["permission_schema_digest"] = json!(OTHER_DIGEST);
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-020/rotation",
        "names another permission document for a successor",
        |asked, answer| {
            garble(asked, answer, "rotation_open", |body| {
                body["credential"]["permission_schema_digest"] = json!(OTHER_DIGEST);
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-021",
        "says that somebody else created a credential",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                body["created_by"] = json!("prin_00000000000000000000");
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-021/via",
        "says of every credential that it was created directly",
        |asked, answer| {
            let made = answer.json();
            let at = match asked.endpoint {
                "credential_create" => "/created_via",
                "rotation_open" => "/credential/created_via",
                _ => return,
            };
            if made.pointer(at).is_some() {
                answer.edit(|body| {
                    if let Some(via) = body.pointer_mut(at) {
                        *via = json!({"kind": "direct"});
                    }
                });
            }
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-030",
        "names another permission document for what was approved",
        |asked, answer| {
            garble(asked, answer, "credential_create", |body| {
                if asked.json()["request_id"].is_string() {
                    body["permission_schema_digest"] = json!(OTHER_DIGEST);
                }
            });
        },
    ),
];

/// The request that a create becomes: who names no subject asks for the project.
fn of_create(effects: &mut [Effect]) -> Option<&mut CredentialRequest> {
    request(effects).filter(|request| {
        request.state == State::PendingApproval
            && request.submitted.subject.kind == SubjectKind::Project
    })
}

/// What creating from a request would do.
fn made_of(context: &Context, request: &CredentialRequest) -> Option<Vec<Effect>> {
    let asked = &request.submitted;
    let bytes = context.random.bytes::<GENERATION_BYTES>().ok()?;
    let key = Key::generate("clp", &bytes).ok()?;
    let fresh = Fresh {
        id: CredentialId::from_entropy(context.random.bytes().ok()?),
        delivery: DeliveryId::from_entropy(context.random.bytes().ok()?),
        key_id: Key::parse(key.expose()).ok()?.key_id.to_owned(),
        secret: FreshSecret::Key(key),
        public_jwk: None,
    };
    let blueprint = Blueprint {
        kind: CredentialType::ApiKey,
        permissions: asked.permissions.clone(),
        permission_schema_digest: OTHER_DIGEST.to_owned(),
        purpose: asked.purpose.clone(),
        owner: asked.owner.clone(),
        project: asked.project.clone(),
        environment: asked.environment.clone(),
        subject: None,
        expires_at: None,
        rotation_policy: None,
        labels: std::collections::BTreeMap::new(),
        created_via: clp_schemas::ops::create::Origin {
            kind: OriginKind::Direct,
            request_id: None,
            rotation_id: None,
        },
        predecessor: None,
        cnf: None,
        webhook: None,
    };
    Some(create(blueprint, fresh, &request.requester, context.now).1)
}

/// Changes the form of the key that is handed over for a credential with labels. Such a key opens
/// nothing here, so few credentials are to have one.
fn reform(effects: &mut [Effect], change: impl FnOnce(&mut String)) {
    if let Some((credential, secret)) = minted(effects)
        && credential.kind == CredentialType::ApiKey
        && !credential.labels.is_empty()
        && let Some(text) = secret.text()
    {
        let mut text = text.to_string();
        change(&mut text);
        *secret = FreshSecret::PrivateJwk(Zeroizing::new(text));
    }
}
