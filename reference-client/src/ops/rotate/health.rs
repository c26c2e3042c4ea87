//! Whether a place works with the successor, and whether it checks at all: a call with the
//! `probe_value` has to be refused (spec chapter 18).

use clp_schemas::endpoint::Method;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::inject::{Check, Outcome as Came, SignedBy};
use clp_schemas::ops::oauth::OauthErrorCode;
use clp_schemas::ops::rotate::Rotation;
use clp_schemas::time::Timestamp;
use url::Url;

use super::record::Health;
use crate::client::Client;
use crate::error::{Error, LocalFault};
use crate::ops::call::{Caller, Target};
use crate::transport::Incoming;

/// What a check gave, or why it failed.
pub(super) type Checked = Result<clp_schemas::ops::inject::Health, &'static str>;

/// Where the check is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct From<'a> {
    /// What calls from there are known by.
    pub(super) user_agent: Option<&'a str>,
    /// The variable that a command gets the secret in.
    pub(super) variable: &'a str,
}

/// Calls with the successor, which has to be accepted, and with the probe value, which has to
/// be refused. The probe value goes nowhere else (CLP-ROT-035).
pub(super) async fn check(
    client: &Client,
    how: &Health,
    caller: &Caller,
    rotation: &Rotation,
    from: From<'_>,
) -> Result<Checked, Error> {
    if one(client, how, caller, from).await? != Some(Check::Accepted) {
        return Ok(Err("a call with the successor was not accepted"));
    }
    let probe = match &rotation.probe_value {
        Some(value) => {
            let came = one(client, how, &caller.with_secret(value), from).await?;
            if came != Some(Check::Refused) {
                return Ok(Err(
                    "a call with a value that is never valid was not refused",
                ));
            }
            came
        }
        None => None,
    };
    Ok(Ok(clp_schemas::ops::inject::Health {
        credential: Check::Accepted,
        probe,
        checked_at: Timestamp::system_now(),
    }))
}

/// What came of one call; `None` where it was neither accepted nor refused.
async fn one(
    client: &Client,
    how: &Health,
    caller: &Caller,
    from: From<'_>,
) -> Result<Option<Check>, Error> {
    match how {
        Health::Url(url) => by_url(client, url, caller, from.user_agent).await,
        Health::Command(line) => by_command(line, caller.secret.expose(), from.variable).map(Some),
    }
}

async fn by_url(
    client: &Client,
    url: &Url,
    caller: &Caller,
    user_agent: Option<&str>,
) -> Result<Option<Check>, Error> {
    let target = Target {
        method: Method::Get,
        url,
        body: None,
        user_agent,
    };
    match client.reach(caller, target).await {
        Ok(Incoming { status, .. }) => Ok(match status {
            200..300 => Some(Check::Accepted),
            401 => Some(Check::Refused),
            _ => None,
        }),
        Err(Error::Oauth(OauthErrorCode::InvalidClient | OauthErrorCode::InvalidGrant)) => {
            Ok(Some(Check::Refused))
        }
        // What cannot be reached has passed no check.
        Err(Error::Oauth(_) | Error::Unreachable { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The command gets the secret in its environment and says by its exit status what it found.
fn by_command(line: &str, secret: &str, variable: &str) -> Result<Check, Error> {
    let status = std::process::Command::new("sh")
        .arg("-c")
        .arg(line)
        .env_remove("CLP_TOKEN")
        .env_remove("CLP_TOKEN_FILE")
        .env(variable, secret)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(LocalFault::Start)?;
    Ok(match status.success() {
        true => Check::Accepted,
        false => Check::Refused,
    })
}

/// A webhook secret is checked by events: one that the successor alone signed has to be
/// taken, and one signed with the probe value has to be refused.
pub(super) async fn by_event(client: &Client, rotation: &Rotation) -> Result<Checked, Error> {
    let successor = &rotation.successor;
    let taken = client.event_test(successor, SignedBy::Credential).await?;
    if taken.outcome != Came::Accepted {
        return Ok(Err("the receiver did not take an event of the successor"));
    }
    let probe = client.event_test(successor, SignedBy::Probe).await?;
    if probe.outcome != Came::Refused {
        return Ok(Err(
            "the receiver did not refuse an event signed with a value that is never valid",
        ));
    }
    Ok(Ok(clp_schemas::ops::inject::Health {
        credential: Check::Accepted,
        probe: Some(Check::Refused),
        checked_at: Timestamp::system_now(),
    }))
}

/// Whether health is seen by events.
pub(super) fn is_by_event(kind: CredentialType) -> bool {
    kind == CredentialType::WebhookSecret
}
