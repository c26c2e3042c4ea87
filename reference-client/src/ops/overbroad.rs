//! Is a credential broader than what it is used for, and if so: replace it by one that is not
//! (spec chapter 14).

use clap::Args;
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::scope::{Analysis, Confidence};
use clp_schemas::permissions::{
    PermissionDocument, PermissionSet, Recorded, Risk, Verdict, compare, consent, refused, risk,
};
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;
use serde_json::json;
use url::Url;

use super::Session;
use super::rotate::narrower::Replacement;
use super::scope::{LANGUAGE, risk_name};
use crate::error::{Error, ProtocolFault};
use crate::render::{Outcome, clean};
use crate::sabotage::Sabotage;
use crate::wanted::Span;

/// How a credential is looked at, and replaced.
#[derive(Args, Debug)]
pub(super) struct OverbroadArgs {
    /// Uses from this time on count [example: 2026-11-01T00:00:00Z]
    #[arg(long, value_name = "TIME", requires = "credential")]
    since: Option<Timestamp>,
    /// Replace it by a narrower one without asking
    #[arg(long, visible_alias = "yes", requires = "credential")]
    replace: bool,
    /// For the replacement: the old one has to be unused for so long before it goes
    #[arg(long, value_name = "SPAN", requires = "credential")]
    quiet: Option<Span>,
    /// For the replacement: see that each place works by a GET of this URL
    #[arg(long, value_name = "URL", requires = "credential")]
    health: Option<Url>,
    /// For the replacement: see it by this command, which finds the secret in the variable of the place
    #[arg(
        long,
        value_name = "COMMAND",
        requires = "credential",
        conflicts_with = "health"
    )]
    health_cmd: Option<String>,
    /// For the replacement: no place is declared, and you know that none uses it
    #[arg(long, requires = "credential")]
    no_places: bool,
    /// For the replacement: wait for the gates for so long
    #[arg(long, value_name = "SPAN", requires = "credential")]
    wait: Option<Span>,
}

impl OverbroadArgs {
    fn replacement(&self) -> Replacement {
        Replacement {
            quiet: self.quiet,
            health: self.health.clone(),
            health_cmd: self.health_cmd.clone(),
            wait: self.wait,
            no_places: self.no_places,
        }
    }
}

/// What was found out about one credential.
struct Finding {
    credential: Credential,
    document: PermissionDocument,
    analysis: Analysis,
    /// What would replace its permissions: the set that the caller gave, or the issuer's.
    narrower: Option<PermissionSet>,
    /// What of the recorded accesses that would have refused, replayed here.
    refused: Vec<Recorded>,
}

impl Finding {
    /// Holds a set against what is held and what was recorded. That of the issuer has to be
    /// sound: it is what the credential is about to be replaced by (CLP-SCO-014).
    fn new(
        credential: Credential,
        document: PermissionDocument,
        analysis: Analysis,
        given: Option<PermissionSet>,
        sabotage: Sabotage,
    ) -> Result<Self, Error> {
        let held = &credential.permissions;
        let recorded = || analysis.recorded.iter().map(|one| &one.access);
        if let Some(set) = &analysis.recommended {
            let sound = compare(&document, set, held).verdict == Verdict::Narrower
                && refused(&document, set, recorded()).is_empty();
            if !sound && !sabotage.breaks("CLP-SCO-014") {
                return Err(ProtocolFault::Mismatch("the recommended permissions").into());
            }
        }
        if let Some(set) = &given {
            let comparison = compare(&document, set, held);
            if comparison.verdict != Verdict::Narrower {
                let why = comparison.counterexample.unwrap_or_default();
                return Err(Error::Unverified(format!(
                    "the permissions are not narrower than the credential's: {}",
                    clean(&why)
                )));
            }
        }
        let narrower = given.or_else(|| analysis.recommended.clone());
        let refused = narrower
            .as_ref()
            .filter(|_| !sabotage.breaks("CLP-SCO-014"))
            .map(|set| refused(&document, set, recorded()))
            .unwrap_or_default();
        Ok(Self {
            credential,
            document,
            analysis,
            narrower,
            refused,
        })
    }

    fn lines(&self, set: &PermissionSet) -> Result<String, Error> {
        let lines = consent(&self.document, set, LANGUAGE)
            .map_err(|fault| Error::Unverified(fault.to_string()))?;
        Ok(lines
            .iter()
            .map(|line| format!("  - {}\n", clean(line)))
            .collect())
    }

    /// What it was used for, and what it never was.
    fn used(&self) -> String {
        let Analysis {
            uses, since, as_of, ..
        } = &self.analysis;
        let mut text = match uses {
            0 => format!("it was not used from {since} to {as_of}\n"),
            1 => format!("it was used once from {since} to {as_of}\n"),
            _ => format!("it was used {uses} times or more from {since} to {as_of}\n"),
        };
        for (words, wanted) in [("it was used for", true), ("it was never used for", false)] {
            let mut names: Vec<String> = self
                .analysis
                .atoms
                .iter()
                .filter(|atom| atom.used == wanted)
                .map(|atom| {
                    format!(
                        "{} {} on {}",
                        clean(&atom.statement.actions.join(", ")),
                        clean(&atom.statement.resource_type),
                        clean(&atom.statement.selector.to_string())
                    )
                })
                .collect();
            names.sort_unstable();
            names.dedup();
            if !names.is_empty() {
                text.push_str(&format!("{words}: {}\n", names.join("; ")));
            }
        }
        text
    }

    fn report(&self, set: &PermissionSet) -> serde_json::Value {
        json!({
            "analysis": self.analysis,
            "narrower": set,
            "would_refuse": self.refused,
        })
    }

    fn text(&self) -> Result<String, Error> {
        let Self {
            credential,
            analysis,
            ..
        } = self;
        let held = &credential.permissions;
        let mut text = format!(
            "{} ({}, project {}, {}) may, with risk {}:\n{}",
            credential.id,
            clean(&credential.purpose),
            clean(&credential.project),
            clean(&credential.environment),
            risk_name(risk(&self.document, held)),
            self.lines(held)?
        );
        text.push_str(&self.used());
        let Some(set) = &self.narrower else {
            text.push_str("nothing narrower is known to be enough: it stays as it is\n");
            return Ok(text);
        };
        let risk: Risk = risk(&self.document, set);
        text.push_str(&format!(
            "a narrower one may, with risk {}:\n{}",
            risk_name(risk),
            self.lines(set)?
        ));
        match self.refused.as_slice() {
            [] => text.push_str("none of the calls on record would have been refused\n"),
            some => {
                for one in some {
                    text.push_str(&format!(
                        "it would have refused: {} on {} {}\n",
                        clean(&one.action),
                        clean(&one.resource_type),
                        clean(&one.path)
                    ));
                }
            }
        }
        text.push_str(confidence(analysis));
        Ok(text)
    }
}

fn confidence(analysis: &Analysis) -> &'static str {
    match (analysis.confidence, analysis.complete) {
        (Confidence::High, _) => "confidence: high\n",
        (Confidence::Medium, _) => "confidence: medium; what runs once a month may not have run\n",
        (Confidence::Low, true) => {
            "confidence: low, since little was seen, or for a short time only\n"
        }
        (Confidence::Low, false) => {
            "confidence: low, since more kinds of calls were seen than are kept\n"
        }
    }
}

/// Shows what a credential opens beside what was used, and replaces it if that is wanted.
pub(super) async fn run(
    id: &CredentialId,
    given: Option<PermissionSet>,
    args: &OverbroadArgs,
    session: &Session,
) -> Result<Outcome, Error> {
    let client = session.client()?;
    let credential = client.credential(id).await?;
    let digest = Some(credential.permission_schema_digest.as_str());
    let document = client.permission_document(digest).await?;
    let analysis = client.analyse(id, args.since).await?;
    if credential.state == State::Retiring && args.replace {
        // An earlier run may have begun it, or somebody else a rotation of another kind.
        let successor = args.replacement().successor(&credential, &client).await?;
        begun(
            &document,
            &credential,
            &successor,
            given.as_ref(),
            &analysis,
        )?;
        return args
            .replacement()
            .go_on(successor, &credential, &client, session)
            .await;
    }
    // One that nobody has fetched yet is refused by the issuer, in its own words.
    let can_go = matches!(credential.state, State::Active | State::Provisioned);
    if args.replace && !can_go {
        return Err(Error::Unverified(format!(
            "the credential is {}: one that is not in use is not replaced",
            credential.state
        )));
    }
    let finding = Finding::new(credential, document, analysis, given, session.sabotage())?;
    let text = finding.text()?;
    let Some(set) = finding.narrower.clone() else {
        return Outcome::new(&finding.analysis, text);
    };
    if args.replace && !finding.refused.is_empty() {
        return Err(Error::Unverified(format!(
            "{} of the calls on record would have been refused: nothing was replaced",
            finding.refused.len()
        )));
    }
    if !can_go {
        let text = format!(
            "{text}it is {}, so it is not replaced\n",
            finding.credential.state
        );
        return Outcome::new(&finding.report(&set), text);
    }
    if args.replace || session.asked(&format!("{text}\nreplace it by the narrower one?"))? {
        if args.replace {
            session.say(&text);
        }
        return args
            .replacement()
            .carry_out(id, set, &client, session)
            .await;
    }
    let next = format!(
        "next: run `clp scope {id} --replace` to replace it by the narrower one, with --health to see that each place works\n"
    );
    Outcome::new(&finding.report(&set), format!("{text}{next}"))
}

/// Whether the rotation that is under way is the one that was asked for: its successor opens
/// less, what was given where something was given, and nothing of what was recorded is refused.
fn begun(
    document: &PermissionDocument,
    predecessor: &Credential,
    successor: &Credential,
    given: Option<&PermissionSet>,
    analysis: &Analysis,
) -> Result<(), Error> {
    let set = &successor.permissions;
    let verdict = |other: &PermissionSet| compare(document, set, other).verdict;
    let is_wanted = verdict(&predecessor.permissions) == Verdict::Narrower
        && given.is_none_or(|given| verdict(given) == Verdict::Equal);
    if !is_wanted {
        return Err(Error::Unverified(format!(
            "another rotation of it is under way, to {}: let that one end first, by `clp rotate --resume` or `--rollback`",
            successor.id
        )));
    }
    let recorded = analysis.recorded.iter().map(|one| &one.access);
    let refused = refused(document, set, recorded).len();
    if refused > 0 {
        return Err(Error::Unverified(format!(
            "{refused} of the calls on record would be refused by {}, which is to replace it: nothing was changed",
            successor.id
        )));
    }
    Ok(())
}
