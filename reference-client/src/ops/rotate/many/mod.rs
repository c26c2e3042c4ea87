//! Several rotations in one run: a whole project, or all that is due. What others depend on
//! comes first, some go on at once, and what needs a person is left to one while the rest goes
//! on.

mod chosen;
mod ended;
mod order;
pub(crate) mod progress;
mod written;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::json;

use super::args::{Reason, RotateArgs};
use super::foresight::Forecast;
use super::voice::Voice;
use super::{Ground, begin};
use crate::error::{Error, Exit, LocalFault};
use crate::ops::Session;
use crate::render::{Outcome, clean};
use chosen::{Candidate, Chosen};
use ended::{End, summary};
use order::Order;
use progress::View;
use written::Written;

/// What a rotation of one credential would meet.
///
/// # Errors
/// Where it cannot be written as JSON.
pub(super) fn preview(forecasts: &[Forecast]) -> Result<Outcome, Error> {
    let text: String = forecasts.iter().map(Forecast::text).collect();
    let needs = forecasts.iter().flat_map(|one| &one.needs);
    let exit = match needs.into_iter().any(super::foresight::Need::holds_up) {
        true => Exit::Waiting,
        false => Exit::Done,
    };
    let outcome = Outcome::new(&json!({"items": forecasts, "dry_run": true}), text)?;
    Ok(outcome.ending(exit))
}

pub(super) async fn run(args: &RotateArgs, session: &Session) -> Result<Outcome, Error> {
    args.check_order()?;
    if args.due && matches!(args.reason, Reason::Compromise) {
        return Err(Error::usage(
            "after a compromise it does not matter what is due: say which, or --project",
        ));
    }
    let clients = session.clients()?;
    if args.health.is_some() && clients.len() > 1 {
        return Err(Error::usage(
            "--health would send the keys of several issuers to one URL: say it with each place, \
             by `clp inject --health`, or give --health-cmd",
        ));
    }
    if args.dry_run {
        let written = match &args.project {
            Some(project) if !args.due && !args.anew => Written::read(session, project)?,
            _ => None,
        };
        let chosen = Chosen::find(args, &clients, written.as_ref(), session).await?;
        return would(&chosen);
    }
    // Two runs at once would wait for each other's credentials, one after the other.
    let what = match (&args.project, args.due) {
        (Some(project), _) => format!("project {project}"),
        (None, _) => "what is due".to_owned(),
    };
    let _held = session
        .home
        .try_lock(&format!("rotate {what}"))?
        .ok_or(LocalFault::Busy(what))?;
    let stopped = || LocalFault::System("stopped: run the same command again, and it goes on");
    tokio::select! {
        result = carry_out(args, &clients, session) => result,
        _ = tokio::signal::ctrl_c() => Err(stopped().into()),
    }
}

async fn carry_out(
    args: &RotateArgs,
    clients: &[crate::client::Client],
    session: &Session,
) -> Result<Outcome, Error> {
    // What is due needs no memory: what was rotated is not due any more.
    let project = args.project.as_deref().filter(|_| !args.due);
    let mut written = match project {
        Some(project) if !args.anew => Written::read(session, project)?,
        _ => None,
    };
    if let Some(found) = &written {
        session.say(&format!("{}\n", found.text()));
    }
    let chosen = Chosen::find(args, clients, written.as_ref(), session).await?;
    if let (Some(project), None) = (project, &written) {
        written = Some(Written::begin(session, project, &chosen.candidates)?);
    }
    let order = chosen.order();
    for line in chosen.circles(&order) {
        session.say(&format!("{line}\n"));
    }
    let ends = in_order(args, &chosen, &order, written.as_mut(), session).await?;
    if let Some(written) = written
        && !ends.iter().any(End::is_unfinished)
        && chosen.unasked.is_empty()
    {
        written.forget(session)?;
    }
    summary(&chosen, &order, &ends)
}

/// Begins each as soon as what comes before it has ended, and at most so many at once.
async fn in_order(
    args: &RotateArgs,
    chosen: &Chosen<'_>,
    order: &Order,
    mut written: Option<&mut Written>,
    session: &Session,
) -> Result<Vec<End>, Error> {
    let candidates = &chosen.candidates;
    let view = View::new(candidates.len(), session);
    let mut ends: Vec<Option<End>> = candidates.iter().map(|_| None).collect();
    let mut left = order.sequence.clone();
    let mut running = FuturesUnordered::new();
    loop {
        let mut next = Vec::new();
        for index in left {
            let before = order.after.get(index).into_iter().flatten();
            let before: Vec<Option<&End>> = before
                .map(|one| ends.get(*one).and_then(Option::as_ref))
                .collect();
            if running.len() >= usize::from(args.jobs) || before.contains(&None) {
                next.push(index);
                continue;
            }
            let held = before.into_iter().flatten().any(End::holds_others_up);
            if let Some(candidate) = candidates.get(index) {
                running.push(one(index, candidate, held, args, &view, session));
            }
        }
        left = next;
        let Some((index, end)) = running.next().await else {
            break;
        };
        if let (Some(written), Some(candidate)) = (written.as_deref_mut(), candidates.get(index))
            && matches!(end, End::Done)
        {
            written.ended(session, candidate)?;
        }
        if let Some(place) = ends.get_mut(index) {
            *place = Some(end);
        }
    }
    view.close();
    let never = || End::Held("it was never reached".to_owned());
    Ok(ends
        .into_iter()
        .map(|end| end.unwrap_or_else(never))
        .collect())
}

/// One of them, from where it is to as far as it goes.
async fn one(
    index: usize,
    candidate: &Candidate<'_>,
    held: bool,
    args: &RotateArgs,
    view: &View<'_>,
    session: &Session,
) -> (usize, End) {
    let line = view.line(candidate.name(), &clean(&candidate.forecast.purpose));
    let end = if held {
        End::Held("what it depends on did not come through".to_owned())
    } else if let Some(need) = candidate.left_to_a_person(args) {
        End::Person(need.to_string())
    } else {
        let ground = Ground {
            client: candidate.client,
            session,
            voice: Voice::Among(&line),
        };
        let id = &candidate.forecast.credential_id;
        End::of(begin(id, args, None, &ground).await)
    };
    view.ended(&line, &clean(&end.to_string()));
    (index, end)
}

/// What a run would do.
fn would(chosen: &Chosen<'_>) -> Result<Outcome, Error> {
    let order = chosen.order();
    let mut text = String::new();
    let mut sorted = Vec::new();
    for (at, index) in order.sequence.iter().enumerate() {
        if let Some(candidate) = chosen.candidates.get(*index) {
            let forecast = &candidate.forecast;
            text.push_str(&format!("{}. {}", at + 1, forecast.text()));
            sorted.push(forecast);
        }
    }
    for line in chosen.circles(&order).iter().chain(&chosen.unasked_lines()) {
        text.push_str(&format!("{line}\n"));
    }
    if sorted.is_empty() {
        text.push_str("there is nothing to rotate\n");
    }
    let needs = sorted.iter().flat_map(|forecast| &forecast.needs);
    let exit = match (
        chosen.fault(),
        needs.into_iter().any(|need| need.holds_up()),
    ) {
        (Some(exit), _) => exit,
        (None, true) => Exit::Waiting,
        (None, false) => Exit::Done,
    };
    let json = json!({"items": sorted, "circles": chosen.circle_ids(&order),
                      "not_asked": chosen.unasked_json(), "dry_run": true});
    Ok(Outcome::new(&json, text)?.ending(exit))
}
