//! Where credentials are used: what clients declare, and what is seen (specification chapters
//! 16 and 17).

use clp_schemas::audit;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::inject::{Installation, Match};
use clp_schemas::permissions::in_network;
use clp_schemas::state::installation::{Event, MACHINE, State};

use super::Effect;
use crate::audit::Entry;
use crate::store::InstallationRow;

/// Whether a report leads from the state that an installation is in, if there is one, to
/// another. A report of the same state moves nothing and is always in order.
#[must_use]
pub fn admits(from: Option<State>, is_move: bool, to: State) -> bool {
    let reachable = |from: State| {
        from == to || Event::to(to).is_some_and(|event| MACHINE.next(from, event) == Some(to))
    };
    match from {
        None => matches!(to, State::Declared | State::Updating | State::Installed),
        Some(from) if is_move => {
            matches!(to, State::Updating | State::Installed) && reachable(from)
        }
        Some(from) => reachable(from),
    }
}

/// Whether a rotation that is open now would wait for it.
#[must_use]
pub fn is_awaited(installation: &Installation) -> bool {
    installation.declared.required.unwrap_or(true) && installation.declared.state != State::Retired
}

/// Whether a use can have come from a place, by what was declared of it.
#[must_use]
pub fn fits(matcher: Option<&Match>, user_agent: Option<&str>, address: &str) -> bool {
    let Some(matcher) = matcher else {
        return false;
    };
    let agent_fits = matcher
        .user_agent
        .as_ref()
        .is_none_or(|start| user_agent.is_some_and(|agent| agent.starts_with(start.as_str())));
    let network_fits = matcher
        .cidr
        .as_ref()
        .is_none_or(|cidr| in_network(cidr, address) == Some(true));
    agent_fits && network_fits
}

/// Stores an installation, below the credential that it names. `is_new` says whether there was
/// none.
#[must_use]
pub fn put(row: InstallationRow, credential: &Credential, is_new: bool) -> Vec<Effect> {
    let event = if is_new {
        audit::Event::InstallationDeclared
    } else {
        audit::Event::InstallationUpdated
    };
    let installation = &row.installation;
    let entry = Entry::of(event, credential)
        .actor(installation.reported_by.as_str())
        .text("installation_id", installation.id.as_str())
        .text("state", &installation.declared.state.to_string());
    vec![
        Effect::SaveInstallation(Box::new(row)),
        Effect::Audit(entry),
    ]
}

/// Forgets an installation.
#[must_use]
pub fn remove(row: InstallationRow, credential: &Credential, by: &str) -> Vec<Effect> {
    let entry = Entry::of(audit::Event::InstallationRemoved, credential)
        .actor(by)
        .text("installation_id", row.installation.id.as_str());
    vec![
        Effect::RemoveInstallation(Box::new(row)),
        Effect::Audit(entry),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_starts_over_and_nothing_comes_back_from_retired() {
        use State::{Declared, Installed, Retired, Updating, Verified};
        for state in State::ALL {
            let can_begin = matches!(state, Declared | Updating | Installed);
            assert_eq!(admits(None, false, *state), can_begin, "{state}");
            assert_eq!(
                admits(Some(Retired), false, *state),
                *state == Retired,
                "{state}"
            );
            assert!(!admits(Some(Retired), true, *state), "{state}");
            assert!(admits(Some(*state), false, *state));
        }
        assert!(admits(Some(Verified), true, Updating));
        assert!(admits(Some(Verified), true, Installed));
        assert!(!admits(Some(Installed), true, Verified));
        assert!(!admits(Some(Declared), true, Declared));
        assert!(!admits(Some(Verified), false, Declared));
    }

    #[test]
    fn a_use_fits_where_all_that_is_given_fits() {
        let matcher = |user_agent: Option<&str>, cidr: Option<&str>| Match {
            user_agent: user_agent.map(str::to_owned),
            cidr: cidr.map(str::to_owned),
        };
        let both = matcher(Some("nightly/"), Some("192.0.2.0/24"));
        assert!(fits(Some(&both), Some("nightly/1.0"), "192.0.2.7"));
        assert!(!fits(Some(&both), Some("hourly/1.0"), "192.0.2.7"));
        assert!(!fits(Some(&both), Some("nightly/1.0"), "198.51.100.7"));
        assert!(!fits(Some(&both), None, "192.0.2.7"));
        assert!(fits(
            Some(&matcher(None, Some("192.0.2.0/24"))),
            None,
            "192.0.2.7"
        ));
        assert!(!fits(
            Some(&matcher(None, Some("192.0.2.1/24"))),
            None,
            "192.0.2.1"
        ));
        assert!(!fits(None, Some("nightly/1.0"), "192.0.2.7"));
    }
}
