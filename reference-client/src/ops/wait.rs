//! Wait for people: what `clp` says while a request is undecided, and how it asks (spec chapter
//! 11), in the manner of RFC 8628 section 3.5.

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use clp_schemas::approval::Decision;
use clp_schemas::ops::request::CredentialRequest;
use clp_schemas::problem::ProblemType;
use clp_schemas::state::request::State;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::Session;
use crate::client::Client;
use crate::error::Error;
use crate::render::{approved, clean};
use crate::wanted::Span;

/// By how much longer to wait between two readings once the issuer was asked too often
/// (`slow_down` of RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// After so many readings in a row without an answer, each of them repeated, nobody waits on.
const LOST_IN_A_ROW: u32 = 3;
/// How much longer a reading that was begun in time may take.
const LAST_READING: Duration = Duration::from_secs(10);
/// Longest `Retry-After` that is waited out, however patient the caller.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How often the live view moves, though nothing happened.
const TICK: Duration = Duration::from_millis(120);

impl Client {
    /// Reads a request that was read before until it is decided on, for at most `patience`: no
    /// faster than its `interval` (CLP-REQ-010), slower where the issuer says that it is asked too
    /// often, and after as long as it says in `Retry-After`. `seen` is told of each reading,
    /// the one from before included.
    ///
    /// # Errors
    /// [`Error::Waiting`] if nobody has decided by then; [`Error::Unreachable`] if three readings
    /// in a row got no answer; otherwise as [`Client::request`].
    pub async fn wait_for_decision(
        &self,
        request: CredentialRequest,
        patience: Duration,
        mut seen: impl FnMut(&CredentialRequest),
    ) -> Result<CredentialRequest, Error> {
        let mut patient = self.clone();
        let longest = patience.min(LONGEST_WAIT);
        patient.transport = self.transport.clone().waiting_at_most(longest);
        let begun = Instant::now();
        let deadline = begun + patience;
        let mut latest = request;
        let (mut last, mut slower, mut lost) = (begun, Duration::ZERO, 0);
        loop {
            seen(&latest);
            if latest.state != State::PendingApproval {
                return Ok(latest);
            }
            // The schema says 1 to 3600; what lies outside is taken as the nearest bound.
            let mut pause = Duration::from_secs(latest.interval.clamp(1, 3600)) + slower;
            if self.sabotage.breaks("CLP-REQ-010") {
                pause = Duration::from_millis(100);
            }
            if last + pause > deadline {
                return Err(waiting(&latest));
            }
            tokio::time::sleep_until(last + pause).await;
            let read =
                tokio::time::timeout_at(deadline + LAST_READING, patient.request(&latest.id)).await;
            last = Instant::now();
            match read {
                Err(_) => return Err(waiting(&latest)),
                Ok(Ok(request)) => {
                    lost = 0;
                    latest = request;
                }
                Ok(Err(fault)) if fault.problem() == Some(ProblemType::RateLimited) => {
                    slower += SLOWER;
                }
                Ok(Err(fault @ Error::Unreachable(_))) => {
                    lost += 1;
                    slower += SLOWER;
                    if lost == LOST_IN_A_ROW {
                        return Err(fault);
                    }
                }
                Ok(Err(fault)) => return Err(fault),
            }
        }
    }
}

/// How long a command waits for a person.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WaitArgs {
    /// Wait until it is decided, by default for at most 15 minutes [example: --wait=1h]
    #[arg(long, value_name = "SPAN", num_args = 0..=1, require_equals = true, default_missing_value = "15m")]
    wait: Option<Span>,
}

impl WaitArgs {
    /// The same, and the usual patience where nothing was said.
    pub(super) fn or_usual(self) -> Self {
        let usual = Span { seconds: 15 * 60 };
        Self {
            wait: self.wait.or(Some(usual)),
        }
    }

    pub(crate) fn patience(self) -> Option<Duration> {
        self.wait.map(|span| Duration::from_secs(span.seconds))
    }
}

/// What comes of a request: as it is, or once it is decided on where the caller waits for that.
/// Meanwhile it says how to decide and what happens. Ctrl-C ends the waiting, and not the request.
///
/// # Errors
/// As [`Client::wait_for_decision`]; whoever waited for a decision and got none that lets a
/// credential be created learns so by [`Error::RequestOver`].
pub(super) async fn decided(
    client: &Client,
    request: CredentialRequest,
    wait: WaitArgs,
    session: &Session,
) -> Result<CredentialRequest, Error> {
    let Some(patience) = wait.patience() else {
        return Ok(request);
    };
    let first = waiting(&request);
    let mut view = View::new(session);
    let ended = tokio::select! {
        ended = client.wait_for_decision(request, patience, |now| view.see(now)) => ended,
        // From here on Ctrl-C no longer kills: what follows a decision is short, and a secret
        // that was fetched is to be stored.
        _ = tokio::signal::ctrl_c() => Err(first),
    };
    view.close();
    let request = ended?;
    refuse_ended(&request)?;
    Ok(request)
}

/// Refuses a request out of which nothing can come any more.
pub(super) fn refuse_ended(request: &CredentialRequest) -> Result<(), Error> {
    match request.state {
        State::PendingApproval | State::Approved | State::Issued => Ok(()),
        State::Denied | State::Expired | State::Cancelled => Err(over(request)),
    }
}

/// That a request ended without a credential, and why.
pub(super) fn over(request: &CredentialRequest) -> Error {
    Error::RequestOver {
        id: request.id.clone(),
        state: request.state,
        reason: denial(request),
    }
}

/// What whoever denied it said.
fn denial(request: &CredentialRequest) -> Option<String> {
    let denial = request
        .approvals
        .iter()
        .rfind(|one| one.decision == Decision::Deny);
    denial?.reason.clone()
}

pub(super) fn waiting(request: &CredentialRequest) -> Error {
    Error::Waiting {
        id: request.id.clone(),
        approval_uri: request.approval_uri.clone(),
    }
}

/// What somebody who waits is shown: in place on a terminal, in lines elsewhere, nothing where a
/// program reads along.
struct View<'a> {
    session: &'a Session,
    bar: Option<ProgressBar>,
    before: Option<CredentialRequest>,
}

impl<'a> View<'a> {
    fn new(session: &'a Session) -> Self {
        Self {
            session,
            bar: None,
            before: None,
        }
    }

    fn see(&mut self, now: &CredentialRequest) {
        let news = match &self.before {
            None => how_to_decide(now),
            Some(before) => news(before, now),
        };
        match &self.bar {
            // A terminal that cannot be written to shows nothing.
            Some(bar) if !news.is_empty() => bar.suspend(|| self.session.say(&news)),
            _ => self.session.say(&news),
        }
        let live = !self.session.json && std::io::stderr().is_terminal();
        if live && now.state == State::PendingApproval {
            let bar = self.bar.get_or_insert_with(spinner);
            bar.set_message(counted(now));
        }
        self.before = Some(now.clone());
    }

    fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed} so far") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// How somebody is to decide; nothing where there is nothing to decide.
fn how_to_decide(request: &CredentialRequest) -> String {
    if request.state != State::PendingApproval {
        return String::new();
    }
    format!(
        "waiting for a decision on {id}\n  approve at  {uri}\n  or with     clp approve {id}\n  \
         code        {code} (whoever decides sees the same)\n",
        id = request.id,
        uri = clean(&request.approval_uri),
        code = clean(&request.user_code),
    )
}

/// What happened between two readings, a line each.
fn news(before: &CredentialRequest, now: &CredentialRequest) -> String {
    let mut lines = String::new();
    if now.submitted != before.submitted {
        lines.push_str(&format!(
            "the request was amended: it is version {}, and has to be decided on anew\n",
            now.version
        ));
    } else if now.version > before.version {
        lines.push_str(&format!(
            "an approver agreed to less than was asked for: version {}\n",
            now.version
        ));
    }
    if now.state == State::PendingApproval && approved(now) != approved(before) {
        lines.push_str(&format!("{}\n", counted(now)));
    }
    if now.state != before.state {
        lines.push_str(&format!("the request is {}\n", now.state));
    }
    lines
}

/// How many of those who have to agree have done so.
fn counted(request: &CredentialRequest) -> String {
    match &request.approval_policy {
        Some(policy) if policy.approvals_required > 1 => format!(
            "{} of {} approved",
            approved(request),
            policy.approvals_required
        ),
        _ => "waiting for a decision".to_owned(),
    }
}
