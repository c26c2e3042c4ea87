//! What stops if something goes: everything that depends on it, over any number of steps, with
//! the way that leads there.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use clp_schemas::usage::{Breaks, Edge, EdgeKind, Hit, UsageGraph};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

/// Every node that `what` names: by the id of a credential, an installation or a store, or by
/// what people call it.
pub(crate) fn named(graph: &UsageGraph, what: &str) -> Vec<String> {
    let is_it = |node: &&clp_schemas::usage::Node| {
        let place = node
            .place
            .as_ref()
            .map(|facts| facts.installation_id.as_str());
        let credential = node
            .credential
            .as_ref()
            .map(|facts| facts.credential_id.as_str());
        let store = node.store.as_ref().map(|id| id.as_str());
        let ids = [place, credential, store];
        // What a credential is for, and who owns it, is no name of it.
        let called = credential.is_none() && node.label == what;
        ids.contains(&Some(what)) || (called && node.kind.can_go())
    };
    let found = graph.nodes.iter().filter(is_it);
    found.map(|node| node.id.clone()).collect()
}

/// Whether what an edge says is sure to carry a failure on.
fn is_certain(kind: EdgeKind) -> bool {
    match kind {
        // One of several; not there yet; filled the next time only.
        EdgeKind::MayFit | EdgeKind::Declared | EdgeKind::FilledFrom => false,
        _ => true,
    }
}

/// What stops if these nodes go.
pub(crate) fn breaks(graph: &UsageGraph, gone: &[String]) -> Breaks {
    let mut net: DiGraph<&str, EdgeKind> = DiGraph::new();
    let mut index: BTreeMap<&str, NodeIndex> = BTreeMap::new();
    for node in &graph.nodes {
        index.insert(&node.id, net.add_node(&node.id));
    }
    // From what goes to what it stops.
    for edge in graph.edges.iter().filter(|edge| edge.kind.is_dependence()) {
        if let (Some(from), Some(to)) = (index.get(&*edge.from), index.get(&*edge.to)) {
            net.add_edge(*to, *from, edge.kind);
        }
    }
    let starts: Vec<NodeIndex> = gone
        .iter()
        .filter_map(|id| index.get(&**id).copied())
        .collect();
    let mut reached = Reached::from(&starts);
    reached.spread(&net, is_certain);
    let sure = reached.order.len();
    reached.spread(&net, |_| true);
    let hit = reached.order.iter().enumerate().skip(starts.len());
    let hit: Vec<Hit> = hit
        .map(|(at, node)| Hit {
            node: net
                .node_weight(*node)
                .copied()
                .unwrap_or_default()
                .to_owned(),
            path: reached
                .path(*node)
                .into_iter()
                .filter_map(|step| net.node_weight(step))
                .map(|id| (*id).to_owned())
                .collect(),
            certain: at < sure,
        })
        .collect();
    let cycles = tarjan_scc(&net)
        .into_iter()
        .filter(|round| {
            round.len() > 1 && round.iter().any(|node| reached.parent.contains_key(node))
        })
        .map(|round| {
            let ids = round.into_iter().filter_map(|node| net.node_weight(node));
            let mut ids: Vec<String> = ids.map(|id| (*id).to_owned()).collect();
            ids.sort_by_key(|id| graph.nodes.iter().position(|node| node.id == *id));
            ids
        })
        .collect();
    Breaks {
        clp: graph.clp.clone(),
        gone: gone.to_vec(),
        hit,
        cycles,
        graph: graph.clone(),
    }
}

/// What was reached, in order, and from where.
struct Reached {
    order: Vec<NodeIndex>,
    parent: BTreeMap<NodeIndex, Option<NodeIndex>>,
}

impl Reached {
    fn from(starts: &[NodeIndex]) -> Self {
        Self {
            order: starts.to_vec(),
            parent: starts.iter().map(|start| (*start, None)).collect(),
        }
    }

    /// Goes on from everything that was reached, breadth first, over the edges that count.
    fn spread(&mut self, net: &DiGraph<&str, EdgeKind>, counts: impl Fn(EdgeKind) -> bool) {
        let mut open: VecDeque<NodeIndex> = self.order.iter().copied().collect();
        while let Some(at) = open.pop_front() {
            // petgraph gives the newest edge first; the document's order is the other.
            let mut next: Vec<NodeIndex> = net
                .edges(at)
                .filter(|edge| counts(*edge.weight()))
                .map(|edge| edge.target())
                .collect();
            next.sort_unstable();
            for to in next {
                if let Entry::Vacant(new) = self.parent.entry(to) {
                    new.insert(Some(at));
                    self.order.push(to);
                    open.push_back(to);
                }
            }
        }
    }

    /// The way from what goes to a node, both included.
    fn path(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let mut path = vec![node];
        let mut at = node;
        while let Some(Some(before)) = self.parent.get(&at) {
            path.push(*before);
            at = *before;
        }
        path.reverse();
        path
    }
}

/// The edge that leads from one step of a path to the next, read the way that it stands in the
/// graph.
pub(crate) fn link<'a>(graph: &'a UsageGraph, from: &str, to: &str) -> Option<&'a Edge> {
    graph
        .edges
        .iter()
        .find(|edge| edge.to == from && edge.from == to && edge.kind.is_dependence())
}
