//! Where an episode plays: an issuer with its state on disk, a way to it, and clients that are
//! started there.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Stopped;
use super::issuer::IssuerProcess;
use super::ledger::Ledger;
use super::proxy::Proxy;
use super::trap::{Kill, Moment, Prey, Sighting, Trap};
use crate::draw::Draw;

/// How long a client may run.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at a client.
const LOOK: Duration = Duration::from_millis(3);

/// What is broken, to see whether somebody notices.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// The issuer, so.
    pub issuer: Option<String>,
    /// The client, so.
    pub client: Option<String>,
}

/// An issuer, and the way to it.
pub struct Stage {
    /// Everything of it.
    pub folder: PathBuf,
    /// The issuer.
    pub issuer: Arc<IssuerProcess>,
    /// What sees and kills.
    pub trap: Arc<Trap>,
    /// What was acknowledged in this episode.
    pub ledger: Arc<Mutex<Ledger>>,
    /// For calls past the way.
    pub http: Client,
    /// The issuer identifier, as clients know it.
    pub identifier: String,
    client_breaks: Option<String>,
    proxy: Arc<Proxy>,
    serving: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Where one episode keeps its files, and who acts in it.
pub struct Scene {
    /// Everything that the client keeps or fills.
    pub folder: PathBuf,
    /// What `sandbox_open` answered.
    pub sandbox: Value,
}

impl Scene {
    /// What a pointer leads to in the sandbox.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        let found = self.sandbox.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    }

    /// Where the client keeps its files.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Where the client's own temporary files would go.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// The folder of a place.
    #[must_use]
    pub fn place(&self, number: usize) -> PathBuf {
        self.folder.join(format!("place{number}"))
    }

    /// The file of a place.
    #[must_use]
    pub fn file(&self, number: usize) -> PathBuf {
        self.place(number).join("app.env")
    }
}

/// A run of the client that is over.
pub struct Ran {
    /// With which status; `None` where it was killed.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// Its last line on standard error.
    pub said: String,
    /// What was seen of it.
    pub seen: Sighting,
}

impl Stage {
    /// Starts an issuer below this folder.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn open(folder: &Path, broken: &Broken, draw: &mut Draw) -> Result<Self, Stopped> {
        std::fs::create_dir_all(folder).map_err(Stopped::system)?;
        let issuer = IssuerProcess::new(folder, broken.issuer.as_deref(), draw).await?;
        let issuer = Arc::new(issuer);
        issuer.start().await?;
        let trap = Arc::new(Trap::new(Arc::clone(&issuer)));
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let (listener, port) = listen(draw).await?;
        let proxy = Arc::new(Proxy {
            issuer: Arc::clone(&issuer),
            trap: Arc::clone(&trap),
            ledger: Arc::clone(&ledger),
            port,
            under_way: watch::Sender::new(0),
        });
        Ok(Self {
            folder: folder.to_owned(),
            issuer,
            trap,
            ledger,
            http: Client::builder()
                .no_proxy()
                // A connection to an issuer that was killed since would pass for a call that failed.
                .pool_max_idle_per_host(0)
                .timeout(Duration::from_secs(30))
                .build()
                .map_err(Stopped::silent)?,
            identifier: format!("http://localhost:{port}"),
            client_breaks: broken.client.clone(),
            serving: tokio::spawn(Arc::clone(&proxy).serve(listener)),
            proxy,
        })
    }

    /// Where the issuer is, past the way.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.issuer.port)
    }

    /// A fresh sandbox and fresh folders.
    ///
    /// # Errors
    /// Where test control does not open one.
    pub async fn scene(&self, number: u64, places: usize) -> Result<Scene, Stopped> {
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = Ledger::default();
        let token = std::fs::read_to_string(self.issuer.token_file()).map_err(Stopped::system)?;
        let url = format!("http://localhost:{}/sandboxes", self.issuer.control);
        let request = self
            .http
            .post(url)
            .bearer_auth(token.trim())
            .json(&json!({}));
        let answer = request.send().await.map_err(Stopped::silent)?;
        let sandbox: Value = answer.json().await.map_err(Stopped::silent)?;
        let scene = Scene {
            folder: self.folder.join(format!("episode-{number}")),
            sandbox,
        };
        let places = (0..places).map(|place| scene.place(place));
        for folder in [scene.temporary()].into_iter().chain(places) {
            std::fs::create_dir_all(folder).map_err(Stopped::system)?;
        }
        Ok(scene)
    }

    /// Runs the client to its end, and kills as planned. Who is killed alone finds the other one
    /// alive: an issuer is started again at once.
    ///
    /// # Errors
    /// Where the client cannot be started, does not end, or the issuer does not come up.
    pub async fn run(
        &self,
        scene: &Scene,
        words: &[String],
        kill: Option<Kill>,
    ) -> Result<Ran, Stopped> {
        let logs = ["out", "err"].map(|name| self.folder.join(name));
        let [out, err] = logs.each_ref().map(std::fs::File::create);
        let mut command = Command::new(std::env::current_exe().map_err(Stopped::system)?);
        command.arg("subject-client");
        if let Some(name) = &self.client_breaks {
            command.args(["--violate", name]);
        }
        command.args(["--clp", "--allow-loopback-http", "--allow-test-issuer"]);
        command.args(["--timeout", "5"]).args(words);
        let begun = Instant::now();
        let child = command
            .env_clear()
            .env("HOME", &scene.folder)
            .env("CLP_HOME", scene.home())
            .env("TMPDIR", scene.temporary())
            .env("CLP_ISSUER", &self.identifier)
            .env("CLP_TOKEN", scene.text("/principals/owner/token"))
            .stdin(Stdio::null())
            .stdout(out.map_err(Stopped::system)?)
            .stderr(err.map_err(Stopped::system)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(Stopped::system)?;
        let prey: Prey = Arc::new(Mutex::new(child));
        self.trap.watch(&prey, kill);
        let alarm = self.alarm(kill);
        let status = loop {
            let looked = prey
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .try_wait();
            if let Some(status) = looked.map_err(Stopped::system)? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                return Err(Stopped::new(format!(
                    "`clp {}` does not end",
                    words.join(" ")
                )));
            }
            self.issuer.start().await?;
            tokio::time::sleep(LOOK).await;
        };
        if let Some(alarm) = alarm {
            alarm.abort();
        }
        if tokio::time::timeout(PATIENCE, self.proxy.settle())
            .await
            .is_err()
        {
            return Err(Stopped::new(
                "what a killed client sent comes to no end".to_owned(),
            ));
        }
        let mut seen = self.trap.release();
        seen.took = begun.elapsed();
        self.issuer.start().await?;
        let [out, said] = logs.map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let said = said.lines().next_back().unwrap_or_default().to_owned();
        Ok(Ran {
            code: status.code(),
            out,
            said,
            seen,
        })
    }

    fn alarm(&self, kill: Option<Kill>) -> Option<JoinHandle<()>> {
        let Some(Moment::Instant(micros)) = kill.map(|kill| kill.moment) else {
            return None;
        };
        let trap = Arc::clone(&self.trap);
        Some(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_micros(micros)).await;
            trap.instant();
        }))
    }
}

/// A port of five digits, like the issuer's: one stands for the other in what is sent.
async fn listen(draw: &mut Draw) -> Result<(TcpListener, u16), Stopped> {
    for _ in 0..200 {
        let port = 10_000 + u16::try_from(draw.below(20_000)).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return Ok((listener, port));
        }
    }
    Err(Stopped::new("no port is free".to_owned()))
}
