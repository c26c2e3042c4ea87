//! Where a kill falls: at a request, at a file, or at some instant, as seen from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::process::Child;

use super::issuer::IssuerProcess;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// The client.
    Client,
    /// The issuer.
    Issuer,
    /// Both at once.
    Both,
}

impl Victim {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Client, Self::Issuer, Self::Both];

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Issuer => "issuer",
            Self::Both => "both",
        }
    }
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is on its way, and the issuer has not seen it.
    Arrived,
    /// The issuer has it, and is at work.
    Working,
    /// The issuer has answered, and the answer never arrives.
    Worked,
    /// The answer has arrived.
    Answered,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Arrived, Self::Working, Self::Worked, Self::Answered];

    /// What a kill then is at, in words.
    #[must_use]
    pub fn at(self, request: &str) -> String {
        let words = match self {
            Self::Arrived => "before",
            Self::Working => "during",
            Self::Worked => "answer lost of",
            Self::Answered => "after",
        };
        format!("{words} {request}")
    }
}

/// When a kill is to fall, counted from the start of a run of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At the so many-th request.
    Request(usize, Phase),
    /// At the so many-th change of a file that the client keeps or fills.
    File(usize),
    /// After so many microseconds.
    Instant(u64),
}

/// One kill that is planned.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// Who.
    pub victim: Victim,
    /// When.
    pub moment: Moment,
}

/// What was seen of one run of the client.
#[derive(Clone, Debug, Default)]
pub struct Sighting {
    /// The kill, where it fell: between which steps, and of whom.
    pub fell: Option<(String, Victim)>,
    /// The requests, in order.
    pub requests: Vec<&'static str>,
    /// How many changes of files.
    pub files: usize,
    /// How long it took.
    pub took: Duration,
}

/// A client that is running.
pub type Prey = Arc<Mutex<Child>>;

#[derive(Default)]
struct State {
    kill: Option<Kill>,
    client: Option<Prey>,
    seen: Sighting,
}

/// Sees what a client does, and kills when it is time.
pub struct Trap {
    issuer: Arc<IssuerProcess>,
    state: Mutex<State>,
}

impl Trap {
    /// One that kills this issuer, or whatever client is running.
    #[must_use]
    pub fn new(issuer: Arc<IssuerProcess>) -> Self {
        Self {
            issuer,
            state: Mutex::default(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a client from its start on.
    pub fn watch(&self, client: &Prey, kill: Option<Kill>) {
        *self.locked() = State {
            kill,
            client: Some(Arc::clone(client)),
            seen: Sighting::default(),
        };
    }

    /// What was seen, once the client is gone.
    pub fn release(&self) -> Sighting {
        std::mem::take(&mut *self.locked()).seen
    }

    /// Counts a request. Its number.
    pub fn request(&self, name: &'static str) -> usize {
        let mut state = self.locked();
        state.seen.requests.push(name);
        state.seen.requests.len() - 1
    }

    /// A request has come so far. Whether the kill fell here.
    pub fn at(&self, number: usize, phase: Phase) -> bool {
        let mut state = self.locked();
        let planned = state.kill.map(|kill| kill.moment);
        if planned != Some(Moment::Request(number, phase)) {
            return false;
        }
        let name = state.seen.requests.get(number).copied().unwrap_or_default();
        self.spring(&mut state, phase.at(name));
        true
    }

    /// A file was changed.
    pub fn file(&self, what: &str) {
        let mut state = self.locked();
        if state.client.is_none() {
            return;
        }
        let number = state.seen.files;
        state.seen.files += 1;
        if state.kill.map(|kill| kill.moment) == Some(Moment::File(number)) {
            self.spring(&mut state, format!("file: {what}"));
        }
    }

    /// The instant has come that was drawn.
    pub fn instant(&self) {
        let mut state = self.locked();
        if matches!(state.kill.map(|kill| kill.moment), Some(Moment::Instant(_))) {
            let last = state.seen.requests.last().copied().unwrap_or("the start");
            self.spring(&mut state, format!("any time from {last} on"));
        }
    }

    fn spring(&self, state: &mut State, place: String) {
        let Some(kill) = state.kill.take() else {
            return;
        };
        if kill.victim != Victim::Client {
            self.issuer.kill();
        }
        if kill.victim != Victim::Issuer
            && let Some(client) = &state.client
        {
            // SIGKILL; a client that has ended by itself is past killing.
            let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = client.start_kill();
        }
        state.seen.fell = Some((place, kill.victim));
    }
}
