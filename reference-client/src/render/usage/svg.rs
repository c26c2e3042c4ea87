//! The usage graph as a picture: one file without scripts, that follows the reader's light or
//! dark, and whose text can be selected and is read out.

use askama::Template;
use clp_schemas::usage::{NodeKind, Sight};

use super::layout::{COLUMNS, Sheet, Tile, WIDTH, layout};
use super::{Picture, about, harmless, says, unknowns, uses};
use crate::error::{Error, LocalFault};

/// Where the things begin.
const TOP: i32 = 124;
/// Most lines about what is not known.
const MOST_LINES: usize = 12;
/// Height of such a line.
const LINE: i32 = 18;

#[derive(Template)]
#[template(path = "usage.svg", escape = "html")]
struct Page {
    width: i32,
    height: i32,
    title: String,
    made: String,
    columns: Vec<(i32, &'static str)>,
    headings: Vec<(i32, i32, String)>,
    curves: Vec<Drawn>,
    tiles: Vec<Shown>,
    notes: Vec<(i32, String)>,
    notes_at: i32,
}

struct Drawn {
    class: String,
    path: String,
    title: String,
}

struct Shown {
    class: String,
    title: String,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    /// Where the first line stands.
    line: i32,
    first: String,
    second: Option<String>,
    /// What stands at the right end of the first line.
    aside: Option<String>,
    bar: bool,
}

/// The picture.
///
/// # Errors
/// Only if the template cannot be filled.
pub(crate) fn svg(picture: &Picture<'_>) -> Result<String, Error> {
    let sheet = layout(picture, TOP);
    let names = [
        "answers for it",
        "credentials",
        "where it is used",
        "stops with it",
    ];
    let columns = COLUMNS.iter().zip(names).map(|((x, _), name)| (*x, name));
    let mut lines = unknowns(picture.graph);
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("and {more} more, which --format json names"));
    }
    let notes_at = sheet.bottom + 44;
    let notes: Vec<(i32, String)> = lines
        .into_iter()
        .zip(1..)
        .map(|(line, at)| (notes_at + LINE * at, fit(&line, WIDTH - 48)))
        .collect();
    let last = notes.last().map_or(sheet.bottom, |(y, _)| *y);
    let page = Page {
        width: WIDTH,
        height: last + 28,
        title: heading(picture),
        made: format!("as of {}", picture.graph.made_at),
        columns: columns.collect(),
        headings: headings(&sheet),
        curves: curves(picture, &sheet),
        tiles: sheet
            .tiles
            .iter()
            .map(|tile| shown(picture, tile))
            .collect(),
        notes,
        notes_at,
    };
    page.render()
        .map_err(|_| LocalFault::System("the picture cannot be written").into())
}

fn heading(picture: &Picture<'_>) -> String {
    let count = |kind| picture.of_kind(kind).count();
    let what = match picture.gone.is_empty() {
        true => "Where credentials are used",
        false => "What stops if this goes",
    };
    format!(
        "{what}: {} credentials, {} places, {} undeclared or ambiguous consumers",
        count(NodeKind::Credential),
        count(NodeKind::Place),
        count(NodeKind::Consumer),
    )
}

fn headings(sheet: &Sheet<'_>) -> Vec<(i32, i32, String)> {
    let [_, (x, width), ..] = COLUMNS;
    let line = |(text, y): &(String, i32)| (x, *y, fit(text, width));
    sheet.headings.iter().map(line).collect()
}

fn curves(picture: &Picture<'_>, sheet: &Sheet<'_>) -> Vec<Drawn> {
    let label = |id: &str| {
        let node = picture.graph.node(id);
        node.map_or_else(String::new, |node| harmless(&node.label))
    };
    sheet
        .curves
        .iter()
        .map(|curve| {
            let edge = curve.edge;
            let said = says(edge.kind);
            let ((x, y), (to_x, to_y)) = (curve.from, curve.to);
            let back = match x < to_x {
                true => to_x - curve.reach,
                false => to_x + curve.reach,
            };
            Drawn {
                class: curve.class.to_owned(),
                path: format!(
                    "M{x} {y}C{} {y} {back} {to_y} {to_x} {to_y}",
                    x + curve.reach
                ),
                title: format!("{} {said} {}", label(&edge.from), label(&edge.to)),
            }
        })
        .collect()
}

fn shown(picture: &Picture<'_>, tile: &Tile<'_>) -> Shown {
    let node = tile.node;
    let gone = picture.gone.contains(&*node.id);
    let aside = match (&node.place, &node.consumer) {
        (Some(facts), _) => {
            let seen = match facts.sight {
                Sight::Seen => "",
                Sight::Never => ", never seen",
                Sight::Unknown => ", use not known",
            };
            Some(format!("{}{seen}", facts.target))
        }
        (_, Some(facts)) if tile.column == 2 => Some(format!("undeclared, {}", uses(facts.uses))),
        _ => None,
    };
    let aside = aside.map(|text| fit(&text, 200));
    let taken = aside.as_deref().map_or(0, |text| length(text) + 12);
    let second = node.credential.as_ref().map(|_| {
        let line = about(node);
        // Project and environment stand above already.
        let rest = line.split_once(", ").map_or(&*line, |(_, rest)| rest);
        fit(rest, tile.width() - 20)
    });
    let mut full = format!("{}: {}", harmless(&node.label), about(node));
    if let Some(id) = node.credential.as_ref().map(|facts| &facts.credential_id) {
        full.push_str(&format!(", {id}"));
    }
    if let Some(locator) = node.place.as_ref().and_then(|facts| facts.locator.as_ref()) {
        full.push_str(&format!(", {}", harmless(locator)));
    }
    Shown {
        class: format!("{}{}", tile.class, if gone { " gone" } else { "" }),
        title: full,
        x: tile.x(),
        y: tile.y,
        width: tile.width(),
        height: tile.height,
        line: tile.y + 16,
        first: fit(&node.label, tile.width() - 20 - taken),
        second,
        aside,
        bar: tile.column == 2,
    }
}

/// How long a text is at 12 pixels, or rather more. A letter beyond Latin, Greek and Cyrillic
/// can be twice as wide.
fn length(text: &str) -> i32 {
    let tenths = text.chars().map(|letter| match letter {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | ' ' | '.' | ',' | ':' | '/' | '\'' | '|' => 40,
        'm' | 'w' | 'M' | 'W' | '@' => 105,
        'A'..='Z' => 85,
        '\u{250}'.. if !('\u{370}'..='\u{52f}').contains(&letter) => 130,
        _ => 70,
    });
    tenths.sum::<i32>() / 10
}

/// A text without what could move its neighbours, cut short to a width.
fn fit(text: &str, width: i32) -> String {
    let mut letters: Vec<char> = harmless(text).chars().collect();
    let whole: String = letters.iter().collect();
    if length(&whole) <= width {
        return whole;
    }
    loop {
        letters.pop();
        let cut: String = letters.iter().collect();
        if letters.is_empty() || length(&cut) + 12 <= width {
            return format!("{}\u{2026}", cut.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_short_ones_are_not() {
        assert_eq!(fit("billing", 100), "billing");
        let cut = fit(&"w".repeat(500), 100);
        assert!(cut.ends_with('\u{2026}') && length(&cut) <= 112, "{cut}");
        assert_eq!(fit("a\u{202e}b\nc\u{fffe}", 100), "ab c");
    }
}
