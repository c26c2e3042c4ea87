//! Scope: what permissions exist, what they mean, and whether some stay within others (spec
//! chapters 04 and 14).

use clap::{Args, Subcommand};
use clp_schemas::ids::CredentialId;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::create::{CredentialPath, CredentialRead};
use clp_schemas::ops::discover::{DocumentQuery, PermissionDocumentRead};
use clp_schemas::permissions::{
    self, Comparison, PermissionDocument, PermissionSet, Verdict, check_against, consent, risk,
};
use serde_json::json;

use super::Session;
use super::analyse::{self, AnalyseArgs};
use super::compare::{self, CompareArgs};
use super::overbroad::{self, OverbroadArgs};
use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{Outcome, clean, table};
use crate::wanted::PermissionArgs;

/// Language of the lines that a person is shown; `consent` falls back to what there is.
pub(crate) const LANGUAGE: &str = "en";

impl Client {
    /// The permission document with this digest, or the one in force, checked.
    ///
    /// # Errors
    /// [`ProtocolFault::OtherDocument`] if its computed digest is another (CLP-DIS-019);
    /// [`ProtocolFault::Document`] if it cannot be relied on; otherwise as every call.
    pub async fn permission_document(
        &self,
        digest: Option<&str>,
    ) -> Result<PermissionDocument, Error> {
        let query = DocumentQuery {
            digest: digest.map(str::to_owned),
        };
        let document = self
            .call::<PermissionDocumentRead>(&Nothing {}, &query, &Nothing {})
            .await?;
        if !self.sabotage.breaks("CLP-PRM-004") {
            document.check().map_err(ProtocolFault::from)?;
        }
        let other = digest.is_some_and(|digest| digest != document.digest());
        if other && !self.sabotage.breaks("CLP-DIS-019") {
            return Err(ProtocolFault::OtherDocument.into());
        }
        Ok(document)
    }

    /// How a set of permissions relates to what a credential opens, each by the document that
    /// was in force when the credential was minted.
    ///
    /// # Errors
    /// As [`Client::permission_document`].
    pub async fn compare_with(
        &self,
        set: &PermissionSet,
        credential: &clp_schemas::ops::create::Credential,
    ) -> Result<Comparison, Error> {
        let digest = Some(credential.permission_schema_digest.as_str());
        let document = self.permission_document(digest).await?;
        Ok(permissions::compare(
            &document,
            set,
            &credential.permissions,
        ))
    }
}

/// Show what permissions exist, what a credential needs of those it has, or compare some
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ScopeArgs {
    #[command(subcommand)]
    command: Option<ScopeCommand>,
    /// Is this credential broader than what it is used for? If so, replace it, once you say so;
    /// with --allow or --permissions, by that instead of what the issuer recommends
    #[arg(conflicts_with_all = ["digest", "of", "check"])]
    credential: Option<CredentialId>,
    /// Show the document with this digest instead of the one in force
    #[arg(long, value_name = "sha256:HEX", conflicts_with_all = ["check", "of"])]
    digest: Option<String>,
    /// Show what a credential opens; with --check, whether it opens all that is asked about
    #[arg(long, value_name = "ID")]
    of: Option<CredentialId>,
    /// Check permissions given with --allow or --permissions
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    permissions: PermissionArgs,
    #[command(flatten)]
    overbroad: OverbroadArgs,
}

#[derive(Subcommand, Debug)]
enum ScopeCommand {
    Analyse(AnalyseArgs),
    Compare(CompareArgs),
}

pub(crate) async fn run(args: &ScopeArgs, session: &Session) -> Result<Outcome, Error> {
    match &args.command {
        Some(ScopeCommand::Analyse(args)) => return analyse::run(args, session).await,
        Some(ScopeCommand::Compare(args)) => return compare::run(args, session).await,
        None => {}
    }
    if let Some(id) = &args.credential {
        let given = args.permissions.given().then(|| args.permissions.set());
        return overbroad::run(id, given.transpose()?, &args.overbroad, session).await;
    }
    let client = session.client()?;
    let asked = match args.check || args.permissions.given() {
        true => Some(args.permissions.set()?),
        false => None,
    };
    match (&args.of, asked) {
        (None, None) => {
            let document = client.permission_document(args.digest.as_deref()).await?;
            Outcome::new(&document, document_text(&document))
        }
        (None, Some(set)) => meaning(&client.permission_document(None).await?, &set),
        (Some(id), asked) => {
            let path = CredentialPath {
                credential_id: id.clone(),
            };
            let credential = client
                .call::<CredentialRead>(&path, &Nothing {}, &Nothing {})
                .await?;
            let Some(set) = asked else {
                let digest = Some(credential.permission_schema_digest.as_str());
                let document = client.permission_document(digest).await?;
                return meaning(&document, &credential.permissions);
            };
            let mut comparison = client.compare_with(&set, &credential).await?;
            let sabotage = session.sabotage();
            let overlooks = match comparison.verdict {
                Verdict::Broader => sabotage.breaks("CLP-PRM-013"),
                Verdict::Incomparable => sabotage.breaks("CLP-PRM-014"),
                _ => false,
            };
            if overlooks {
                comparison.verdict = Verdict::Narrower;
            }
            within(&comparison)
        }
    }
}

/// What a set means in words, and how risky it is; or where it has no meaning.
fn meaning(document: &PermissionDocument, set: &PermissionSet) -> Result<Outcome, Error> {
    // Any environment does: it is the permissions that are asked about.
    let environment = document.environments.first().map_or("", String::as_str);
    check_against(document, set, environment)
        .map_err(|fault| Error::Unverified(fault.to_string()))?;
    let lines =
        consent(document, set, LANGUAGE).map_err(|fault| Error::Unverified(fault.to_string()))?;
    let risk = risk(document, set);
    let mut text = String::new();
    for line in &lines {
        text.push_str(&format!("- {}\n", clean(line)));
    }
    text.push_str(&format!("risk: {}\n", risk_name(risk)));
    Outcome::new(
        &json!({"consent": lines, "risk": risk, "permission_schema_digest": document.digest()}),
        text,
    )
}

fn within(comparison: &Comparison) -> Result<Outcome, Error> {
    let why = comparison.counterexample.as_deref().unwrap_or_default();
    match comparison.verdict {
        Verdict::Equal => Outcome::new(
            comparison,
            "equal: the credential opens exactly this\n".to_owned(),
        ),
        Verdict::Narrower => Outcome::new(
            comparison,
            "narrower: the credential opens all of this, and more\n".to_owned(),
        ),
        Verdict::Broader => Err(Error::Unverified(format!(
            "broader than the credential: {}",
            clean(why)
        ))),
        Verdict::Incomparable => Err(Error::Unverified(format!(
            "not shown to stay within the credential: {}",
            clean(why)
        ))),
    }
}

pub(crate) fn risk_name(risk: clp_schemas::permissions::Risk) -> &'static str {
    use clp_schemas::permissions::Risk;
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

fn document_text(document: &PermissionDocument) -> String {
    let rows = document
        .resource_types
        .iter()
        .flat_map(|(name, definition)| {
            definition.actions.iter().map(move |(action, meaning)| {
                let text = meaning
                    .consent
                    .get(LANGUAGE)
                    .or_else(|| meaning.consent.values().next());
                vec![
                    name.clone(),
                    action.clone(),
                    risk_name(meaning.risk).to_owned(),
                    meaning.implied().join(", "),
                    text.cloned().unwrap_or_default(),
                ]
            })
        });
    let actions = table(
        &["type", "action", "risk", "implies", "meaning"],
        rows,
        "no permissions",
    );
    let constraints = document
        .resource_types
        .iter()
        .flat_map(|(name, definition)| {
            let defined = definition.constraints.iter().flatten();
            defined.map(move |(constraint, meaning)| {
                let kind = kind_name(meaning.kind);
                vec![name.clone(), constraint.clone(), kind]
            })
        });
    let constraints = table(
        &["type", "constraint", "kind"],
        constraints,
        "no constraints",
    );
    format!(
        "version {}, digest {}\nenvironments: {}\n\n{actions}\n{constraints}",
        clean(&document.version),
        document.digest(),
        document.environments.join(", "),
    )
}

fn kind_name(kind: clp_schemas::permissions::ConstraintKind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
