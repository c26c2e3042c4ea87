//! Who may decide on a request, how many it takes, and whether that still holds when a
//! credential is made of it (specification chapter 12).

use clp_schemas::approval::{Actor, Decision, PrincipalKind};
use clp_schemas::ids::PrincipalId;
use clp_schemas::ops::approve::Approval;
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::policy::SeparationOfDuty;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::request::State;

use super::guard;
use super::narrow;
use super::policy::InForce;
use crate::auth::{Action, Authority};
use crate::lifecycle::request as life;
use crate::rules::Rule;
use crate::service::Service;
use crate::store::Tx;

/// The outermost person of a chain of actors, if there is one. What a person acts for that is
/// none, such as a program of their team, does not hide them.
fn human(actors: &[Actor]) -> Option<&PrincipalId> {
    let mut outwards = actors.iter().rev();
    let person = outwards.find(|actor| actor.kind == PrincipalKind::Person);
    person.map(|actor| &actor.principal)
}

/// How somebody who wants to decide stands to the request.
#[derive(Clone, Copy)]
struct Deciding {
    is_requester: bool,
    is_person: bool,
    is_same_human: bool,
    is_persons_request: bool,
    duty: SeparationOfDuty,
    state: State,
}

fn somebody_else(is_barred: bool, why: &'static str) -> Option<Problem> {
    is_barred.then(|| Problem::new(ProblemType::SeparationOfDuty).detail(why))
}

const RULES: &[Rule<Deciding>] = &[
    Rule {
        id: "CLP-APP-003",
        refuses: |deciding| somebody_else(deciding.is_requester, "whoever asked does not decide"),
    },
    Rule {
        id: "CLP-POL-001",
        refuses: |deciding| {
            somebody_else(
                !deciding.is_person,
                "have a person decide, with an account of theirs",
            )
        },
    },
    Rule {
        id: "CLP-POL-002",
        refuses: |deciding| {
            somebody_else(
                !deciding.is_requester && deciding.is_same_human && deciding.is_persons_request,
                "another account of whoever asked does not decide",
            )
        },
    },
    Rule {
        id: "CLP-POL-006",
        refuses: |deciding| {
            somebody_else(
                deciding.is_same_human
                    && !deciding.is_persons_request
                    && deciding.duty == SeparationOfDuty::Person,
                "here somebody else than the person for whom it is asked has to decide",
            )
        },
    },
    Rule {
        id: "CLP-APP-004",
        refuses: |deciding| {
            (deciding.state != State::PendingApproval)
                .then(|| ProblemType::RequestNotPending.into())
        },
    },
];

/// Those who asked, and who would decide.
struct Parties {
    asking: Vec<Actor>,
    deciding: Vec<Actor>,
}

impl Parties {
    fn new(
        tx: &Tx<'_>,
        service: &Service,
        request: &CredentialRequest,
        approver: &PrincipalId,
    ) -> Result<Self, Problem> {
        let decided = narrow::decided(tx, service, request.approval_document.clone())?;
        Ok(Self {
            asking: decided.document.actors,
            deciding: tx.actors(approver)?,
        })
    }

    fn stand(&self, request: &CredentialRequest, duty: SeparationOfDuty) -> Deciding {
        let is_person = |actors: &[Actor]| {
            let first = actors.first();
            first.is_some_and(|actor| actor.kind == PrincipalKind::Person)
        };
        let behind = human(&self.deciding);
        Deciding {
            is_requester: self
                .deciding
                .first()
                .is_some_and(|actor| actor.principal == request.requester),
            is_person: is_person(&self.deciding),
            is_same_human: behind.is_some() && behind == human(&self.asking),
            is_persons_request: is_person(&self.asking),
            duty,
            state: request.state,
        }
    }
}

/// Checks that somebody may decide on a request now.
///
/// # Errors
/// `separation-of-duty`, `request-not-pending`.
pub(super) fn check(
    tx: &Tx<'_>,
    service: &Service,
    request: &CredentialRequest,
    approver: &PrincipalId,
) -> Result<(), Problem> {
    let in_force = InForce::for_request(tx, service, request)?;
    let parties = Parties::new(tx, service, request, approver)?;
    let duty = in_force.applied.separation_of_duty;
    tx.check(RULES, &parties.stand(request, duty))
}

/// Whether somebody has agreed before, to the same.
struct Again {
    has_agreed: bool,
}

const AGAIN_RULES: &[Rule<Again>] = &[Rule {
    id: "CLP-POL-008",
    refuses: |again| somebody_else(again.has_agreed, "the same person agrees once"),
}];

/// Checks that whoever agrees to a version has not done so before, with whatever account.
///
/// # Errors
/// `separation-of-duty`.
pub(super) fn check_first(
    tx: &Tx<'_>,
    request: &CredentialRequest,
    version: u64,
    decision: Decision,
    approver: &PrincipalId,
) -> Result<(), Problem> {
    let mut has_agreed = false;
    if decision == Decision::Approve && version == request.version {
        let chain = tx.actors(approver)?;
        let behind = human(&chain);
        has_agreed = humans(tx, request)?
            .iter()
            .any(|agreed| Some(agreed) == behind);
    }
    tx.check(AGAIN_RULES, &Again { has_agreed })
}

/// The people who have agreed to the version in force, and whose approval has not lapsed.
fn humans(tx: &Tx<'_>, request: &CredentialRequest) -> Result<Vec<PrincipalId>, Problem> {
    let now = tx.now();
    let mut found = Vec::new();
    for approval in life::agreed(request).filter(|approval| approval.expires_at > now) {
        let Some(approver) = &approval.approver else {
            continue;
        };
        let chain = tx.actors(approver)?;
        if let Some(human) = human(&chain).filter(|human| !found.contains(*human)) {
            found.push(human.clone());
        }
    }
    Ok(found)
}

/// By which method somebody decides.
struct By {
    method: AuthMethod,
    in_force: InForce,
}

const METHOD_RULES: &[Rule<By>] = &[Rule {
    id: "CLP-POL-009",
    refuses: |by| {
        (!by.in_force.accepts(by.method)).then(|| {
            Problem::new(ProblemType::InsufficientUserAuthentication)
                .detail("prove who you are by one of `methods`")
                .pointer("/method")
                .methods(by.in_force.applied.methods.clone())
        })
    },
}];

/// Checks that the policy in force takes the method of a decision.
///
/// # Errors
/// `insufficient-user-authentication`.
pub(super) fn check_method(
    tx: &Tx<'_>,
    service: &Service,
    request: &CredentialRequest,
    method: AuthMethod,
) -> Result<(), Problem> {
    let in_force = InForce::for_request(tx, service, request)?;
    tx.check(METHOD_RULES, &By { method, in_force })
}

/// The methods that the policy in force takes for a decision on a request.
pub(super) fn methods(
    tx: &Tx<'_>,
    service: &Service,
    request: &CredentialRequest,
) -> Result<Vec<AuthMethod>, Problem> {
    Ok(InForce::for_request(tx, service, request)?.applied.methods)
}

/// Whether a request has as many approvals as it takes, once this one is among them.
pub(super) fn is_enough(
    tx: &Tx<'_>,
    service: &Service,
    request: &CredentialRequest,
    approval: &Approval,
) -> Result<bool, Problem> {
    let mut request = request.clone();
    request.approvals.push(approval.clone());
    let needed = InForce::for_request(tx, service, &request)?;
    Ok(humans(tx, &request)?.len() >= usize::from(needed.applied.approvals_required))
}

/// How an approved request stands when a credential is to be made of it.
struct Standing {
    requester_may: bool,
    approvers_may: bool,
    is_barred: bool,
    is_by_policy: bool,
    is_automatic: bool,
    methods_hold: bool,
    bears_urgency: bool,
    humans: usize,
    needed: usize,
}

const STANDING_RULES: &[Rule<Standing>] = &[
    Rule {
        id: "CLP-POL-003",
        refuses: |standing| no_longer(!standing.requester_may, "whoever asked may no longer ask"),
    },
    Rule {
        id: "CLP-POL-004",
        refuses: |standing| {
            no_longer(
                !standing.approvers_may,
                "whoever approved may no longer approve",
            )
        },
    },
    Rule {
        id: "CLP-POL-017",
        refuses: |standing| {
            no_longer(
                standing.is_barred,
                "the policy now wants somebody else to approve",
            )
        },
    },
    Rule {
        id: "CLP-POL-018",
        refuses: |standing| {
            no_longer(
                !standing.methods_hold,
                "the policy no longer takes the method of an approval",
            )
        },
    },
    Rule {
        id: "CLP-POL-019",
        refuses: |standing| {
            let is_short = !standing.is_by_policy && standing.humans < standing.needed;
            no_longer(is_short, "the policy now wants more people to approve")
        },
    },
    Rule {
        id: "CLP-POL-020",
        refuses: |standing| {
            let has_changed = standing.is_by_policy && !standing.is_automatic;
            no_longer(has_changed, "the policy no longer approves this by itself")
        },
    },
    Rule {
        id: "CLP-POL-021",
        refuses: |standing| {
            no_longer(
                !standing.bears_urgency,
                "the policy no longer provides for this emergency",
            )
        },
    },
];

fn no_longer(is_so: bool, why: &str) -> Option<Problem> {
    is_so.then(|| {
        Problem::new(ProblemType::RequestNotApproved)
            .detail(format!("{why}: amend the request, or ask anew"))
    })
}

/// Checks that what an approval rested on still holds.
///
/// # Errors
/// `request-not-approved`.
pub(super) fn check_still(
    tx: &Tx<'_>,
    service: &Service,
    request: &CredentialRequest,
) -> Result<(), Problem> {
    let asked = &request.submitted;
    let place = guard::place(&asked.project, &asked.environment);
    let may = |id: &PrincipalId, actions: &[Action]| -> Result<bool, Problem> {
        let Some(row) = tx.principal(id)? else {
            return Ok(false);
        };
        let authority = Authority::new(&service.persona.permissions, &row.permissions);
        let holds = actions
            .iter()
            .any(|action| authority.allows(*action, &place));
        Ok(holds && !row.is_disabled)
    };
    let in_force = InForce::for_request(tx, service, request)?;
    let mut standing = Standing {
        requester_may: may(&request.requester, &[Action::Request, Action::Create])?,
        approvers_may: true,
        is_barred: false,
        is_by_policy: false,
        is_automatic: in_force.is_automatic,
        methods_hold: true,
        bears_urgency: in_force.bears_urgency(),
        humans: humans(tx, request)?.len(),
        needed: usize::from(in_force.applied.approvals_required),
    };
    for approval in life::counted(request) {
        let Some(approver) = &approval.approver else {
            standing.is_by_policy = true;
            continue;
        };
        standing.approvers_may &= may(approver, &[Action::Approve])?;
        standing.methods_hold &= in_force.accepts(approval.method);
        let parties = Parties::new(tx, service, request, approver)?;
        let deciding = Deciding {
            // It was, or it would not be approved.
            state: State::PendingApproval,
            ..parties.stand(request, in_force.applied.separation_of_duty)
        };
        standing.is_barred |= RULES.iter().any(|rule| (rule.refuses)(&deciding).is_some());
    }
    tx.check(STANDING_RULES, &standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_human_is_the_outermost_person_whatever_they_act_for() {
        let actor = |id: &str, kind| Actor {
            principal: format!("prin_0000000000000000000{id}").parse().unwrap(),
            kind,
        };
        use PrincipalKind::{Agent, Client, Person};
        let behind = |chain: &[Actor]| human(chain).map(|id| id.as_str()[24..].to_owned());
        let (bot, ana, ana_too) = (
            actor("bot", Agent),
            actor("ana", Person),
            actor("an2", Person),
        );
        let team = actor("tea", Client);
        assert_eq!(behind(std::slice::from_ref(&bot)), None);
        assert_eq!(behind(&[bot.clone(), ana.clone()]).as_deref(), Some("ana"));
        let row = [bot.clone(), ana_too, ana.clone()];
        assert_eq!(behind(&row).as_deref(), Some("ana"));
        assert_eq!(behind(&[bot, ana, team]).as_deref(), Some("ana"));
    }
}
