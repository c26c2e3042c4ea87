//! What can go wrong with the state. It is the issuer's fault, and says nothing to the peer.

use clp_schemas::problem::{Problem, ProblemType};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// SQLite failed.
    #[error("the database failed")]
    Database(#[from] rusqlite::Error),
    /// A record does not read back as what was written.
    #[error("a stored record cannot be read")]
    Record(#[from] serde_json::Error),
    /// A stored value has another form than was written.
    #[error("a stored {0} is malformed")]
    Value(&'static str),
    /// A sealed value does not open: it was changed, or the keys are others.
    #[error("a sealed value does not open")]
    Seal,
    /// The operating system has no randomness.
    #[error("no randomness")]
    Randomness,
    /// A key cannot be made.
    #[error("no key can be made")]
    Key(#[from] clp_schemas::key::KeyFault),
    /// A log entry cannot be built.
    #[error("a log entry cannot be built")]
    Leaf(#[from] clp_schemas::audit::leaf::LeafFault),
    /// The tree of the log is not whole.
    #[error("the log is not whole")]
    Tree,
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// The directory or a file in it cannot be used.
    #[error("the data directory cannot be used")]
    File(#[from] std::io::Error),
    /// The data directory can be read by others.
    #[error("the data directory can be read by others than its owner; want mode 0700")]
    Readable,
    /// Another process has the data directory.
    #[error("the data directory is in use by another process")]
    InUse,
    /// The file of keys can be read by others, or holds no keys.
    #[error("{0}")]
    KeyFile(&'static str),
    /// The transaction ended before its time, as on a full disk.
    #[error("the database ended the transaction")]
    Ended,
    /// Somebody else reads the database.
    #[error("the database is in use")]
    Busy,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoTenant => ProblemType::NotFound.into(),
            Fault::Closed => ProblemType::Unavailable.into(),
            other => {
                // The text of a fault is fixed. Of the causes, SQLite's alone holds no value out of
                // a record.
                let cause = match &other {
                    Fault::Database(cause) => cause.to_string(),
                    _ => String::new(),
                };
                tracing::error!(fault = %other, cause, "the store failed");
                ProblemType::Internal.into()
            }
        }
    }
}
