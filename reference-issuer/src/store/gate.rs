//! The state before it is known whose call it is.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clp_schemas::ids::TenantId;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::{Fault, Keys, Tx};
use crate::context::{Context, Random};
use crate::lifecycle::sweep;
use crate::seams::Seams;

/// What stays of a job that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// What it did.
    Effects,
    /// Nothing but its answer.
    Nothing,
}

/// The state as a whole. Only authentication and test control look at it like this; whatever
/// concerns one tenant goes through [`Gate::enter`].
#[derive(Clone, Copy, Debug)]
pub struct Gate<'c> {
    connection: &'c Connection,
    keys: &'c Keys,
    erased: &'c Cell<bool>,
    seams: Seams,
}

impl<'c> Gate<'c> {
    /// `erased` becomes true with a job that takes a sealed secret away.
    pub(super) fn new(
        connection: &'c Connection,
        keys: &'c Keys,
        erased: &'c Cell<bool>,
        seams: Seams,
    ) -> Self {
        Self {
            connection,
            keys,
            erased,
            seams,
        }
    }

    /// Notes that a sealed secret was taken away, of which older copies must not stay.
    pub(super) fn note_erased(&self) {
        self.erased.set(true);
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// The keys of the process.
    #[must_use]
    pub fn keys(&self) -> &'c Keys {
        self.keys
    }

    /// Where the issuer can be made to break the protocol.
    #[must_use]
    pub fn seams(&self) -> Seams {
        self.seams
    }

    /// Where randomness comes from.
    #[must_use]
    pub fn random(&self) -> Random {
        Random
    }

    /// Steps into a tenant. What is due there by its clock happens first, and stands even if
    /// the job is refused later: time passes whoever asks.
    ///
    /// # Errors
    /// [`Fault::NoTenant`], or a failure of the database.
    pub fn enter(&self, tenant: &TenantId) -> Result<Tx<'c>, Fault> {
        let offset: i64 = self
            .connection
            .prepare_cached("SELECT clock_offset FROM tenants WHERE id = ?1")?
            .query_row([tenant.as_str()], |row| row.get(0))
            .optional()?
            .ok_or(Fault::NoTenant)?;
        let context = Context {
            tenant: tenant.clone(),
            now: Timestamp::system_now().plus(offset),
            seams: self.seams,
            random: Random,
        };
        let mut tx = Tx::new(*self, context);
        if sweep::run(&mut tx)? {
            self.connection
                .execute_batch("RELEASE job; SAVEPOINT job")?;
        }
        Ok(tx)
    }

    /// Runs a job so that a refusal or a panic undoes what it did; whatever it did is undone
    /// where it is not to be kept.
    pub(super) fn in_savepoint<T>(
        &self,
        keep: Keep,
        job: impl FnOnce(&Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.connection
            .execute_batch("SAVEPOINT job")
            .map_err(Fault::from)?;
        let result = catch_unwind(AssertUnwindSafe(|| job(self))).unwrap_or_else(|_| {
            tracing::error!("a job panicked");
            Err(ProblemType::Internal.into())
        });
        let end = match (&result, keep) {
            (Ok(_), Keep::Effects) => "RELEASE job",
            (Err(_), _) | (_, Keep::Nothing) => "ROLLBACK TO job; RELEASE job",
        };
        self.connection.execute_batch(end).map_err(Fault::from)?;
        result
    }
}
