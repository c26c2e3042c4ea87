//! What is written down of the rotation of a whole project, before anything is begun: which
//! credentials it is about, and which of them are done. A run that dies is gone on with by the
//! same command, and does not rotate the successors of what it had done.

use clp_schemas::ids::CredentialId;
use clp_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::chosen::Candidate;
use crate::error::LocalFault;
use crate::ops::Session;

/// One run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Written {
    project: String,
    begun_at: Timestamp,
    items: Vec<Item>,
}

/// One credential of it.
#[derive(Debug, Serialize, Deserialize)]
struct Item {
    issuer: String,
    credential_id: CredentialId,
    done: bool,
}

impl Written {
    /// The run that was not finished, if there is one.
    pub(super) fn read(session: &Session, project: &str) -> Result<Option<Self>, LocalFault> {
        session.home.project_run(project).read()
    }

    /// Writes a new run down. It is on disk when this returns.
    pub(super) fn begin(
        session: &Session,
        project: &str,
        candidates: &[Candidate<'_>],
    ) -> Result<Self, LocalFault> {
        let items = candidates.iter().map(|one| Item {
            issuer: one.forecast.issuer.clone(),
            credential_id: one.forecast.credential_id.clone(),
            done: false,
        });
        let written = Self {
            project: project.to_owned(),
            begun_at: Timestamp::system_now(),
            items: items.collect(),
        };
        session.home.project_run(project).write(&written)?;
        Ok(written)
    }

    /// What is not done yet at this issuer.
    pub(super) fn left(&self, issuer: &str) -> Vec<CredentialId> {
        let left = self.items.iter();
        left.filter(|item| item.issuer == issuer && !item.done)
            .map(|item| item.credential_id.clone())
            .collect()
    }

    /// Notes that one is done.
    pub(super) fn ended(
        &mut self,
        session: &Session,
        candidate: &Candidate<'_>,
    ) -> Result<(), LocalFault> {
        let (issuer, id) = (
            &candidate.forecast.issuer,
            &candidate.forecast.credential_id,
        );
        for item in &mut self.items {
            item.done |= item.issuer == *issuer && item.credential_id == *id;
        }
        session.home.project_run(&self.project).write(self)
    }

    pub(super) fn forget(&self, session: &Session) -> Result<(), LocalFault> {
        session.home.project_run(&self.project).forget()
    }

    /// That it is gone on with.
    pub(super) fn text(&self) -> String {
        let done = self.items.iter().filter(|item| item.done).count();
        format!(
            "going on with the run of {}: {done} of {} were done; --anew begins with all of them anew",
            self.begun_at,
            self.items.len()
        )
    }
}
