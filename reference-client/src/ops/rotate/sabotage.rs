//! What the saboteurs of a rotation do between its steps. A sound client does nothing here.

use clp_schemas::endpoint::Method;
use clp_schemas::ops::inject::{Check, Health as Seen};
use clp_schemas::ops::revoke::{RevocationMode, RevocationReason};
use clp_schemas::ops::rotate::Rotation;
use clp_schemas::time::Timestamp;

use super::record::{Health, Record};
use crate::client::Client;
use crate::error::Error;
use crate::ops::call::{Caller, Target};
use crate::places::Place;
use crate::store::{Entry, Store};
use crate::targets::env_file;

/// Before the successor's secret is stored.
pub(super) async fn before_storing(
    client: &Client,
    record: &Record,
    rotation: &Rotation,
    store: &Store,
) -> Result<(), Error> {
    if client.sabotage.breaks("CLP-ROT-014") {
        let (mode, reason) = (RevocationMode::Immediate, RevocationReason::Superseded);
        // What comes of it does not matter: it was sent.
        let _ = client.revoke(&record.predecessor, mode, reason, None).await;
    }
    if client.sabotage.breaks("CLP-DLV-012")
        && let Some(Health::Url(url)) = &record.health
    {
        let secret = client
            .fetch_secret(&rotation.credential)
            .await?
            .secret
            .value;
        let entry = Entry::new(client.id().as_str(), &rotation.credential, secret);
        let target = Target {
            method: Method::Get,
            url,
            body: None,
            user_agent: None,
        };
        client.reach(&Caller::new(&entry, store)?, target).await?;
        store.put(entry)?;
    }
    Ok(())
}

/// Before a place is checked that has the successor.
pub(super) fn before_checking(
    client: &Client,
    rotation: &Rotation,
    place: &Place,
    successor: &Entry,
) -> Result<(), Error> {
    if let (true, Some(probe)) = (client.sabotage.breaks("CLP-ROT-035"), &rotation.probe_value) {
        env_file::put(&place.path, &place.variable, probe)?;
        let path = place.path.with_extension("probed");
        std::fs::copy(&place.path, path).map_err(crate::error::LocalFault::Start)?;
        env_file::put(&place.path, &place.variable, successor.secret.expose())?;
    }
    Ok(())
}

/// What is reported of a place that was not seen to work.
pub(super) fn as_if_it_worked() -> Seen {
    Seen {
        credential: Check::Accepted,
        probe: Some(Check::Refused),
        checked_at: Timestamp::system_now(),
    }
}
