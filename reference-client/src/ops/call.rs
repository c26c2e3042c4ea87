//! Calls of a resource with a stored credential, in the way that its type asks for (spec
//! chapters 14 and 21).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clp_schemas::dpop;
use clp_schemas::endpoint::Method;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::store::SecretText;
use clp_schemas::time::Timestamp;
use url::Url;
use zeroize::Zeroizing;

use super::Session;
use crate::client::{Client, new_idempotency_key};
use crate::error::{Error, LocalFault, NotAllowed};
use crate::pair::signing_key;
use crate::render::Outcome;
use crate::store::{Entry, Store};
use crate::token::Token;
use crate::transport::{ANSWER_LIMIT, Authorization, Incoming, Outgoing};
use crate::wanted::read_file;

/// Who calls: a credential, by its secret or by something in place of it.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) kind: CredentialType,
    pub(crate) id: CredentialId,
    pub(crate) secret: SecretText,
    /// The private half of the key pair that the key is bound to.
    pub(crate) proof_key: Option<SecretText>,
}

impl Caller {
    pub(crate) fn new(entry: &Entry, store: &Store) -> Result<Self, LocalFault> {
        Ok(Self {
            kind: entry.kind,
            id: entry.credential_id.clone(),
            secret: entry.secret.clone(),
            proof_key: match &entry.jkt {
                Some(jkt) => Some(store.pair(&entry.issuer, jkt)?),
                None => None,
            },
        })
    }

    /// The same with another secret, such as a probe value.
    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self {
            kind: self.kind,
            id: self.id.clone(),
            secret: SecretText::new(secret.to_owned()),
            proof_key: self.proof_key.clone(),
        }
    }
}

/// What is called.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    pub(crate) user_agent: Option<&'a str>,
}

impl Client {
    /// Calls a resource once and takes whatever answer comes.
    pub(crate) async fn reach(
        &self,
        caller: &Caller,
        target: Target<'_>,
    ) -> Result<Incoming, Error> {
        let bearer = match caller.kind {
            CredentialType::ApiKey => Token::new(caller.secret.expose())?,
            CredentialType::OauthClient | CredentialType::ServiceAccount => {
                let answer = self
                    .access_token(caller.kind, &caller.id, &caller.secret, None)
                    .await?;
                Token::new(answer.access_token.expose())?
            }
            CredentialType::WebhookSecret => {
                return Err(Error::usage("a webhook_secret opens nothing"));
            }
        };
        let proof = match &caller.proof_key {
            Some(private) => Some(prove(private, &target, caller.secret.expose())?),
            None => None,
        };
        let outgoing = Outgoing {
            method: target.method,
            authorization: match &proof {
                Some(proof) => Authorization::Dpop(&bearer, proof),
                None => Authorization::Bearer(&bearer),
            },
            body: target.body,
            user_agent: target.user_agent,
            ..Outgoing::get(target.url.clone(), ANSWER_LIMIT)
        };
        self.transport().once(&outgoing).await
    }
}

/// The error code of a challenge (RFC 6750 section 3.1, RFC 9449 section 7.1).
fn known_code(challenge: Option<&str>) -> Option<&'static str> {
    let (_, rest) = challenge?.split_once("error=\"")?;
    let (said, _) = rest.split_once('"')?;
    [
        "invalid_request",
        "invalid_token",
        "insufficient_scope",
        "invalid_dpop_proof",
        "use_dpop_nonce",
    ]
    .into_iter()
    .find(|code| *code == said)
}

/// A proof for this one call (RFC 9449 section 4.2).
fn prove(private: &SecretText, target: &Target<'_>, key: &str) -> Result<String, Error> {
    let mut url = target.url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let once = new_idempotency_key()?;
    let pair = signing_key(private)?;
    let now = Timestamp::system_now();
    dpop::prove(&pair, &once, target.method.name(), url.as_str(), key, now)
        .map_err(|_| LocalFault::System("the proof cannot be signed").into())
}

/// The methods of a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
enum CallMethod {
    /// Read
    Get,
    /// Send
    Post,
    /// Put
    Put,
    /// Change
    Patch,
    /// Remove
    Delete,
}

impl From<CallMethod> for Method {
    fn from(method: CallMethod) -> Self {
        match method {
            CallMethod::Get => Self::Get,
            CallMethod::Post => Self::Post,
            CallMethod::Put => Self::Put,
            CallMethod::Patch => Self::Patch,
            CallMethod::Delete => Self::Delete,
        }
    }
}

/// Call an API with a stored credential
#[derive(Args, Debug)]
pub(crate) struct CallArgs {
    /// The credential
    id: CredentialId,
    /// The method
    #[arg(value_enum, ignore_case = true)]
    method: CallMethod,
    /// The URL; the secret is sent there
    url: Url,
    /// Send this file as JSON
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Call under this name
    #[arg(long)]
    user_agent: Option<String>,
}

pub(crate) async fn run(args: &CallArgs, session: &Session) -> Result<Outcome, Error> {
    if args.url.fragment().is_some() {
        return Err(NotAllowed::UrlForm.into());
    }
    let client = session.client()?;
    let entry = session.entry(client.id(), &args.id)?;
    let caller = Caller::new(&entry, &session.home.store())?;
    let body = match &args.body {
        Some(path) => Some(("application/json", Zeroizing::new(read_file(path)?))),
        None => None,
    };
    let target = Target {
        method: args.method.into(),
        url: &args.url,
        body,
        user_agent: args.user_agent.as_deref(),
    };
    let answer = client.reach(&caller, target).await?;
    match answer.status {
        200..300 => Ok(Outcome::Plain(answer.body.to_vec())),
        status => Err(Error::NotServed {
            status,
            code: known_code(answer.challenge.as_deref()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_of_a_challenge_are_repeated() {
        let challenge = |text: &str| known_code(Some(text));
        assert_eq!(
            challenge("Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"a\""),
            Some("insufficient_scope")
        );
        assert_eq!(challenge("Bearer error=\"\u{1b}[2J\""), None);
        assert_eq!(challenge("Bearer"), None);
        assert_eq!(known_code(None), None);
    }
}
