//! What a rotation would meet, seen before anything is begun: which places get the successor,
//! and what would break or wait for somebody.

use clp_schemas::endpoint::Class;
use clp_schemas::ids::{CredentialId, InstallationId, PrincipalId};
use clp_schemas::ops::create::Credential;
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;
use serde::Serialize;

use super::health::is_by_event;
use super::moving::in_use;
use crate::client::Client;
use crate::error::Error;
use crate::ops::Session;
use crate::render::clean;

/// How far back a consumer counts: what the gate `consumers` looks at, in seconds.
const SEEN_SECONDS: i64 = 2_592_000;

/// A place that uses the credential now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Spot {
    /// The installation.
    pub(crate) id: InstallationId,
    /// What people call it.
    pub(crate) name: String,
    /// Whether this client fills it.
    pub(crate) here: bool,
    /// Whether the rotation waits for it.
    pub(crate) required: bool,
    /// What stops when it does.
    pub(crate) depends_on: Vec<String>,
    /// Who declared it, where the issuer knows.
    pub(crate) reported_by: Option<PrincipalId>,
    /// The longest time between two uses, in seconds.
    pub(crate) use_interval_seconds: Option<u64>,
    /// Whether a health check is known for it.
    pub(crate) checked: bool,
}

/// What a person has to see to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub(crate) enum Need {
    /// Nobody knows a place: the old key would end at once (CLP-ROT-040).
    NoPlace,
    /// The issuer has one slot: the old key stops before the new one is anywhere (CLP-ROT-041).
    Gap,
    /// It is in a state in which it is not replaced.
    Standing {
        /// The state.
        state: State,
    },
    /// Its policy lets no successor live longer.
    NotRenewable {
        /// Since or from when.
        renewable_until: Timestamp,
    },
    /// A place that the rotation waits for is filled by somebody else.
    Elsewhere {
        /// What people call it.
        place: String,
        /// What stops when it does.
        depends_on: Vec<String>,
    },
    /// A place that no rotation waits for is filled by somebody else: it fails when the old key
    /// goes, unless somebody was there first.
    Left {
        /// What people call it.
        place: String,
        /// What stops when it does.
        depends_on: Vec<String>,
    },
    /// Somebody uses it and is declared nowhere, or cannot be told from others.
    Consumer {
        /// What it calls itself.
        user_agent: Option<String>,
        /// Where it calls from.
        address: String,
        /// How many declared places it fits: none, or several.
        fits: usize,
    },
    /// No health check is known for a place that the rotation waits for.
    Unchecked {
        /// What people call it.
        place: String,
    },
    /// The issuer does not know where it is used: somebody has to say that all is moved.
    Word,
    /// It would have to be unused for longer than both may live side by side.
    TooLong {
        /// The longest time between two uses, in seconds.
        interval_seconds: u64,
        /// The longest overlap, in seconds.
        max_overlap_seconds: u64,
    },
}

impl Need {
    /// Whether nothing is begun before it is seen to. Of the rest a rotation tells, and waits.
    pub(crate) fn forbids(&self) -> bool {
        matches!(
            self,
            Self::NoPlace | Self::Gap | Self::Standing { .. } | Self::NotRenewable { .. }
        )
    }

    /// Whether the rotation cannot end before somebody sees to it.
    pub(crate) fn holds_up(&self) -> bool {
        !matches!(self, Self::Left { .. })
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stops = |names: &[String]| match names {
            [] => String::new(),
            some => format!(", which keeps {} going", clean(&some.join(", "))),
        };
        match self {
            Self::NoPlace => to.write_str(
                "no place of it is declared, so its old key would end at once and whoever uses it \
                 would fail: declare its places with `clp inject`, or say --no-places",
            ),
            Self::Gap => to.write_str(
                "the issuer has room for one key only, so the old one stops before the new one is \
                 anywhere: choose your time, and say --accept-gap",
            ),
            Self::Standing { state } => write!(
                to,
                "it is {state}, and only what is in use is replaced: see `clp show`"
            ),
            Self::NotRenewable { renewable_until } => write!(
                to,
                "its policy lets no successor live beyond {renewable_until}: have a new one approved, \
                 with `clp request`"
            ),
            Self::Elsewhere { place, depends_on } => write!(
                to,
                "{}{} is not filled from here: whoever fills it has to bring the successor there",
                clean(place),
                stops(depends_on)
            ),
            Self::Left { place, depends_on } => write!(
                to,
                "{}{} is not filled from here and not waited for: it fails when the old key goes, \
                 unless somebody was there first",
                clean(place),
                stops(depends_on)
            ),
            Self::Consumer {
                user_agent,
                address,
                fits,
            } => {
                let who = clean(user_agent.as_deref().unwrap_or("somebody without a name"));
                let address = clean(address);
                let ours = user_agent.as_deref().is_some_and(is_ours);
                match fits {
                    0 if ours => write!(
                        to,
                        "a check of this client at {address} used it and is declared nowhere: say \
                         `clp inject --user-agent`, so that it goes by the name of the place"
                    ),
                    0 => write!(
                        to,
                        "{who} at {address} uses it and is declared nowhere: it would fail when the old key goes"
                    ),
                    _ => write!(
                        to,
                        "{who} at {address} fits {fits} declared places: whether each was moved cannot be seen"
                    ),
                }
            }
            Self::Unchecked { place } => write!(
                to,
                "there is no health check for {}: give --health or --health-cmd, here or with `clp inject`",
                clean(place)
            ),
            Self::Word => to.write_str(
                "the issuer does not know where it is used: once every place has the successor, or \
                 where clp fills them all, say --i-have-moved-everything",
            ),
            Self::TooLong {
                interval_seconds,
                max_overlap_seconds,
            } => write!(
                to,
                "a place uses it every {interval_seconds} seconds, and both may live side by side for \
                 {max_overlap_seconds} only: have that place run in between"
            ),
        }
    }
}

/// Whether this client goes by that name where it has no other.
fn is_ours(user_agent: &str) -> bool {
    user_agent.starts_with(concat!(env!("CARGO_PKG_NAME"), "/"))
}

/// What has been said about a rotation in advance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    /// No place uses it.
    pub(crate) no_places: bool,
    /// A gap is accepted.
    pub(crate) gap: bool,
    /// Every place is seen to have the successor.
    pub(crate) moved: bool,
    /// How health is checked was said for all places.
    pub(crate) health: bool,
}

/// What a rotation of one credential would meet.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Forecast {
    pub(crate) credential_id: CredentialId,
    pub(crate) issuer: String,
    pub(crate) purpose: String,
    pub(crate) state: State,
    /// The places that get the successor.
    pub(crate) places: Vec<Spot>,
    /// What has to be seen to, worst first.
    pub(crate) needs: Vec<Need>,
    /// The longest time between two uses of a place, in seconds.
    pub(crate) longest_interval_seconds: Option<u64>,
    /// Who judges whether it is safe to revoke the old one.
    pub(crate) judged_by: &'static str,
}

impl Forecast {
    /// Looks at everything that bears on a rotation, and changes nothing.
    ///
    /// # Errors
    /// As every call.
    pub(crate) async fn see(
        credential: &Credential,
        word: Word,
        client: &Client,
        session: &Session,
    ) -> Result<Self, Error> {
        let issuer = client.issuer().await?;
        let inventory = issuer.manifest.claims(Class::Inventory);
        let places = places(credential, inventory, word, client, session).await?;
        let by_event = is_by_event(credential.kind);
        let mut needs = Vec::new();
        let now = Timestamp::system_now();
        if !matches!(credential.state, State::Active | State::Retiring) {
            let state = credential.state;
            needs.push(Need::Standing { state });
        }
        let policy = credential.rotation_policy.as_ref();
        if let Some(until) = policy.and_then(|policy| policy.renewable_until)
            && until <= now
        {
            needs.push(Need::NotRenewable {
                renewable_until: until,
            });
        }
        if issuer.manifest.overlap_supported == Some(false) && !word.gap {
            needs.push(Need::Gap);
        }
        let begun = credential.state == State::Retiring;
        if places.is_empty() && !by_event && !begun && !word.no_places {
            needs.push(Need::NoPlace);
        }
        let longest = places.iter().filter_map(|spot| spot.use_interval_seconds);
        let longest = longest.max();
        let overlap = policy.and_then(|policy| policy.max_overlap_seconds);
        if let (Some(interval_seconds), Some(max_overlap_seconds)) = (longest, overlap)
            && interval_seconds > max_overlap_seconds
        {
            needs.push(Need::TooLong {
                interval_seconds,
                max_overlap_seconds,
            });
        }
        for spot in &places {
            let (place, depends_on) = (spot.name.clone(), spot.depends_on.clone());
            needs.extend(match (spot.here, spot.required) {
                (false, true) => Some(Need::Elsewhere { place, depends_on }),
                (false, false) => Some(Need::Left { place, depends_on }),
                (true, true) if inventory && !spot.checked && !by_event => {
                    Some(Need::Unchecked { place })
                }
                (true, _) => None,
            });
        }
        if inventory {
            let usage = client.usage(&credential.id).await?;
            let unclear = usage.consumers.iter();
            let since = usage.as_of.plus(-SEEN_SECONDS);
            let unclear = unclear.filter(|consumer| {
                consumer.installations.len() != 1 && consumer.last_seen_at >= since
            });
            needs.extend(unclear.map(|consumer| Need::Consumer {
                user_agent: consumer.user_agent.clone(),
                address: consumer.address.clone(),
                fits: consumer.installations.len(),
            }));
        } else if !word.moved {
            needs.push(Need::Word);
        }
        Ok(Self {
            credential_id: credential.id.clone(),
            issuer: client.id().as_str().to_owned(),
            purpose: credential.purpose.clone(),
            state: credential.state,
            places,
            needs,
            longest_interval_seconds: longest,
            judged_by: match (inventory, issuer.manifest.claims(Class::Lifecycle)) {
                (true, _) => "its gates",
                (false, true) => "its gates and you",
                (false, false) => "you",
            },
        })
    }

    /// What a person has to say before a rotation is opened. What the issuer refuses by itself it
    /// refuses in its own words.
    pub(crate) fn unsaid(&self, client: &Client) -> Vec<&Need> {
        let asked = |need: &&Need| match need {
            Need::NoPlace => !client.sabotage.breaks("CLP-ROT-040"),
            Need::Gap => !client.sabotage.breaks("CLP-ROT-041"),
            _ => false,
        };
        self.needs.iter().filter(asked).collect()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{} ({}) at {}\n",
            self.credential_id,
            clean(&self.purpose),
            clean(&self.issuer)
        );
        if self.state == State::Retiring {
            text.push_str("  a rotation of it is under way, and would be gone on with\n");
        } else {
            text.push_str("  a successor would be made that opens the same\n");
        }
        for spot in self.places.iter().filter(|spot| spot.here) {
            text.push_str(&format!(
                "  it would be put into {}{}\n",
                clean(&spot.name),
                match spot.depends_on.as_slice() {
                    [] => String::new(),
                    some => format!(", which keeps {} going", clean(&some.join(", "))),
                }
            ));
        }
        text.push_str(&format!(
            "  the old one would go last, when {} find it safe\n",
            self.judged_by
        ));
        for need in &self.needs {
            let mark = if need.holds_up() { "needs you" } else { "note" };
            text.push_str(&format!("  {mark}: {need}\n"));
        }
        text
    }
}

async fn places(
    credential: &Credential,
    inventory: bool,
    word: Word,
    client: &Client,
    session: &Session,
) -> Result<Vec<Spot>, Error> {
    let mut here = session.home.places().of(client.id().as_str())?;
    let mut spots = Vec::new();
    if inventory {
        for place in client.installations(&credential.id).await? {
            if !in_use(&place) {
                continue;
            }
            let known = here.remove(&place.id);
            let declared = place.declared;
            spots.push(Spot {
                id: place.id,
                name: declared.target.name,
                here: known.is_some(),
                required: declared.required.unwrap_or(true),
                depends_on: declared.depends_on,
                reported_by: Some(place.reported_by),
                use_interval_seconds: declared.use_interval_seconds,
                checked: word.health || known.is_some_and(|known| known.about.health.is_some()),
            });
        }
        return Ok(spots);
    }
    for (id, place) in here {
        if place.credential_id == credential.id {
            let file = format!("{} in {}", place.variable, place.path.display());
            spots.push(Spot {
                id,
                name: place.about.name.unwrap_or(file),
                here: true,
                required: true,
                depends_on: place.about.depends_on,
                reported_by: None,
                use_interval_seconds: place.about.use_interval_seconds,
                checked: word.health || place.about.health.is_some(),
            });
        }
    }
    Ok(spots)
}
