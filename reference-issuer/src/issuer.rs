//! An issuer that runs inside another program: every persona on a port of its own, test control
//! on one more, all on the loopback interface.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clp_schemas::ops::store::SecretText;
use clp_schemas::problem::Problem;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::config::{Config, ConfigFault, Persona};
use crate::control::{self, Control};
use crate::events::Courier;
use crate::faults::{self, Faults, front};
use crate::http::{self, RequestLog};
use crate::lifecycle::Effect;
use crate::listen::{CONNECTIONS, Listen, Patience};
use crate::ops::policy::digest;
use crate::sabotage::Saboteur;
use crate::seams::Seams;
use crate::service::Service;
use crate::store::{Fault, Gate, NewPrincipal, NewTenant, Store};

/// What is to be served.
#[derive(Clone, Debug, Default)]
pub struct Issuer {
    config: Option<Config>,
    data: Option<PathBuf>,
    patience: Patience,
    wrap: Option<Wrap>,
    seams: Seams,
}

/// From the name of a persona and what answers there to what is served.
type Front = dyn Fn(&str, Router) -> Router + Send + Sync;

/// What an embedding program puts in front of the personas.
#[derive(Clone)]
struct Wrap(Arc<Front>);

impl fmt::Debug for Wrap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wrap")
    }
}

/// Why an issuer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The configuration cannot be used.
    #[error("the configuration: {0}")]
    Config(#[from] ConfigFault),
    /// The state cannot be opened.
    #[error("the state: {0}")]
    Store(#[from] Fault),
    /// The tenants of the configuration cannot be stored.
    #[error("the tenants of the configuration cannot be stored: {}", .0.title)]
    Tenants(Problem),
    /// The script of faults gets no seed.
    #[error("the script of faults gets no seed: {}", .0.title)]
    Seed(Problem),
    /// A port cannot be had.
    #[error("port {port}: {fault}")]
    Port {
        /// The port.
        port: u16,
        /// What the system says.
        fault: std::io::Error,
    },
}

/// A persona that is being served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningPersona {
    /// Its name.
    pub name: String,
    /// Its issuer identifier, below which its manifest is found.
    pub url: String,
}

/// An issuer that is being served. It stops when this is dropped; [`Running::shutdown`] waits.
#[derive(Debug)]
pub struct Running {
    /// The personas, in the order of the configuration.
    pub personas: Vec<RunningPersona>,
    /// The base of test control, where there is one.
    pub control_url: Option<String>,
    /// Its bearer token.
    pub control_token: Option<SecretText>,
    /// The seed of the faults of the whole process, where some are drawn: given again, it draws
    /// the same ones.
    pub fault_seed: Option<u64>,
    stop: watch::Sender<()>,
    listeners: Vec<JoinHandle<()>>,
    store: Store,
}

impl Issuer {
    /// An issuer with the built-in personas, in memory.
    #[must_use]
    pub fn builder() -> Self {
        Self::default()
    }

    /// Serves this configuration.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Keeps the state in this directory.
    #[must_use]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// Waits so long for the header of a request, instead of 10 seconds.
    #[must_use]
    pub fn header_time(mut self, time: Duration) -> Self {
        self.patience.header = time;
        self
    }

    /// Gives calls under way so long to finish at the end, instead of 5 seconds.
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.patience.grace = time;
        self
    }

    /// Puts something between the listeners of the personas and what answers: it is called with
    /// the name of each and what answers there, and what it returns is served. A test can so
    /// watch the wire, or play a network or an issuer that misbehaves.
    #[must_use]
    pub fn wrap(mut self, wrap: impl Fn(&str, Router) -> Router + Send + Sync + 'static) -> Self {
        self.wrap = Some(Wrap(Arc::new(wrap)));
        self
    }

    /// Breaks the protocol in one way, from the first call to the last.
    #[must_use]
    pub fn violate(mut self, saboteur: &Saboteur) -> Self {
        self.seams = saboteur.seams();
        self
    }

    /// Opens the state and the ports. When this answers, everything can be called.
    ///
    /// # Errors
    /// [`StartFault`].
    pub async fn spawn(self) -> Result<Running, StartFault> {
        let config = match self.config {
            Some(config) => config,
            None => Config::built_in()?,
        };
        let seams = self.seams;
        let store = Store::open(self.data.as_deref(), seams)?;
        let log = Arc::new(RequestLog::default());
        let faults = Arc::new(Faults::default());
        let names = config.personas.iter().map(|persona| persona.name.as_str());
        let script = faults::seeded(config.faults).map_err(StartFault::Seed)?;
        faults.play(&script, names);
        let courier = Courier::start();
        let (stop, stopped) = watch::channel(());
        let patience = self.patience;
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut running = Running {
            personas: Vec::new(),
            control_url: None,
            control_token: None,
            fault_seed: script.chaos.and_then(|chaos| chaos.seed),
            stop,
            listeners: Vec::new(),
            store: store.clone(),
        };
        let mut services = Vec::new();
        for persona in config.personas {
            let persona = Arc::new(persona);
            let stored = Arc::clone(&persona);
            store
                .run(move |gate| Ok(put_tenants(gate, &stored)?))
                .await
                .map_err(StartFault::Tenants)?;
            let (listener, port) = bind(persona.port).await?;
            let service = Arc::new(Service::new(
                persona,
                port,
                store.clone(),
                Arc::clone(&log),
                Arc::clone(&faults),
                courier.clone(),
                seams,
            ));
            running.personas.push(RunningPersona {
                name: service.persona.name.clone(),
                url: service.origin.clone(),
            });
            let mut router = front(Arc::clone(&service), http::router(Arc::clone(&service)));
            if let Some(Wrap(wrap)) = &self.wrap {
                router = wrap(&service.persona.name, router);
            }
            let listen = Listen {
                listener,
                router,
                places: Arc::clone(&places),
                patience,
            };
            running
                .listeners
                .push(tokio::spawn(listen.until(stopped.clone())));
            services.push(service);
        }
        if let Some(wanted) = config.control {
            let token = match wanted.token {
                Some(token) => token,
                None => control::token::fresh()?,
            };
            let (listener, port) = bind(wanted.port).await?;
            let control = Control::new(services, store, log, faults, &token, seams);
            let listen = Listen {
                listener,
                router: control::router(Arc::new(control)),
                // Its own, so that tests can be brought to an end however many connections hang.
                places: Arc::new(Semaphore::new(CONNECTIONS)),
                patience,
            };
            running.listeners.push(tokio::spawn(listen.until(stopped)));
            running.control_url = Some(format!("http://localhost:{port}"));
            running.control_token = Some(token);
        }
        Ok(running)
    }
}

impl Running {
    /// Takes no more calls, gives those under way some time to finish, and closes the state.
    pub async fn shutdown(self) {
        drop(self.stop);
        for listener in self.listeners {
            // A listener that panicked has been reported where it happened.
            let _ = listener.await;
        }
        self.store.close().await;
    }
}

/// Stores the tenants that a persona begins with, and its permission document.
fn put_tenants(gate: &Gate<'_>, persona: &Persona) -> Result<(), Fault> {
    gate.keep_document(&persona.name, &persona.permissions)?;
    for tenant in &persona.tenants {
        let id = gate.make_tenant(NewTenant {
            persona: &persona.name,
            name: Some(&tenant.name),
        })?;
        let mut principals = BTreeMap::new();
        for principal in &tenant.principals {
            let acts_for = principal.acts_for.as_ref();
            let new = NewPrincipal {
                name: &principal.name,
                token: &principal.token,
                permissions: &principal.permissions,
                kind: principal.kind,
                acts_for: acts_for.and_then(|name| principals.get(name)),
                is_first: true,
            };
            let principal_id = gate.put_principal(&id, new)?;
            principals.insert(principal.name.clone(), principal_id);
        }
        if let Some(policy) = &tenant.approval_policy {
            let digest = digest(policy).map_err(|_| Fault::Value("approval policy"))?;
            let mut tx = gate.enter(&id)?;
            if tx.policy()?.as_ref() != Some(policy) {
                tx.put_policy(&digest, policy)?;
            }
        }
        let trusted = tenant.identity_providers.iter().map(|(provider, secret)| {
            Effect::SaveProvider(Box::new(provider.trusted(secret.clone(), &principals)))
        });
        gate.enter(&id)?.apply(trusted.collect())?;
    }
    Ok(())
}

async fn bind(port: u16) -> Result<(TcpListener, u16), StartFault> {
    let fault = |fault| StartFault::Port { port, fault };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(fault)?;
    let port = listener.local_addr().map_err(fault)?.port();
    Ok((listener, port))
}
