//! What to do next.

use clp_schemas::ops::oauth::OauthErrorCode;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::State;

use super::{Error, LocalFault, NotAllowed, ProtocolFault};

/// What to do about a file that others can read.
const PRIVATE: &str = "make it private (chmod 600 for a file, 700 for a directory)";

/// How a request ended that no credential comes of.
pub(super) fn over(state: State) -> &'static str {
    match state {
        State::Denied => "the request was denied",
        State::Expired => "the request expired before it was decided on, or used",
        State::Cancelled => "the request was taken back by whoever asked",
        State::PendingApproval | State::Approved | State::Issued => "the request is over",
    }
}

impl Error {
    /// What to do next, in a sentence.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotAllowed(fault) => match fault {
                NotAllowed::Scheme => "give an https URL",
                NotAllowed::LoopbackHttp => {
                    "add --allow-loopback-http if this is an issuer on your own machine"
                }
                NotAllowed::UrlForm => {
                    "give the bare issuer identifier, such as https://api.example.com"
                }
                NotAllowed::Address => {
                    "add --allow-private-addresses if this issuer is in your own network"
                }
                NotAllowed::TestIssuer => {
                    "add --allow-test-issuer if you mean to use it in this run"
                }
            },
            Self::Local(fault) => match fault {
                LocalFault::Permissions { .. } => PRIVATE,
                LocalFault::TokenFile { variable, fault } => match **fault {
                    LocalFault::Permissions { .. } => PRIVATE,
                    _ => {
                        return Some(format!(
                            "{variable} names this file: let it name one that holds your token and that only you can read"
                        ));
                    }
                },
                LocalFault::PasskeyThere { .. } => "use it, or name another place with --passkey",
                LocalFault::NoPasskey { .. } => {
                    "make one with `clp passkey new`, or name its place with --passkey"
                }
                LocalFault::Busy(_) => "wait for it to end, then run the same command again",
                LocalFault::NotStored => "see what there is with `clp store list`",
                _ => return None,
            },
            Self::Refused(problem) => return refused(problem),
            Self::ControlToken(_) => {
                "the token in CLP_CONTROL_TOKEN(_FILE) is not that of this issuer's test control; give the file that `clp-issuer --control-token-file` wrote"
            }
            Self::NoManifest { .. } => "check --issuer or CLP_ISSUER: no issuer answers there",
            Self::Undeclared(_) => "see what it declares with `clp discover`",
            Self::Waiting { id, .. } => {
                return Some(format!(
                    "have somebody approve it, then run `clp create --request {id}`; to go on waiting, `clp show {id} --wait`; to take it back, `clp request cancel {id}`"
                ));
            }
            Self::RequestOver { state, .. } => match state {
                State::Denied => "mend what it was denied for, then ask again with `clp request`",
                _ => "ask again with `clp request`",
            },
            Self::Gates { rotation, missing } if missing.contains("--i-have-moved-everything") => {
                return Some(format!(
                    "once they have, run `clp rotate --resume {rotation} --i-have-moved-everything`"
                ));
            }
            Self::Gates { rotation, missing } if missing.contains("--no-places") => {
                return Some(format!(
                    "declare its places with `clp inject`; if there are none, run `clp rotate --resume {rotation} --no-places`"
                ));
            }
            Self::Gates { rotation, .. } => {
                return Some(format!(
                    "see who is missing with `clp inventory`, then run `clp rotate --resume {rotation}`"
                ));
            }
            Self::Unhealthy { rotation, .. } => {
                return Some(format!(
                    "find out why, then run `clp rotate --resume {rotation}`; or give up with `clp rotate --rollback {rotation}`"
                ));
            }
            Self::Oauth(OauthErrorCode::InvalidClient | OauthErrorCode::InvalidGrant) => {
                "see with `clp show` whether the credential is still active"
            }
            Self::Oauth(OauthErrorCode::InvalidScope) => "see what it opens with `clp show`",
            Self::Oauth(_) | Self::NotServed { .. } => return None,
            Self::Unreachable(_) => {
                "check CLP_ISSUER and the network, then run the same command again; it does nothing twice"
            }
            Self::Protocol(ProtocolFault::EndpointElsewhere) => {
                "add --credential-origin ORIGIN if you know that both belong together"
            }
            Self::Protocol(ProtocolFault::IdTaken) => {
                "what is stored stays as it is; tell the operator of the issuer"
            }
            Self::Protocol(ProtocolFault::TooBroad) => "its secret was not fetched; revoke it",
            Self::Protocol(_) => "nothing was accepted; tell the operator of the issuer",
            Self::Usage(_) | Self::Unsaid(_) | Self::Unverified(_) => return None,
        };
        Some(text.to_owned())
    }
}

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
        P::SeparationOfDuty => {
            "somebody else has to decide: not whoever asks, not the same human by another account, and no agent; where `clp show` says `separation of duty  person`, nobody for whom it is asked either"
        }
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

    #[test]
    fn hints_are_plain_sentences() {
        for kind in ProblemType::ALL {
            if let Some(hint) = Error::from(Problem::new(*kind)).hint() {
                assert!(!hint.ends_with('.'), "{hint}");
            }
        }
    }
}
