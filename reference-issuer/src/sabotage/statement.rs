//! Saboteurs of the signed statement that it is safe to revoke (specification chapter 18).

use clp_schemas::jose::{SigningKey, Unverified};
use clp_schemas::statement::TYPE;
use serde_json::{Map, Value, json};

use super::Saboteur;
use super::ways::{Memory, garble};
use crate::http::{Answer, Asked};

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-ROT-050",
        "answers the statement that it made first",
        |asked, answer| {
            static FIRST: Memory = Memory::new();
            garble(asked, answer, "rotation_gates", |report| {
                let now = report["statement"].to_string();
                if let Some(first) =
                    FIRST.before(&report["rotation_id"].to_string(), now.as_bytes())
                {
                    report["statement"] = serde_json::from_slice(&first).unwrap_or_default();
                }
            });
        },
    ),
    Saboteur::tamper("CLP-ROT-050/absent", "signs nothing", |asked, answer| {
        garble(asked, answer, "rotation_gates", |report| {
            if let Some(members) = report.as_object_mut() {
                members.remove("statement");
            }
        });
    }),
    Saboteur::tamper(
        "CLP-ROT-050/safe",
        "signs that it is safe whatever the gates say",
        |asked, answer| signed_anew(asked, answer, TYPE, |claims| claims["safe"] = json!(true)),
    ),
    Saboteur::tamper(
        "CLP-ROT-050/gates",
        "signs gates as met while they are not",
        |asked, answer| {
            signed_anew(asked, answer, TYPE, |claims| {
                for gate in claims["gates"].as_array_mut().into_iter().flatten() {
                    gate["state"] = json!("met");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-050/subject",
        "signs a statement about the successor",
        |asked, answer| {
            signed_anew(asked, answer, TYPE, |claims| {
                claims["sub"] = claims["successor"].clone();
            });
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-050/issuer",
        "signs in the name of another issuer",
        |asked, answer| {
            signed_anew(asked, answer, TYPE, |claims| {
                claims["iss"] = json!("https://other.example");
            });
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-051",
        "signs with a key that its manifest does not hold",
        |asked, answer| {
            if asked.endpoint == "rotation_gates" {
                signed_anew(asked, answer, TYPE, |_| {});
            }
        },
    ),
    Saboteur::tamper(
        "CLP-ROT-051/type",
        "signs a token of no particular type",
        |asked, answer| signed_anew(asked, answer, "JWT", |_| {}),
    ),
    Saboteur::tamper(
        "CLP-ROT-052",
        "signs statements that are good for an hour",
        |asked, answer| {
            signed_anew(asked, answer, TYPE, |claims| {
                claims["exp"] = json!(claims["iat"].as_i64().unwrap_or_default() + 3600);
            });
        },
    ),
];

/// Signs other claims, with a key that the manifest then holds too.
fn signed_anew(asked: &Asked, answer: &mut Answer, kind: &str, change: fn(&mut Value)) {
    let Ok(key) = SigningKey::from_seed(&[7; 32]) else {
        return;
    };
    garble(asked, answer, "manifest_read", |manifest| {
        if manifest["jwks"].is_object() {
            manifest["jwks"]["keys"] = json!([key.public()]);
        }
    });
    garble(asked, answer, "rotation_gates", |report| {
        let compact = report["statement"].as_str().unwrap_or_default();
        if let Some(signed) = sign(compact, &key, kind, change) {
            report["statement"] = json!(signed);
        }
    });
}

fn sign(compact: &str, key: &SigningKey, kind: &str, change: fn(&mut Value)) -> Option<String> {
    Unverified::parse(compact).ok()?;
    let claims = compact.split('.').nth(1)?;
    let claims = clp_schemas::canonical::from_base64url(claims).ok()?;
    let mut claims: Value = serde_json::from_slice(&claims).ok()?;
    change(&mut claims);
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!(kind));
    header.insert("kid".to_owned(), json!(key.public().thumbprint().ok()?));
    key.sign(header, claims.as_object()?).ok()
}
