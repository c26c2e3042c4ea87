//! Durable state: one SQLite database, one thread that writes it, one commit for as many
//! calls as are waiting.
//!
//! A call is a job: a closure that sees the database through [`Gate`] and [`Tx`]. Jobs run one
//! after the other, each in a savepoint of its own, so that a refusal undoes what its job
//! did and nothing else. An answer leaves only after the commit that holds its effects.
//!
//! Erasing a sealed secret takes it out of the database by `secure_delete`, and out of the
//! write-ahead log by a checkpoint that truncates it before the answer leaves. Truncating gives
//! the blocks back to the file system and does not overwrite them: a medium that is read below
//! the file system can still show the sealed form, which opens with `issuer.keys` alone.

mod accesses;
mod audit;
mod cipher;
mod credentials;
mod deliveries;
mod documents;
mod due;
mod evidence;
mod fault;
mod gate;
mod idempotency;
mod installations;
mod keys;
mod people;
mod principals;
mod providers;
mod requests;
mod resources;
mod rotations;
mod secrets;
mod seen;
mod stores;
mod tenants;
#[cfg(test)]
mod tests;
mod tokens;
mod tx;
mod uses;
mod worker;

use std::path::Path;
use std::sync::Arc;

use clp_schemas::ids::TenantId;
use clp_schemas::problem::{Problem, ProblemType};
use tokio::sync::oneshot;

pub use audit::EntryRange;
pub use cipher::Cipher;
pub use credentials::{Filter, Position};
pub use deliveries::DeliveryRow;
pub use due::Due;
pub use fault::Fault;
pub use gate::Gate;
pub(crate) use gate::Keep;
pub use idempotency::{IdempotencyKey, Recorded};
pub use installations::InstallationRow;
pub use keys::Keys;
pub use principals::{NewPrincipal, PrincipalRow};
pub use requests::{ChallengeRow, EvidenceRow, ProofRow};
pub use rotations::RotationRow;
pub use seen::Once;
pub use tenants::NewTenant;
pub use tokens::TokenRow;
pub use tx::Tx;
pub use uses::UseRow;
use worker::{Job, Worker};

use crate::seams::Seams;

/// A handle on the state of the whole process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    worker: Arc<Worker>,
}

impl Store {
    /// Opens the state in a directory, or in memory where there is none. A directory is made
    /// if it is not there, and what is in it stays between runs.
    ///
    /// # Errors
    /// [`Fault`] if the directory cannot be used or holds something else.
    pub fn open(directory: Option<&Path>, seams: Seams) -> Result<Self, Fault> {
        Ok(Self {
            worker: Arc::new(Worker::start(directory, seams)?),
        })
    }

    /// Runs a job in one tenant. What is due there by its clock happens before.
    ///
    /// # Errors
    /// What the job refuses with; its effects are then undone. `not-found` where there is no
    /// such tenant, `unavailable` if the store is closed or cannot commit.
    pub async fn submit<T, F>(&self, tenant: TenantId, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        self.run(move |gate| job(&mut gate.enter(&tenant)?)).await
    }

    /// Runs a job that finds out itself which tenant it is about.
    ///
    /// # Errors
    /// As [`Store::submit`].
    pub async fn run<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Gate<'_>) -> Result<T, Problem> + Send + 'static,
    {
        self.run_keeping(Keep::Effects, job).await
    }

    /// Runs a job as [`Store::run`] does, of which stays what is said. Time passes all the same.
    ///
    /// # Errors
    /// As [`Store::submit`].
    pub(crate) async fn run_keeping<T, F>(&self, keep: Keep, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Gate<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |gate| {
            let result = gate.in_savepoint(keep, job);
            Box::new(move |committed| {
                let result = match committed {
                    true => result,
                    false => Err(ProblemType::Unavailable.into()),
                };
                // Whoever asked may have hung up; the effects stand all the same.
                let _ = answer.send(result);
            })
        });
        self.worker.send(job)?;
        answered
            .await
            .unwrap_or_else(|_| Err(ProblemType::Unavailable.into()))
    }

    /// The keys that the process signs and seals with.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        self.worker.keys()
    }

    /// Ends the writing thread after the jobs that are waiting. Later jobs are refused.
    pub async fn close(&self) {
        let worker = Arc::clone(&self.worker);
        // Joining blocks, so it happens off the threads that answer.
        let _ = tokio::task::spawn_blocking(move || worker.close()).await;
    }
}
