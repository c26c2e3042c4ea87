//! Saboteurs of deciding by what an identity provider signs (specification chapter 12).

use clp_schemas::ops::control::Account;
use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Saboteur;
use super::ways::garble;
use crate::lifecycle::Effect;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::skip(
        "CLP-APP-060",
        "takes an ID token by an algorithm with which anybody could have signed",
        &["CLP-APP-060/algorithm"],
    ),
    Saboteur::skip(
        "CLP-APP-060/signature",
        "does not verify what a provider signed",
        &["CLP-APP-060/signature"],
    ),
    Saboteur::skip(
        "CLP-APP-060/form",
        "takes what is no token for one",
        &["CLP-APP-060/form"],
    ),
    Saboteur::skip(
        "CLP-APP-061",
        "does what it understands of a token, whatever else that wants",
        &["CLP-APP-061"],
    ),
    Saboteur::skip(
        "CLP-APP-062",
        "takes a token of a provider that it does not know",
        &["CLP-APP-062/issuer"],
    ),
    Saboteur::skip(
        "CLP-APP-062/method",
        "trusts a provider for every method",
        &["CLP-APP-062/method"],
    ),
    Saboteur::skip(
        "CLP-APP-063",
        "takes a token that was made for another purpose",
        &["CLP-APP-063"],
    ),
    Saboteur::skip(
        "CLP-APP-064",
        "takes a token for somebody else",
        &["CLP-APP-064/audience"],
    ),
    Saboteur::skip(
        "CLP-APP-064/party",
        "takes a token that was issued to somebody else",
        &["CLP-APP-064/party"],
    ),
    Saboteur::skip(
        "CLP-APP-065",
        "takes a token that has expired",
        &["CLP-APP-065/expired"],
    ),
    Saboteur::skip(
        "CLP-APP-065/issued",
        "does not look at when a token was issued",
        &["CLP-APP-065/issued"],
    ),
    Saboteur::skip(
        "CLP-APP-066",
        "takes an ID token of a log-in",
        &["CLP-APP-066"],
    ),
    Saboteur::skip(
        "CLP-APP-067",
        "takes an ID token of somebody who logged in before",
        &["CLP-APP-067"],
    ),
    Saboteur::skip(
        "CLP-APP-068",
        "takes a weaker log-in than the organisation's",
        &["CLP-APP-068"],
    ),
    Saboteur::skip(
        "CLP-APP-069",
        "takes the account of somebody else",
        &["CLP-APP-069"],
    ),
    Saboteur::skip(
        "CLP-APP-070",
        "takes a token that has ended",
        &["CLP-APP-070"],
    ),
    Saboteur::skip(
        "CLP-APP-071",
        "takes a token that was granted to another client",
        &["CLP-APP-071"],
    ),
    Saboteur::skip(
        "CLP-APP-072",
        "takes a token that was granted for something else",
        &["CLP-APP-072"],
    ),
    Saboteur::alter(
        "CLP-APP-069/colleague",
        "takes the account of whoever else it knows at the provider",
        |_, effects| {
            for effect in effects {
                if let Effect::SaveProvider(provider) = effect {
                    let accounts = provider.accounts.clone();
                    let theirs = accounts.iter().map(|one| one.principal.clone());
                    provider.accounts = theirs
                        .flat_map(|principal| {
                            accounts.iter().map(move |account| Account {
                                principal: principal.clone(),
                                ..account.clone()
                            })
                        })
                        .collect();
                }
            }
        },
    ),
    Saboteur::tamper(
        "CLP-APP-073",
        "takes no token that was granted for one decision",
        |asked, answer| {
            if asked.endpoint == "approval_submit" && asked.json()["method"] == "oauth" {
                answer.refuse(ProblemType::EvidenceInvalid);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-APP-074",
        "tells everybody of all the providers that it trusts",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                if let Some(known) = body["identity_providers"].as_array_mut() {
                    known.push(json!({
                        "issuer": "https://idp.example", "client_id": "clp", "methods": ["oidc"],
                    }));
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-APP-074/policy",
        "tells of providers whose method the policy does not take",
        |asked, answer| {
            garble(asked, answer, "challenge_open", |body| {
                if body["identity_providers"].is_null() {
                    body["identity_providers"] = json!([{
                        "issuer": "https://idp.example", "client_id": "clp", "methods": ["oidc"],
                    }]);
                }
            });
        },
    ),
    Saboteur::alter(
        "CLP-APP-080",
        "forgets the providers that it is told to trust",
        |_, effects| effects.retain(|effect| !matches!(effect, Effect::SaveProvider(_))),
    ),
    Saboteur::skip(
        "CLP-APP-081",
        "trusts a provider whose key is a shared secret",
        &["CLP-APP-081"],
    ),
    Saboteur::skip(
        "CLP-APP-082",
        "takes one account for two people",
        &["CLP-APP-082"],
    ),
];
