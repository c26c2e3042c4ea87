//! Why a genuine key or token opens nothing, or not this (specification chapters 04, 14 and 21).

use clp_schemas::permissions::{Access, PermissionDocument, PermissionSet, Statement, allows};
use clp_schemas::state::Named as _;
use clp_schemas::state::credential::State;

use super::key::Scheme;
use crate::rules::Rule;

/// Why it opens nothing: for the log, and as the challenge for whoever called.
pub(super) type Refusal = (&'static str, &'static str);

pub(super) const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;
const INSUFFICIENT_SCOPE: &str = r#"Bearer error="insufficient_scope""#;
const BOUND_INVALID_TOKEN: &str = r#"DPoP error="invalid_token", algs="EdDSA ES256""#;
const BOUND_INVALID_PROOF: &str = r#"DPoP error="invalid_dpop_proof", algs="EdDSA ES256""#;
const BOUND_INSUFFICIENT_SCOPE: &str = r#"DPoP error="insufficient_scope", algs="EdDSA ES256""#;

/// What a proof of possession is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// There is none, or it was not presented as one.
    Missing,
    /// It is not of this call, this key or this minute.
    Wrong,
    /// It is of this call, and was taken before.
    Seen,
    /// It holds.
    Good,
}

/// How a genuine key or token stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The state of its credential.
    pub(super) state: State,
    /// Whether it is an access token.
    pub(super) is_token: bool,
    /// Whether an access token has ended.
    pub(super) has_ended: bool,
    /// Whether it is of a type that is presented by itself.
    pub(super) opens_by_itself: bool,
    /// Whether it opens nothing without a proof.
    pub(super) is_bound: bool,
    /// How it was presented.
    pub(super) scheme: Scheme,
    /// What the proof with it is worth, where it is bound.
    pub(super) proof: Proof,
}

impl Standing {
    fn invalid(&self) -> &'static str {
        if self.is_bound {
            BOUND_INVALID_TOKEN
        } else {
            INVALID_TOKEN
        }
    }

    fn because(&self, reason: &'static str, refuses: bool) -> Option<Refusal> {
        refuses.then(|| (reason, self.invalid()))
    }
}

pub(super) const STANDING_RULES: &[Rule<Standing, Refusal>] = &[
    Rule {
        id: "CLP-SCO-006",
        refuses: |it| {
            let refuses = !it.is_token && it.state == State::Suspended;
            it.because(it.state.name(), refuses)
        },
    },
    Rule {
        id: "CLP-SCO-004",
        refuses: |it| {
            let refuses = !it.is_token && !it.state.opens() && it.state != State::Suspended;
            it.because(it.state.name(), refuses)
        },
    },
    Rule {
        id: "CLP-OAU-010/credential",
        refuses: |it| it.because(it.state.name(), it.is_token && !it.state.opens()),
    },
    Rule {
        id: "CLP-OAU-010/end",
        refuses: |it| it.because("invalid_token", it.has_ended),
    },
    Rule {
        id: "CLP-OAU-011",
        refuses: |it| it.because("invalid_token", !it.is_token && !it.opens_by_itself),
    },
    Rule {
        id: "CLP-BND-002",
        refuses: |it| it.because("invalid_token", it.is_bound && it.proof == Proof::Missing),
    },
    Rule {
        id: "CLP-BND-003",
        refuses: |it| {
            (it.proof == Proof::Wrong).then_some(("invalid_dpop_proof", BOUND_INVALID_PROOF))
        },
    },
    Rule {
        id: "CLP-BND-004",
        refuses: |it| {
            (it.proof == Proof::Seen).then_some(("invalid_dpop_proof", BOUND_INVALID_PROOF))
        },
    },
    // A key that is bound to nothing is presented by itself (RFC 9449 section 7.1).
    Rule {
        id: "CLP-SCO-003",
        refuses: |it| {
            let refuses = !it.is_bound && it.scheme == Scheme::Dpop;
            it.because("invalid_token", refuses)
        },
    },
];

/// What of an access the permissions and the scope of a key or token grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    is_bound: bool,
    /// Whether the scope of the token has it.
    in_scope: bool,
    /// Whether the permissions admit it.
    admits: bool,
    /// Whether they would without their constraints.
    admits_unconstrained: bool,
    /// Whether they would somewhere, without their constraints.
    admits_somewhere: bool,
}

impl Grant {
    pub(super) fn of(
        document: &PermissionDocument,
        permissions: &PermissionSet,
        access: Access<'_>,
        in_scope: bool,
        is_bound: bool,
    ) -> Self {
        let admits = allows(document, permissions, access);
        // What is granted is granted by whatever is wider, without looking.
        let wider = |change: fn(&mut Statement)| {
            let wider = || {
                let mut wider = permissions.clone();
                wider.0.iter_mut().for_each(change);
                wider
            };
            admits || allows(document, &wider(), access)
        };
        Self {
            is_bound,
            in_scope,
            admits,
            admits_unconstrained: wider(|statement| statement.constraints.clear()),
            admits_somewhere: wider(|statement| {
                statement.constraints.clear();
                if let Ok(everything) = "*".parse() {
                    statement.selector = everything;
                }
            }),
        }
    }

    fn because(&self, refuses: bool) -> Option<Refusal> {
        let challenge = if self.is_bound {
            BOUND_INSUFFICIENT_SCOPE
        } else {
            INSUFFICIENT_SCOPE
        };
        refuses.then_some(("insufficient_scope", challenge))
    }
}

/// They refuse alike; together, they refuse whatever is not granted.
pub(super) const GRANT_RULES: &[Rule<Grant, Refusal>] = &[
    Rule {
        id: "CLP-OAU-009",
        refuses: |grant| grant.because(!grant.in_scope),
    },
    Rule {
        id: "CLP-SCO-002",
        refuses: |grant| grant.because(!grant.admits && !grant.admits_somewhere),
    },
    Rule {
        id: "CLP-PRM-009",
        refuses: |grant| {
            let elsewhere = grant.admits_somewhere && !grant.admits_unconstrained;
            grant.because(!grant.admits && elsewhere)
        },
    },
    Rule {
        id: "CLP-PRM-011",
        refuses: |grant| grant.because(!grant.admits && grant.admits_unconstrained),
    },
];
