//! Read the record of a decision, and verify it offline: what anybody can compute from its record, and what only the issuer
//! vouches for (spec chapter 12). Nothing is
//! sent to verify it.

use std::path::PathBuf;

use clap::Args;
use clp_schemas::approval::Decision;
use clp_schemas::approval::record::{self, RecordFault, Report};
use clp_schemas::approval::webauthn::PasskeyFault;
use clp_schemas::ids::{ApprovalId, RequestId};
use clp_schemas::json;
use clp_schemas::ops::Nothing;
use clp_schemas::ops::approve::{ApprovalPath, ApprovalRead, ApprovalRecord};
use clp_schemas::state::Named as _;
use serde_json::Value;

use crate::client::Client;
use crate::error::{Error, ProtocolFault};
use crate::render::{Facts, Outcome, clean};
use crate::sabotage::Sabotage;
use crate::wanted::read_file;

impl Client {
    /// Reads a decision, with what proves it.
    ///
    /// # Errors
    /// As every call; [`ProtocolFault::Mismatch`] if the answer is about another.
    pub async fn approval_record(
        &self,
        request: &RequestId,
        approval: &ApprovalId,
    ) -> Result<ApprovalRecord, Error> {
        let path = ApprovalPath {
            request_id: request.clone(),
            approval_id: approval.clone(),
        };
        let record = self
            .call::<ApprovalRead>(&path, &Nothing {}, &Nothing {})
            .await?;
        let is_it = record.approval.id == *approval && record.approval.request_id == *request;
        is_it
            .then_some(record)
            .ok_or_else(|| ProtocolFault::Mismatch("the approval").into())
    }
}

/// Shows a decision; as JSON, the record for `clp verify approval`.
pub(super) async fn show(
    client: &Client,
    request: &RequestId,
    approval: &ApprovalId,
) -> Result<Outcome, Error> {
    let record = client.approval_record(request, approval).await?;
    let text = match record::verify(&record) {
        Ok(report) => text(&report),
        Err(fault) => {
            let mut facts = Facts::default();
            facts
                .add("verdict", format!("nothing is proved: {fault}"))
                .add("decision", record.approval.decision.as_str())
                .add("method", record.approval.method.name());
            facts.text()
        }
    };
    Outcome::new(&record, text)
}

#[derive(Args, Debug)]
pub(super) struct ApprovalFileArgs {
    /// The file, for instance from `clp show REQUEST --approval ID --json`
    file: PathBuf,
    /// Require that this was decided on, by its digest
    // A digest in base64url can begin with a hyphen.
    #[arg(long, value_name = "DIGEST", allow_hyphen_values = true)]
    digest: Option<String>,
    /// Require that this was decided on: a request, for instance from `clp show REQUEST --json`
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Require this decision
    #[arg(long, value_name = "approve|deny", value_parser = decision)]
    decision: Option<Decision>,
}

fn decision(text: &str) -> Result<Decision, &'static str> {
    [Decision::Approve, Decision::Deny]
        .into_iter()
        .find(|one| one.as_str() == text)
        .ok_or("want approve or deny")
}

pub(super) fn run(args: &ApprovalFileArgs, sabotage: Sabotage) -> Result<Outcome, Error> {
    let bytes = read_file(&args.file)?;
    let checked = record::from_bytes(&bytes).and_then(|record| {
        let report = record::verify(&record)?;
        Ok((record, report))
    });
    let (record, mut report) = match checked {
        Err(fault) if sabotage.breaks(requirement(&fault)) => {
            let believed = serde_json::json!({"decision": "approve"});
            return Outcome::new(&believed, String::new());
        }
        other => other.map_err(unproved)?,
    };
    if sabotage.breaks("CLP-APP-114") {
        report.vouched_by_issuer.clear();
    }
    require(args, &record, &report)?;
    Outcome::new(&report, text(&report))
}

fn unproved(fault: RecordFault) -> Error {
    Error::Unverified(fault.to_string())
}

/// Whether the record is of what the reader expects.
fn require(args: &ApprovalFileArgs, record: &ApprovalRecord, report: &Report) -> Result<(), Error> {
    let unmet = |what: &str| Err(Error::Unverified(what.to_owned()));
    if args
        .digest
        .as_ref()
        .is_some_and(|digest| *digest != report.digest)
    {
        return unmet("something else was decided on than what has the digest required");
    }
    if let Some(path) = &args.request
        && document_of(path)? != record.approval_document
    {
        return unmet("something else was decided on than the request required");
    }
    if args
        .decision
        .is_some_and(|decision| decision != report.decision)
    {
        return unmet("another decision was taken than the one required");
    }
    Ok(())
}

/// The approval document of a request in a file.
fn document_of(path: &std::path::Path) -> Result<Value, Error> {
    json::parse(&read_file(path)?, json::Limits::default())
        .ok()
        .and_then(|mut request| request.get_mut("approval_document").map(Value::take))
        .ok_or_else(|| Error::usage("the request file does not hold a request with a document"))
}

/// The requirement by which a fault is one.
fn requirement(fault: &RecordFault) -> &'static str {
    match fault {
        RecordFault::Unreadable(_) | RecordFault::Form => "CLP-APP-115",
        RecordFault::Document(_)
        | RecordFault::Digest
        | RecordFault::Challenge
        | RecordFault::Evidence(PasskeyFault::Challenge) => "CLP-APP-110",
        RecordFault::Parts => "CLP-APP-111",
        RecordFault::NoEvidence
        | RecordFault::Method
        | RecordFault::Evidence(_)
        | RecordFault::NotCheckable => "CLP-APP-112",
        RecordFault::Registration(_) | RecordFault::OtherKey => "CLP-APP-113",
    }
}

/// A report as a person reads it.
pub(super) fn text(report: &Report) -> String {
    let mut facts = Facts::default();
    facts
        .add("verdict", "the decision is proved")
        .add("decision", report.decision.as_str())
        .add("approver", report.approver.as_str())
        .add("requester", report.requester.as_str())
        .add("method", report.method.name())
        .add_some("model", report.model.as_deref())
        .add("issuer", &report.issuer)
        .add("request", report.request_id.as_str())
        .add("version", report.version.to_string())
        .add("digest", &report.digest);
    let mut text = facts.text();
    let mut list = |title: &str, sentences: &[String]| {
        text.push_str(title);
        text.push('\n');
        for sentence in sentences {
            text.push_str(&format!("  - {}\n", clean(sentence)));
        }
    };
    list("checked, and anybody can:", &report.checked);
    list(
        "only the issuer vouches for this:",
        &report.vouched_by_issuer,
    );
    text
}
