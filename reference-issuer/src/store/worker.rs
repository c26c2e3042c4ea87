//! The one thread that touches the database.

use std::cell::Cell;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::{Fault, Gate, Keys};
use crate::seams::Seams;

/// Tells whoever asked, once it is known whether the commit went through.
pub(super) type Completion = Box<dyn FnOnce(bool) + Send>;
/// One call's work on the state.
pub(super) type Job = Box<dyn for<'c> FnOnce(&Gate<'c>) -> Completion + Send>;

/// The name of the database in the data directory.
const FILE: &str = "issuer.db";

/// The most jobs that share a commit, so that the first of them does not wait for long.
const BATCH: usize = 256;

/// How long an issuer that is broken so leaves open what it has answered.
const HASTE: Duration = Duration::from_millis(40);

/// The schema that this version writes. Another one is refused rather than guessed at.
const SCHEMA_VERSION: i64 = 5;

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
    pub(super) fn start(directory: Option<&Path>, seams: Seams) -> Result<Self, Fault> {
        let (connection, keys, lock) = match directory {
            Some(directory) => {
                let lock = take(directory)?;
                let keys = Keys::load_or_make(directory)?;
                (open(&directory.join(FILE))?, keys, Some(lock))
            }
            None => (Connection::open_in_memory()?, Keys::ephemeral()?, None),
        };
        prepare(&connection)?;
        let keys = Arc::new(keys);
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn({
                let keys = Arc::clone(&keys);
                move || {
                    serve(&connection, &keys, seams, &waiting);
                    // The directory is free for somebody else once the database is closed.
                    drop(connection);
                    drop(lock);
                }
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

/// Makes the data directory where there is none, and takes it for this process alone.
fn take(directory: &Path) -> Result<File, Fault> {
    // Nobody else has a reason to look into it.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let opened = File::open(directory)?;
    if directory.read_dir()?.next().is_none() {
        // Somebody has made it for us.
        opened.set_permissions(Permissions::from_mode(0o700))?;
    }
    if opened.metadata()?.permissions().mode() & 0o077 != 0 {
        return Err(Fault::Readable);
    }
    match opened.try_lock() {
        Ok(()) => Ok(opened),
        Err(TryLockError::WouldBlock) => Err(Fault::InUse),
        Err(TryLockError::Error(fault)) => Err(fault.into()),
    }
}

/// Opens the database. SQLite gives the files beside it the mode that it has itself.
fn open(path: &Path) -> Result<Connection, Fault> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(Connection::open(path)?)
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
        // A run that broke off may have left behind what it had erased.
        SCHEMA_VERSION => empty_wal(connection),
        _ => Err(Fault::Value("schema version")),
    }
}

fn serve(connection: &Connection, keys: &Keys, seams: Seams, waiting: &Receiver<Job>) {
    let erased = Cell::new(false);
    let gate = Gate::new(connection, keys, &erased, seams);
    while let Ok(first) = waiting.recv() {
        let mut completions = Vec::new();
        let committed = connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(Fault::from)
            .and_then(|()| {
                let mut next = Some(first);
                while let Some(job) = next {
                    completions.push(job(&gate));
                    // Where the disk is full, SQLite ends the transaction by itself. What came
                    // before is lost with it, and what came after would stand alone.
                    if connection.is_autocommit() {
                        return Err(Fault::Ended);
                    }
                    next = match completions.len() < BATCH {
                        true => waiting.try_recv().ok(),
                        false => None,
                    };
                }
                if seams.hasty {
                    completions.drain(..).for_each(|answer| answer(true));
                    std::thread::sleep(HASTE);
                }
                Ok(connection.execute_batch("COMMIT")?)
            });
        if let Err(fault) = &committed {
            tracing::error!(%fault, "cannot commit");
            if !connection.is_autocommit() {
                // Where even this fails, the next BEGIN fails too and says so.
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        if erased.take()
            && let Err(fault) = empty_wal(connection)
        {
            tracing::error!(%fault, "the write-ahead log keeps what was erased");
            erased.set(true);
        }
        for completion in completions {
            completion(committed.is_ok());
        }
    }
}

/// Moves the write-ahead log into the database and truncates it: older copies of pages, and what
/// has been erased from them since, are then in no file.
fn empty_wal(connection: &Connection) -> Result<(), Fault> {
    let busy: bool = connection
        .prepare_cached("PRAGMA wal_checkpoint(TRUNCATE)")?
        .query_row([], |row| row.get(0))?;
    match busy {
        true => Err(Fault::Busy),
        false => Ok(()),
    }
}
