//! Saboteurs of deciding on a request (specification chapter 12).

use clp_schemas::canonical::{from_base64url, sha256, to_base64url};
use clp_schemas::problem::ProblemType;
use clp_schemas::state::request::State;
use serde_json::json;

use super::Saboteur;
use super::ways::{garble, request};
use crate::lifecycle::Effect;
use crate::store::Due;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-APP-001",
        "takes every challenge to be one for an approval",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                body["decision"] = json!("approve");
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-001/version",
        "opens a challenge for another version of the request",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                body["version"] = json!(2)
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-001/approver",
        "opens a challenge for another approver",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                if body["decision"] == "deny" {
                    body["approver"] = json!("prin_00000000000000000000");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-001/status",
        "answers 200 to who wants to deny",
        |asked, answer| {
            if asked.endpoint == "challenge_open" && asked.json()["decision"] == "deny" {
                answer.status = 200;
            }
        },
    ),
    Saboteur::skip("CLP-APP-002", "lets anybody decide", &["CLP-APP-002"]),
    Saboteur::skip("CLP-APP-003", "lets whoever asked decide", &["CLP-APP-003"]),
    Saboteur::tamper(
        "CLP-APP-003/permission",
        "looks at the permissions of whoever asked before it looks at who asked",
        |_, answer| {
            if answer.is_problem("separation-of-duty") {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::skip(
        "CLP-APP-004",
        "lets somebody decide on what is decided",
        &["CLP-APP-004"],
    ),
    Saboteur::tamper(
        "CLP-APP-006",
        "has something else signed than the decision",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                let nonce = body["nonce"].to_string();
                body["challenge"] = to_base64url(&sha256(nonce.as_bytes())).into();
            });
        },
    ),
    Saboteur::alter(
        "CLP-APP-008",
        "takes evidence for a challenge that has lapsed",
        |_, effects| {
            for effect in effects {
                match effect {
                    Effect::SaveChallenge(challenge) => {
                        challenge.expires_at = challenge.expires_at.plus(300);
                    }
                    Effect::Schedule(at, Due::Challenge(_)) => *at = at.plus(300),
                    _ => {}
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-APP-008/bound",
        "says of a challenge that it lasts for ten minutes",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                let until = body["expires_at"].as_str().unwrap_or_default();
                if let Ok(until) = until.parse::<jiff::Timestamp>() {
                    let later = until + jiff::SignedDuration::from_secs(300);
                    body["expires_at"] = later.to_string().into();
                }
            });
        },
    ),
    Saboteur::skip(
        "CLP-APP-009",
        "looks at evidence for a challenge as often as it is sent",
        &["CLP-APP-009"],
    ),
    Saboteur::alter(
        "CLP-APP-009/failed",
        "does not use a challenge up",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::UseChallenge(_))),
    ),
    Saboteur::skip(
        "CLP-APP-010",
        "takes the challenge of another request",
        &["CLP-APP-010"],
    ),
    Saboteur::skip(
        "CLP-APP-010/approver",
        "takes the challenge of another approver",
        &["CLP-APP-010/approver"],
    ),
    Saboteur::skip(
        "CLP-APP-030",
        "lets an approver agree to later rotations than were asked for",
        &["CLP-APP-030/later"],
    ),
    Saboteur::skip(
        "CLP-APP-030/past",
        "lets an approver agree to rotations until yesterday",
        &["CLP-APP-030/past"],
    ),
    Saboteur::skip(
        "CLP-APP-011",
        "takes a method that its manifest does not list",
        &["CLP-APP-011"],
    ),
    Saboteur::skip(
        "CLP-APP-028",
        "takes the evidence of one method for that of another",
        &["CLP-APP-028"],
    ),
    Saboteur::skip(
        "CLP-APP-012",
        "does not verify the signature",
        &["CLP-APP-012"],
    ),
    Saboteur::skip(
        "CLP-APP-013",
        "does not look at which challenge was signed",
        &["CLP-APP-013/challenge"],
    ),
    Saboteur::skip(
        "CLP-APP-013/type",
        "takes a signature that was made for a registration",
        &["CLP-APP-013/type"],
    ),
    Saboteur::skip(
        "CLP-APP-014",
        "takes a signature that was made on another site",
        &["CLP-APP-014/origin"],
    ),
    Saboteur::skip(
        "CLP-APP-014/frame",
        "takes a signature that was made in a frame of another site",
        &["CLP-APP-014/frame"],
    ),
    Saboteur::skip(
        "CLP-APP-015",
        "takes a signature for another relying party",
        &["CLP-APP-015"],
    ),
    Saboteur::skip(
        "CLP-APP-016",
        "takes a signature though nobody was there",
        &["CLP-APP-016/present"],
    ),
    Saboteur::skip(
        "CLP-APP-016/verified",
        "takes a signature of whoever was there",
        &["CLP-APP-016/verified"],
    ),
    Saboteur::skip(
        "CLP-APP-017",
        "does not look at the counter",
        &["CLP-APP-017"],
    ),
    Saboteur::alter(
        "CLP-APP-017/stored",
        "does not remember the counter",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::SavePasskey(..))),
    ),
    Saboteur::tamper(
        "CLP-APP-017/zero",
        "takes no authenticator that does not count",
        |asked, answer| {
            let data = asked.json()["evidence"]["response"]["authenticatorData"]
                .as_str()
                .and_then(|text| from_base64url(text).ok());
            let counter = data.as_deref().and_then(|data| data.get(33..37));
            if counter == Some(&[0; 4]) {
                answer.refuse(ProblemType::EvidenceInvalid);
            }
        },
    ),
    Saboteur::alter(
        "CLP-APP-018",
        "takes a denial for an approval",
        |_, effects| {
            if let Some(request) = request(effects).filter(|request| request.state == State::Denied)
            {
                request.state = State::Approved;
            }
        },
    ),
    Saboteur::alter(
        "CLP-APP-018/stored",
        "answers a denial and leaves the request pending",
        |_, effects| {
            effects.retain(
                |effect| !matches!(effect, Effect::SaveRequest(request) if request.state == State::Denied),
            );
        },
    ),
    Saboteur::tamper(
        "CLP-APP-019",
        "says of an approval that it lasts for a day",
        |asked, answer| {
            garble(asked, answer, "approval_submit", |body| {
                body["expires_at"] = json!("2100-01-01T00:00:00Z");
            });
        },
    ),
];
