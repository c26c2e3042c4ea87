//! What identity providers sign for an approval.

use clp_schemas::approval::Decision;
use clp_schemas::identity::{
    Checked, Decided, Expected, KeySet, ProviderFault as Fault, check_id_token, check_introspection,
};
use clp_schemas::ids::RequestId;
use serde_json::{Value, json};

use super::{text, typed};

/// The requirement by which a fault is refused.
fn requirement(fault: Fault) -> &'static str {
    match fault {
        Fault::Form | Fault::Algorithm | Fault::Signature => "CLP-APP-060",
        Fault::Critical => "CLP-APP-061",
        Fault::Issuer | Fault::Method => "CLP-APP-062",
        Fault::Type => "CLP-APP-063",
        Fault::Audience | Fault::AuthorizedParty => "CLP-APP-064",
        Fault::Expired | Fault::IssuedAt => "CLP-APP-065",
        Fault::Nonce => "CLP-APP-066",
        Fault::AuthTime => "CLP-APP-067",
        Fault::Class => "CLP-APP-068",
        Fault::Subject => "CLP-APP-069",
        Fault::Inactive => "CLP-APP-070",
        Fault::Client => "CLP-APP-071",
        Fault::Details => "CLP-APP-072",
    }
}

fn judged(input: &Value, check: impl FnOnce(&Expected<'_>) -> Checked) -> Value {
    let keys = KeySet::parse(&input["jwks"]).unwrap();
    let subjects: Vec<String> = typed(&input["subjects"]);
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    let classes: Option<Vec<String>> = input.get("acr_values").map(typed);
    let checked = check(&Expected {
        issuer: text(input, "issuer"),
        client_id: text(input, "client_id"),
        keys: &keys,
        acr_values: classes.as_deref(),
        subjects: &subjects,
        challenge: text(&input["challenge"], "challenge"),
        opened_at: typed(&input["challenge"]["opened_at"]),
        now: typed(&input["now"]),
    });
    match checked.faults.as_slice() {
        [] => {
            assert_eq!(checked.subject.as_deref(), subjects.first().copied());
            json!({"accepted": true})
        }
        // Each vector is wrong in one thing.
        [fault] => json!({"accepted": false, "requirement": requirement(*fault)}),
        several => json!({"accepted": false, "faults": format!("{several:?}")}),
    }
}

pub(super) fn id_token(input: &Value) -> Value {
    judged(input, |expected| {
        check_id_token(text(input, "id_token"), expected)
    })
}

pub(super) fn introspection(input: &Value) -> Value {
    let challenge = &input["challenge"];
    let request: RequestId = typed(&challenge["request_id"]);
    let decision: Decision = typed(&challenge["decision"]);
    judged(input, |expected| {
        let decided = Decided {
            issuer: text(input, "issuer_identifier"),
            request_id: &request,
            version: challenge["version"].as_u64().unwrap(),
            digest: text(challenge, "digest"),
            decision,
            challenge: text(challenge, "challenge"),
        };
        check_introspection(text(input, "introspection"), expected, &decided)
    })
}
