//! What to do next, by the problem that the issuer refused with.

use clp_schemas::problem::{Problem, ProblemType};

/// What to do after a problem.
pub(super) fn refused(problem: &Problem) -> Option<String> {
    use ProblemType as P;
    let text = match problem.kind()? {
        P::Unauthenticated => {
            "the issuer does not accept the token in CLP_TOKEN or CLP_TOKEN_FILE: it is wrong or has ended; get a new one"
        }
        P::NotFound => "check the id; what you may not see looks the same as what does not exist",
        P::Forbidden => "ask somebody who holds this right, or who can grant it to you",
        P::UnknownPermission | P::UnknownEnvironment => "see what there is with `clp scope`",
        P::TypeNotSupported | P::ModeNotSupported | P::MethodNotSupported => {
            "see what there is with `clp discover`"
        }
        P::ExpiryOutOfRange => "ask for a shorter lifetime; `clp discover` shows the longest",
        P::DeliveryGone => "the key is out of reach: rotate the credential, or create another",
        P::SeparationOfDuty => "somebody else than the requester has to decide",
        P::RequestNotApproved => "see where it stands with `clp show`",
        P::ApprovalExpired => "ask again with `clp request`: an approval lasts an hour",
        P::ApprovalRequired => "ask for one with `clp request`",
        P::ChallengeNotUsable => {
            "run the command again: a challenge lasts five minutes and works once"
        }
        P::EvidenceInvalid => "use a passkey that is registered for you at this issuer",
        P::RotationInProgress => {
            "go on with `clp rotate --resume ROTATION`, which `clp show` of its successor names"
        }
        P::CredentialNotActive => {
            "see where it stands with `clp show`; if it has ended, make a new one with `clp create`"
        }
        P::RateLimited | P::Internal | P::Unavailable => {
            "wait, then run the same command again; it does nothing twice"
        }
        P::PreconditionFailed => {
            "somebody changed it meanwhile: look at it again, and decide again"
        }
        P::TypeMismatch => "see what each type takes with `clp create --help`",
        P::KeyNotUsable => "run the command again: it makes another key pair",
        P::TargetRefused => "give an https URL with a public address",
        P::ScopeBroader | P::ScopeIncomparable => {
            "ask for less, or for more in a new request; `clp scope compare` compares two sets"
        }
        P::PlanImpossible => "ask for less time, or for a longer --max-overlap when you create",
        P::UnknownStore => "see what there is with `clp store list --registered`",
        P::GateUnmet => "see what is missing with `clp inventory`",
        P::RotationNotOpen => "see where it stands with `clp show`",
        P::NoRollbackAfterCompromise => "rotate the successor instead",
        P::DeliveryNotRead => "fetch the secret first with `clp store get`",
        P::InstallationState => "see where it stands with `clp inventory`",
        P::InvalidCursor => "begin the listing again",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn hints_are_plain_sentences() {
        for kind in ProblemType::ALL {
            if let Some(hint) = Error::from(Problem::new(*kind)).hint() {
                assert!(!hint.ends_with('.'), "{hint}");
            }
        }
    }
}
