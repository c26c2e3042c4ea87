//! Audit: who did what, and files that prove it (spec chapter 20).

use std::path::PathBuf;

use clap::Args;
use clp_schemas::audit::bundle::{self, Bundle, Continuation};
use clp_schemas::audit::checkpoint::Checkpoint;
use clp_schemas::audit::leaf::{self, Entry};
use clp_schemas::audit::merkle;
use clp_schemas::audit::note::PublicKey;
use clp_schemas::audit::{AuditEntry, ConsistencyProof};
use clp_schemas::canonical;
use clp_schemas::ids::{CredentialId, RotationId};
use clp_schemas::ops::Nothing;
use clp_schemas::ops::audit::{
    AuditCheckpoint, AuditConsistency, AuditEntries, AuditInclusion, AuditPage, ConsistencyQuery,
    EntriesQuery, InclusionQuery,
};
use clp_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::Session;
use crate::client::Client;
use crate::error::{Error, LocalFault, ProtocolFault};
use crate::home::Home;
use crate::render::{Facts, Outcome, table};

/// An entry as it came, and what it says once it is checked against its leaf.
#[derive(Clone, Debug)]
pub struct CheckedEntry {
    /// As it came.
    pub wire: AuditEntry,
    /// What it says.
    pub entry: Entry,
}

impl CheckedEntry {
    fn new(wire: AuditEntry) -> Result<Self, Error> {
        let fault = |what: &str| Error::Unverified(format!("entry {} {what}", wire.index));
        let bytes = canonical::from_base64(&wire.leaf).map_err(|_| fault("is not base64"))?;
        let entry = leaf::check(&bytes, &wire.disclosed)
            .map_err(|reason| fault(&format!("does not stand: {reason}")))?;
        if entry.index != wire.index {
            return Err(fault("stands at another index in its leaf"));
        }
        Ok(Self { wire, entry })
    }
}

/// A checkpoint whose signature was checked.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    /// The signed note.
    pub note: String,
    /// What it says.
    pub head: Checkpoint,
}

impl Client {
    /// Lists entries over as many pages as it takes, until `done` says so for one; each is
    /// checked against its leaf. Says whether there are more.
    ///
    /// # Errors
    /// [`Error::Unverified`] for an entry that does not stand, or that is out of order;
    /// otherwise as every call.
    pub async fn audit_entries(
        &self,
        query: &EntriesQuery,
        mut done: impl FnMut(&[CheckedEntry]) -> bool,
    ) -> Result<(Vec<CheckedEntry>, bool), Error> {
        let issuer = self.issuer().await?;
        let mut query = query.clone();
        let mut entries: Vec<CheckedEntry> = Vec::new();
        loop {
            let page: AuditPage = self
                .call::<AuditEntries>(&Nothing {}, &query, &Nothing {})
                .await?;
            if let Some(log) = &issuer.manifest.audit_log {
                require_origin(&page.log_origin, &log.origin_prefix)?;
            }
            let empty = page.entries.is_empty();
            for wire in page.entries {
                let entry = CheckedEntry::new(wire)?;
                if entries
                    .last()
                    .is_some_and(|last| last.entry.index >= entry.entry.index)
                {
                    return Err(Error::Unverified("the entries are out of order".to_owned()));
                }
                entries.push(entry);
                if done(&entries) {
                    return Ok((entries, true));
                }
            }
            query.cursor = page.next_cursor;
            if empty || query.cursor.is_none() {
                return Ok((entries, false));
            }
        }
    }

    /// Reads the newest checkpoint and checks that the key of the manifest signed it, for a
    /// log of this issuer.
    ///
    /// # Errors
    /// [`Error::Undeclared`] if the log has no proofs; [`Error::Unverified`] if the
    /// checkpoint does not stand; otherwise as every call.
    pub async fn checkpoint(&self) -> Result<(SignedCheckpoint, PublicKey), Error> {
        let issuer = self.issuer().await?;
        let log =
            issuer.manifest.audit_log.as_ref().ok_or_else(|| {
                Error::undeclared_class(clp_schemas::endpoint::Class::AuditProofs)
            })?;
        let key = PublicKey::from_base64(&log.public_key)
            .map_err(|_| ProtocolFault::Mismatch("the key of the audit log"))?;
        let note = self
            .call::<AuditCheckpoint>(&Nothing {}, &Nothing {}, &Nothing {})
            .await?
            .0;
        let head =
            Checkpoint::open(&note, &key).map_err(|fault| Error::Unverified(fault.to_string()))?;
        require_origin(&head.origin, &log.origin_prefix)?;
        Ok((SignedCheckpoint { note, head }, key))
    }

    /// Shows that a newer checkpoint continues an older one of the same log. `None` where
    /// the older tree is empty: every tree continues that.
    ///
    /// # Errors
    /// [`Error::Unverified`] if it does not, or the log shrank (CLP-AUD-023).
    pub async fn continuation(
        &self,
        older: &Checkpoint,
        newer: &Checkpoint,
    ) -> Result<Option<ConsistencyProof>, Error> {
        let broken = |what: &str| Error::Unverified(format!("the log {what}"));
        if older.origin != newer.origin {
            return Err(broken("is another one than before"));
        }
        if newer.tree_size < older.tree_size {
            return Err(broken(
                "is shorter than at the checkpoint kept in CLP_HOME/checkpoints: entries were taken back",
            ));
        }
        if older.tree_size == 0 {
            return Ok(None);
        }
        let query = ConsistencyQuery {
            from: older.tree_size,
            to: newer.tree_size,
        };
        let proof = self
            .call::<AuditConsistency>(&Nothing {}, &query, &Nothing {})
            .await?;
        if (proof.from, proof.to) != (query.from, query.to) {
            return Err(ProtocolFault::Mismatch("the consistency proof").into());
        }
        merkle::verify_consistency(proof.from, proof.to, &proof.hashes, older.root, newer.root)
            .map_err(|_| broken("does not continue the checkpoint kept in CLP_HOME/checkpoints: entries were changed or taken back"))?;
        Ok(Some(proof))
    }
}

/// Requires that a log is one of this issuer's.
pub(crate) fn require_origin(origin: &str, prefix: &str) -> Result<(), Error> {
    let tenant = origin
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('/'));
    match tenant {
        Some(tenant) if !tenant.is_empty() && !tenant.contains('/') => Ok(()),
        _ => Err(Error::Unverified(
            "the log is of another issuer than the manifest".to_owned(),
        )),
    }
}

/// Read the audit log, keep its checkpoints, and write files that prove entries
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// Entries about this credential
    #[arg(long, value_name = "ID")]
    credential: Option<CredentialId>,
    /// Entries of this event [example: credential.revoked]
    #[arg(long)]
    event: Option<String>,
    /// Entries about this rotation
    #[arg(long, value_name = "ID")]
    rotation: Option<RotationId>,
    /// Entries from this time on [example: 2026-11-01T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Entries before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// At most so many entries
    #[arg(long, default_value_t = 200, value_name = "COUNT")]
    limit: usize,
    /// Read, check and keep the newest checkpoint instead
    #[arg(long, conflicts_with_all = ["credential", "event", "rotation", "since", "until", "proof"])]
    checkpoint: bool,
    /// Write a self-contained file that proves the entry at this index
    #[arg(long, value_name = "INDEX", requires = "output", conflicts_with_all = ["credential", "event", "rotation", "since", "until"])]
    proof: Option<u64>,
    /// Where to write it
    #[arg(long, value_name = "FILE", requires = "proof")]
    output: Option<PathBuf>,
    /// Leave this member of the entry out of the file; repeat for more
    #[arg(long, value_name = "MEMBER", requires = "proof")]
    redact: Vec<String>,
}

pub(crate) async fn run(args: &AuditArgs, session: &Session) -> Result<Outcome, Error> {
    let client = session.client()?;
    match (args.proof, &args.output) {
        (Some(index), Some(output)) => {
            prove(index, output, &args.redact, &client, &session.home).await
        }
        _ if args.checkpoint => {
            let seen = advance(&client, &session.home).await?;
            let text = seen.text();
            let value = json!({"checkpoint": seen.newest.note, "origin": seen.newest.head.origin,
                               "tree_size": seen.newest.head.tree_size, "continues": seen.earlier_size()});
            Outcome::new(&value, text)
        }
        _ => entries(args, &client).await,
    }
}

async fn entries(args: &AuditArgs, client: &Client) -> Result<Outcome, Error> {
    let limit = args.limit.max(1);
    let query = EntriesQuery {
        credential_id: args.credential.clone(),
        event: args.event.clone(),
        rotation_id: args.rotation.clone(),
        since: args.since,
        until: args.until,
        limit: u32::try_from(limit.min(200)).ok(),
        cursor: None,
    };
    let (entries, more) = client
        .audit_entries(&query, |entries| entries.len() >= limit)
        .await?;
    let rows = entries.iter().map(|checked| {
        let entry = &checked.entry;
        let value = |name: &str| entry.values.get(name).map(plain).unwrap_or_default();
        let named = ["credential_id", "request_id", "rotation_id"].map(value);
        let about = named
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default();
        vec![
            entry.index.to_string(),
            entry.time.to_string(),
            entry.event.clone(),
            value("actor"),
            about,
            value("project"),
            value("environment"),
            value("reason"),
        ]
    });
    let header = [
        "index",
        "time",
        "event",
        "actor",
        "about",
        "project",
        "environment",
        "reason",
    ];
    let rest = match more {
        true => "there may be more; raise --limit or filter\n",
        false => "",
    };
    let text = format!("{}{rest}", table(&header, rows, "no entry matches"));
    let items: Vec<_> = entries
        .iter()
        .map(|checked| {
            let entry = &checked.entry;
            json!({"index": entry.index, "time": entry.time, "event": entry.event, "members": entry.values,
                   "redacted": entry.redacted, "entry": checked.wire})
        })
        .collect();
    Outcome::new(&json!({"items": items, "more": more}), text)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The newest checkpoint, and how it relates to the one kept before.
struct Seen {
    newest: SignedCheckpoint,
    key: PublicKey,
    earlier: Option<Continuation>,
}

impl Seen {
    fn earlier_size(&self) -> Option<u64> {
        self.earlier.as_ref().map(|earlier| earlier.proof.from)
    }

    fn text(&self) -> String {
        let mut facts = Facts::default();
        facts
            .add("log", &self.newest.head.origin)
            .add("entries", self.newest.head.tree_size.to_string())
            .add("root", self.newest.head.root.to_string())
            .add("signed by", self.key.to_string());
        let kept = match self.earlier_size() {
            Some(size) => format!(
                "it continues the log of {size} entries seen before; kept for the next time\n"
            ),
            None => {
                "it is the first checkpoint seen of this log; kept for the next time\n".to_owned()
            }
        };
        facts.text() + &kept
    }
}

/// How often the log is asked while other runs keep its checkpoints too.
const ATTEMPTS: u32 = 5;

/// Reads the newest checkpoint, requires that it continues the one kept, and keeps it
/// instead. One that does not continue is not kept: the older is the proof against it.
///
/// Another run may keep a newer one meanwhile. It is not overwritten: the log is asked again,
/// and has to continue that one.
async fn advance(client: &Client, home: &Home) -> Result<Seen, Error> {
    for attempt in 1..=ATTEMPTS {
        let (newest, key) = client.checkpoint().await?;
        let origin = &newest.head.origin;
        let kept = match client.sabotage.breaks("CLP-AUD-023") {
            true => None,
            false => home.checkpoint(client.id(), origin)?,
        };
        let older = kept.as_deref().map(|note| Checkpoint::open(note, &key));
        let older = older.transpose().map_err(|_| {
            Error::Unverified(
                "the checkpoint kept in CLP_HOME/checkpoints was signed by another key than the manifest's"
                    .to_owned(),
            )
        })?;
        let proof = match &older {
            None => None,
            // It may have come and been kept after the other was asked for.
            Some(older) if older.tree_size > newest.head.tree_size && attempt == 1 => continue,
            Some(older) => client.continuation(older, &newest.head).await?,
        };
        let forgets = client.sabotage.breaks("CLP-AUD-023");
        if forgets || home.keep_checkpoint(client.id(), origin, kept.as_deref(), &newest.note)? {
            let earlier = kept.zip(proof);
            return Ok(Seen {
                newest,
                key,
                earlier: earlier.map(|(checkpoint, proof)| Continuation { checkpoint, proof }),
            });
        }
    }
    Err(LocalFault::System("other runs keep other checkpoints all the time").into())
}

async fn prove(
    index: u64,
    output: &std::path::Path,
    redact: &[String],
    client: &Client,
    home: &Home,
) -> Result<Outcome, Error> {
    let query = EntriesQuery {
        limit: Some(200),
        ..EntriesQuery::default()
    };
    let (entries, _) = client
        .audit_entries(&query, |entries| {
            entries.last().is_some_and(|last| last.entry.index >= index)
        })
        .await?;
    let mut entry = entries
        .into_iter()
        .map(|checked| checked.wire)
        .find(|entry| entry.index == index)
        .ok_or_else(|| Error::usage("the log shows you no entry with this index"))?;
    for name in redact {
        if entry.disclosed.remove(name).is_none() {
            return Err(Error::usage(
                "the entry has no member of the name given with --redact",
            ));
        }
    }
    // After the entry: the newest tree has everything that was stored before the call.
    let seen = advance(client, home).await?;
    let query = InclusionQuery {
        index,
        tree_size: seen.newest.head.tree_size,
    };
    let proof = client
        .call::<AuditInclusion>(&Nothing {}, &query, &Nothing {})
        .await?;
    let bundle = Bundle {
        checkpoint: seen.newest.note,
        entry,
        proof,
        consistency: seen.earlier,
    };
    // Nothing is handed out that its reader would refuse.
    let report = bundle::verify(&bundle, Some(&seen.key))?;
    let mut bytes = serde_json::to_vec_pretty(&bundle)
        .map_err(|_| LocalFault::System("the bundle cannot be written as JSON"))?;
    bytes.push(b'\n');
    std::fs::write(output, bytes).map_err(LocalFault::file("write", output))?;
    let mut facts = Facts::default();
    facts
        .add("entry", index.to_string())
        .add("event", &report.event)
        .add("log", &report.origin)
        .add("entries in the log", report.tree_size.to_string());
    let text = format!(
        "{}written; anybody can check it offline with `clp verify audit FILE --key {}`\n",
        facts.text(),
        seen.key
    );
    Outcome::new(&report, text)
}
