//! The method `passkey`: an assertion by one of the approver's registered passkeys.

use clp_schemas::approval::webauthn::PasskeyFault;
use clp_schemas::canonical::{from_base64url, to_base64url};
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::approve::{Assertion, AuthenticatorKey, Challenge, Verification};
use clp_schemas::problem::{Problem, ProblemType};

use super::RELYING_PARTY;
use super::methods::Proof;
use crate::lifecycle::Effect;
use crate::passkey::{self, Passkey};
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// What verifying the evidence found.
type Verified = Result<passkey::Used, PasskeyFault>;

/// The rule that a fault is the matter of. Every fault has one, so that none is let through.
const fn rule_of(fault: PasskeyFault) -> &'static str {
    match fault {
        PasskeyFault::UnknownPasskey
        | PasskeyFault::Malformed
        | PasskeyFault::Key
        | PasskeyFault::Signature => "CLP-APP-012",
        PasskeyFault::Ceremony => "CLP-APP-013/type",
        PasskeyFault::Challenge => "CLP-APP-013/challenge",
        PasskeyFault::Origin => "CLP-APP-014/origin",
        PasskeyFault::Frame => "CLP-APP-014/frame",
        PasskeyFault::RelyingParty => "CLP-APP-015",
        PasskeyFault::NotPresent => "CLP-APP-016/present",
        PasskeyFault::NotVerified => "CLP-APP-016/verified",
        PasskeyFault::Counter => "CLP-APP-017",
    }
}

const RULES: &[Rule<Verified>] = &[
    Rule {
        id: "CLP-APP-012",
        refuses: |verified| invalid(verified, "CLP-APP-012"),
    },
    Rule {
        id: "CLP-APP-013/type",
        refuses: |verified| invalid(verified, "CLP-APP-013/type"),
    },
    Rule {
        id: "CLP-APP-013/challenge",
        refuses: |verified| invalid(verified, "CLP-APP-013/challenge"),
    },
    Rule {
        id: "CLP-APP-014/origin",
        refuses: |verified| invalid(verified, "CLP-APP-014/origin"),
    },
    Rule {
        id: "CLP-APP-014/frame",
        refuses: |verified| invalid(verified, "CLP-APP-014/frame"),
    },
    Rule {
        id: "CLP-APP-015",
        refuses: |verified| invalid(verified, "CLP-APP-015"),
    },
    Rule {
        id: "CLP-APP-016/present",
        refuses: |verified| invalid(verified, "CLP-APP-016/present"),
    },
    Rule {
        id: "CLP-APP-016/verified",
        refuses: |verified| invalid(verified, "CLP-APP-016/verified"),
    },
    Rule {
        id: "CLP-APP-017",
        refuses: |verified| invalid(verified, "CLP-APP-017"),
    },
];

fn invalid(verified: &Verified, rule: &str) -> Option<Problem> {
    let fault = verified.as_ref().err()?;
    (rule_of(*fault) == rule).then(|| {
        Problem::new(ProblemType::EvidenceInvalid)
            .detail(fault.to_string())
            .pointer("/evidence")
    })
}

/// An authenticator whose assertion answers the challenge.
pub(super) struct Answered {
    /// It, as it is registered.
    pub(super) signer: Passkey,
    /// Whether its key can be copied, by its own word.
    pub(super) is_copiable: bool,
    counter: u32,
}

impl Answered {
    /// What is left behind of it.
    pub(super) fn into_proof(self, service: &Service, approver: &PrincipalId) -> Proof {
        let key = AuthenticatorKey {
            credential_id: self.signer.credential_id.clone(),
            public_key: to_base64url(&self.signer.public_key),
            relying_party_id: RELYING_PARTY.to_owned(),
            origins: vec![service.origin.clone()],
            registration: None,
        };
        let signer = Passkey {
            counter: self.counter,
            ..self.signer
        };
        Proof {
            verification: Verification::Authenticator(key),
            effects: vec![Effect::SavePasskey(approver.clone(), signer)],
        }
    }
}

/// Whether the assertion answers the challenge.
///
/// # Errors
/// Only ours: a failure of the database. What is wrong with the evidence is in the answer.
pub(super) fn prove(
    tx: &Tx<'_>,
    service: &Service,
    challenge: &Challenge,
    assertion: &Assertion,
) -> Result<Result<Proof, Problem>, Problem> {
    let answered = answered(tx, service, challenge, assertion)?;
    Ok(answered.map(|answered| answered.into_proof(service, &challenge.approver)))
}

/// Which of the approver's authenticators answered the challenge.
///
/// # Errors
/// As [`prove`].
pub(super) fn answered(
    tx: &Tx<'_>,
    service: &Service,
    challenge: &Challenge,
    assertion: &Assertion,
) -> Result<Result<Answered, Problem>, Problem> {
    let passkeys = tx.passkeys(&challenge.approver)?;
    let verified = verify(&passkeys, challenge, assertion, &service.origin);
    if let Err(refusal) = tx.check(RULES, &verified) {
        return Ok(Err(refusal));
    }
    let signer = passkeys
        .into_iter()
        .find(|passkey| passkey.credential_id == assertion.id)
        .ok_or(ProblemType::Internal)?;
    Ok(Ok(Answered {
        counter: verified
            .as_ref()
            .map_or(signer.counter, |used| used.counter),
        is_copiable: verified.is_ok_and(|used| used.backup_eligible),
        signer,
    }))
}

fn verify(
    passkeys: &[Passkey],
    challenge: &Challenge,
    assertion: &Assertion,
    origin: &str,
) -> Verified {
    let signed = from_base64url(&challenge.challenge).map_err(|_| PasskeyFault::Challenge)?;
    passkey::verify(passkeys, &signed, assertion, RELYING_PARTY, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_refused() {
        for fault in [
            PasskeyFault::Malformed,
            PasskeyFault::Key,
            PasskeyFault::UnknownPasskey,
            PasskeyFault::Ceremony,
            PasskeyFault::Challenge,
            PasskeyFault::Origin,
            PasskeyFault::Frame,
            PasskeyFault::RelyingParty,
            PasskeyFault::NotPresent,
            PasskeyFault::NotVerified,
            PasskeyFault::Signature,
            PasskeyFault::Counter,
        ] {
            let refusing = RULES
                .iter()
                .filter(|rule| (rule.refuses)(&Err(fault)).is_some());
            assert_eq!(refusing.count(), 1, "{fault}");
        }
    }
}
