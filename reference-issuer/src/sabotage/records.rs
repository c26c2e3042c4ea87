//! Saboteurs of listing and amending credentials (specification chapter 13).

use clp_schemas::audit::Event;
use serde_json::{Value, json};

use super::Saboteur;
use super::ways::{Memory, forget_credential, garble, ignore};

static LISTS: Memory = Memory::new();

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-CRE-022",
        "gives everybody the list that it made for the first who asked",
        |asked, answer| {
            if asked.endpoint == "credential_list"
                && answer.status == 200
                && let Some(before) = LISTS.before(&asked.target, &answer.body)
            {
                answer.body = before;
            }
        },
    ),
    Saboteur::mishear("CLP-CRE-023", "lists credentials in every state", |asked| {
        ignore(asked, "credential_list", "state");
    }),
    Saboteur::mishear(
        "CLP-CRE-023/owner",
        "lists credentials of every owner",
        |asked| {
            ignore(asked, "credential_list", "owner");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-023/project",
        "lists credentials of every project",
        |asked| {
            ignore(asked, "credential_list", "project");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-023/environment",
        "lists credentials of every environment",
        |asked| ignore(asked, "credential_list", "environment"),
    ),
    Saboteur::mishear(
        "CLP-CRE-023/type",
        "lists credentials of every type",
        |asked| {
            ignore(asked, "credential_list", "type");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-023/disclosed",
        "lists credentials whoever has their secret",
        |asked| ignore(asked, "credential_list", "disclosed_to"),
    ),
    Saboteur::mishear(
        "CLP-CRE-023/end",
        "lists credentials whenever they end",
        |asked| ignore(asked, "credential_list", "expires_before"),
    ),
    Saboteur::tamper(
        "CLP-CRE-023/ended",
        "lists only what has not ended",
        |asked, answer| {
            garble(asked, answer, "credential_list", |body| {
                if let Some(Value::Array(items)) = body.get_mut("items") {
                    items.retain(|item| item["state"] != "revoked");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-024",
        "lists the oldest credential first",
        |asked, answer| {
            garble(asked, answer, "credential_list", |body| {
                if let Some(Value::Array(items)) = body.get_mut("items") {
                    items.reverse();
                }
            });
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-026",
        "lists credentials for every kind of subject",
        |asked| {
            ignore(asked, "credential_list", "subject_kind");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-026/subject",
        "lists credentials for every subject",
        |asked| {
            ignore(asked, "credential_list", "subject_id");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-026/purpose",
        "lists credentials for every purpose",
        |asked| {
            ignore(asked, "credential_list", "purpose");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-026/label",
        "lists credentials with every label",
        |asked| {
            ignore(asked, "credential_list", "label");
        },
    ),
    Saboteur::mishear(
        "CLP-CRE-026/rotation",
        "lists credentials whenever they are to be rotated",
        |asked| ignore(asked, "credential_list", "rotate_before"),
    ),
    Saboteur::alter(
        "CLP-CRE-027",
        "answers what a credential would be and does not keep it",
        |_, effects| forget_credential(effects, Event::CredentialAmended),
    ),
    Saboteur::tamper(
        "CLP-CRE-027/labels",
        "adds labels to those that are to be replaced",
        |asked, answer| {
            garble(asked, answer, "credential_amend", |body| {
                if asked.json()["labels"].is_object() {
                    body["labels"]["team"] = json!("before");
                }
            });
        },
    ),
    Saboteur::tamper(
        "CLP-CRE-027/others",
        "changes a member that was not sent",
        |asked, answer| {
            garble(asked, answer, "credential_amend", |body| {
                if asked.json()["purpose"].is_null() {
                    body["purpose"] = json!("amended");
                }
            });
        },
    ),
    Saboteur::skip(
        "CLP-CRE-028",
        "lets a credential be made to end later",
        &["CLP-CRE-028/later"],
    ),
    Saboteur::skip(
        "CLP-CRE-028/past",
        "lets a credential be made to have ended",
        &["CLP-CRE-028/past"],
    ),
    Saboteur::skip("CLP-CRE-029", "amends what has ended", &["CLP-CRE-029"]),
];
