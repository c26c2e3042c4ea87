//! Credentials and requests, for people.

use clp_schemas::ops::create::Credential;
use clp_schemas::ops::request::{CredentialRequest, RequestBody};
use clp_schemas::permissions::PermissionSet;

use super::{Facts, quoted_block, table};

pub(crate) fn credential(credential: &Credential) -> String {
    let mut facts = Facts::default();
    facts
        .add("id", credential.id.as_str())
        .add("state", credential.state.to_string())
        .add("type", credential.kind.to_string())
        .add("purpose", &credential.purpose)
        .add("owner", &credential.owner)
        .add("project", &credential.project)
        .add("environment", &credential.environment);
    if let Some(subject) = &credential.subject {
        facts.add("subject", format!("{} {}", subject.kind, subject.id));
    }
    for line in statements(&credential.permissions) {
        facts.add("permission", line);
    }
    facts
        .add("key id", &credential.key_id)
        .add(
            "created",
            format!("{} by {}", credential.created_at, credential.created_by),
        )
        .add("created via", credential.created_via.kind.to_string())
        .add_some("request", credential.created_via.request_id.as_ref())
        .add_some("rotation", credential.created_via.rotation_id.as_ref())
        .add_some("expires", credential.expires_at)
        .add_some("predecessor", credential.predecessor.as_ref())
        .add_some("successor", credential.successor.as_ref());
    for seen in &credential.disclosed_to {
        facts.add(
            "secret seen by",
            format!("{} at {}", seen.principal, seen.at),
        );
    }
    for place in &credential.stored_in {
        facts.add("stored in", format!("{} at {}", place.store_id, place.at));
    }
    facts
        .add_some("bound to", credential.cnf.as_ref().map(|bound| &bound.jkt))
        .add_some(
            "events go to",
            credential.webhook.as_ref().map(|webhook| &webhook.url),
        );
    if let Some(stopped) = &credential.suspension {
        facts.add(
            "suspended",
            format!("{} by {} ({})", stopped.at, stopped.by, stopped.reason),
        );
    }
    if let Some(end) = &credential.revocation {
        facts.add(
            "revoked",
            format!("{} by {} ({})", end.at, end.by, end.reason),
        );
    }
    if let Some(delivery) = &credential.delivery {
        facts.add(
            "delivery",
            format!("{} until {}", delivery.id, delivery.expires_at),
        );
    }
    for (name, value) in &credential.labels {
        facts.add("label", format!("{name}={value}"));
    }
    facts.text()
}

pub(crate) fn credentials(items: &[Credential]) -> String {
    let rows = items.iter().map(|item| {
        vec![
            item.id.to_string(),
            item.state.to_string(),
            item.kind.to_string(),
            item.project.clone(),
            item.environment.clone(),
            item.owner.clone(),
            item.expires_at
                .map_or_else(|| "never".to_owned(), |time| time.to_string()),
            item.purpose.clone(),
        ]
    });
    let header = [
        "id",
        "state",
        "type",
        "project",
        "environment",
        "owner",
        "expires",
        "purpose",
    ];
    table(&header, rows, "no credential matches")
}

/// A request as the issuer reports it. An approver is shown the document itself instead.
pub(crate) fn request(request: &CredentialRequest) -> String {
    let body = &request.submitted;
    let mut facts = Facts::default();
    facts
        .add("id", request.id.as_str())
        .add("state", request.state.to_string())
        .add("version", request.version.to_string())
        .add("code", &request.user_code)
        .add("requester", request.requester.as_str())
        .add("type", body.kind.to_string())
        .add("project", &body.project)
        .add("environment", &body.environment)
        .add("lifetime", format!("{} seconds", body.lifetime_seconds));
    for line in statements(&body.permissions) {
        facts.add("permission", line);
    }
    if let Some(agreed) = agreed(request) {
        facts.add(
            "agreed lifetime",
            format!("{} seconds", agreed.lifetime_seconds),
        );
        for line in statements(&agreed.permissions) {
            facts.add("agreed to", line);
        }
    }
    key_and_address(&mut facts, body);
    facts
        .add("digest", &request.digest)
        .add("created", request.created_at.to_string())
        .add("expires", request.expires_at.to_string());
    if let Some(policy) = &request.approval_policy {
        let methods: Vec<String> = policy.methods.iter().map(ToString::to_string).collect();
        facts
            .add("approvals needed", policy.approvals_required.to_string())
            .add("separation of duty", policy.separation_of_duty.to_string())
            .add("approve by", methods.join(", "));
    }
    for approval in &request.approvals {
        let decision = approval.decision.as_str();
        let by = match &approval.approver {
            Some(approver) => approver.as_str(),
            None => "policy",
        };
        let version = match approval.version == request.version {
            true => String::new(),
            false => format!(
                ", of version {}, which is not the one in force",
                approval.version
            ),
        };
        facts.add(
            "decision",
            format!("{decision} by {by} at {}{version}", approval.approved_at),
        );
    }
    facts
        .add_some("credential", request.credential_id.as_ref())
        .add("approval page", &request.approval_uri);
    let words = requester_words(body);
    format!("{}{words}", facts.text())
}

/// What an approver agreed to, where it is not all that was asked for.
fn agreed(request: &CredentialRequest) -> Option<RequestBody> {
    let body = request.approval_document.get("request")?;
    let body: RequestBody = serde_json::from_value(body.clone()).ok()?;
    (body != request.submitted).then_some(body)
}

/// Whose key it would be, and where its events would go.
pub(crate) fn key_and_address(facts: &mut Facts, body: &RequestBody) {
    let own = body.public_jwk.as_ref();
    facts
        .add_some("bound to", body.cnf.as_ref().map(|bound| &bound.jkt))
        .add_some("own key", own.and_then(|key| key.thumbprint().ok()))
        .add_some(
            "events go to",
            body.webhook.as_ref().map(|webhook| &webhook.url),
        );
}

/// What the requester says, apart from what is known.
pub(crate) fn requester_words(body: &RequestBody) -> String {
    let mut text = "the requester's own words, which nobody has checked:\n".to_owned();
    let subject = format!("{}: {}", body.subject.kind, body.subject.id);
    let said = [
        ("purpose", body.purpose.as_str()),
        ("owner", &body.owner),
        ("subject", &subject),
        (
            "justification",
            body.justification.as_deref().unwrap_or_default(),
        ),
        ("emergency", body.emergency.as_deref().unwrap_or_default()),
    ];
    for (name, words) in said {
        if !words.is_empty() {
            text.push_str(&format!("  {name}\n{}", quoted_block(words)));
        }
    }
    text
}

/// One line a statement, in the form that `--allow` takes where it can say it.
pub(crate) fn statements(set: &PermissionSet) -> impl Iterator<Item = String> + '_ {
    set.0.iter().map(|statement| {
        let actions = statement.actions.join(",");
        let mut line = format!(
            "{}:{actions}:{}",
            statement.resource_type, statement.selector
        );
        if !statement.constraints.is_empty() {
            let constraints = serde_json::to_string(&statement.constraints).unwrap_or_default();
            line.push_str(&format!(" with {constraints}"));
        }
        line
    })
}
