//! Answers that a scenario asked to be as they are: they say nothing against the issuer.

use clp_schemas::problem::{MEDIA_TYPE, Problem, ProblemType};

use super::Kind;
use crate::world::call::{Call, Place};
use crate::world::wire::{Got, Outcome};

/// The refusals that a scenario can have asked for, and then says nothing against the issuer.
const ASKED_FOR: [ProblemType; 3] = [
    ProblemType::RateLimited,
    ProblemType::Internal,
    ProblemType::Unavailable,
];

/// How an answer is to be taken that can be the fault which the scenario asked for; `None` for
/// one that is like any other.
#[must_use]
pub fn fault(call: &Call, outcome: &Outcome) -> Option<(Kind, Got)> {
    let got = match &outcome.got {
        Ok(got) => got.clone(),
        Err(_) => {
            let nothing = || Got {
                status: 0,
                headers: Vec::new(),
                body: Vec::new(),
            };
            return Some((Kind::Lost, outcome.part.clone().unwrap_or_else(nothing)));
        }
    };
    if !matches!(call.place, Place::Endpoint(_)) {
        return None;
    }
    if matches!(got.status, 502 | 504) {
        return Some((Kind::Lost, got));
    }
    let problem: Problem = serde_json::from_slice(&got.body).ok()?;
    let kind = problem.kind().filter(|kind| ASKED_FOR.contains(kind))?;
    let is_whole = got.status == kind.status()
        && problem.status == kind.status()
        && got.header("content-type") == Some(MEDIA_TYPE);
    is_whole.then(|| (Kind::Refused(kind.name().to_owned()), got))
}
