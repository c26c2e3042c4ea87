//! Which credentials a run is about, at which issuers, and what each would meet.

use clp_schemas::ids::CredentialId;
use clp_schemas::ops::create::Credential;
use clp_schemas::state::credential::State;
use serde_json::{Value, json};

use super::super::args::RotateArgs;
use super::super::foresight::{Forecast, Need};
use super::order::Order;
use super::written::Written;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::ops::{Session, due};
use crate::render::clean;

/// A credential that a run is about.
pub(super) struct Candidate<'a> {
    pub(super) client: &'a Client,
    pub(super) forecast: Forecast,
    /// Whether its rotation is under way.
    begun: bool,
}

impl Candidate<'_> {
    /// How it is called among others.
    pub(super) fn name(&self) -> String {
        let forecast = &self.forecast;
        format!("{} ({})", forecast.credential_id, clean(&forecast.purpose))
    }

    /// What keeps a run from beginning with it while nobody is there to ask. What is under way
    /// is gone on with.
    pub(super) fn left_to_a_person(&self, args: &RotateArgs) -> Option<&Need> {
        let mut needs = self.forecast.needs.iter();
        let held = |need: &Need| need.forbids() || (need.holds_up() && !args.open_anyway);
        needs.find(|need| !self.begun && held(need))
    }
}

/// What a run is about.
pub(super) struct Chosen<'a> {
    pub(super) candidates: Vec<Candidate<'a>>,
    /// Issuers that could not be asked, or not to the end.
    pub(super) unasked: Vec<(String, Error)>,
}

impl<'a> Chosen<'a> {
    /// Asks every issuer, and looks at each credential. Those that an unfinished run was about
    /// are found again, and no others.
    ///
    /// # Errors
    /// Where something fails on this machine.
    pub(super) async fn find(
        args: &RotateArgs,
        clients: &'a [Client],
        written: Option<&Written>,
        session: &Session,
    ) -> Result<Self, Error> {
        let mut chosen = Self {
            candidates: Vec::new(),
            unasked: Vec::new(),
        };
        for client in clients {
            let asked = match written {
                Some(written) => again(client, written, session).await,
                None => asked(client, args).await,
            };
            let found = match asked {
                Ok(found) => found,
                Err(fault) => {
                    chosen.unasked.push((client.id().to_string(), fault));
                    continue;
                }
            };
            let records = session.home.rotations(client.id());
            for credential in found {
                let word = args.word();
                match Forecast::see(&credential, word, client, session).await {
                    Ok(forecast) => chosen.candidates.push(Candidate {
                        client,
                        begun: credential.state == State::Retiring
                            || records.of(&credential.id)?.is_some(),
                        forecast,
                    }),
                    Err(fault @ Error::Local(_)) => return Err(fault),
                    Err(fault) => {
                        let what = format!("{} of {}", credential.id, client.id());
                        chosen.unasked.push((what, fault));
                    }
                }
            }
        }
        Ok(chosen)
    }

    pub(super) fn order(&self) -> Order {
        let forecasts: Vec<Forecast> = self
            .candidates
            .iter()
            .map(|one| one.forecast.clone())
            .collect();
        Order::of(&forecasts)
    }

    /// Each circle by name.
    pub(super) fn circles(&self, order: &Order) -> Vec<String> {
        let name = |index: &usize| self.candidates.get(*index).map(Candidate::name);
        let all = order.circles.iter().map(|members| {
            let names: Vec<String> = members.iter().filter_map(name).collect();
            format!(
                "these depend on each other in a circle, and are taken one after the other: {}",
                names.join(", ")
            )
        });
        all.collect()
    }

    pub(super) fn circle_ids(&self, order: &Order) -> Vec<Vec<&CredentialId>> {
        let id = |index: &usize| {
            let found = self.candidates.get(*index);
            found.map(|one| &one.forecast.credential_id)
        };
        let all = order.circles.iter();
        all.map(|members| members.iter().filter_map(id).collect())
            .collect()
    }

    pub(super) fn unasked_lines(&self) -> Vec<String> {
        let all = self.unasked.iter();
        all.map(|(what, fault)| format!("{} was not looked at: {fault}", clean(what)))
            .collect()
    }

    pub(super) fn unasked_json(&self) -> Vec<Value> {
        let all = self.unasked.iter();
        all.map(|(what, fault)| json!({"what": what, "error": fault.to_string()}))
            .collect()
    }

    /// How a run ends that could not ask everybody.
    pub(super) fn fault(&self) -> Option<Exit> {
        self.unasked.first().map(|(_, fault)| fault.exit())
    }
}

/// What an issuer has for this run. Nobody has fetched what is `provisioned`; and of one that is
/// being replaced, the successor is not replaced in turn.
async fn asked(client: &Client, args: &RotateArgs) -> Result<Vec<Credential>, Error> {
    let project = args.project.as_deref();
    let mut found = if args.due {
        let ahead = args.within.map_or(due::AHEAD, |span| span.seconds);
        let asked = due::ask(client, project, ahead).await?;
        let now = asked.due.into_iter();
        now.filter(|(one, _)| one.rotatable)
            .map(|(_, credential)| credential)
            .collect()
    } else {
        due::listed(client, project).await?.0
    };
    found.retain(|one| one.state.is_live() && one.state != State::Provisioned);
    let replaced: Vec<CredentialId> = found.iter().map(|one| one.id.clone()).collect();
    found.retain(|one| match &one.predecessor {
        Some(before) => !replaced.contains(before),
        None => true,
    });
    // Newest first is no order for people: what was made first comes first.
    found.reverse();
    Ok(found)
}

/// The credentials of an unfinished run that still live, or whose places are still to be done.
async fn again(
    client: &Client,
    written: &Written,
    session: &Session,
) -> Result<Vec<Credential>, Error> {
    let records = session.home.rotations(client.id());
    let mut found = Vec::new();
    for id in written.left(client.id().as_str()) {
        let credential = client.credential(&id).await?;
        if credential.state.is_live() || records.of(&id)?.is_some() {
            found.push(credential);
        }
    }
    Ok(found)
}
