//! What an ID token and a signed answer to an introspection have to say.

use serde_json::{Map, Value, json};

use super::keys::KeySet;
use crate::approval::Decision;
use crate::ids::RequestId;
use crate::jose::Unverified;
use crate::ops::approve::Challenge;
use crate::time::Timestamp;

/// How far the provider's clock may be from the issuer's, in seconds.
pub const LEEWAY_SECONDS: i64 = 60;

/// The type of the authorization details of a decision (RFC 9396 section 2).
pub const DETAIL_TYPE: &str = "clp_approval";

/// Longest text that is read, in bytes: that of the schema of the evidence.
const MAX_BYTES: usize = 16_384;

/// One thing that is wrong with what a provider signed. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// Not three parts of base64url with JSON objects in the first two.
    #[error("the evidence is not a compact signature")]
    Form,
    /// No provider that is trusted has this name.
    #[error("the evidence is of a provider that is not trusted here")]
    Issuer,
    /// The provider is not trusted for this method.
    #[error("the provider is not trusted for this method")]
    Method,
    /// The header names an algorithm that is not admitted.
    #[error("the evidence is not signed by an admitted algorithm")]
    Algorithm,
    /// The header wants something that is not understood.
    #[error("the header asks for something that is not understood")]
    Critical,
    /// No key of the provider made the signature.
    #[error("the signature is not of a key of the provider")]
    Signature,
    /// It is a token for another purpose.
    #[error("the evidence is a token for another purpose")]
    Type,
    /// `aud` is somebody else, or `azp` of several audiences is.
    #[error("the evidence is for somebody else")]
    Audience,
    /// `aud` has several members, and `azp` is not the issuer.
    #[error("the evidence was issued to somebody else")]
    AuthorizedParty,
    /// `exp` has passed or is absent.
    #[error("the evidence has expired")]
    Expired,
    /// `iat` is absent, to come, or before the challenge.
    #[error("the evidence was not issued between the challenge and now")]
    IssuedAt,
    /// `nonce` is not the challenge.
    #[error("the nonce is not the challenge")]
    Nonce,
    /// `auth_time` is absent or before the challenge.
    #[error("the person did not authenticate for this decision")]
    AuthTime,
    /// `acr` is none of those wanted.
    #[error("the person did not authenticate as the organisation wants it")]
    Class,
    /// `sub` is not an account of the approver.
    #[error("the account is not the approver's")]
    Subject,
    /// The token was not active.
    #[error("the token was not active")]
    Inactive,
    /// The token was granted to another client.
    #[error("the token was granted to somebody else")]
    Client,
    /// The details of the authorization are not those of this decision alone.
    #[error("the token was granted for something else")]
    Details,
}

/// What the evidence has to be of.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The provider: `iss`.
    pub issuer: &'a str,
    /// As whom the issuer is known there.
    pub client_id: &'a str,
    /// The provider's keys.
    pub keys: &'a KeySet,
    /// For `sso`: the classes of authentication of which `acr` has to be one.
    pub acr_values: Option<&'a [String]>,
    /// The approver's accounts, of which `sub` has to be one.
    pub subjects: &'a [&'a str],
    /// The challenge that is answered, base64url.
    pub challenge: &'a str,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The time by the issuer's clock.
    pub now: Timestamp,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Everything that is wrong; empty where the evidence holds.
    pub faults: Vec<ProviderFault>,
    /// The account that it names, for whatever that is worth.
    pub subject: Option<String>,
}

impl Checked {
    fn malformed() -> Self {
        Self {
            faults: vec![ProviderFault::Form],
            subject: None,
        }
    }
}

/// The claims before anybody has vouched for them, to find the provider by.
#[must_use]
pub fn claims_unverified(compact: &str) -> Option<Map<String, Value>> {
    let token = Unverified::read(compact, MAX_BYTES).ok()?;
    Some(token.claims_unverified().clone())
}

/// One decision, as the details of an authorization say it.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    /// The issuer identifier.
    pub issuer: &'a str,
    /// The request decided on.
    pub request_id: &'a RequestId,
    /// The version of it.
    pub version: u64,
    /// Digest of that version.
    pub digest: &'a str,
    /// The decision.
    pub decision: Decision,
    /// The challenge, base64url.
    pub challenge: &'a str,
}

impl<'a> Decided<'a> {
    /// That of a challenge of this issuer.
    #[must_use]
    pub fn of(issuer: &'a str, challenge: &'a Challenge) -> Self {
        Self {
            issuer,
            request_id: &challenge.request_id,
            version: challenge.version,
            digest: &challenge.digest,
            decision: challenge.decision,
            challenge: &challenge.challenge,
        }
    }

    /// The details of the authorization (RFC 9396).
    #[must_use]
    pub fn detail(&self) -> Value {
        json!({
            "type": DETAIL_TYPE,
            "locations": [self.issuer],
            "request_id": self.request_id,
            "version": self.version,
            "digest": self.digest,
            "decision": self.decision,
            "challenge": self.challenge,
        })
    }
}

/// Checks an ID token (`OpenID` Connect Core 1.0 section 3.1.3.7).
#[must_use]
pub fn check_id_token(compact: &str, expected: &Expected<'_>) -> Checked {
    let Ok(token) = Unverified::read(compact, MAX_BYTES) else {
        return Checked::malformed();
    };
    let claims = token.claims_unverified();
    let mut found = Found::new(&token, expected);
    // A token for another purpose says so (RFC 8725 section 3.11); most ID tokens say nothing.
    let kind = token.header().get("typ");
    found.want(
        kind.is_none_or(|kind| {
            kind.as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"))
        }),
        ProviderFault::Type,
    );
    found.common(claims, claims);
    let second = |name: &str| claims.get(name).and_then(Value::as_i64);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let now = expected.now.unix();
    found.want(
        second("exp").is_some_and(|end| now < end.saturating_add(LEEWAY_SECONDS)),
        ProviderFault::Expired,
    );
    found.want(
        text("nonce") == Some(expected.challenge),
        ProviderFault::Nonce,
    );
    found.want(
        second("auth_time").is_some_and(|at| at >= expected.earliest()),
        ProviderFault::AuthTime,
    );
    if let Some(classes) = expected.acr_values {
        found.want(
            text("acr").is_some_and(|class| classes.iter().any(|one| one == class)),
            ProviderFault::Class,
        );
    }
    found.done(claims)
}

/// Checks a signed answer to an introspection (RFC 9701 section 5) of a token for this decision
/// and nothing else.
#[must_use]
pub fn check_introspection(
    compact: &str,
    expected: &Expected<'_>,
    decided: &Decided<'_>,
) -> Checked {
    let Ok(token) = Unverified::read(compact, MAX_BYTES) else {
        return Checked::malformed();
    };
    let claims = token.claims_unverified();
    let nothing = Map::new();
    let answer = claims
        .get("token_introspection")
        .and_then(Value::as_object)
        .unwrap_or(&nothing);
    let mut found = Found::new(&token, expected);
    let kind = token.header().get("typ").and_then(Value::as_str);
    found.want(
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("token-introspection+jwt")),
        ProviderFault::Type,
    );
    found.common(claims, answer);
    found.want(
        answer.get("active") == Some(&Value::Bool(true)),
        ProviderFault::Inactive,
    );
    found.want(
        answer.get("client_id").and_then(Value::as_str) == Some(expected.client_id),
        ProviderFault::Client,
    );
    let details = answer
        .get("authorization_details")
        .and_then(Value::as_array);
    found.want(
        details.is_some_and(|all| matches!(all.as_slice(), [one] if *one == decided.detail())),
        ProviderFault::Details,
    );
    found.done(answer)
}

impl Expected<'_> {
    /// The earliest time that something done for this challenge can have, by another clock.
    fn earliest(&self) -> i64 {
        self.opened_at.unix().saturating_sub(LEEWAY_SECONDS)
    }
}

/// What is wrong so far.
struct Found<'a> {
    expected: &'a Expected<'a>,
    faults: Vec<ProviderFault>,
}

impl<'a> Found<'a> {
    /// What is wrong with the header and the signature.
    fn new(token: &Unverified<'_>, expected: &'a Expected<'a>) -> Self {
        let mut found = Self {
            expected,
            faults: Vec::new(),
        };
        found.want(!token.has_critical(), ProviderFault::Critical);
        found.faults.extend(expected.keys.verify(token).err());
        found
    }

    fn want(&mut self, holds: bool, fault: ProviderFault) {
        if !holds {
            self.faults.push(fault);
        }
    }

    /// What both forms have in common. `about` is where the account stands.
    fn common(&mut self, claims: &Map<String, Value>, about: &Map<String, Value>) {
        let expected = self.expected;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        self.want(text("iss") == Some(expected.issuer), ProviderFault::Issuer);
        let audiences: Vec<&str> = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        self.want(
            audiences.contains(&expected.client_id),
            ProviderFault::Audience,
        );
        let party = claims.get("azp");
        self.want(
            match party {
                Some(party) => party.as_str() == Some(expected.client_id),
                None => audiences.len() <= 1,
            },
            ProviderFault::AuthorizedParty,
        );
        let now = expected.now.unix();
        let issued = claims.get("iat").and_then(Value::as_i64);
        self.want(
            issued.is_some_and(|at| {
                at <= now.saturating_add(LEEWAY_SECONDS) && at >= expected.earliest()
            }),
            ProviderFault::IssuedAt,
        );
        let subject = about.get("sub").and_then(Value::as_str);
        self.want(
            subject.is_some_and(|subject| expected.subjects.contains(&subject)),
            ProviderFault::Subject,
        );
    }

    fn done(self, about: &Map<String, Value>) -> Checked {
        Checked {
            faults: self.faults,
            subject: about.get("sub").and_then(Value::as_str).map(str::to_owned),
        }
    }
}
