//! The methods `oidc`, `sso` and `oauth`: what an identity provider signed for this decision.

use std::collections::BTreeSet;

use clp_schemas::identity::{
    Checked, Decided, Expected, KeySet, ProviderFault, check_id_token, check_introspection,
    claims_unverified,
};
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::approve::{
    CHALLENGE_SECONDS, Challenge, Evidence, IdentityProvider, ProviderKeys, Verification,
};
use clp_schemas::ops::control::IdentityProviderBody;
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::Value;

use super::methods::Proof;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// Everything that is wrong with the evidence.
type Faults = Vec<ProviderFault>;

macro_rules! rules {
    ($($id:literal => $fault:ident,)*) => {
        const RULES: &[Rule<Faults>] = &[$(Rule {
            id: $id,
            refuses: |faults| invalid(faults, ProviderFault::$fault),
        },)*];
    };
}

rules! {
    "CLP-APP-060/form" => Form,
    "CLP-APP-060/algorithm" => Algorithm,
    "CLP-APP-060/signature" => Signature,
    "CLP-APP-061" => Critical,
    "CLP-APP-062/issuer" => Issuer,
    "CLP-APP-062/method" => Method,
    "CLP-APP-063" => Type,
    "CLP-APP-064/audience" => Audience,
    "CLP-APP-064/party" => AuthorizedParty,
    "CLP-APP-065/expired" => Expired,
    "CLP-APP-065/issued" => IssuedAt,
    "CLP-APP-066" => Nonce,
    "CLP-APP-067" => AuthTime,
    "CLP-APP-068" => Class,
    "CLP-APP-069" => Subject,
    "CLP-APP-070" => Inactive,
    "CLP-APP-071" => Client,
    "CLP-APP-072" => Details,
}

fn invalid(faults: &Faults, fault: ProviderFault) -> Option<Problem> {
    faults.contains(&fault).then(|| {
        Problem::new(ProblemType::EvidenceInvalid)
            .detail(fault.to_string())
            .pointer("/evidence")
    })
}

/// The providers at which somebody has an account and that are trusted for one of these methods,
/// as they are told of them.
pub(super) fn known_to(
    tx: &Tx<'_>,
    methods: &[AuthMethod],
    approver: &PrincipalId,
) -> Result<Vec<IdentityProvider>, Problem> {
    let providers = tx.providers()?;
    let theirs = providers
        .into_iter()
        .filter(|one| one.accounts.iter().any(|it| it.principal == *approver));
    Ok(theirs
        .map(|one| IdentityProvider {
            methods: one
                .methods
                .into_iter()
                .filter(|method| methods.contains(method))
                .collect(),
            issuer: one.issuer,
            client_id: one.client_id,
            acr_values: one.acr_values,
        })
        .filter(|one| !one.methods.is_empty())
        .collect())
}

/// Whether what the provider signed answers the challenge.
///
/// # Errors
/// Only ours: a failure of the database. What is wrong with the evidence is in the answer.
pub(super) fn prove(
    tx: &Tx<'_>,
    service: &Service,
    challenge: &Challenge,
    method: AuthMethod,
    evidence: &Evidence,
) -> Result<Result<Proof, Problem>, Problem> {
    let compact = match evidence {
        Evidence::IdToken(token) => &token.id_token,
        Evidence::Introspection(answer) => &answer.introspection,
        Evidence::Assertion(_) => return Err(ProblemType::Internal.into()),
    };
    let Some(provider) = provider_of(tx.providers()?, compact) else {
        // Nobody is trusted, so nothing can be looked at.
        let refusal = tx.check(RULES, &vec![ProviderFault::Issuer]);
        return refusal.map_or_else(
            |refusal| Ok(Err(refusal)),
            |()| Err(ProblemType::Internal.into()),
        );
    };
    let keys = KeySet::parse(&provider.jwks).map_err(|_| ProblemType::Internal)?;
    let subjects: Vec<&str> = provider
        .accounts
        .iter()
        .filter(|account| account.principal == challenge.approver)
        .map(|account| account.subject.as_str())
        .collect();
    let expected = Expected {
        issuer: &provider.issuer,
        client_id: &provider.client_id,
        keys: &keys,
        acr_values: (method == AuthMethod::Sso).then_some(provider.acr_values.as_slice()),
        subjects: &subjects,
        challenge: &challenge.challenge,
        opened_at: challenge.expires_at.plus(-CHALLENGE_SECONDS),
        now: tx.now(),
    };
    let Checked {
        mut faults,
        subject,
    } = match evidence {
        Evidence::Introspection(_) => {
            check_introspection(compact, &expected, &Decided::of(&service.origin, challenge))
        }
        _ => check_id_token(compact, &expected),
    };
    if !provider.methods.contains(&method) {
        faults.push(ProviderFault::Method);
    }
    if let Err(refusal) = tx.check(RULES, &faults) {
        return Ok(Err(refusal));
    }
    Ok(Ok(Proof {
        verification: Verification::Provider(ProviderKeys {
            issuer: provider.issuer,
            client_id: provider.client_id,
            jwks: provider.jwks,
            acr_values: match method {
                AuthMethod::Sso => provider.acr_values,
                _ => Vec::new(),
            },
            subject: subject.unwrap_or_default(),
        }),
        effects: Vec::new(),
    }))
}

/// The provider that the evidence says it is of; where none is, any, for the other checks.
fn provider_of(
    providers: Vec<IdentityProviderBody>,
    compact: &str,
) -> Option<IdentityProviderBody> {
    let claims = claims_unverified(compact).unwrap_or_default();
    let issuer = claims.get("iss").and_then(Value::as_str);
    let audiences: BTreeSet<&str> = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    };
    // The issuer can be registered more than once at a provider.
    providers.into_iter().max_by_key(|one| {
        let is_named = issuer == Some(one.issuer.as_str());
        (is_named, audiences.contains(one.client_id.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_refused() {
        use ProviderFault as Fault;
        for fault in [
            Fault::Form,
            Fault::Issuer,
            Fault::Method,
            Fault::Algorithm,
            Fault::Critical,
            Fault::Signature,
            Fault::Type,
            Fault::Audience,
            Fault::AuthorizedParty,
            Fault::Expired,
            Fault::IssuedAt,
            Fault::Nonce,
            Fault::AuthTime,
            Fault::Class,
            Fault::Subject,
            Fault::Inactive,
            Fault::Client,
            Fault::Details,
        ] {
            let refusing = RULES
                .iter()
                .filter(|rule| (rule.refuses)(&vec![fault]).is_some());
            assert_eq!(refusing.count(), 1, "{fault}");
        }
    }
}
