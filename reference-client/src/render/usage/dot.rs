//! The usage graph for Graphviz.

use std::fmt::Write as _;

use clp_schemas::usage::{EdgeKind, NodeKind};

use super::{Picture, about, harmless, says};

/// Text that stands between quotes. Graphviz reads a backslash as the beginning of something.
fn quoted(text: &str) -> String {
    let mut safe = String::from("\"");
    for letter in harmless(text).chars() {
        if matches!(letter, '"' | '\\') {
            safe.push('\\');
        }
        safe.push(letter);
    }
    safe.push('"');
    safe
}

/// The picture as a directed graph, from left to right.
pub(crate) fn dot(picture: &Picture<'_>) -> String {
    let mut text = String::from(
        "digraph usage {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=11, shape=box];\n  edge [fontname=\"sans-serif\", fontsize=9];\n",
    );
    for node in &picture.nodes {
        let shape = match node.kind {
            NodeKind::Owner | NodeKind::Person => "ellipse",
            NodeKind::Credential => "box",
            NodeKind::Store => "cylinder",
            NodeKind::Place => "component",
            NodeKind::Consumer => "octagon",
            NodeKind::Dependent => "note",
        };
        let mark = match picture.gone.contains(&*node.id) {
            true => ", color=red, penwidth=3",
            false => "",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {} [label={}, tooltip={}, shape={shape}{mark}];",
            node.id,
            quoted(&node.label),
            quoted(&about(node)),
        );
    }
    for edge in &picture.edges {
        // Drawn from what is kept or used to what depends on it, so that it reads from the
        // left to the right.
        let (from, to) = match edge.kind.is_dependence() || edge.kind == EdgeKind::Keeps {
            true => (&edge.to, &edge.from),
            false => (&edge.from, &edge.to),
        };
        let style = match edge.kind {
            EdgeKind::MayFit | EdgeKind::Declared | EdgeKind::FilledFrom | EdgeKind::Is => {
                ", style=dashed"
            }
            _ => "",
        };
        let _ = writeln!(
            text,
            "  {from} -> {to} [label={}, dir={}{style}];",
            quoted(says(edge.kind)),
            if edge.kind.is_dependence() || edge.kind == EdgeKind::Keeps {
                "back"
            } else {
                "forward"
            },
        );
    }
    text.push_str("}\n");
    text
}
