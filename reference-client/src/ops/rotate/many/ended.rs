//! How each rotation of a run ended, and the run with them.

use serde_json::json;

use super::chosen::Chosen;
use super::order::Order;
use crate::error::{Error, Exit};
use crate::render::{Outcome, table};

/// How one ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The old one is gone, and its places work with the new one.
    Done,
    /// It is under way, and waits.
    Waits(String),
    /// It was not begun, since a person has to see to something first.
    Person(String),
    /// It was not begun, since what it depends on did not come through.
    Held(String),
    /// It stopped.
    Failed(String, Exit),
}

impl End {
    pub(super) fn of(result: Result<Outcome, Error>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(fault @ Error::Unsaid(_)) => Self::Person(fault.to_string()),
            Err(fault) if fault.exit() == Exit::Waiting => Self::Waits(told(&fault)),
            Err(fault) => Self::Failed(told(&fault), fault.exit()),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Waits(_) => "waits",
            Self::Person(_) => "needs a person",
            Self::Held(_) => "held back",
            Self::Failed(..) => "failed",
        }
    }

    fn why(&self) -> &str {
        match self {
            Self::Done => "",
            Self::Waits(why) | Self::Person(why) | Self::Held(why) | Self::Failed(why, _) => why,
        }
    }

    /// Whether what depends on it is better left alone: it may not work now.
    pub(super) fn holds_others_up(&self) -> bool {
        matches!(self, Self::Failed(..) | Self::Held(_))
    }

    /// Whether the same command would go on with it.
    pub(super) fn is_unfinished(&self) -> bool {
        !matches!(self, Self::Done | Self::Person(_))
    }
}

/// What went wrong, and what to do next.
fn told(fault: &Error) -> String {
    match fault.hint() {
        Some(hint) => format!("{fault}; {hint}"),
        None => fault.to_string(),
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => to.write_str("done"),
            other => write!(to, "{}: {}", other.name(), other.why()),
        }
    }
}

/// The end of a run: 0 if everything is done; otherwise what failed first, or 7 if nothing
/// failed and something waits, or needs a person.
pub(super) fn summary(chosen: &Chosen<'_>, order: &Order, ends: &[End]) -> Result<Outcome, Error> {
    let mut rows = Vec::new();
    let mut items = Vec::new();
    for index in &order.sequence {
        if let (Some(candidate), Some(end)) = (chosen.candidates.get(*index), ends.get(*index)) {
            let one = &candidate.forecast;
            rows.push(vec![
                one.credential_id.to_string(),
                one.purpose.clone(),
                one.issuer.clone(),
                end.to_string(),
            ]);
            items.push(
                json!({"credential_id": one.credential_id, "issuer": one.issuer,
                              "purpose": one.purpose, "end": end.name(), "why": end.why()}),
            );
        }
    }
    let header = ["credential", "purpose", "issuer", "end"];
    let mut text = table(&header, rows, "there is nothing to rotate");
    for line in chosen.unasked_lines() {
        text.push_str(&format!("{line}\n"));
    }
    let count = |name: &str| ends.iter().filter(|end| end.name() == name).count();
    let names = ["done", "waits", "needs a person", "held back", "failed"];
    let counts: Vec<String> = names
        .iter()
        .map(|name| (name, count(name)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if !counts.is_empty() {
        text.push_str(&format!("{}\n", counts.join(", ")));
    }
    let failed = ends.iter().find_map(|end| match end {
        End::Failed(_, exit) => Some(*exit),
        _ => None,
    });
    let exit = match (
        failed.or(chosen.fault()),
        ends.iter().all(|end| *end == End::Done),
    ) {
        (Some(exit), _) => exit,
        (None, true) => Exit::Done,
        (None, false) => Exit::Waiting,
    };
    let json = json!({"items": items, "circles": chosen.circle_ids(order),
                      "not_asked": chosen.unasked_json()});
    Ok(Outcome::new(&json, text)?.ending(exit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_holds_others_up_and_what_waits_does_not() {
        let failed = End::of(Err(Error::usage("no")));
        assert!(failed.holds_others_up() && failed.is_unfinished());
        let waits = End::of(Err(Error::Gates {
            rotation: "rot_0123456789abcdefghij".parse().unwrap(),
            missing: "quiet".to_owned(),
        }));
        assert!(matches!(&waits, End::Waits(why) if why.contains("--resume")));
        assert!(!waits.holds_others_up() && waits.is_unfinished());
        let person = End::of(Err(Error::Unsaid("x".to_owned())));
        assert!(!person.holds_others_up() && !person.is_unfinished());
    }
}
