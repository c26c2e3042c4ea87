//! What can go wrong, whose fault it is, and what to do next.
//!
//! Every error has one of the exit codes that `clp` documents. No message carries a secret,
//! or text that a peer chose; where a peer's words are shown, `render` strips them first.

mod hint;
mod not_allowed;

use std::path::{Path, PathBuf};

use clp_schemas::audit::bundle::BundleFault;
use clp_schemas::endpoint::{Class, Operation};
use clp_schemas::ids::{RequestId, RotationId};
use clp_schemas::json;
use clp_schemas::ops::discover::ManifestFault;
use clp_schemas::ops::oauth::OauthErrorCode;
use clp_schemas::permissions::DocumentFault;
use clp_schemas::problem::{Fault, Problem, ProblemType};
use url::Url;

pub use self::not_allowed::NotAllowed;

/// How a run of `clp` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something failed on this machine.
    Ours = 1,
    /// The command line, the environment or the settings do not allow it.
    Usage = 2,
    /// The issuer refused, with a problem.
    Refused = 3,
    /// The issuer cannot be reached, or cannot answer now.
    Unreachable = 4,
    /// The issuer broke the protocol.
    Protocol = 5,
    /// What was to be verified does not hold.
    Unverified = 6,
    /// A person has to decide first.
    Waiting = 7,
    /// Something is due, where that was asked.
    Due = 8,
}

/// Why a call or a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line or the environment lacks something or contradicts itself.
    #[error("{0}")]
    Usage(String),
    /// The settings of this run forbid it.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// Something failed on this machine.
    #[error(transparent)]
    Local(#[from] LocalFault),
    /// The issuer refused.
    #[error("refused: {}", .0.kind().map_or("a problem unknown to this version", ProblemType::title))]
    Refused(Box<Problem>),
    /// Test control does not accept its token.
    #[error("refused by test control: {}", ProblemType::Unauthenticated.title())]
    ControlToken(Box<Problem>),
    /// Nothing is where the manifest of the issuer should be.
    #[error("there is no manifest at {url}")]
    NoManifest {
        /// Where it was looked for.
        url: Url,
        /// What came instead.
        fault: Box<Error>,
    },
    /// The manifest does not declare what was to be called.
    #[error("the issuer does not declare `{0}`")]
    Undeclared(&'static str),
    /// A person has to decide on this request first.
    #[error("waiting for a person to decide on request {id}")]
    Waiting {
        /// The request.
        id: RequestId,
        /// Where a person decides.
        approval_uri: String,
    },
    /// The request ended without a credential.
    #[error("the request is {state}")]
    RequestOver {
        /// `denied` or `expired`.
        state: clp_schemas::state::request::State,
    },
    /// A rotation waits for its gates.
    #[error("rotation {rotation} waits: {missing}")]
    Gates {
        /// The rotation.
        rotation: RotationId,
        /// The gates that are not met.
        missing: String,
    },
    /// Something has to be said by a person before a rotation is opened (CLP-ROT-040,
    /// CLP-ROT-041).
    #[error("nothing was begun: {0}")]
    Unsaid(String),
    /// A health check failed, and the rotation goes no further (CLP-ROT-034).
    #[error("rotation {rotation} stops: {what}")]
    Unhealthy {
        /// The rotation.
        rotation: RotationId,
        /// What was seen.
        what: &'static str,
    },
    /// The token endpoint refused (RFC 6749 section 5.2).
    #[error("no access token: {}", clp_schemas::state::Named::name(.0))]
    Oauth(OauthErrorCode),
    /// A resource did not serve the call.
    #[error("the resource answered {status}{}", .code.map(|code| format!(" ({code})")).unwrap_or_default())]
    NotServed {
        /// The status.
        status: u16,
        /// The error code of its challenge, if it is a known one.
        code: Option<&'static str>,
    },
    /// No answer came.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The issuer broke the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolFault),
    /// A check of the caller's evidence failed.
    #[error("{0}")]
    Unverified(String),
}

/// What failed on this machine.
#[derive(Debug, thiserror::Error)]
pub enum LocalFault {
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that holds a secret can be read by others.
    #[error("{path} can be read by others")]
    Permissions {
        /// Which file.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{path} {what}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file that a variable names for a token cannot be used.
    #[error("{variable}: {fault}")]
    TokenFile {
        /// The variable.
        variable: String,
        /// What is wrong with the file.
        fault: Box<LocalFault>,
    },
    /// There is a passkey already where one was to be made.
    #[error("there is a passkey in {path} already")]
    PasskeyThere {
        /// Which file.
        path: PathBuf,
    },
    /// There is no passkey.
    #[error("there is no passkey in {path}")]
    NoPasskey {
        /// Which file.
        path: PathBuf,
    },
    /// The store has no such key pair.
    #[error("the store has no private key for this credential")]
    NoKeyPair,
    /// A program could not be started.
    #[error("cannot start the program: {0}")]
    Start(std::io::Error),
    /// Another run holds what this one needs.
    #[error("another run of clp is at {0}")]
    Busy(String),
    /// The store has no such entry.
    #[error("the store has no entry for this credential")]
    NotStored,
    /// The system gives no random numbers, or the TLS library cannot be set up.
    #[error("{0}")]
    System(&'static str),
}

/// What to do about a file that others can read.
const PRIVATE: &str = "make it private (chmod 600 for a file, 700 for a directory)";

impl LocalFault {
    pub(crate) fn file<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

/// Why no usable answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// No connection: name, address, port or TLS.
    #[error("no connection to the issuer")]
    Connection,
    /// The answer did not come, or not whole, in time.
    #[error("the issuer did not answer in time")]
    Timeout,
    /// The connection broke before the answer was complete.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// Something in between answered for the issuer.
    #[error("a status of {0} came without a problem, likely from something in front of the issuer")]
    Gateway(u16),
}

/// How the issuer broke the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// A redirect to another origin (CLP-DIS-011).
    #[error("the issuer redirects to another origin")]
    RedirectElsewhere,
    /// More redirects than are followed, or one without a usable target.
    #[error("the issuer redirects too often or nowhere")]
    Redirects,
    /// The answer is larger than admitted.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The answer is not strict JSON.
    #[error("the answer is not strict JSON: {0}")]
    Json(#[from] json::Fault),
    /// The answer has another media type than it should.
    #[error("the answer has another media type than the protocol says")]
    MediaType,
    /// The answer does not fit its schema.
    #[error("the answer to {endpoint} does not fit its schema")]
    Form {
        /// The endpoint, by its name in the table.
        endpoint: &'static str,
    },
    /// The answer names another version of the protocol.
    #[error("the answer is of another version of the protocol")]
    Version,
    /// The status is not one that the protocol has here.
    #[error("a status of {0} came without a problem")]
    Status(u16),
    /// The problem contradicts the status or the registry.
    #[error("the problem contradicts its status")]
    Problem,
    /// The manifest is of something else (CLP-DIS-007).
    #[error("the document has no `credential_issuer_endpoint`: it is no manifest of this protocol")]
    NoEndpoint,
    /// The manifest is of another issuer (CLP-DIS-008).
    #[error("the manifest belongs to another issuer than the one asked for")]
    OtherIssuer,
    /// A newer manifest was seen before (CLP-DIS-021).
    #[error("the manifest is older than one that was seen before")]
    OlderManifest,
    /// The manifest contradicts itself (CLP-DIS-009).
    #[error(transparent)]
    Manifest(#[from] ManifestFault),
    /// Credentials or permissions stand at another origin (CLP-DIS-013).
    #[error("the manifest leads to another origin, which is not configured")]
    EndpointElsewhere,
    /// The permission document is not the one asked for (CLP-DIS-019).
    #[error("the permission document is not the one with that digest")]
    OtherDocument,
    /// The permission document cannot be relied on.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// A link in an answer leads away from the issuer (CLP-SEC-006).
    #[error("a link in an answer leads to another origin")]
    LinkElsewhere,
    /// The credential opens more than was asked for (CLP-CRE-025).
    #[error("the credential opens more than was asked for")]
    TooBroad,
    /// An answer has no entity tag to change its object by (CLP-TRN-035).
    #[error("the answer has no strong entity tag")]
    NoTag,
    /// A new credential has the id of another one that is stored.
    #[error("the new credential has the id of another one in the store")]
    IdTaken,
    /// An answer is about something else than the request.
    #[error("the answer is about something else than was asked: {0}")]
    Mismatch(&'static str),
}

impl From<BundleFault> for Error {
    fn from(fault: BundleFault) -> Self {
        Self::Unverified(fault.to_string())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match (problem.kind(), &problem.request) {
            (Some(ProblemType::ApprovalRequired), Some(request)) => Self::Waiting {
                id: request.id.clone(),
                approval_uri: request.approval_uri.clone(),
            },
            _ => Self::Refused(Box::new(problem)),
        }
    }
}

impl Error {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn undeclared_operation(operation: Operation) -> Self {
        Self::Undeclared(operation.name())
    }

    pub(crate) fn undeclared_class(class: Class) -> Self {
        Self::Undeclared(class.name())
    }

    /// What it means of the manifest: a 404 there says that the identifier is wrong, not
    /// some id.
    pub(crate) fn of_manifest(self, url: Url) -> Self {
        let missing = self.problem() == Some(ProblemType::NotFound)
            || matches!(self, Self::Protocol(ProtocolFault::Status(404)));
        match missing {
            true => Self::NoManifest {
                url,
                fault: Box::new(self),
            },
            false => self,
        }
    }

    /// What it means of test control, whose token is another one than the principal's.
    pub(crate) fn of_control(self) -> Self {
        match self {
            Self::Refused(problem) if problem.kind() == Some(ProblemType::Unauthenticated) => {
                Self::ControlToken(problem)
            }
            fault => fault,
        }
    }

    /// The registered problem that the issuer refused with, if it did.
    #[must_use]
    pub fn problem(&self) -> Option<ProblemType> {
        match self {
            Self::Refused(problem) | Self::ControlToken(problem) => problem.kind(),
            Self::NoManifest { fault, .. } => fault.problem(),
            _ => None,
        }
    }

    /// How a run that fails so ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::NotAllowed(_) => Exit::Usage,
            Self::Local(_) => Exit::Ours,
            Self::Refused(problem) => match problem.kind().map(ProblemType::fault) {
                Some(Fault::Issuer) => Exit::Unreachable,
                _ if problem.status >= 500 => Exit::Unreachable,
                _ if problem.kind() == Some(ProblemType::ApprovalRequired) => Exit::Waiting,
                _ => Exit::Refused,
            },
            Self::NoManifest { fault, .. } => fault.exit(),
            Self::Undeclared(_)
            | Self::ControlToken(_)
            | Self::RequestOver { .. }
            | Self::Unhealthy { .. }
            | Self::Oauth(_)
            | Self::NotServed { .. } => Exit::Refused,
            Self::Waiting { .. } | Self::Gates { .. } | Self::Unsaid(_) => Exit::Waiting,
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Protocol(_) => Exit::Protocol,
            Self::Unverified(_) => Exit::Unverified,
        }
    }

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
            Self::Refused(problem) => return hint::refused(problem),
            Self::ControlToken(_) => {
                "the token in CLP_CONTROL_TOKEN(_FILE) is not that of this issuer's test control; give the file that `clp-issuer --control-token-file` wrote"
            }
            Self::NoManifest { .. } => "check --issuer or CLP_ISSUER: no issuer answers there",
            Self::Undeclared(_) => "see what it declares with `clp discover`",
            Self::Waiting { id, .. } => {
                return Some(format!(
                    "have somebody approve it, then run `clp create --request {id}`"
                ));
            }
            Self::RequestOver { .. } => "ask again with `clp request`",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_the_exit_code_of_its_fault() {
        for kind in ProblemType::ALL {
            let exit = Error::from(Problem::new(*kind)).exit();
            let expected = match (kind.fault(), kind) {
                (Fault::Issuer, _) => Exit::Unreachable,
                (_, ProblemType::ApprovalRequired) => Exit::Waiting,
                _ => Exit::Refused,
            };
            assert_eq!(exit, expected, "{kind:?}");
        }
    }
}
