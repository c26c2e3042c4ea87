//! Webhooks: verify what came, and have a test event sent (spec chapter 21).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::CredentialPath;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::inject::{
    EventTest, EventTestAnswer, EventTestBody, Outcome as Came, SignedBy,
};
use clp_schemas::time::Timestamp;
use clp_schemas::webhook::{self, WebhookSecret};
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::error::Error;
use crate::render::{Facts, Outcome};
use crate::wanted::read_file;

impl Client {
    /// Has the issuer send a test event, and says what came of it.
    ///
    /// # Errors
    /// As every call.
    pub async fn event_test(
        &self,
        id: &CredentialId,
        signed_by: SignedBy,
    ) -> Result<EventTestAnswer, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        self.call::<EventTest>(&path, &Nothing {}, &EventTestBody { signed_by })
            .await
    }
}

/// Verify an event with a stored webhook_secret, or have a test event sent
#[derive(Args, Debug)]
pub(crate) struct WebhookArgs {
    #[command(subcommand)]
    command: WebhookCommand,
}

#[derive(Subcommand, Debug)]
enum WebhookCommand {
    /// Verify an event that came; nothing is sent
    Verify {
        /// The credential whose stored secret it should be signed with
        #[arg(long = "secret-of", value_name = "ID")]
        secret_of: CredentialId,
        /// Its header fields, one `name: value` on a line
        #[arg(long, value_name = "FILE")]
        headers: PathBuf,
        /// Its body, byte for byte
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
    },
    /// Have the issuer send a test event now
    Test {
        /// The credential
        id: CredentialId,
        /// Which secrets sign it: all, credential or probe
        #[arg(long, default_value = "all", value_parser = signed_by)]
        signed_by: SignedBy,
    },
}

fn signed_by(text: &str) -> Result<SignedBy, &'static str> {
    SignedBy::from_name(text).ok_or("want all, credential or probe")
}

pub(crate) async fn run(args: &WebhookArgs, session: &Session) -> Result<Outcome, Error> {
    match &args.command {
        WebhookCommand::Verify {
            secret_of,
            headers,
            body,
        } => {
            let entry = session.stored(secret_of)?;
            if entry.kind != CredentialType::WebhookSecret {
                return Err(Error::usage("this credential is no webhook_secret"));
            }
            let secret = WebhookSecret::parse(entry.secret.expose())
                .map_err(|fault| Error::Unverified(fault.to_string()))?;
            verify(&secret, &read_file(headers)?, &read_file(body)?)
        }
        WebhookCommand::Test { id, signed_by } => {
            let answer = session.client()?.event_test(id, *signed_by).await?;
            let mut facts = Facts::default();
            facts
                .add("event", answer.id.as_str())
                .add("sent to", &answer.url)
                .add("outcome", answer.outcome.to_string())
                .add_some("status", answer.status);
            let wanted = match signed_by {
                SignedBy::Probe => Came::Refused,
                SignedBy::All | SignedBy::Credential => Came::Accepted,
            };
            match answer.outcome == wanted {
                true => Outcome::new(&answer, facts.text()),
                false => Err(Error::Unverified(format!(
                    "the receiver did not take the event as it should: it was {}",
                    answer.outcome
                ))),
            }
        }
    }
}

fn verify(secret: &WebhookSecret, headers: &[u8], body: &[u8]) -> Result<Outcome, Error> {
    let text = std::str::from_utf8(headers)
        .map_err(|_| Error::usage("the file of header fields does not hold text"))?;
    let id = field(text, "webhook-id")?;
    let time = field(text, "webhook-timestamp")?;
    let signature = field(text, "webhook-signature")?;
    let timestamp: i64 = time
        .parse()
        .map_err(|_| Error::Unverified("the timestamp is no number".to_owned()))?;
    let now = Timestamp::system_now();
    webhook::verify(secret, id, timestamp, signature, body, now)
        .map_err(|fault| Error::Unverified(fault.to_string()))?;
    Outcome::new(
        &json!({"verified": true, "id": id, "timestamp": timestamp}),
        "verified\n".to_owned(),
    )
}

/// The one field of this name. A second one could be read by somebody else.
fn field<'a>(headers: &'a str, name: &str) -> Result<&'a str, Error> {
    let mut found = headers.lines().filter_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim())
    });
    match (found.next(), found.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(Error::Unverified(format!("there is no {name}"))),
        (Some(_), Some(_)) => Err(Error::Unverified(format!("there is more than one {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_verifies_with_its_secret_and_its_twins_do_not() {
        let secret = WebhookSecret::from_bytes(&[5; 32]);
        let now = Timestamp::system_now().unix();
        let signature = secret.sign("evt_1", now, b"{}");
        let headers = |id: &str, more: &str| {
            format!(
                "Webhook-Id: {id}\r\nwebhook-timestamp: {now}\r\nWEBHOOK-SIGNATURE: {signature}\r\n{more}"
            )
        };
        let run = |headers: String, body: &[u8]| verify(&secret, headers.as_bytes(), body);
        assert!(run(headers("evt_1", ""), b"{}").is_ok());
        for (headers, body) in [
            (headers("evt_2", ""), &b"{}"[..]),
            (headers("evt_1", ""), b"{ }"),
            (headers("evt_1", "webhook-id: evt_2\r\n"), b"{}"),
            ("webhook-id: evt_1\n".to_owned(), b"{}"),
        ] {
            assert!(matches!(run(headers, body), Err(Error::Unverified(_))));
        }
    }
}
