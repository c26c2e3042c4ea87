//! From what happened to what is sent.

use clp_schemas::ids::EventId;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::permissions::{Access, PermissionDocument, allows};
use clp_schemas::webhook::{WebhookSecret, signatures};
use serde_json::{Value, json};

use crate::store::{Fault, Gate, Tx};

/// An event as it goes out. Its signature is no secret.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its id.
    pub(crate) id: EventId,
    /// Where it goes.
    pub(crate) url: String,
    /// When it was made, in seconds since 1970.
    pub(crate) timestamp: i64,
    /// Its signatures.
    pub(crate) signature: String,
    /// Its body.
    pub(crate) body: String,
}

/// Makes an event and signs it.
pub(crate) fn sign(
    tx: &Tx<'_>,
    url: &str,
    secrets: &[WebhookSecret],
    kind: &str,
    data: &Value,
) -> Result<Event, Fault> {
    let id = EventId::from_entropy(tx.context().random.bytes()?);
    let timestamp = tx.now().unix();
    let body = serde_json::to_string(&json!({
        "type": kind, "timestamp": tx.now().to_string(), "data": data,
    }))?;
    let secrets: Vec<&WebhookSecret> = secrets.iter().collect();
    let signature = signatures(&secrets, id.as_str(), timestamp, body.as_bytes());
    Ok(Event {
        id,
        url: url.to_owned(),
        timestamp,
        signature,
        body,
    })
}

/// The secrets by which real events of a line of credentials are signed now.
pub(crate) fn secrets_of(tx: &Tx<'_>, line: &[Credential]) -> Result<Vec<WebhookSecret>, Fault> {
    let mut secrets = Vec::new();
    for credential in line.iter().filter(|credential| credential.state.opens()) {
        secrets.extend(tx.webhook_secret(&credential.id)?);
    }
    Ok(secrets)
}

/// The events about an accepted change, one for each line of webhook secrets that could read
/// what was changed.
pub(crate) fn about(
    gate: &Gate<'_>,
    tx: &Tx<'_>,
    persona: &str,
    changed: Access<'_>,
    path: &str,
) -> Result<Vec<Event>, Fault> {
    let mut events = Vec::new();
    let mut lines = Vec::new();
    for credential in tx.opening(CredentialType::WebhookSecret)? {
        let line = tx.first_of_line(&credential.id)?;
        let Some(webhook) = credential
            .webhook
            .as_ref()
            .filter(|_| !lines.contains(&line))
        else {
            continue;
        };
        let document = gate.document(persona, &credential.permission_schema_digest)?;
        if !document.is_some_and(|document| could_read(&document, &credential, changed)) {
            continue;
        }
        let secrets = secrets_of(tx, &tx.lineage(&credential.id)?)?;
        let kind = format!("{}.{}", changed.resource_type, changed.action);
        events.push(sign(
            tx,
            &webhook.url,
            &secrets,
            &kind,
            &json!({"path": path}),
        )?);
        lines.push(line);
    }
    Ok(events)
}

/// Whether the credential could read what was changed. Where there is no such action, it has to
/// have the one that was taken.
fn could_read(document: &PermissionDocument, credential: &Credential, changed: Access<'_>) -> bool {
    let has_read = document
        .resource_type(changed.resource_type)
        .is_some_and(|definition| definition.actions.contains_key("read"));
    let access = Access {
        action: if has_read { "read" } else { changed.action },
        ..changed
    };
    allows(document, &credential.permissions, access)
}
