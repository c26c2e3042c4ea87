//! The usage graph for Mermaid, which Markdown pages show.

use std::fmt::Write as _;

use clp_schemas::usage::{EdgeKind, NodeKind};

use super::{Picture, about, harmless, says};

/// Text that stands between quotes. Whatever is neither a letter, a digit, nor known to mean
/// nothing to Mermaid, to Markdown or to HTML is written by its number.
fn safe(text: &str) -> String {
    let mut safe = String::new();
    for letter in harmless(text).chars() {
        match letter {
            ' ' | '.' | ',' | '-' | '_' | '/' | ':' => safe.push(letter),
            _ if letter.is_alphanumeric() => safe.push(letter),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(safe, "#{};", u32::from(letter));
            }
        }
    }
    safe
}

/// The picture as a flowchart, from left to right.
pub(crate) fn mermaid(picture: &Picture<'_>) -> String {
    let mut text = String::from("flowchart LR\n");
    for node in &picture.nodes {
        let (open, shut) = match node.kind {
            NodeKind::Owner | NodeKind::Person => ("([", "])"),
            NodeKind::Credential => ("[", "]"),
            NodeKind::Store => ("[(", ")]"),
            NodeKind::Place => ("[[", "]]"),
            NodeKind::Consumer => ("{{", "}}"),
            NodeKind::Dependent => ("(", ")"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {}{open}\"{}<br/>{}\"{shut}",
            node.id,
            safe(&node.label),
            safe(&about(node)),
        );
    }
    for edge in &picture.edges {
        let arrow = match edge.kind {
            EdgeKind::MayFit | EdgeKind::Declared | EdgeKind::FilledFrom | EdgeKind::Is => "-.->",
            _ => "-->",
        };
        let _ = writeln!(
            text,
            "  {} {arrow}|{}| {}",
            edge.from,
            says(edge.kind),
            edge.to
        );
    }
    if !picture.gone.is_empty() {
        let gone: Vec<&str> = picture.gone.iter().copied().collect();
        let _ = writeln!(text, "  classDef gone stroke:#c00,stroke-width:4px");
        let _ = writeln!(text, "  class {} gone", gone.join(","));
    }
    text
}
