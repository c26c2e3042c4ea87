//! The usage graph: what several issuers answered, put together (spec chapter 17, "The usage
//! graph"). Everything here is pure; `gather` asks.

pub(crate) mod breaks;
pub(crate) mod gather;
mod scrub;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use clp_schemas::ids::{CredentialId, InstallationId, PrincipalId, StoreId};
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::inject::Installation;
use clp_schemas::ops::inventory::{Consumer, Usage};
use clp_schemas::state::installation::State as PlaceState;
use clp_schemas::target::RegisteredKind;
use clp_schemas::time::Timestamp;
use clp_schemas::usage::{
    AskedIssuer, ConsumerFacts, CredentialFacts, Edge, EdgeKind, KnownFrom, Match, Node, NodeKind,
    PlaceFacts, Reason, Sight, Unknown, UsageGraph,
};

use crate::places::Place;

pub(crate) use scrub::scrub;

/// Most consumers that an issuer names (spec chapter 17).
const MOST_CONSUMERS: usize = 200;

/// What is known of one credential.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The identifier of its issuer.
    pub(crate) issuer: String,
    /// The credential.
    pub(crate) credential: Credential,
    /// Its places, as its issuer has them; `None` where it keeps no inventory.
    pub(crate) places: Option<Vec<Installation>>,
    /// Whether there are more.
    pub(crate) more_places: bool,
    /// Who was seen; `None` where that could not be learnt.
    pub(crate) usage: Option<Usage>,
    /// The places that were filled from here.
    pub(crate) filled: Vec<(InstallationId, Place)>,
}

/// What all of them answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) issuers: Vec<AskedIssuer>,
    pub(crate) known: Vec<Known>,
    /// The stores that issuers know, by name.
    pub(crate) stores: BTreeMap<(String, StoreId), String>,
    /// What could not be learnt besides.
    pub(crate) unknown: Vec<Unknown>,
}

/// By what a node is found again while the graph is built. The order is that of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Owner(String),
    Person(String, PrincipalId),
    Credential(String, CredentialId),
    Store(String, StoreId),
    Place(String, CredentialId, InstallationId),
    Consumer(String, CredentialId, Option<String>, String),
    Dependent(String),
}

#[derive(Default)]
struct Builder {
    nodes: BTreeMap<Key, Node>,
    edges: Vec<Link>,
    unknown: Vec<(Reason, Option<Key>, Option<String>, String)>,
}

/// An edge between two keys, with how often and when.
type Link = (Key, EdgeKind, Key, Option<u64>, Option<Timestamp>);

/// Puts answers together.
pub(crate) fn graph(answers: &Answers, made_at: Timestamp) -> UsageGraph {
    let mut builder = Builder::default();
    for known in &answers.known {
        builder.credential(known);
        builder.stores(known, &answers.stores);
        builder.places(known, answers);
    }
    for known in &answers.known {
        builder.consumers(known, answers);
    }
    builder.same_things();
    for issuer in &answers.issuers {
        builder.of_issuer(issuer, answers);
    }
    builder.finish(answers, made_at)
}

impl Builder {
    fn node(&mut self, key: &Key, kind: NodeKind, label: &str, issuer: Option<&str>) -> &mut Node {
        self.nodes.entry(key.clone()).or_insert_with(|| Node {
            id: String::new(),
            kind,
            label: label.to_owned(),
            issuer: issuer.map(str::to_owned),
            credential: None,
            place: None,
            consumer: None,
            principal: None,
            store: None,
        })
    }

    fn edge(&mut self, from: &Key, kind: EdgeKind, to: &Key) {
        self.seen(from, kind, to, None, None);
    }

    fn seen(
        &mut self,
        from: &Key,
        kind: EdgeKind,
        to: &Key,
        uses: Option<u64>,
        at: Option<Timestamp>,
    ) {
        self.edges.push((from.clone(), kind, to.clone(), uses, at));
    }

    fn not_known(&mut self, reason: Reason, about: &Key, issuer: &str, text: String) {
        let issuer = Some(issuer.to_owned());
        self.unknown
            .push((reason, Some(about.clone()), issuer, text));
    }

    fn credential(&mut self, known: &Known) {
        let credential = &known.credential;
        let key = Key::Credential(known.issuer.clone(), credential.id.clone());
        let retired = known.places.iter().flatten();
        let retired = retired.filter(|place| place.declared.state == PlaceState::Retired);
        let facts = CredentialFacts {
            credential_id: credential.id.clone(),
            kind: credential.kind,
            state: credential.state,
            purpose: credential.purpose.clone(),
            project: credential.project.clone(),
            environment: credential.environment.clone(),
            expires_at: credential.expires_at,
            uses: known.usage.as_ref().map(|usage| usage.uses),
            last_used_at: known.usage.as_ref().and_then(|usage| usage.last_used_at),
            usage_as_of: known.usage.as_ref().map(|usage| usage.as_of),
            retired_places: retired.count(),
        };
        let label = &credential.purpose;
        let node = self.node(&key, NodeKind::Credential, label, Some(&known.issuer));
        node.credential = Some(facts);
        let owner = Key::Owner(credential.owner.clone());
        self.node(&owner, NodeKind::Owner, &credential.owner, None);
        self.edge(&owner, EdgeKind::AnswersFor, &key);
        for seen in &credential.disclosed_to {
            let person = Key::Person(known.issuer.clone(), seen.principal.clone());
            let label = seen.principal.as_str();
            let node = self.node(&person, NodeKind::Person, label, Some(&known.issuer));
            node.principal = Some(seen.principal.clone());
            self.seen(&person, EdgeKind::Saw, &key, None, Some(seen.at));
        }
        if let Some(before) = &credential.predecessor {
            let before = Key::Credential(known.issuer.clone(), before.clone());
            self.edge(&key, EdgeKind::Replaces, &before);
        }
        if known.more_places {
            let text = "it has more places than were read".to_owned();
            self.not_known(Reason::PageLimit, &key, &known.issuer, text);
        }
        if credential.kind == CredentialType::WebhookSecret && known.places.is_some() {
            let text = "whoever verifies an event with it does not tell anybody".to_owned();
            self.not_known(Reason::NotObserved, &key, &known.issuer, text);
        }
    }

    /// A store that was named; one that nobody lists is called by its id.
    fn store(
        &mut self,
        issuer: &str,
        id: &StoreId,
        names: &BTreeMap<(String, StoreId), String>,
    ) -> Key {
        let key = Key::Store(issuer.to_owned(), id.clone());
        let name = names.get(&(issuer.to_owned(), id.clone()));
        let label = name.map_or(id.as_str(), String::as_str);
        let node = self.node(&key, NodeKind::Store, label, Some(issuer));
        node.store = Some(id.clone());
        key
    }

    fn stores(&mut self, known: &Known, names: &BTreeMap<(String, StoreId), String>) {
        let key = Key::Credential(known.issuer.clone(), known.credential.id.clone());
        for placement in &known.credential.stored_in {
            let store = self.store(&known.issuer, &placement.store_id, names);
            self.seen(&store, EdgeKind::Keeps, &key, None, Some(placement.at));
        }
    }

    fn places(&mut self, known: &Known, answers: &Answers) {
        let credential = Key::Credential(known.issuer.clone(), known.credential.id.clone());
        let Some(places) = &known.places else {
            for (id, place) in &known.filled {
                self.filled(known, id, place);
            }
            return;
        };
        for place in places {
            let body = &place.declared;
            if body.state == PlaceState::Retired {
                continue;
            }
            let key = Key::Place(
                known.issuer.clone(),
                known.credential.id.clone(),
                place.id.clone(),
            );
            let sight = sight(known, place);
            let label = &body.target.name;
            let node = self.node(&key, NodeKind::Place, label, Some(&known.issuer));
            node.place = Some(PlaceFacts {
                installation_id: place.id.clone(),
                credential_id: known.credential.id.clone(),
                target: body.target.kind.clone(),
                locator: body.target.locator.clone(),
                state: body.state,
                required: body.required.unwrap_or(true),
                known_from: KnownFrom::Issuer,
                reported_by: Some(place.reported_by.clone()),
                reported_at: Some(place.reported_at),
                sight,
                last_seen_at: place.last_seen_at,
                use_interval_seconds: body.use_interval_seconds,
            });
            let kind = match body.state {
                PlaceState::Declared => EdgeKind::Declared,
                _ => EdgeKind::Holds,
            };
            self.seen(&key, kind, &credential, None, place.last_seen_at);
            if let Some(store) = &body.store_id {
                let store = self.store(&known.issuer, store, &answers.stores);
                self.edge(&key, EdgeKind::FilledFrom, &store);
            }
            for name in &body.depends_on {
                let dependent = Key::Dependent(name.clone());
                self.node(&dependent, NodeKind::Dependent, name, None);
                self.edge(&dependent, EdgeKind::DependsOn, &key);
            }
            let observed = known.credential.kind != CredentialType::WebhookSecret;
            if body.matcher.is_none() && observed {
                let text = "nothing was said by which a use from there could be told".to_owned();
                self.not_known(Reason::NoMatch, &key, &known.issuer, text);
            }
        }
    }

    /// A place of which only this machine knows.
    fn filled(&mut self, known: &Known, id: &InstallationId, place: &Place) {
        let key = Key::Place(
            known.issuer.clone(),
            known.credential.id.clone(),
            id.clone(),
        );
        let file = place.path.file_name().unwrap_or_default();
        let label = format!("{} {}", file.to_string_lossy(), place.variable);
        let node = self.node(&key, NodeKind::Place, &label, Some(&known.issuer));
        node.place = Some(PlaceFacts {
            installation_id: id.clone(),
            credential_id: known.credential.id.clone(),
            target: RegisteredKind::LocalDev.into(),
            locator: Some(format!("{}#{}", place.path.display(), place.variable)),
            state: PlaceState::Installed,
            required: true,
            known_from: KnownFrom::Here,
            reported_by: None,
            reported_at: None,
            sight: Sight::Unknown,
            last_seen_at: None,
            use_interval_seconds: None,
        });
        let credential = Key::Credential(known.issuer.clone(), known.credential.id.clone());
        self.edge(&key, EdgeKind::Holds, &credential);
    }

    fn consumers(&mut self, known: &Known, answers: &Answers) {
        let issuer = &known.issuer;
        let credential = Key::Credential(issuer.clone(), known.credential.id.clone());
        let consumers = known.usage.iter().flat_map(|usage| &usage.consumers);
        let line = line_of(known, answers);
        for consumer in consumers.clone() {
            let key = Key::Consumer(
                issuer.clone(),
                known.credential.id.clone(),
                consumer.user_agent.clone(),
                consumer.address.clone(),
            );
            let fits: BTreeSet<&InstallationId> = consumer.installations.iter().collect();
            let matched = match fits.len() {
                0 => Match::Undeclared,
                1 => Match::Declared,
                _ => Match::Ambiguous,
            };
            let label = consumer.user_agent.as_deref().unwrap_or("no user agent");
            let node = self.node(&key, NodeKind::Consumer, label, Some(issuer));
            node.consumer = Some(facts(consumer, matched));
            let (uses, at) = (Some(consumer.uses), Some(consumer.last_seen_at));
            self.seen(&key, EdgeKind::Observed, &credential, uses, at);
            let kind = match matched {
                Match::Ambiguous => EdgeKind::MayFit,
                _ => EdgeKind::Fits,
            };
            for id in &fits {
                match self.holder(issuer, &line, id) {
                    Some(place) => self.seen(&key, kind, &place, uses, at),
                    None => {
                        let text = format!("it fits a place that is not shown here: {id}");
                        self.not_known(Reason::PlaceElsewhere, &key, issuer, text);
                    }
                }
            }
            if matched == Match::Ambiguous {
                let text = format!("it fits {} places, which cannot be told apart", fits.len());
                self.not_known(Reason::Ambiguous, &key, issuer, text);
            }
        }
        if consumers.count() >= MOST_CONSUMERS {
            let text =
                format!("no more than {MOST_CONSUMERS} consumers are named; there can be more");
            self.not_known(Reason::ConsumerLimit, &credential, issuer, text);
        }
    }

    /// The place of this id below a credential, or below another of its line.
    fn holder(&self, issuer: &str, line: &[CredentialId], id: &InstallationId) -> Option<Key> {
        line.iter()
            .map(|credential| Key::Place(issuer.to_owned(), credential.clone(), id.clone()))
            .find(|key| self.nodes.contains_key(key))
    }

    /// A place with the name of something that stops is that thing: what it stops in turn
    /// stops too.
    fn same_things(&mut self) {
        let mut same = Vec::new();
        for (key, node) in &self.nodes {
            let thing = Key::Dependent(node.label.clone());
            if node.kind == NodeKind::Place && self.nodes.contains_key(&thing) {
                same.push((key.clone(), thing));
            }
        }
        for (place, thing) in same {
            self.edge(&place, EdgeKind::Is, &thing);
        }
    }

    fn of_issuer(&mut self, asked: &AskedIssuer, answers: &Answers) {
        let issuer = &asked.issuer;
        if !asked.answered {
            return;
        }
        let of = answers.known.iter().filter(|known| known.issuer == *issuer);
        let (reason, text) = if !asked.inventory {
            if of.clone().next().is_none() {
                return;
            }
            let text = "it keeps no inventory: where its credentials are used is not on record";
            (Reason::NoInventory, text.to_owned())
        } else {
            let as_of = of
                .filter_map(|known| known.usage.as_ref())
                .map(|usage| usage.as_of);
            match as_of.min() {
                Some(at) => {
                    let text = format!("uses were seen up to {at}, and later ones were not");
                    (Reason::SeenUpTo, text)
                }
                None => return,
            }
        };
        self.unknown
            .push((reason, None, Some(issuer.clone()), text));
    }

    fn finish(self, answers: &Answers, made_at: Timestamp) -> UsageGraph {
        let names: BTreeMap<Key, String> = self
            .nodes
            .keys()
            .enumerate()
            .map(|(at, key)| (key.clone(), format!("n{}", at + 1)))
            .collect();
        let nodes = self.nodes.into_iter().map(|(key, mut node)| {
            node.id = names.get(&key).cloned().unwrap_or_default();
            node
        });
        // A predecessor that was not read has no node, and so no edge.
        let edges = self.edges.iter().filter_map(|(from, kind, to, uses, at)| {
            Some(Edge {
                from: names.get(from)?.clone(),
                kind: *kind,
                to: names.get(to)?.clone(),
                uses: *uses,
                at: *at,
            })
        });
        let unknown = self
            .unknown
            .into_iter()
            .map(|(reason, about, issuer, text)| Unknown {
                reason,
                about: about.and_then(|key| names.get(&key).cloned()),
                issuer,
                text,
            });
        UsageGraph {
            clp: "1.0".to_owned(),
            made_at,
            issuers: answers.issuers.clone(),
            nodes: nodes.collect(),
            edges: edges.collect(),
            unknown: answers.unknown.iter().cloned().chain(unknown).collect(),
        }
    }
}

/// The credentials of a line, as far as they were read, beginning with this one.
fn line_of(known: &Known, answers: &Answers) -> Vec<CredentialId> {
    let mut line = vec![known.credential.id.clone()];
    let mut at = 0;
    while let Some(id) = line.get(at).cloned() {
        at += 1;
        let found = answers
            .known
            .iter()
            .find(|other| other.issuer == known.issuer && other.credential.id == id);
        let next = found.into_iter().flat_map(|other| {
            let credential = &other.credential;
            credential.predecessor.iter().chain(&credential.successor)
        });
        for neighbour in next {
            if !line.contains(neighbour) {
                line.push(neighbour.clone());
            }
        }
    }
    line
}

/// Whether a place was seen. A use that fits others as well shows nothing of this one.
fn sight(known: &Known, place: &Installation) -> Sight {
    let Some(usage) = &known.usage else {
        return Sight::Unknown;
    };
    if place.declared.matcher.is_none() || known.credential.kind == CredentialType::WebhookSecret {
        return Sight::Unknown;
    }
    if place.last_seen_at.is_none() {
        return Sight::Never;
    }
    let mut fitting = usage
        .consumers
        .iter()
        .filter(|consumer| consumer.installations.contains(&place.id))
        .peekable();
    let named = fitting.peek().is_some();
    match named && fitting.all(|consumer| consumer.installations.len() > 1) {
        true => Sight::Unknown,
        false => Sight::Seen,
    }
}

fn facts(consumer: &Consumer, matched: Match) -> ConsumerFacts {
    ConsumerFacts {
        user_agent: consumer.user_agent.clone(),
        address: consumer.address.clone(),
        uses: consumer.uses,
        first_seen_at: consumer.first_seen_at,
        last_seen_at: consumer.last_seen_at,
        matched,
    }
}
