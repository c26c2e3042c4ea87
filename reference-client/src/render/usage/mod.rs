//! The usage graph for people: as text, and as pictures in three languages. Every word in it
//! was chosen by others, so each language has its own way of making one harmless.

mod dot;
mod layout;
mod mermaid;
mod svg;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use clp_schemas::state::Named as _;
use clp_schemas::usage::{
    Breaks, ConsumerFacts, CredentialFacts, Edge, EdgeKind, Match, Node, NodeKind, PlaceFacts,
    Sight, Unknown, UsageGraph,
};

pub(crate) use dot::dot;
pub(crate) use mermaid::mermaid;
pub(crate) use svg::svg;
pub(crate) use text::{breaks, text};

use super::clean;

/// What of a graph stands in a picture. A consumer that was declared is not in it: the place
/// that it fits says that it was seen.
pub(crate) struct Picture<'a> {
    graph: &'a UsageGraph,
    nodes: Vec<&'a Node>,
    edges: Vec<&'a Edge>,
    /// The nodes that go, where that is what is shown.
    gone: BTreeSet<&'a str>,
}

impl<'a> Picture<'a> {
    /// The whole graph; who has seen what only where that was asked for.
    pub(crate) fn of(graph: &'a UsageGraph, people: bool) -> Self {
        let stands = |node: &Node| match node.kind {
            NodeKind::Person => people,
            _ => !is_declared(node),
        };
        Self::with(graph, BTreeSet::new(), stands)
    }

    /// What goes, what stops, and who answers for it.
    pub(crate) fn broken(breaks: &'a Breaks) -> Self {
        let graph = &breaks.graph;
        let gone: BTreeSet<&str> = breaks.gone.iter().map(String::as_str).collect();
        let mut shown: BTreeSet<&str> = breaks.hit.iter().map(|hit| &*hit.node).collect();
        shown.extend(&gone);
        let holders: BTreeSet<&str> = graph
            .edges
            .iter()
            .filter(|edge| shown.contains(&*edge.from) && !shown.contains(&*edge.to))
            .filter(|edge| {
                let to = graph.node(&edge.to);
                to.is_some_and(|node| node.kind == NodeKind::Credential)
            })
            .map(|edge| &*edge.to)
            .collect();
        shown.extend(holders);
        let owners: Vec<&str> = graph
            .edges
            .iter()
            .filter(|edge| shown.contains(&*edge.to))
            .filter(|edge| {
                let from = graph.node(&edge.from);
                from.is_some_and(|node| node.kind == NodeKind::Owner)
            })
            .map(|edge| &*edge.from)
            .collect();
        shown.extend(owners);
        Self::with(graph, gone, |node| {
            shown.contains(&*node.id) && !is_declared(node)
        })
    }

    fn with(
        graph: &'a UsageGraph,
        gone: BTreeSet<&'a str>,
        stands: impl Fn(&Node) -> bool,
    ) -> Self {
        let nodes: Vec<&Node> = graph.nodes.iter().filter(|node| stands(node)).collect();
        let there: BTreeSet<&str> = nodes.iter().map(|node| &*node.id).collect();
        let edges = graph.edges.iter();
        let edges = edges.filter(|edge| there.contains(&*edge.from) && there.contains(&*edge.to));
        Self {
            graph,
            edges: edges.collect(),
            nodes,
            gone,
        }
    }

    fn of_kind(&self, kind: NodeKind) -> impl Iterator<Item = &'a Node> {
        self.nodes
            .iter()
            .copied()
            .filter(move |node| node.kind == kind)
    }
}

fn is_declared(node: &Node) -> bool {
    let consumer = node.consumer.as_ref();
    consumer.is_some_and(|facts| facts.matched == Match::Declared)
}

/// What an edge says, between its two ends.
fn says(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::AnswersFor => "answers for",
        EdgeKind::Saw => "has seen",
        EdgeKind::Replaces => "replaces",
        EdgeKind::Keeps => "keeps",
        EdgeKind::FilledFrom => "is filled from",
        EdgeKind::Holds => "holds",
        EdgeKind::Declared => "is declared for",
        EdgeKind::Observed => "was seen using",
        EdgeKind::Fits => "fits",
        EdgeKind::MayFit => "may be",
        EdgeKind::DependsOn => "depends on",
        EdgeKind::Is => "is",
    }
}

/// So many uses, in words.
pub(super) fn uses(count: u64) -> String {
    match count {
        1 => "1 use".to_owned(),
        count => format!("{count} uses"),
    }
}

/// Words of others in a picture. Two letters that XML does not admit are no controls.
fn harmless(text: &str) -> String {
    let letters = clean(text);
    letters.replace(['\u{fffe}', '\u{ffff}'], "")
}

/// A line about a node that says what its name does not.
fn about(node: &Node) -> String {
    harmless(&facts_of(node))
}

fn facts_of(node: &Node) -> String {
    if let Some(facts) = &node.credential {
        return credential_line(facts);
    }
    if let Some(facts) = &node.place {
        return place_line(facts);
    }
    if let Some(facts) = &node.consumer {
        return consumer_line(facts);
    }
    let id = node.store.as_ref().map(|id| id.as_str());
    match (node.kind, id) {
        (NodeKind::Store, Some(id)) if id != node.label => format!("store {id}"),
        (kind, _) => kind.name().to_owned(),
    }
}

fn credential_line(facts: &CredentialFacts) -> String {
    let end = match facts.expires_at {
        Some(at) => format!("ends {}", day(&at.to_string())),
        None => "never ends".to_owned(),
    };
    format!(
        "{} / {}, {}, {}, {end}",
        facts.project, facts.environment, facts.kind, facts.state
    )
}

fn place_line(facts: &PlaceFacts) -> String {
    let seen = match (facts.sight, facts.last_seen_at) {
        (Sight::Seen, Some(at)) => format!("seen {at}"),
        (Sight::Seen, None) => "seen".to_owned(),
        (Sight::Never, _) => "never seen".to_owned(),
        (Sight::Unknown, _) => "use not known".to_owned(),
    };
    let waits = if facts.required { "" } else { ", optional" };
    format!("{}, {}, {seen}{waits}", facts.target, facts.state)
}

fn consumer_line(facts: &ConsumerFacts) -> String {
    let declared = match facts.matched {
        Match::Declared => "declared",
        Match::Undeclared => "declared by nobody",
        Match::Ambiguous => "cannot be told apart",
    };
    format!(
        "{declared}, {} from {}, last {}",
        uses(facts.uses),
        facts.address,
        facts.last_seen_at
    )
}

/// The day of a time.
fn day(time: &str) -> &str {
    time.split_once('T').map_or(time, |(day, _)| day)
}

/// What is not known, the same things said once: how many, of what, and the first few.
fn unknowns(graph: &UsageGraph) -> Vec<String> {
    let mut groups: BTreeMap<(clp_schemas::usage::Reason, &str, Option<&str>), Vec<&Unknown>> =
        BTreeMap::new();
    for one in &graph.unknown {
        let issuer = one.issuer.as_deref();
        groups
            .entry((one.reason, &one.text, issuer))
            .or_default()
            .push(one);
    }
    let line = |((_, text, issuer), all): ((_, &str, Option<&str>), Vec<&Unknown>)| {
        let names: Vec<String> = all
            .iter()
            .filter_map(|one| graph.node(one.about.as_deref()?))
            .map(|node| format!("`{}`", clean(&node.label)))
            .collect();
        let (first, rest) = names.split_at(names.len().min(3));
        let more = match rest.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let of = match (first.is_empty(), issuer) {
            (false, _) => format!("{}{more}", first.join(", ")),
            (true, Some(issuer)) => clean(issuer),
            (true, None) => String::new(),
        };
        format!("{of}: {}", clean(text))
    };
    groups.into_iter().map(line).collect()
}
