//! The issuer as a process of its own, with its state in a file: killed and started again.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::Stopped;
use crate::draw::Draw;

/// How long one may take to open its ports.
const START: Duration = Duration::from_secs(60);
/// Ports below those that systems hand out by themselves, and of five digits.
const PORTS: (u16, u16) = (10_000, 30_000);

/// A process that is started, killed, and started again at the same ports.
pub struct IssuerProcess {
    program: PathBuf,
    folder: PathBuf,
    violate: Option<String>,
    /// Where the persona listens.
    pub port: u16,
    /// Where test control listens.
    pub control: u16,
    child: Mutex<Option<Child>>,
    /// Even while it is up.
    epoch: AtomicU64,
}

impl IssuerProcess {
    /// One with its state in a folder, broken where that is wanted. It is not started yet.
    ///
    /// # Errors
    /// Where no ports are free, or the folder cannot be written to.
    pub async fn new(
        folder: &Path,
        violate: Option<&str>,
        draw: &mut Draw,
    ) -> Result<Self, Stopped> {
        let (port, control) = free(draw).await?;
        let text = format!(
            "[[personas]]\nbuilt_in = \"exampleapi\"\nport = {port}\n\n[control]\nport = {control}\n"
        );
        std::fs::write(folder.join("issuer.toml"), text).map_err(Stopped::system)?;
        Ok(Self {
            program: std::env::current_exe().map_err(Stopped::system)?,
            folder: folder.to_owned(),
            violate: violate.map(str::to_owned),
            port,
            control,
            child: Mutex::default(),
            epoch: AtomicU64::new(1),
        })
    }

    /// The state of the issuer, its keys and its database.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where the persona is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A number that is another one after each kill and each start; even while it is up.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Whether it is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.epoch().is_multiple_of(2)
    }

    /// Kills it, unless it is dead.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = &mut *child
            && self.is_up()
        {
            self.epoch.fetch_add(1, Ordering::SeqCst);
            // SIGKILL; one that has ended by itself is found out by its silence.
            let _ = child.start_kill();
        }
    }

    /// Starts it where it is dead, and waits until it is up.
    ///
    /// # Errors
    /// Where it does not come up.
    pub async fn start(&self) -> Result<(), Stopped> {
        if self.is_up() {
            return Ok(());
        }
        let dead = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut dead) = dead {
            dead.wait().await.map_err(Stopped::system)?;
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(Stopped::system)?;
        let mut command = Command::new(&self.program);
        command.args(["subject-issuer", "--config"]);
        command.arg(self.folder.join("issuer.toml"));
        command.arg("--data").arg(self.data());
        command.arg("--control-token-file").arg(self.token_file());
        if let Some(name) = &self.violate {
            command.args(["--violate", name]);
        }
        let mut child = command
            .env_remove("CLP_CONTROL_TOKEN")
            .env("CLP_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(Stopped::system)?;
        let up = async {
            let mut lines = BufReader::new(child.stdout.take()?).lines();
            lines.next_line().await.ok().flatten()
        };
        let line = tokio::time::timeout(START, up).await.ok().flatten();
        if line.is_none() {
            let said = std::fs::read_to_string(self.log()).unwrap_or_default();
            let last = said.lines().next_back().unwrap_or_default();
            return Err(Stopped::new(format!(
                "the issuer does not come up again: {last}"
            )));
        }
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// What it logged, over all its lives.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("issuer.log")
    }

    /// Where it leaves the token of test control.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.folder.join("control-token")
    }
}

/// Two ports that nobody has.
async fn free(draw: &mut Draw) -> Result<(u16, u16), Stopped> {
    for _ in 0..200 {
        let span = usize::from(PORTS.1 - PORTS.0);
        let port = PORTS.0 + u16::try_from(draw.below(span)).unwrap_or_default();
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let second = TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).await;
        if first.is_ok() && second.is_ok() {
            return Ok((port, port + 1));
        }
    }
    Err(Stopped::new("no two ports are free".to_owned()))
}
