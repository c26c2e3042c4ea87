//! What time does by itself, before anybody looks. Everything is then as of now for reads,
//! listings and the resource alike, and costs what has expired, not what exists.

use clp_schemas::audit::Event;
use clp_schemas::ids::CredentialId;
use clp_schemas::time::Timestamp;

use super::{Effect, credential, request, rotation};
use crate::audit::Entry;
use crate::store::{Due, Fault, Tx};

/// Lets everything happen that is due in a tenant; answers whether anything was.
pub(crate) fn run(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    let mut any = false;
    while let Some((at, due)) = tx.take_due()? {
        any = true;
        let effects = effects_of(tx, at, due)?;
        tx.apply(effects)?;
    }
    Ok(any)
}

fn expired(tx: &Tx<'_>, id: &CredentialId, at: Timestamp) -> Result<Vec<Effect>, Fault> {
    let Some(found) = tx.credential(id)? else {
        return Ok(Vec::new());
    };
    let neighbours = tx.neighbours(id)?;
    Ok(credential::expire(found, neighbours, at))
}

/// Those that it was minted to replace, and that end in the same second, the first of the line
/// first: a rotation of which both end is completed (CLP-ROT-037).
fn ending_before(
    tx: &Tx<'_>,
    id: &CredentialId,
    at: Timestamp,
) -> Result<Vec<CredentialId>, Fault> {
    let mut before = Vec::new();
    let mut last = id.clone();
    while let Some((_, predecessor)) = tx.neighbours(&last)?.replaces
        && predecessor.expires_at.is_some_and(|end| end <= at)
    {
        last = predecessor.id;
        before.push(last.clone());
    }
    before.reverse();
    Ok(before)
}

fn effects_of(tx: &mut Tx<'_>, at: Timestamp, due: Due) -> Result<Vec<Effect>, Fault> {
    match due {
        Due::Credential(id) => {
            for before in ending_before(tx, &id, at)? {
                let effects = expired(tx, &before, at)?;
                tx.apply(effects)?;
            }
            expired(tx, &id, at)
        }
        Due::Delivery(id) => {
            let Some(delivery) = tx.delivery(&id)? else {
                return Ok(Vec::new());
            };
            let Some(found) = tx.credential(&delivery.credential)? else {
                return Ok(Vec::new());
            };
            let neighbours = tx.neighbours(&delivery.credential)?;
            Ok(credential::lapse(found, neighbours, at))
        }
        Due::Request(id) => Ok(tx
            .request(&id)?
            .map(|found| request::expire(found, at))
            .unwrap_or_default()),
        Due::Rotation(id) => {
            let Some(found) = tx.rotation(&id)? else {
                return Ok(Vec::new());
            };
            let predecessor = tx.credential(&found.predecessor)?;
            Ok(predecessor
                .map(|predecessor| rotation::block(found, &predecessor, at))
                .unwrap_or_default())
        }
        Due::Challenge(id) => {
            tx.drop_challenge(&id)?;
            Ok(Vec::new())
        }
        Due::Idempotency(number) => {
            tx.drop_recorded(number)?;
            Ok(Vec::new())
        }
        Due::Token(key_id) => {
            tx.drop_token(&key_id)?;
            Ok(Vec::new())
        }
        Due::Seen(number) => {
            tx.drop_seen(number)?;
            Ok(Vec::new())
        }
        Due::AuditRead(reader) => Ok(tx
            .take_audit_reads(&reader)?
            .map(|(count, first, last)| {
                let entry = Entry::new(Event::AuditRead)
                    .at(at)
                    .actor(reader.as_str())
                    .accesses(count, first, last);
                Effect::Audit(entry)
            })
            .into_iter()
            .collect()),
    }
}
