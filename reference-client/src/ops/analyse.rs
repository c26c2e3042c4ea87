//! Which of a credential's permissions were used (spec chapter 14).

use clap::Args;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::CredentialPath;
use clp_schemas::ops::scope::{Analysis, AnalysisQuery, ScopeAnalysis};
use clp_schemas::time::Timestamp;

use super::Session;
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{Outcome, statements, table};

impl Client {
    /// Which of a credential's permissions were used since then, or since it was made.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn analyse(
        &self,
        id: &CredentialId,
        since: Option<Timestamp>,
    ) -> Result<Analysis, Error> {
        let path = CredentialPath {
            credential_id: id.clone(),
        };
        let analysis = self
            .call::<ScopeAnalysis>(&path, &AnalysisQuery { since }, &Nothing {})
            .await?;
        match analysis.credential_id == *id {
            true => Ok(analysis),
            false => Err(ProtocolFault::Mismatch("the analysis").into()),
        }
    }
}

/// Show which of a credential's permissions were used, and which were not
#[derive(Args, Debug)]
pub(crate) struct AnalyseArgs {
    /// The credential
    id: CredentialId,
    /// Uses from this time on count [example: 2026-11-01T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
}

pub(crate) async fn run(args: &AnalyseArgs, session: &Session) -> Result<Outcome, Error> {
    let analysis = session.client()?.analyse(&args.id, args.since).await?;
    let rows = analysis.atoms.iter().map(|atom| {
        let set = clp_schemas::permissions::PermissionSet(vec![atom.statement.clone()]);
        vec![
            statements(&set).collect::<Vec<_>>().join(" "),
            match atom.used {
                true => "used".to_owned(),
                false => "NOT USED".to_owned(),
            },
            atom.last_used_at
                .map_or_else(|| "-".to_owned(), |at| at.to_string()),
        ]
    });
    let mut text = table(
        &["permission", "since then", "last used"],
        rows,
        "it opens nothing",
    );
    text.push_str(&format!(
        "from {} to {}; what runs rarely may not have run\n",
        analysis.since, analysis.as_of
    ));
    match &analysis.recommended {
        Some(set) => {
            for line in statements(set) {
                text.push_str(&format!("enough so far: {line}\n"));
            }
            text.push_str(&format!(
                "next: run `clp scope {}`, which replaces it by one that opens this\n",
                args.id
            ));
        }
        None => text.push_str("nothing narrower is recommended\n"),
    }
    Outcome::new(&analysis, text)
}
