//! The usage graph as tables.

use clp_schemas::usage::{Breaks, EdgeKind, Match, Node, NodeKind, Sight, UsageGraph};

use super::super::{clean, table};
use super::{about, says, unknowns};
use crate::usage::breaks::link;

/// Where each credential is used, what depends on it, and what is not known.
pub(crate) fn text(graph: &UsageGraph) -> String {
    let credentials = graph
        .nodes
        .iter()
        .filter(|node| node.kind == NodeKind::Credential);
    let blocks: Vec<String> = credentials.map(|node| block(graph, node)).collect();
    let mut text = match blocks.is_empty() {
        true => "no credential matches\n".to_owned(),
        false => blocks.join("\n"),
    };
    text.push_str(&not_known(graph));
    text
}

fn not_known(graph: &UsageGraph) -> String {
    let lines = unknowns(graph);
    match lines.is_empty() {
        true => String::new(),
        false => {
            let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
            format!("\nnot known:\n{lines}")
        }
    }
}

/// The nodes at the other end of edges of a kind that end here.
fn into<'a>(
    graph: &'a UsageGraph,
    node: &'a Node,
    kinds: &'a [EdgeKind],
) -> impl Iterator<Item = &'a Node> {
    graph
        .edges
        .iter()
        .filter(move |edge| edge.to == node.id && kinds.contains(&edge.kind))
        .filter_map(|edge| graph.node(&edge.from))
}

fn out_of<'a>(
    graph: &'a UsageGraph,
    node: &'a Node,
    kinds: &'a [EdgeKind],
) -> impl Iterator<Item = &'a Node> {
    graph
        .edges
        .iter()
        .filter(move |edge| edge.from == node.id && kinds.contains(&edge.kind))
        .filter_map(|edge| graph.node(&edge.to))
}

fn labels<'a>(nodes: impl Iterator<Item = &'a Node>) -> String {
    let labels: Vec<String> = nodes.map(|node| clean(&node.label)).collect();
    labels.join(", ")
}

fn block(graph: &UsageGraph, node: &Node) -> String {
    let Some(facts) = &node.credential else {
        return String::new();
    };
    let mut text = format!("{} {}\n", facts.credential_id, clean(&node.label));
    let line = [
        ("", about(node)),
        ("owner ", labels(into(graph, node, &[EdgeKind::AnswersFor]))),
        ("seen by ", labels(into(graph, node, &[EdgeKind::Saw]))),
        ("kept in ", labels(into(graph, node, &[EdgeKind::Keeps]))),
        ("at ", node.issuer.as_deref().map(clean).unwrap_or_default()),
    ];
    let said = line.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<String> = said
        .map(|(name, value)| format!("{name}{}", clean(value)))
        .collect();
    text.push_str(&format!("{}\n", said.join("; ")));
    for before in out_of(graph, node, &[EdgeKind::Replaces]) {
        let id = before
            .credential
            .as_ref()
            .map(|facts| facts.credential_id.as_str());
        text.push_str(&format!(
            "replaces {}, which still lives\n",
            id.unwrap_or_default()
        ));
    }
    text.push_str(&places(graph, node));
    text.push_str(&consumers(graph, node));
    if facts.retired_places > 0 {
        text.push_str(&format!("{} retired, not shown\n", facts.retired_places));
    }
    text
}

fn places(graph: &UsageGraph, node: &Node) -> String {
    let rows = into(graph, node, &[EdgeKind::Holds, EdgeKind::Declared]).filter_map(|place| {
        let facts = place.place.as_ref()?;
        let seen = match (facts.sight, facts.last_seen_at) {
            (Sight::Seen, Some(at)) => at.to_string(),
            (Sight::Seen | Sight::Unknown, _) => "not known".to_owned(),
            (Sight::Never, _) => "never".to_owned(),
        };
        let by = facts.reported_by.as_ref();
        Some(vec![
            facts.installation_id.to_string(),
            facts.target.to_string(),
            place.label.clone(),
            facts.state.to_string(),
            if facts.required { "yes" } else { "no" }.to_owned(),
            by.map_or_else(|| "this machine".to_owned(), ToString::to_string),
            facts
                .reported_at
                .map_or_else(|| "-".to_owned(), |at| at.to_string()),
            seen,
            labels(into(graph, place, &[EdgeKind::DependsOn])),
        ])
    });
    let header = [
        "installation",
        "kind",
        "place",
        "state",
        "required",
        "reported by",
        "at",
        "last seen",
        "depends on it",
    ];
    table(&header, rows, "no place is declared")
}

/// Whoever was seen, and who of them nobody declared (CLP-INV-006, CLP-INV-008).
fn consumers(graph: &UsageGraph, node: &Node) -> String {
    let rows = into(graph, node, &[EdgeKind::Observed]).filter_map(|seen| {
        let facts = seen.consumer.as_ref()?;
        let fitting = out_of(graph, seen, &[EdgeKind::Fits, EdgeKind::MayFit]);
        let ids = fitting.filter_map(|place| place.place.as_ref());
        let ids: Vec<&str> = ids.map(|facts| facts.installation_id.as_str()).collect();
        let declared = match facts.matched {
            Match::Undeclared => "UNDECLARED".to_owned(),
            Match::Ambiguous => format!("CANNOT BE TOLD APART: {}", ids.join(", ")),
            Match::Declared if ids.is_empty() => "a place that is not shown".to_owned(),
            Match::Declared => ids.join(", "),
        };
        Some(vec![
            facts.user_agent.clone().unwrap_or_else(|| "-".to_owned()),
            facts.address.clone(),
            facts.uses.to_string(),
            facts.last_seen_at.to_string(),
            declared,
        ])
    });
    let header = ["user agent", "address", "uses", "last seen", "declared as"];
    let known = node
        .credential
        .as_ref()
        .is_some_and(|facts| facts.uses.is_some());
    match known {
        true => table(&header, rows, "nobody was seen using it"),
        false => "who uses it is not known\n".to_owned(),
    }
}

/// What stops, with the way that leads there.
pub(crate) fn breaks(breaks: &Breaks) -> String {
    let graph = &breaks.graph;
    let name = |id: &str| graph.node(id).map_or_else(String::new, called);
    let mut text = String::new();
    for id in &breaks.gone {
        text.push_str(&format!("if {} goes:\n", name(id)));
    }
    let rows = breaks.hit.iter().filter_map(|hit| {
        let node = graph.node(&hit.node)?;
        let steps = hit.path.windows(2).filter_map(|pair| match pair {
            [from, to] => Some((link(graph, from, to)?.kind, graph.node(from)?)),
            _ => None,
        });
        // Read from what stops back to what goes.
        let mut way: Vec<String> = steps
            .map(|(kind, to)| format!("{} {}", says(kind), clean(&to.label)))
            .collect();
        way.reverse();
        Some(vec![
            if hit.certain { "stops" } else { "may stop" }.to_owned(),
            node.kind.to_string(),
            node.label.clone(),
            way.join(", which "),
        ])
    });
    let empty = "nothing is known to depend on it";
    text.push_str(&table(&["", "what", "name", "because it"], rows, empty));
    for round in &breaks.cycles {
        let names: Vec<String> = round.iter().map(|id| name(id)).collect();
        text.push_str(&format!("depend on each other: {}\n", names.join(", ")));
    }
    text.push_str(&not_known(graph));
    text
}

fn called(node: &Node) -> String {
    let id = match (&node.credential, &node.place) {
        (Some(facts), _) => Some(facts.credential_id.as_str()),
        (_, Some(facts)) => Some(facts.installation_id.as_str()),
        _ => None,
    };
    let label = clean(&node.label);
    match id {
        Some(id) => format!("the {} `{label}` ({id})", node.kind),
        None => format!("the {} `{label}`", node.kind),
    }
}
