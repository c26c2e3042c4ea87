//! Who asks for an access token: a client with a secret, or one that signs.

use clp_schemas::assertion::{self, Assertion, AssertionFault};
use clp_schemas::canonical::from_base64;
use clp_schemas::ids::CredentialId;
use clp_schemas::jose::JoseFault;
use clp_schemas::key::{Key, Verifier};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::oauth::{
    CLIENT_ASSERTION_JWT, GRANT_CLIENT_CREDENTIALS, GRANT_JWT_BEARER, OauthErrorCode as Code,
};
use clp_schemas::state::Named as _;
use zeroize::Zeroizing;

use super::form::{Form, decode};
use super::oauth::{Judged, Refused};
use crate::auth::refuse_probe;
use crate::http::Inbound;
use crate::lifecycle::access::refuse;
use crate::rules::Rule;
use crate::seams::Seams;
use crate::service::Service;
use crate::store::{Fault, Gate, Once, Tx};

type Secret = Zeroizing<String>;

/// How a client says who it is.
pub(super) enum Method {
    /// By its secret.
    Secret { client: String, secret: Secret },
    /// By an assertion, in place of a secret.
    ClientAssertion {
        client: Option<String>,
        assertion: Secret,
    },
    /// By an assertion that is itself the grant.
    Grant {
        client: Option<String>,
        assertion: Secret,
    },
}

impl Method {
    /// What a refusal of whatever does not prove anything is called.
    fn code(&self) -> Code {
        match self {
            Self::Secret { .. } | Self::ClientAssertion { .. } => Code::InvalidClient,
            Self::Grant { .. } => Code::InvalidGrant,
        }
    }
}

/// A form, as far as it can be impossible by itself.
struct Sent {
    has_grant_type: bool,
    is_known_grant: bool,
    ways: usize,
    is_whole: bool,
}

const fn impossible(why: &'static str) -> Refused {
    Refused::new(Code::InvalidRequest, why)
}

const FORM_RULES: &[Rule<Sent, Refused>] = &[
    Rule {
        id: "CLP-OAU-008/grant",
        refuses: |sent| (!sent.has_grant_type).then_some(impossible("grant_type is missing")),
    },
    Rule {
        id: "CLP-OAU-006",
        refuses: |sent| {
            let why = "want client_credentials or the jwt-bearer grant";
            (!sent.is_known_grant).then_some(Refused::new(Code::UnsupportedGrantType, why))
        },
    },
    Rule {
        id: "CLP-OAU-008/ways",
        refuses: |sent| (sent.ways > 1).then_some(impossible("two ways of authentication at once")),
    },
    Rule {
        id: "CLP-OAU-008/whole",
        refuses: |sent| (!sent.is_whole).then_some(impossible("a parameter is missing")),
    },
];

/// Reads how a client authenticates.
pub(super) fn read(seams: Seams, inbound: &Inbound, form: &Form) -> Result<Method, Refused> {
    let client = form.get("client_id").map(str::to_owned);
    let owned = |name: &str| form.get(name).map(|text| Zeroizing::new(text.to_owned()));
    let is_grant = form.get("grant_type") == Some(GRANT_JWT_BEARER);
    let (secret, assertion) = (owned("client_secret"), owned("client_assertion"));
    let grant = owned("assertion").filter(|_| is_grant);
    let kind = form.get("client_assertion_type");
    let is_typed = assertion.is_some() == kind.is_some()
        && kind.is_none_or(|kind| kind == CLIENT_ASSERTION_JWT);
    let grant_type = form.get("grant_type");
    let sent = Sent {
        has_grant_type: grant_type.is_some(),
        is_known_grant: matches!(
            grant_type,
            Some(GRANT_CLIENT_CREDENTIALS | GRANT_JWT_BEARER)
        ),
        ways: [
            inbound.has_authorization(),
            secret.is_some(),
            assertion.is_some(),
            grant.is_some(),
        ]
        .into_iter()
        .filter(|is_sent| *is_sent)
        .count(),
        is_whole: is_typed && grant.is_some() == is_grant && (secret.is_none() || client.is_some()),
    };
    seams.check(FORM_RULES, &sent)?;
    let none = Refused::new(Code::InvalidClient, "the client did not authenticate");
    if let Some(assertion) = grant {
        return Ok(Method::Grant { client, assertion });
    }
    if let Some(assertion) = assertion {
        return Ok(Method::ClientAssertion { client, assertion });
    }
    if let (Some(client), Some(secret)) = (&client, secret) {
        return Ok(Method::Secret {
            client: client.clone(),
            secret,
        });
    }
    let (named, secret) = basic(inbound).ok_or(none)?;
    if client.is_some_and(|client| client != named) {
        return Err(Refused::new(Code::InvalidRequest, "two clients at once"));
    }
    Ok(Method::Secret {
        client: named,
        secret,
    })
}

/// Id and secret of `Authorization: Basic`, each form-encoded (RFC 6749 section 2.3.1).
fn basic(inbound: &Inbound) -> Option<(String, Secret)> {
    let (scheme, text) = inbound.authorization()?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Zeroizing::new(from_base64(text).ok()?);
    let at = pair.iter().position(|byte| *byte == b':')?;
    let (client, secret) = pair.split_at_checked(at)?;
    let secret = decode(secret.strip_prefix(b":")?).ok()?;
    Some((decode(client).ok()?.to_string(), secret))
}

/// A client that has shown who it is.
pub(super) struct Client {
    /// Its credential.
    pub(super) credential: Credential,
    /// The assertion that it did it with, which is good once.
    pub(super) assertion: Option<Assertion>,
}

/// Why a client gets nothing, as far as a rule says so.
struct Standing {
    /// What a refusal of this way is called.
    code: Code,
    /// Whether the way is that of this type of client.
    fits: bool,
    has_shown_secret: bool,
    assertion: Option<AssertionFault>,
    opens: bool,
    was_seen: bool,
}

impl Standing {
    fn not_accepted(&self, is_not: bool) -> Option<Refused> {
        is_not.then_some(Refused::new(self.code, NOT_ACCEPTED))
    }

    fn fault(&self, concerns: impl Fn(AssertionFault) -> bool) -> Option<Refused> {
        self.not_accepted(self.assertion.is_some_and(concerns))
    }
}

const CLIENT_RULES: &[Rule<Standing, Refused>] = &[
    Rule {
        id: "CLP-OAU-003",
        refuses: |standing| {
            let why = "this type of client authenticates in another way";
            (!standing.fits).then_some(Refused::new(Code::UnauthorizedClient, why))
        },
    },
    Rule {
        id: "CLP-OAU-004/secret",
        refuses: |standing| standing.not_accepted(!standing.has_shown_secret),
    },
    Rule {
        id: "CLP-OAU-004/state",
        refuses: |standing| {
            standing.not_accepted(!standing.opens && standing.code == Code::InvalidClient)
        },
    },
    Rule {
        id: "CLP-OAU-005/state",
        refuses: |standing| {
            standing.not_accepted(!standing.opens && standing.code == Code::InvalidGrant)
        },
    },
    Rule {
        id: "CLP-OAU-005/signature",
        refuses: |standing| standing.fault(|fault| matches!(fault, AssertionFault::Jose(_))),
    },
    Rule {
        id: "CLP-OAU-005/client",
        refuses: |standing| standing.fault(|fault| fault == AssertionFault::Client),
    },
    Rule {
        id: "CLP-OAU-005/audience",
        refuses: |standing| standing.fault(|fault| fault == AssertionFault::Audience),
    },
    Rule {
        id: "CLP-OAU-005/time",
        refuses: |standing| standing.fault(|fault| fault == AssertionFault::Time),
    },
    Rule {
        id: "CLP-OAU-005/id",
        refuses: |standing| standing.fault(|fault| fault == AssertionFault::Id),
    },
    Rule {
        id: "CLP-OAU-005/again",
        refuses: |standing| standing.not_accepted(standing.was_seen),
    },
];

/// Says nothing about what is wrong: a guess is not to be made better by it.
const NOT_ACCEPTED: &str = "the client or its assertion is not accepted";

/// Finds the client of a method, in whatever tenant it is.
pub(super) fn authenticate<'c>(
    gate: &Gate<'c>,
    service: &Service,
    method: Method,
) -> Judged<(Tx<'c>, Client)> {
    let unknown = || Ok(Err(Refused::new(method.code(), NOT_ACCEPTED)));
    let named = match &method {
        Method::Secret { client, .. } => Some(client.clone()),
        Method::ClientAssertion { client, assertion } | Method::Grant { client, assertion } => {
            let subject = assertion::client_unverified(assertion).ok();
            subject.filter(|subject| client.as_ref().is_none_or(|client| client == subject))
        }
    };
    if let Method::Secret { secret, .. } = &method {
        refuse_probe(
            gate,
            &service.persona.name,
            secret,
            CredentialType::OauthClient,
        )?;
    }
    // An unknown client costs what a known one with a wrong secret does.
    let verified = verified(gate, service, &method)?;
    let Some(id) = named.and_then(|named| named.parse::<CredentialId>().ok()) else {
        return unknown();
    };
    let Some(tenant) = gate.tenant_of(&service.persona.name, &id)? else {
        return unknown();
    };
    let mut tx = gate.enter(&tenant)?;
    let Some(credential) = tx.credential(&id)? else {
        return unknown();
    };
    if !matches!(
        credential.kind,
        CredentialType::OauthClient | CredentialType::ServiceAccount
    ) {
        return unknown();
    }
    let checked = checked(&tx, service, &method, &credential);
    let fault = checked.as_ref().err().copied();
    let assertion = checked.ok().flatten();
    let is_secret = matches!(method, Method::Secret { .. });
    let standing = Standing {
        code: method.code(),
        fits: is_secret == (credential.kind == CredentialType::OauthClient),
        has_shown_secret: !is_secret || verified.as_ref() == Some(&id),
        assertion: fault,
        opens: credential.state.opens(),
        was_seen: match &assertion {
            Some(assertion) => tx.was_seen(Once::Assertion, &id, &assertion.id)?,
            None => false,
        },
    };
    if let Err(refused) = tx.check(CLIENT_RULES, &standing) {
        let proves = standing.has_shown_secret && standing.assertion.is_none();
        if proves && !standing.opens {
            tx.apply(refuse(&credential, credential.state.name(), tx.now()))?;
        }
        return Ok(Err(refused));
    }
    Ok(Ok((
        tx,
        Client {
            credential,
            assertion,
        },
    )))
}

/// The credential that a secret is of.
fn verified(
    gate: &Gate<'_>,
    service: &Service,
    method: &Method,
) -> Result<Option<CredentialId>, Fault> {
    let Method::Secret { secret, .. } = method else {
        return Ok(None);
    };
    let shown = gate.keys().verifier(secret);
    let stored = match Key::parse(secret) {
        Ok(parsed) => gate.credential_by_key_id(&service.persona.name, parsed.key_id)?,
        Err(_) => None,
    };
    let nobody = Verifier::from_bytes([0; 32]);
    let kept = stored.as_ref().map_or(&nobody, |(_, _, verifier)| verifier);
    let matches = kept.matches(&shown);
    Ok(stored.filter(|_| matches).map(|(_, id, _)| id))
}

/// The assertion of a method, if it has one and that holds for this credential.
fn checked(
    tx: &Tx<'_>,
    service: &Service,
    method: &Method,
    credential: &Credential,
) -> Result<Option<Assertion>, AssertionFault> {
    let text = match method {
        Method::Secret { .. } => return Ok(None),
        Method::ClientAssertion { assertion, .. } | Method::Grant { assertion, .. } => assertion,
    };
    // Without a key there is nothing that the client could have signed with.
    let key = credential.public_jwk.as_ref();
    let key = key.ok_or(AssertionFault::Jose(JoseFault::Signature))?;
    let endpoint = service.token_endpoint();
    let audiences = [endpoint.as_str(), service.origin.as_str()];
    assertion::check(text, key, credential.id.as_str(), &audiences, tx.now()).map(Some)
}
