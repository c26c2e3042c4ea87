//! Access tokens for an OAuth client or a service account (spec chapter 21).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use clp_schemas::assertion;
use clp_schemas::endpoint::{EndpointId, Method};
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::oauth::{
    GRANT_CLIENT_CREDENTIALS, GRANT_JWT_BEARER, OauthError, TokenAnswer,
};
use clp_schemas::ops::store::SecretText;
use clp_schemas::time::Timestamp;
use serde_json::json;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::Session;
use crate::client::{Client, new_idempotency_key};
use crate::error::{Error, LocalFault, ProtocolFault};
use crate::pair::signing_key;
use crate::render::{Facts, Outcome};
use crate::token::Token;
use crate::transport::{Authorization, DISCOVERY_LIMIT, Outgoing, decode};

impl Client {
    /// Gets an access token with the secret of an `oauth_client`
    /// (`client_secret_basic`) or the private key of a `service_account` (RFC 7523).
    ///
    /// # Errors
    /// [`Error::Oauth`] if it is refused; [`Error::Usage`] for another type.
    pub async fn access_token(
        &self,
        kind: CredentialType,
        id: &CredentialId,
        secret: &SecretText,
        scope: Option<&str>,
    ) -> Result<TokenAnswer, Error> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        if let Some(scope) = scope {
            form.append_pair("scope", scope);
        }
        let pair;
        let authorization = match kind {
            CredentialType::OauthClient => {
                form.append_pair("grant_type", GRANT_CLIENT_CREDENTIALS);
                pair = basic(id, secret)?;
                Authorization::Basic(&pair)
            }
            CredentialType::ServiceAccount => {
                form.append_pair("grant_type", GRANT_JWT_BEARER)
                    .append_pair("assertion", &self.assertion(id, secret)?);
                Authorization::None
            }
            CredentialType::ApiKey | CredentialType::WebhookSecret => {
                return Err(Error::usage(
                    "only an oauth_client or a service_account gets access tokens",
                ));
            }
        };
        let body = Zeroizing::new(form.finish().into_bytes());
        let outgoing = Outgoing {
            method: Method::Post,
            authorization,
            body: Some(("application/x-www-form-urlencoded", body)),
            ..Outgoing::get(self.url_of(EndpointId::TokenIssue).await?, DISCOVERY_LIMIT)
        };
        // An assertion is good once, so nothing is sent twice.
        let incoming = self.transport().exchange(&outgoing, false).await?;
        let refused = matches!(incoming.status, 400 | 401)
            && incoming.media_type.as_deref() == Some("application/json");
        if refused {
            let error: OauthError =
                serde_json::from_slice(&incoming.body).map_err(|_| ProtocolFault::Form {
                    endpoint: "token_issue",
                })?;
            return Err(Error::Oauth(error.error));
        }
        let answer: TokenAnswer = decode(EndpointId::TokenIssue.row(), &incoming)?;
        match answer.token_type.eq_ignore_ascii_case("bearer") {
            true => Ok(answer),
            false => Err(ProtocolFault::Mismatch("the token is of another type").into()),
        }
    }

    fn assertion(&self, id: &CredentialId, private: &SecretText) -> Result<String, Error> {
        let key = signing_key(private)?;
        let once = new_idempotency_key()?;
        let now = Timestamp::system_now();
        assertion::assert(&key, &once, id.as_str(), self.id().as_str(), now)
            .map_err(|_| LocalFault::System("the assertion cannot be signed").into())
    }
}

/// RFC 6749 section 2.3.1: each half form-encoded, a colon between.
fn basic(id: &CredentialId, secret: &SecretText) -> Result<Token, Error> {
    let encode = |text: &str| -> Zeroizing<String> {
        Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect())
    };
    let (id, secret) = (encode(id.as_str()), encode(secret.expose()));
    let pair = Zeroizing::new(format!("{}:{}", *id, *secret));
    Token::new(&Zeroizing::new(STANDARD.encode(pair.as_bytes())))
}

/// Get an access token for a stored oauth_client or service_account
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// The credential
    id: CredentialId,
    /// Only these rights, as type:action names [example: 'record:read']
    #[arg(long)]
    scope: Option<String>,
    /// Write the token to standard output, and nothing else
    #[arg(long)]
    print: bool,
}

pub(crate) async fn run(args: &TokenArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    let entry = session.entry(client.id(), &args.id)?;
    let answer = client
        .access_token(entry.kind, &args.id, &entry.secret, args.scope.as_deref())
        .await?;
    if args.print {
        let token = answer.access_token.expose().to_owned();
        return Ok(Outcome::Secret(Zeroizing::new(token)));
    }
    let mut facts = Facts::default();
    facts
        .add("credential", args.id.as_str())
        .add("scope", &answer.scope)
        .add("lives for", format!("{} seconds", answer.expires_in));
    let text = format!("{}the token was not shown; add --print\n", facts.text());
    Outcome::new(
        &json!({"credential_id": args.id, "scope": answer.scope, "expires_in": answer.expires_in}),
        text,
    )
}
