//! The one thread that touches the database.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::{Fault, Gate, Keys};

/// Tells whoever asked, once it is known whether the commit went through.
pub(super) type Completion = Box<dyn FnOnce(bool) + Send>;
/// One call's work on the state.
pub(super) type Job = Box<dyn for<'c> FnOnce(&Gate<'c>) -> Completion + Send>;

/// The most jobs that share a commit, so that the first of them does not wait for long.
const BATCH: usize = 256;

/// The schema that this version writes. Another one is refused rather than guessed at.
const SCHEMA_VERSION: i64 = 2;

#[derive(Debug)]
pub(super) struct Worker {
    keys: Arc<Keys>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

impl Worker {
    pub(super) fn start(directory: Option<&Path>) -> Result<Self, Fault> {
        let (connection, keys) = match directory {
            Some(directory) => {
                // Nobody else has a reason to look into it.
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(directory)?;
                let keys = Keys::load_or_make(directory)?;
                (Connection::open(directory.join("issuer.db"))?, keys)
            }
            None => (Connection::open_in_memory()?, Keys::ephemeral()?),
        };
        prepare(&connection)?;
        let keys = Arc::new(keys);
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn({
                let keys = Arc::clone(&keys);
                move || serve(&connection, &keys, &waiting)
            })?;
        Ok(Self {
            keys,
            running: Mutex::new(Some(Running { jobs, thread })),
        })
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn send(&self, job: Job) -> Result<(), Fault> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_ref().ok_or(Fault::Closed)?;
        running.jobs.send(job).map_err(|_| Fault::Closed)
    }

    /// Lets the thread finish what is waiting, and waits for it.
    pub(super) fn close(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Running { jobs, thread }) = running {
            drop(jobs);
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

fn prepare(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // Names that SQLite reads in double quotes as text hide misspelt columns.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;",
    )?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version {
        0 => {
            connection.execute_batch(&format!(
                "BEGIN; {} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;",
                include_str!("schema.sql")
            ))?;
            Ok(())
        }
        SCHEMA_VERSION => Ok(()),
        _ => Err(Fault::Value("schema version")),
    }
}

fn serve(connection: &Connection, keys: &Keys, waiting: &Receiver<Job>) {
    let gate = Gate::new(connection, keys);
    while let Ok(first) = waiting.recv() {
        let mut completions = Vec::new();
        let committed = connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| {
            completions.push(first(&gate));
            while completions.len() < BATCH
                && let Ok(job) = waiting.try_recv()
            {
                completions.push(job(&gate));
            }
            connection.execute_batch("COMMIT")
        });
        if let Err(fault) = &committed {
            tracing::error!(%fault, "cannot commit");
            if !connection.is_autocommit() {
                // Where even this fails, the next BEGIN fails too and says so.
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        for completion in completions {
            completion(committed.is_ok());
        }
    }
}
