//! What goes wrong on purpose (specification chapter 80, "Faults"): scripts of sandboxes and of
//! the whole process, and single requests that ask for it. Handlers know nothing of it: it all
//! happens in front of a persona.

mod front;
mod played;
mod read;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clp_schemas::ids::TenantId;
use clp_schemas::ops::faults::{FaultScript, FaultState, FaultTarget};
use clp_schemas::problem::{Problem, ProblemType};

use crate::context::Random;

pub(crate) use front::{NoAnswer, front};
use played::{Played, Said};
pub(crate) use read::{NotAScript, script};

/// The most sandboxes that have a script at once.
const SCRIPTS: usize = 256;

/// One more than the largest seed: what every reader of JSON keeps exactly.
pub(crate) const SEEDS: u64 = 1 << 53;

/// The scripts that are being played, and how far each has come. Kept in memory: they are no
/// part of the state.
#[derive(Debug, Default)]
pub struct Faults {
    sandboxes: Mutex<HashMap<TenantId, Played>>,
    /// By persona: each plays the script of the process by itself.
    personas: Mutex<HashMap<String, Played>>,
}

impl Faults {
    /// Plays a script, whose seed is chosen, at each of these personas.
    pub(crate) fn play<'a>(&self, script: &FaultScript, personas: impl Iterator<Item = &'a str>) {
        if !script.is_empty() {
            locked(&self.personas)
                .extend(personas.map(|name| (name.to_owned(), Played::new(script.clone()))));
        }
    }

    /// Puts a script in place of the one that a sandbox has; an empty one leaves it without.
    ///
    /// # Errors
    /// `unavailable` where too many other sandboxes have one.
    pub(crate) fn put(
        &self,
        tenant: &TenantId,
        script: FaultScript,
    ) -> Result<FaultState, Problem> {
        let script = seeded(script)?;
        let mut all = locked(&self.sandboxes);
        if script.is_empty() {
            all.remove(tenant);
            return Ok(Played::new(script).state());
        }
        if all.len() >= SCRIPTS && !all.contains_key(tenant) {
            return Err(Problem::new(ProblemType::Unavailable)
                .detail("too many sandboxes have a script; clear one that is no longer used"));
        }
        let played = Played::new(script);
        let state = played.state();
        all.insert(tenant.clone(), played);
        Ok(state)
    }

    /// The script of a sandbox, and what came of it.
    pub(crate) fn of(&self, tenant: &TenantId) -> FaultState {
        let all = locked(&self.sandboxes);
        let empty = || Played::new(FaultScript::default()).state();
        all.get(tenant).map_or_else(empty, Played::state)
    }

    /// Forgets the script of a sandbox.
    pub(crate) fn clear(&self, tenant: &TenantId) {
        locked(&self.sandboxes).remove(tenant);
    }

    /// Whether any sandbox has a script.
    fn in_sandboxes(&self) -> bool {
        !locked(&self.sandboxes).is_empty()
    }

    /// Whether the process has a script for this persona.
    fn in_persona(&self, persona: &str) -> bool {
        locked(&self.personas).contains_key(persona)
    }

    /// What the script of the sandbox says about its next call, or else that of the persona.
    /// It takes a step of the script, so it is asked once for each call.
    ///
    /// # Errors
    /// `invalid-fault` where there are too many runs.
    fn next(
        &self,
        tenant: Option<&TenantId>,
        persona: &str,
        run: &str,
        target: FaultTarget,
    ) -> Result<Option<Said>, Problem> {
        if let Some(tenant) = tenant
            && let Some(played) = locked(&self.sandboxes).get_mut(tenant)
            && let Some(said) = played.next(run, target)?
        {
            return Ok(Some(said));
        }
        match locked(&self.personas).get_mut(persona) {
            Some(played) => played.next(run, target),
            None => Ok(None),
        }
    }
}

/// The same with a seed, where chaos has none.
///
/// # Errors
/// `internal`, if the system has no randomness.
pub(crate) fn seeded(mut script: FaultScript) -> Result<FaultScript, Problem> {
    if let Some(chaos) = &mut script.chaos
        && chaos.seed.is_none()
    {
        chaos.seed = Some(u64::from_be_bytes(Random.bytes()?) % SEEDS);
    }
    Ok(script)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
