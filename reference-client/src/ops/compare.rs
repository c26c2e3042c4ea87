//! Compare two permission sets that stand in files, by a document that does (spec chapter 04).

use std::path::{Path, PathBuf};

use clap::Args;
use clp_schemas::json;
use clp_schemas::permissions::{PermissionDocument, Verdict, compare};

use super::Session;
use crate::error::{Error, ProtocolFault};
use crate::render::{Outcome, clean};
use crate::wanted::{permission_file, read_file};

/// Compare two permission sets: is the first within the second?
#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    /// A JSON file with the first set
    first: PathBuf,
    /// A JSON file with the second
    second: PathBuf,
    /// The permission document as a JSON file, and no issuer is asked; by default the issuer's
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

pub(super) async fn run(args: &CompareArgs, session: &Session) -> Result<Outcome, Error> {
    let first = permission_file(&args.first)?;
    let second = permission_file(&args.second)?;
    let document = match &args.document {
        Some(path) => document_file(path)?,
        None => session.client()?.permission_document(None).await?,
    };
    let comparison = compare(&document, &first, &second);
    let why = clean(comparison.counterexample.as_deref().unwrap_or_default());
    match comparison.verdict {
        Verdict::Equal => Outcome::new(
            &comparison,
            "equal: both open exactly the same\n".to_owned(),
        ),
        Verdict::Narrower => Outcome::new(
            &comparison,
            "narrower: the second opens all of the first, and more\n".to_owned(),
        ),
        Verdict::Broader => Err(Error::Unverified(format!("the first is broader: {why}"))),
        Verdict::Incomparable => Err(Error::Unverified(format!(
            "the first is not shown to stay within the second: {why}"
        ))),
    }
}

/// Reads a permission document from a file, and checks it.
fn document_file(path: &Path) -> Result<PermissionDocument, Error> {
    let value = json::parse(&read_file(path)?, json::Limits::default())
        .map_err(|fault| Error::usage(format!("the document cannot be read: {fault}")))?;
    let document: PermissionDocument = serde_json::from_value(value)
        .map_err(|_| Error::usage("the file does not hold a permission document"))?;
    document.check().map_err(ProtocolFault::from)?;
    Ok(document)
}
