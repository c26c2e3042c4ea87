//! The method `hardware_key`: an assertion as of a passkey, by an authenticator whose maker
//! attested, when it was registered, that its key cannot leave it.

use clp_schemas::approval::attestation::{self, AttestationFault};
use clp_schemas::approval::webauthn::PasskeyFault;
use clp_schemas::ops::approve::{Assertion, Challenge, Registration, Verification};
use clp_schemas::problem::{Problem, ProblemType};

use super::RELYING_PARTY;
use super::methods::Proof;
use super::passkey;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// What the registration of the authenticator shows: the root that vouches for it.
type Attested = Result<String, AttestationFault>;

/// The rule that a fault is the matter of. Every fault has one, so that none is let through.
const fn rule_of(fault: AttestationFault) -> &'static str {
    match fault {
        AttestationFault::Unattested => "CLP-APP-090",
        AttestationFault::Malformed | AttestationFault::Statement => "CLP-APP-091",
        AttestationFault::Uncovered => "CLP-APP-032",
        AttestationFault::Ceremony(fault) => match fault {
            PasskeyFault::NotPresent | PasskeyFault::NotVerified => "CLP-APP-092/verified",
            _ => "CLP-APP-092/origin",
        },
        AttestationFault::OtherModel => "CLP-APP-093",
        AttestationFault::Chain => "CLP-APP-094",
        AttestationFault::Model => "CLP-APP-095",
        AttestationFault::BackupEligible => "CLP-APP-096/registration",
    }
}

const RULES: &[Rule<Attested>] = &[
    Rule {
        id: "CLP-APP-090",
        refuses: |attested| invalid(attested, "CLP-APP-090"),
    },
    Rule {
        id: "CLP-APP-091",
        refuses: |attested| invalid(attested, "CLP-APP-091"),
    },
    Rule {
        id: "CLP-APP-032",
        refuses: |attested| invalid(attested, "CLP-APP-032"),
    },
    Rule {
        id: "CLP-APP-092/origin",
        refuses: |attested| invalid(attested, "CLP-APP-092/origin"),
    },
    Rule {
        id: "CLP-APP-092/verified",
        refuses: |attested| invalid(attested, "CLP-APP-092/verified"),
    },
    Rule {
        id: "CLP-APP-093",
        refuses: |attested| invalid(attested, "CLP-APP-093"),
    },
    Rule {
        id: "CLP-APP-094",
        refuses: |attested| invalid(attested, "CLP-APP-094"),
    },
    Rule {
        id: "CLP-APP-095",
        refuses: |attested| invalid(attested, "CLP-APP-095"),
    },
    Rule {
        id: "CLP-APP-096/registration",
        refuses: |attested| invalid(attested, "CLP-APP-096/registration"),
    },
];

fn invalid(attested: &Attested, rule: &str) -> Option<Problem> {
    let fault = attested.as_ref().err()?;
    (rule_of(*fault) == rule).then(|| refusal(*fault))
}

fn refusal(fault: AttestationFault) -> Problem {
    Problem::new(ProblemType::EvidenceInvalid)
        .detail(fault.to_string())
        .pointer("/evidence")
}

/// What an assertion says of the key that made it.
struct Copied {
    is_possible: bool,
}

const COPY_RULES: &[Rule<Copied>] = &[Rule {
    id: "CLP-APP-096/assertion",
    refuses: |copied| {
        copied
            .is_possible
            .then(|| refusal(AttestationFault::BackupEligible))
    },
}];

/// Whether the assertion answers the challenge, and was made in hardware. What the registration
/// is worth is asked now, by what is trusted now: a model that is trusted no more decides nothing.
///
/// # Errors
/// Only ours: a failure of the database. What is wrong with the evidence is in the answer.
pub(super) fn prove(
    tx: &Tx<'_>,
    service: &Service,
    challenge: &Challenge,
    assertion: &Assertion,
) -> Result<Result<Proof, Problem>, Problem> {
    let answered = match passkey::answered(tx, service, challenge, assertion)? {
        Ok(answered) => answered,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let trust = match tx.attestation_trust()? {
        Some(trust) => trust,
        None => service.persona.attestation.clone(),
    };
    let registration = answered.signer.attestation.clone();
    let origins = [service.origin.clone()];
    let attested = match &registration {
        None => Err(AttestationFault::Unattested),
        Some(shown) => attestation::check(shown, RELYING_PARTY, &origins, &trust, tx.now()),
    };
    let copied = Copied {
        is_possible: answered.is_copiable,
    };
    if let Err(refusal) = tx
        .check(RULES, &attested)
        .and_then(|()| tx.check(COPY_RULES, &copied))
    {
        return Ok(Err(refusal));
    }
    let mut proof = answered.into_proof(service, &challenge.approver);
    if let Verification::Authenticator(key) = &mut proof.verification {
        key.registration = registration
            .zip(attested.ok())
            .map(|(shown, root)| Registration {
                client_data_json: shown.client_data_json,
                attestation_object: shown.attestation_object,
                root,
            });
    }
    Ok(Ok(proof))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_refused() {
        for fault in [
            AttestationFault::Malformed,
            AttestationFault::Unattested,
            AttestationFault::Ceremony(PasskeyFault::Ceremony),
            AttestationFault::Ceremony(PasskeyFault::Challenge),
            AttestationFault::Ceremony(PasskeyFault::Origin),
            AttestationFault::Ceremony(PasskeyFault::Frame),
            AttestationFault::Ceremony(PasskeyFault::RelyingParty),
            AttestationFault::Ceremony(PasskeyFault::NotPresent),
            AttestationFault::Ceremony(PasskeyFault::NotVerified),
            AttestationFault::Statement,
            AttestationFault::Uncovered,
            AttestationFault::OtherModel,
            AttestationFault::Chain,
            AttestationFault::Model,
            AttestationFault::BackupEligible,
        ] {
            let refusing = RULES
                .iter()
                .filter(|rule| (rule.refuses)(&Err(fault)).is_some());
            assert_eq!(refusing.count(), 1, "{fault}");
        }
    }
}
