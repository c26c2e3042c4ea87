//! Decide by logging in at an identity provider (spec chapter 12): an authorization code with PKCE
//! (RFC 7636), sent to this machine by the browser (RFC 8252).
//!
//! Nothing here is of the protocol but the `nonce`, which is the challenge, computed on this
//! machine from what was shown.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clp_schemas::approval::Decision;
use clp_schemas::canonical::{sha256, to_base64url};
use clp_schemas::endpoint::Method;
use clp_schemas::identity::claims_unverified;
use clp_schemas::ops::approve::{
    Approval, CHALLENGE_SECONDS, Evidence, IdTokenEvidence, IdentityProvider,
};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::approve::Question;
use crate::client::Client;
use crate::error::{Error, LocalFault, ProtocolFault};
use crate::transport::{DISCOVERY_LIMIT, Outgoing};

/// How long a person may take: as long as the challenge holds.
const PATIENCE: Duration = Duration::from_secs(CHALLENGE_SECONDS.unsigned_abs());
/// How long whoever connects may take to say what they want.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Longest head of a request that is read, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// What a provider says of itself (`OpenID` Connect Discovery 1.0 section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
}

impl Client {
    /// Has a person log in for exactly this challenge, and answers the ID token. `show` is given
    /// the address to open in a browser.
    ///
    /// # Errors
    /// [`ProtocolFault::Mismatch`] if the provider's metadata or its token is of something else;
    /// [`Error::Unverified`] if nobody logs in; otherwise as every call.
    pub async fn log_in(
        &self,
        provider: &IdentityProvider,
        method: AuthMethod,
        challenge: &[u8; 32],
        show: impl FnOnce(&Url) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let metadata = self.provider_metadata(&provider.issuer).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|_| LocalFault::System("no port of this machine can be had"))?;
        let port = listener
            .local_addr()
            .map_err(|_| LocalFault::System("no port of this machine can be had"))?
            .port();
        let redirect = format!("http://127.0.0.1:{port}/");
        let (verifier, state) = (random()?, random()?);
        let nonce = to_base64url(challenge);
        let mut url = metadata.authorization_endpoint;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.client_id)
            .append_pair("redirect_uri", &redirect)
            .append_pair("scope", "openid")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("max_age", "0")
            .append_pair(
                "code_challenge",
                &to_base64url(&sha256(verifier.as_bytes())),
            )
            .append_pair("code_challenge_method", "S256");
        if method == AuthMethod::Sso {
            url.query_pairs_mut()
                .append_pair("acr_values", &provider.acr_values.join(" "));
        }
        show(&url)?;
        let code = tokio::time::timeout(PATIENCE, came_back(&listener, &state))
            .await
            .map_err(|_| nobody("nobody logged in while the challenge held"))??;
        drop(listener);
        let token = self
            .redeem(
                metadata.token_endpoint,
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code.expose()),
                    ("redirect_uri", &redirect),
                    ("client_id", &provider.client_id),
                    ("code_verifier", &verifier),
                ],
            )
            .await?;
        // A token for something else would use the challenge up.
        let claims = claims_unverified(&token).unwrap_or_default();
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("nonce") != Some(&nonce) || text("iss") != Some(&provider.issuer) {
            return Err(ProtocolFault::Mismatch("the ID token is not for this decision").into());
        }
        Ok(token)
    }

    async fn provider_metadata(&self, issuer: &str) -> Result<Metadata, Error> {
        let mismatch = |what| Error::from(ProtocolFault::Mismatch(what));
        let place = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let place =
            Url::parse(&place).map_err(|_| mismatch("the identity provider has no address"))?;
        let outgoing = Outgoing::get(place, DISCOVERY_LIMIT);
        let incoming = self.transport().exchange(&outgoing, true).await?;
        let metadata: Metadata = match incoming.status {
            200 => serde_json::from_slice(&incoming.body).ok(),
            _ => None,
        }
        .ok_or_else(|| mismatch("the metadata of the identity provider"))?;
        if metadata.issuer != issuer {
            return Err(mismatch("the metadata is of another identity provider"));
        }
        let policy = self.transport().policy();
        policy.check_url(&metadata.authorization_endpoint)?;
        Ok(metadata)
    }

    /// Exchanges the code for an ID token.
    async fn redeem(&self, endpoint: Url, form: &[(&str, &str)]) -> Result<String, Error> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let body = Zeroizing::new(body.finish().into_bytes());
        let outgoing = Outgoing {
            method: Method::Post,
            body: Some(("application/x-www-form-urlencoded", body)),
            ..Outgoing::get(endpoint, DISCOVERY_LIMIT)
        };
        // A code is good once.
        let incoming = self.transport().exchange(&outgoing, false).await?;
        let answer: Option<Value> = match incoming.status {
            200 => serde_json::from_slice(&incoming.body).ok(),
            _ => None,
        };
        answer
            .as_ref()
            .and_then(|answer| answer.get("id_token"))
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| nobody("the identity provider gives no ID token for the log-in"))
    }
}

fn nobody(why: &str) -> Error {
    Error::Unverified(why.to_owned())
}

/// 32 random bytes, base64url.
fn random() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(&mut *bytes)
        .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
    Ok(Zeroizing::new(to_base64url(&*bytes)))
}

/// Waits for the browser to bring the code. Whoever else calls is sent away.
async fn came_back(listener: &TcpListener, state: &str) -> Result<SecretText, Error> {
    loop {
        let (mut stream, _) = listener
            .accept()
            .await
            .map_err(|_| LocalFault::System("nothing can be taken from the browser"))?;
        let Ok(Some(target)) = tokio::time::timeout(HEAD_TIME, read_target(&mut stream)).await
        else {
            continue;
        };
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let part = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(one, _)| one == name)
                .map(|(_, value)| value.into_owned())
        };
        if part("state").as_deref() != Some(state) {
            answer(
                &mut stream,
                "404 Not Found",
                "This is not what is waited for.",
            )
            .await;
            continue;
        }
        let Some(code) = part("code") else {
            answer(&mut stream, "200 OK", "Nothing was decided.").await;
            return Err(nobody("the identity provider did not let anybody log in"));
        };
        answer(&mut stream, "200 OK", "Go back to the terminal.").await;
        return Ok(SecretText::new(code));
    }
}

/// What a GET asks for; `None` for anything else.
async fn read_target(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    let mut head = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new([0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream
            .read(&mut *chunk)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        head.extend_from_slice(chunk.get(..read)?);
        if head.len() > MAX_HEAD {
            return None;
        }
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    Some(Zeroizing::new(target.to_owned()))
}

/// Tells the person at the browser how it went. Whether they read it changes nothing.
async fn answer(stream: &mut TcpStream, status: &str, words: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{words}\n",
        words.len() + 1
    );
    let sent = stream.write_all(text.as_bytes()).await;
    if sent.is_ok() {
        let _ = stream.shutdown().await;
    }
}

/// What proves who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A passkey.
    Passkey,
    /// A log-in at a provider.
    LogIn(AuthMethod),
    /// Whatever the issuer's page asks for.
    Page,
}

/// How somebody proves who they are
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    /// With a passkey
    Passkey,
    /// By logging in at an OpenID provider, in a browser
    Oidc,
    /// By logging in at the organisation's own, in a browser
    Sso,
    /// On the issuer's page; where that is, is shown
    Oauth,
}

#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// How to prove who you are
    #[arg(long, value_enum, default_value = "passkey")]
    method: How,
    /// Where to log in, if the issuer trusts several
    #[arg(long, value_name = "ISSUER")]
    provider: Option<String>,
}

impl LoginArgs {
    pub(super) fn way(&self) -> Way {
        match self.method {
            How::Passkey => Way::Passkey,
            How::Oidc => Way::LogIn(AuthMethod::Oidc),
            How::Sso => Way::LogIn(AuthMethod::Sso),
            // Only who is a client of the authorization server can introspect there.
            How::Oauth => Way::Page,
        }
    }

    /// Logs in for the decision, and submits what the provider signs.
    pub(super) async fn decide(
        &self,
        client: &Client,
        question: &Question,
        decision: Decision,
        method: AuthMethod,
        reason: Option<String>,
    ) -> Result<Approval, Error> {
        let (challenge, bytes) = client.challenge(question, decision).await?;
        let mut fitting = challenge.identity_providers.iter().filter(|one| {
            one.methods.contains(&method)
                && self.provider.as_ref().is_none_or(|it| *it == one.issuer)
        });
        let provider = match (fitting.next(), fitting.next()) {
            (Some(only), None) => only,
            (None, _) => {
                return Err(Error::usage(
                    "the issuer knows no account of yours to log in with by this method",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Error::usage(
                    "the issuer trusts several providers: choose one with --provider",
                ));
            }
        };
        let id_token = client.log_in(provider, method, &bytes, show).await?;
        let evidence = Evidence::IdToken(IdTokenEvidence { id_token });
        client.submit(&challenge, method, evidence, reason).await
    }
}

/// Says where to log in.
fn show(url: &Url) -> Result<(), Error> {
    writeln!(
        std::io::stderr(),
        "open this in a browser, and log in within five minutes:\n{url}"
    )
    .map_err(|_| LocalFault::System("the terminal cannot be used").into())
}
