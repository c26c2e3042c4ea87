//! The client: one issuer, one principal, and every endpoint of the table.

use std::sync::{Arc, Mutex, PoisonError};

use clp_schemas::endpoint::{Auth, Base, Endpoint, EndpointId, Idempotency, Method};
use clp_schemas::ops::Call;
use clp_schemas::ops::discover::{ResourceMetadata, ResourceMetadataRead};
use serde::Serialize;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::error::{Error, LocalFault, ProtocolFault};
use crate::issuer::{Issuer, IssuerId};
use crate::sabotage::Sabotage;
use crate::tagged::Tagged;
use crate::token::Token;
use crate::transport::{
    ANSWER_LIMIT, Authorization, Condition, DISCOVERY_LIMIT, Outgoing, Policy, Repeat, TestRun,
    Timeouts, Transport, decode,
};
use crate::versions::Versions;

/// Settings of a [`Client`]. The defaults are those for a public issuer.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What is allowed beyond public https.
    pub policy: Policy,
    /// How long an exchange may take.
    pub timeouts: Timeouts,
    /// How often it is repeated.
    pub repeat: Repeat,
    /// The one other origin at which credentials and permissions may stand.
    pub credential_origin: Option<url::Origin>,
    /// Who calls. Discovery needs no token.
    pub token: Option<Token>,
    /// The run of a test, which only test issuers are told.
    pub test_run: Option<TestRun>,
    /// Where the newest manifest version of each issuer is kept between runs; without it, an
    /// older manifest is noticed only by the same client.
    pub versions: Option<Versions>,
    /// Which requirement is broken: none, unless a suite is to show that it notices.
    pub sabotage: Sabotage,
}

/// What goes along with a call, apart from its path, query and body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Along<'a> {
    key: Option<&'a str>,
    condition: Option<Condition<'a>>,
}

/// One issuer, called by one principal.
///
/// The manifest is read at the first call and again when it is a day old. A call whose
/// answer gets lost is repeated where a repetition does nothing twice.
///
/// ```no_run
/// use clp_client::{Client, Settings, Token};
/// use clp_schemas::ops::create::{CredentialList, ListQuery};
/// use clp_schemas::ops::Nothing;
///
/// # async fn example() -> Result<(), clp_client::Error> {
/// let settings = Settings {
///     token: Token::from_env("CLP_TOKEN")?,
///     ..Settings::default()
/// };
/// let client = Client::new("https://api.example.com".parse()?, settings)?;
/// let query = ListQuery { project: Some("atlas".to_owned()), ..ListQuery::default() };
/// let page = client.call::<CredentialList>(&Nothing {}, &query, &Nothing {}).await?;
/// for credential in page.items {
///     println!("{} {}", credential.id, credential.purpose);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    id: IssuerId,
    token: Option<Token>,
    credential_origin: Option<url::Origin>,
    transport: Transport,
    issuer: Arc<Mutex<Option<Arc<Issuer>>>>,
    versions: Option<Versions>,
    pub(crate) sabotage: Sabotage,
}

impl Client {
    /// A client of the issuer with this identifier. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] if the settings do not allow the URL.
    pub fn new(id: IssuerId, settings: Settings) -> Result<Self, Error> {
        let sabotage = settings.sabotage;
        let mut settings = settings;
        settings.policy.private_addresses |= sabotage.breaks("CLP-DIS-012");
        if !sabotage.breaks("CLP-SEC-005") {
            settings.policy.check_url(id.url())?;
        }
        Ok(Self {
            transport: Transport::new(&settings)?,
            token: settings.token,
            credential_origin: settings.credential_origin,
            id,
            issuer: Arc::default(),
            versions: settings.versions,
            sabotage,
        })
    }

    /// The same issuer, called with another token.
    #[must_use]
    pub fn with_token(&self, token: Token) -> Self {
        Self {
            token: Some(token),
            ..self.clone()
        }
    }

    /// The identifier of the issuer.
    #[must_use]
    pub fn id(&self) -> &IssuerId {
        &self.id
    }

    /// The principal's token, if there is one.
    pub(crate) fn token(&self) -> Result<&Token, Error> {
        self.token.as_ref().ok_or_else(|| {
            Error::usage("no bearer token: set CLP_TOKEN, or CLP_TOKEN_FILE to a file that only you can read")
        })
    }

    /// The issuer's manifest, read and checked; from memory while it is less than a day old.
    ///
    /// # Errors
    /// [`Error::NotAllowed`], [`Error::Unreachable`], or [`Error::Protocol`] for a manifest
    /// that is to be refused (spec chapter 10).
    pub async fn issuer(&self) -> Result<Arc<Issuer>, Error> {
        let kept = self.lock().clone();
        if let Some(issuer) = kept.filter(|issuer| !issuer.is_stale()) {
            return Ok(issuer);
        }
        let row = EndpointId::ManifestRead.row();
        let url = self.id.manifest_url();
        let answer = self.get(row, url.clone()).await;
        let mut value: Value = answer.map_err(|fault| fault.of_manifest(url))?;
        if self.sabotage.breaks("CLP-DIS-007")
            && let Some(members) = value.as_object_mut()
        {
            let guess = format!("{}/credentials", self.id);
            let member = members.entry("credential_issuer_endpoint");
            member.or_insert_with(|| guess.into());
        }
        // Others use the same well-known path: their documents lack this member.
        if value.get("credential_issuer_endpoint").is_none() {
            return Err(ProtocolFault::NoEndpoint.into());
        }
        let manifest = serde_json::from_value(value)
            .map_err(|_| ProtocolFault::Form { endpoint: row.name })?;
        let policy = self.transport.policy();
        let elsewhere = self.credential_origin.as_ref();
        let issuer = Issuer::admit(&self.id, manifest, policy, elsewhere, self.sabotage)?;
        if let Some(versions) = &self.versions
            && !self.sabotage.breaks("CLP-DIS-021")
        {
            versions.keep(&issuer)?;
        }
        let issuer = Arc::new(issuer);
        *self.lock() = Some(Arc::clone(&issuer));
        Ok(issuer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Issuer>>> {
        // Nothing can panic while it is held, and a stale manifest is read again anyway.
        self.issuer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the RFC 9728 metadata of the credential endpoint.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if it describes another resource.
    pub async fn resource_metadata(&self) -> Result<ResourceMetadata, Error> {
        let issuer = self.issuer().await?;
        let url = issuer.resource_metadata_url();
        let metadata: ResourceMetadata = self.get(ResourceMetadataRead::ID.row(), url).await?;
        if metadata.resource != *issuer.endpoint() {
            return Err(ProtocolFault::Mismatch("the protected resource").into());
        }
        Ok(metadata)
    }

    /// Calls an endpoint. One that takes an `Idempotency-Key` gets a fresh one; to repeat a
    /// call after a crash, choose and keep the key with [`Client::call_with_key`].
    ///
    /// # Errors
    /// [`Error::Refused`] with the issuer's problem, and what can go wrong on the way.
    pub async fn call<C: Call>(
        &self,
        path: &C::Path,
        query: &C::Query,
        body: &C::Body,
    ) -> Result<C::Answer, Error> {
        let key = match C::ID.row().idempotency {
            Idempotency::Key => Some(new_idempotency_key()?),
            Idempotency::None => None,
        };
        let along = Along {
            key: key.as_deref(),
            condition: None,
        };
        Ok(self.send::<C>(path, query, body, along).await?.value)
    }

    /// Calls an endpoint with an `Idempotency-Key` that the caller keeps.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_with_key<C: Call>(
        &self,
        path: &C::Path,
        body: &C::Body,
        key: &str,
    ) -> Result<C::Answer, Error>
    where
        C::Query: Default,
    {
        let along = Along {
            key: Some(key),
            condition: None,
        };
        let query = C::Query::default();
        Ok(self.send::<C>(path, &query, body, along).await?.value)
    }

    /// Calls an endpoint and keeps the entity tag of the answer.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_tagged<C: Call>(&self, path: &C::Path) -> Result<Tagged<C::Answer>, Error>
    where
        C::Query: Default,
        C::Body: Default,
    {
        let (query, body) = (C::Query::default(), C::Body::default());
        self.send::<C>(path, &query, &body, Along::default()).await
    }

    /// Changes an object, if it is still in the state that the caller saw.
    ///
    /// # Errors
    /// [`clp_schemas::problem::ProblemType::PreconditionFailed`] if it is not; otherwise as
    /// [`Client::call`].
    pub async fn change<C: Call>(
        &self,
        path: &C::Path,
        body: &C::Body,
        condition: Condition<'_>,
    ) -> Result<Tagged<C::Answer>, Error>
    where
        C::Query: Default,
    {
        let condition = match (condition, self.sabotage.breaks("CLP-TRN-038")) {
            (Condition::Match(_), true) => Condition::Match("*"),
            (condition, _) => condition,
        };
        let along = Along {
            key: None,
            condition: Some(condition),
        };
        self.send::<C>(path, &C::Query::default(), body, along)
            .await
    }

    /// Reads what a link in an answer leads to.
    ///
    /// # Errors
    /// [`ProtocolFault::LinkElsewhere`] if it leads away from the credential endpoint, where
    /// the token must not go (CLP-SEC-006); otherwise as [`Client::call`].
    pub async fn follow<C: Call>(&self, link: &str) -> Result<C::Answer, Error> {
        let issuer = self.issuer().await?;
        issuer.require(C::ID.row())?;
        let url: Url = link.parse().map_err(|_| ProtocolFault::LinkElsewhere)?;
        let path = issuer.endpoint().path().trim_end_matches('/');
        let below = url
            .path()
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'));
        let away = url.origin() != issuer.endpoint().origin() || !below;
        if away && !self.sabotage.breaks("CLP-SEC-006") {
            return Err(ProtocolFault::LinkElsewhere.into());
        }
        self.get(C::ID.row(), url).await
    }

    async fn send<C: Call>(
        &self,
        path: &C::Path,
        query: &C::Query,
        body: &C::Body,
        along: Along<'_>,
    ) -> Result<Tagged<C::Answer>, Error> {
        let row = C::ID.row();
        let issuer = self.issuer().await?;
        issuer.require(row)?;
        let base = match (row.id, row.base) {
            (EndpointId::PermissionDocumentRead, _) => issuer.permissions_url(),
            (EndpointId::ResourceMetadataRead, _) => issuer.resource_metadata_url(),
            (EndpointId::ManifestRead, _) => self.id.manifest_url(),
            (_, Base::Origin | Base::Credentials) => below(issuer.endpoint(), row.path, path)?,
            (_, Base::Control) => return Err(Error::usage("test control needs a `Control`")),
        };
        let url = with_query(base, query)?;
        let authorization = match row.auth {
            Auth::Anyone => Authorization::None,
            _ => Authorization::Bearer(self.token()?),
        };
        perform::<C>(&self.transport, url, authorization, body, along).await
    }

    /// What sends the requests, for those that are no calls of the table.
    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Where an endpoint without parameters in its path is.
    pub(crate) async fn url_of(&self, id: EndpointId) -> Result<Url, Error> {
        let (row, issuer) = (id.row(), self.issuer().await?);
        issuer.require(row)?;
        below(issuer.endpoint(), row.path, &serde_json::Map::new())
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        row: &'static Endpoint,
        url: Url,
    ) -> Result<T, Error> {
        let (authorization, limit) = match row.auth {
            Auth::Anyone => (Authorization::None, DISCOVERY_LIMIT),
            _ => (Authorization::Bearer(self.token()?), ANSWER_LIMIT),
        };
        let outgoing = Outgoing {
            authorization,
            ..Outgoing::get(url, limit)
        };
        decode(row, &self.transport.exchange(&outgoing, true).await?)
    }
}

pub(crate) async fn perform<C: Call>(
    transport: &Transport,
    url: Url,
    authorization: Authorization<'_>,
    body: &C::Body,
    along: Along<'_>,
) -> Result<Tagged<C::Answer>, Error> {
    let row = C::ID.row();
    let body = row.has_body().then(|| serde_json::to_vec(body));
    let body = body
        .transpose()
        .map_err(|_| LocalFault::System("the body cannot be written as JSON"))?;
    let outgoing = Outgoing {
        method: row.method,
        url,
        authorization,
        condition: along.condition,
        idempotency_key: along.key,
        body: body.map(|bytes| ("application/json", Zeroizing::new(bytes))),
        user_agent: None,
        limit: match row.auth {
            Auth::Anyone => DISCOVERY_LIMIT,
            _ => ANSWER_LIMIT,
        },
    };
    let incoming = transport.exchange(&outgoing, is_repeatable(row)).await?;
    Ok(Tagged {
        value: decode(row, &incoming)?,
        tag: incoming.etag,
    })
}

/// Whether sending the same again does nothing twice. A second challenge is harmless; a
/// second approval would meet a used challenge and hide that the first one stood, and so
/// would a second change with the tag of the state before.
fn is_repeatable(row: &Endpoint) -> bool {
    row.method == Method::Get
        || row.idempotency == Idempotency::Key
        || matches!(
            row.id,
            EndpointId::CredentialRevoke
                | EndpointId::CredentialSuspend
                | EndpointId::DeliveryAck
                | EndpointId::ChallengeOpen
                | EndpointId::AuthenticatorRegister
                | EndpointId::ControlIdentityProvider
                | EndpointId::FaultsPut
        )
}

/// Puts the members of `path` in place of `{names}`, below `base`.
pub(crate) fn below<P: Serialize>(base: &Url, template: &str, path: &P) -> Result<Url, Error> {
    let fault = || LocalFault::System("the path cannot be built");
    let members = serde_json::to_value(path).map_err(|_| fault())?;
    let mut url = base.clone();
    {
        let mut segments = url.path_segments_mut().map_err(|()| fault())?;
        segments.pop_if_empty();
        for part in template.split('/').skip(1) {
            let name = part
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) => segments.push(
                    members
                        .get(name)
                        .and_then(Value::as_str)
                        .ok_or_else(fault)?,
                ),
                None => segments.push(part),
            };
        }
    }
    Ok(url)
}

fn with_query<Q: Serialize>(mut url: Url, query: &Q) -> Result<Url, Error> {
    let value =
        serde_json::to_value(query).map_err(|_| LocalFault::System("the query cannot be built"))?;
    let members = value.as_object().cloned().unwrap_or_default();
    if !members.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in members {
            match value {
                Value::String(text) => pairs.append_pair(&name, &text),
                other => pairs.append_pair(&name, &other.to_string()),
            };
        }
    }
    Ok(url)
}

/// A fresh `Idempotency-Key`: 128 random bits, in hexadecimal digits.
///
/// # Errors
/// [`LocalFault::System`] if the system gives no random numbers.
pub fn new_idempotency_key() -> Result<String, LocalFault> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| LocalFault::System("the system gives no random numbers"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::ops::Nothing;
    use clp_schemas::ops::create::{CredentialPath, ListQuery};

    #[test]
    fn urls_are_put_together_below_the_endpoint() {
        let base: Url = "https://api.example.com/v1/credentials".parse().unwrap();
        let path = CredentialPath {
            credential_id: "cred_0123456789abcdefghij".parse().unwrap(),
        };
        let revoke = below(&base, EndpointId::CredentialRevoke.row().path, &path).unwrap();
        assert_eq!(
            revoke.as_str(),
            "https://api.example.com/v1/credentials/cred_0123456789abcdefghij/revoke"
        );
        let list = below(&base, EndpointId::CredentialList.row().path, &Nothing {}).unwrap();
        assert_eq!(list, base);
        let query = ListQuery {
            owner: Some("a & b".to_owned()),
            ..ListQuery::default()
        };
        let url = with_query(list, &query).unwrap();
        assert_eq!(url.query(), Some("owner=a+%26+b"));
    }

    #[test]
    fn what_has_an_effect_each_time_is_not_repeated() {
        assert!(is_repeatable(EndpointId::CredentialCreate.row()));
        assert!(is_repeatable(EndpointId::CredentialRevoke.row()));
        assert!(!is_repeatable(EndpointId::ApprovalSubmit.row()));
        assert!(!is_repeatable(EndpointId::SandboxOpen.row()));
    }

    #[test]
    fn keys_are_fresh() {
        let key = new_idempotency_key().unwrap();
        assert_eq!(key.len(), 32);
        assert_ne!(new_idempotency_key().unwrap(), key);
    }
}
