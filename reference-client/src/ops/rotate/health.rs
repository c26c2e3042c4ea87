//! Whether a place works with the successor, and whether it checks at all: a call with the
//! `probe_value` has to be refused (spec chapter 18).

use std::time::Duration;

use clp_schemas::endpoint::Method;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::inject::{Check, Outcome, SignedBy};
use clp_schemas::ops::oauth::OauthErrorCode;
use clp_schemas::ops::rotate::Rotation;
use clp_schemas::time::Timestamp;
use tokio::process::{Child, Command};
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

/// How long one check may take, where nothing else is said.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// What one check is made by.
#[derive(Clone, Copy, Debug)]
pub(super) struct How<'a> {
    pub(super) by: &'a Health,
    /// How long a command may take.
    pub(super) limit: Duration,
}

/// What came of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Accepted,
    Refused,
    /// Neither, and why.
    Nothing(&'static str),
}

/// Calls with the successor, which has to be accepted, and with a value that is never valid,
/// which has to be refused: a place that takes both looks at neither. The probe value goes
/// nowhere else (CLP-ROT-035).
pub(super) async fn check(
    client: &Client,
    how: How<'_>,
    caller: &Caller,
    rotation: &Rotation,
    from: From<'_>,
) -> Result<Checked, Error> {
    match one(client, how, caller, from).await? {
        Came::Accepted => {}
        Came::Refused => return Ok(Err("a call with the successor was not accepted")),
        Came::Nothing(what) => return Ok(Err(what)),
    }
    if let Some(value) = never_valid(rotation, caller)? {
        match one(client, how, &caller.with_secret(&value), from).await? {
            Came::Refused => {}
            Came::Accepted | Came::Nothing(UNCLEAR) => {
                return Ok(Err(
                    "a call with a value that is never valid was not refused",
                ));
            }
            Came::Nothing(what) => return Ok(Err(what)),
        }
    }
    Ok(Ok(clp_schemas::ops::inject::Health {
        credential: Check::Accepted,
        // Only what the issuer knows of is reported to it.
        probe: rotation.probe_value.as_ref().map(|_| Check::Refused),
        checked_at: Timestamp::system_now(),
    }))
}

const UNCLEAR: &str = "a call with the successor was neither accepted nor refused";

/// The probe value; where the issuer gives none, a random one that looks like the successor's
/// secret. What signs an assertion has none: no place checks it.
fn never_valid(rotation: &Rotation, caller: &Caller) -> Result<Option<String>, Error> {
    match (&rotation.probe_value, caller.kind) {
        (Some(value), _) => Ok(Some(value.clone())),
        (None, CredentialType::ApiKey | CredentialType::OauthClient) => {
            Ok(Some(alike(caller.secret.expose())?))
        }
        (None, CredentialType::ServiceAccount | CredentialType::WebhookSecret) => Ok(None),
    }
}

/// Random letters and digits in place of those of a secret, after its prefix: none of it is
/// kept, but for its length and punctuation.
fn alike(secret: &str) -> Result<String, LocalFault> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut random = vec![0; secret.len()];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
    let prefix = secret.rfind('_').map_or(0, |at| at + 1);
    // A secret that is nearly all prefix is drawn anew whole.
    let kept = if prefix * 2 < secret.len() { prefix } else { 0 };
    let drawn = secret
        .char_indices()
        .zip(random)
        .map(
            |((at, letter), byte)| match at < kept || !letter.is_ascii_alphanumeric() {
                true => letter,
                false => LETTERS
                    .get(usize::from(byte) % LETTERS.len())
                    .map_or('0', |letter| char::from(*letter)),
            },
        );
    Ok(drawn.collect())
}

async fn one(
    client: &Client,
    how: How<'_>,
    caller: &Caller,
    from: From<'_>,
) -> Result<Came, Error> {
    match how.by {
        Health::Url(url) => by_url(client, url, caller, from.user_agent).await,
        Health::Command(line) => {
            let mut command = Command::new("sh");
            command
                .args(["-c", line])
                .env("CLP_ISSUER", client.id().as_str())
                .env("CLP_CREDENTIAL_ID", caller.id.as_str())
                .env(from.variable, caller.secret.expose());
            if let Some(name) = from.user_agent {
                command.env("CLP_USER_AGENT", name);
            }
            by_command(command, how.limit).await
        }
    }
}

async fn by_url(
    client: &Client,
    url: &Url,
    caller: &Caller,
    user_agent: Option<&str>,
) -> Result<Came, Error> {
    let target = Target {
        method: Method::Get,
        url,
        body: None,
        user_agent,
    };
    match client.reach(caller, target).await {
        Ok(Incoming { status, .. }) => Ok(match status {
            200..300 => Came::Accepted,
            401 => Came::Refused,
            _ => Came::Nothing(UNCLEAR),
        }),
        Err(Error::Oauth(OauthErrorCode::InvalidClient | OauthErrorCode::InvalidGrant)) => {
            Ok(Came::Refused)
        }
        // What cannot be reached has passed no check.
        Err(Error::Oauth(_) | Error::Unreachable { .. }) => Ok(Came::Nothing(UNCLEAR)),
        Err(fault) => Err(fault),
    }
}

/// The command gets the secret in its environment and says by its exit status what it found.
/// One that takes too long is ended with whatever it began.
async fn by_command(mut command: Command, limit: Duration) -> Result<Came, Error> {
    command
        .env_remove("CLP_TOKEN")
        .env_remove("CLP_TOKEN_FILE")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(LocalFault::Start)?;
    match tokio::time::timeout(limit, child.wait()).await {
        Ok(status) => Ok(match status.map_err(LocalFault::Start)?.success() {
            true => Came::Accepted,
            false => Came::Refused,
        }),
        Err(_) => {
            end(&mut child).await;
            Ok(Came::Nothing(
                "the health check took too long: see --health-timeout",
            ))
        }
    }
}

async fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child
        .id()
        .and_then(|number| i32::try_from(number).ok())
        .and_then(rustix::process::Pid::from_raw)
    {
        // A group that has ended already is as it should be.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}

/// A webhook secret is checked by events: one that the successor alone signed has to be
/// taken, and one signed with the probe value has to be refused.
pub(super) async fn by_event(client: &Client, rotation: &Rotation) -> Result<Checked, Error> {
    let successor = &rotation.successor;
    let taken = client.event_test(successor, SignedBy::Credential).await?;
    if taken.outcome != Outcome::Accepted {
        return Ok(Err("the receiver did not take an event of the successor"));
    }
    let probe = client.event_test(successor, SignedBy::Probe).await?;
    if probe.outcome != Outcome::Refused {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_keeps_its_form_and_nothing_else() {
        let secret = "acme_abcDEF0123456789abcDEF0123456789-x";
        let drawn = alike(secret).unwrap();
        assert_eq!(drawn.len(), secret.len());
        assert!(drawn.starts_with("acme_") && drawn.ends_with(|last: char| last.is_alphanumeric()));
        assert_eq!(drawn.as_bytes()[drawn.len() - 2], b'-');
        assert_ne!(drawn, secret);
        assert_ne!(drawn, alike(secret).unwrap());
        assert_ne!(alike("nearly_all_prefix_x").unwrap(), "nearly_all_prefix_x");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended_with_what_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let line = format!("sleep 60 > '{}' & wait", pipe.display());
        // It reads to the end, which comes when nobody holds the other side any more.
        let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", &line]);
        let began = std::time::Instant::now();
        let came = by_command(command, Duration::from_secs(1)).await.unwrap();
        assert!(matches!(came, Came::Nothing(what) if what.contains("--health-timeout")));
        reader.join().unwrap();
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
