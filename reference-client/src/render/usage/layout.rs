//! Where each thing of a picture stands: four columns, from who answers for a credential to
//! what stops with it, and curves between them. All lengths are in pixels.

use std::collections::BTreeMap;

use clp_schemas::state::installation::State;
use clp_schemas::usage::{Edge, EdgeKind, Match, Node, NodeKind, Sight};

use super::Picture;

/// The columns: where each begins, and how wide it is.
pub(super) const COLUMNS: [(i32, i32); 4] = [(24, 152), (226, 276), (566, 340), (972, 204)];
/// How wide the whole is.
pub(super) const WIDTH: i32 = 1200;
/// Between two things below each other.
const GAP: i32 = 6;
/// Between two credentials.
const WIDE_GAP: i32 = 16;
/// What stands above the credentials of a project and environment.
const HEADING: i32 = 26;
/// Height of a thing of one line, and of one of two.
const LOW: i32 = 24;
const HIGH: i32 = 40;

/// One thing.
pub(super) struct Tile<'a> {
    pub(super) node: &'a Node,
    pub(super) column: usize,
    pub(super) y: i32,
    pub(super) height: i32,
    /// The class that it is drawn as.
    pub(super) class: &'static str,
}

impl Tile<'_> {
    pub(super) fn x(&self) -> i32 {
        COLUMNS.get(self.column).map_or(0, |(x, _)| *x)
    }

    pub(super) fn width(&self) -> i32 {
        COLUMNS.get(self.column).map_or(0, |(_, width)| *width)
    }

    fn middle(&self) -> i32 {
        self.y + self.height / 2
    }
}

/// One curve.
pub(super) struct Curve<'a> {
    pub(super) edge: &'a Edge,
    pub(super) class: &'static str,
    /// Begin and end, and how far its ends reach before it bends.
    pub(super) from: (i32, i32),
    pub(super) to: (i32, i32),
    pub(super) reach: i32,
}

/// The whole.
pub(super) struct Sheet<'a> {
    pub(super) tiles: Vec<Tile<'a>>,
    pub(super) curves: Vec<Curve<'a>>,
    /// Project and environment, and the line that they stand on.
    pub(super) headings: Vec<(String, i32)>,
    /// Where the last thing ends.
    pub(super) bottom: i32,
}

/// Puts everything in its place, from `top` down.
pub(super) fn layout<'a>(picture: &Picture<'a>, top: i32) -> Sheet<'a> {
    let mut sheet = Sheet {
        tiles: Vec::new(),
        curves: Vec::new(),
        headings: Vec::new(),
        bottom: top,
    };
    sheet.credentials(picture, top);
    sheet.beside(
        picture,
        0,
        &[NodeKind::Owner, NodeKind::Person, NodeKind::Store],
        top,
    );
    sheet.beside(picture, 3, &[NodeKind::Dependent, NodeKind::Consumer], top);
    sheet.draw(picture);
    let bottom = sheet.tiles.iter().map(|tile| tile.y + tile.height).max();
    sheet.bottom = bottom.unwrap_or(top);
    sheet
}

impl<'a> Sheet<'a> {
    /// The two middle columns: each credential beside its places, so that no curve between
    /// them crosses another.
    fn credentials(&mut self, picture: &Picture<'a>, top: i32) {
        let mut credentials: Vec<&Node> = picture.of_kind(NodeKind::Credential).collect();
        let facts = |node: &&Node| {
            let facts = node.credential.as_ref();
            facts.map(|facts| {
                let names = (facts.project.clone(), facts.environment.clone());
                (names, node.label.clone(), facts.credential_id.clone())
            })
        };
        credentials.sort_by_cached_key(facts);
        let mut y = top;
        let mut heading = String::new();
        for credential in credentials {
            let group = credential
                .credential
                .as_ref()
                .map_or_else(String::new, |facts| {
                    format!("{} / {}", facts.project, facts.environment)
                });
            if group != heading {
                self.headings.push((group.clone(), y + HEADING - 10));
                y += HEADING;
                heading = group;
            }
            let places = below(picture, credential);
            let count = i32::try_from(places.len()).unwrap_or(i32::MAX);
            let block = (count * (LOW + GAP) - GAP).max(HIGH);
            let mut at = y + (block - (count * (LOW + GAP) - GAP).max(0)) / 2;
            self.tiles.push(Tile {
                node: credential,
                column: 1,
                y: y + (block - HIGH) / 2,
                height: HIGH,
                class: "credential",
            });
            for place in places {
                self.tiles.push(Tile {
                    node: place,
                    column: 2,
                    y: at,
                    height: LOW,
                    class: class_of(place),
                });
                at += LOW + GAP;
            }
            y += block + WIDE_GAP;
        }
    }

    /// An outer column: each thing as near as can be to what it belongs to.
    fn beside(&mut self, picture: &Picture<'a>, column: usize, kinds: &[NodeKind], top: i32) {
        let at: BTreeMap<&str, i32> = self
            .tiles
            .iter()
            .map(|tile| (&*tile.node.id, tile.middle()))
            .collect();
        let placed: Vec<&str> = at.keys().copied().collect();
        let mut wanted: Vec<(i32, &'a Node)> = picture
            .nodes
            .iter()
            .copied()
            .filter(|node| kinds.contains(&node.kind) && !placed.contains(&&*node.id))
            .map(|node| {
                let others = picture.edges.iter().filter_map(|edge| {
                    match (edge.from == node.id, edge.to == node.id) {
                        (true, _) => at.get(&*edge.to),
                        (_, true) => at.get(&*edge.from),
                        _ => None,
                    }
                });
                let others: Vec<i32> = others.copied().collect();
                let count = i32::try_from(others.len()).unwrap_or(1).max(1);
                (others.iter().sum::<i32>() / count, node)
            })
            .collect();
        wanted.sort_by_key(|(middle, _)| *middle);
        let middles: Vec<i32> = wanted.iter().map(|(middle, _)| *middle).collect();
        let ys = spread(&middles, LOW + GAP, top + LOW / 2);
        for ((_, node), y) in wanted.into_iter().zip(ys) {
            self.tiles.push(Tile {
                node,
                column,
                y: y - LOW / 2,
                height: LOW,
                class: class_of(node),
            });
        }
    }

    fn draw(&mut self, picture: &Picture<'a>) {
        let at: BTreeMap<&str, &Tile<'a>> = self
            .tiles
            .iter()
            .map(|tile| (&*tile.node.id, tile))
            .collect();
        let mut curves = Vec::new();
        for edge in &picture.edges {
            let (Some(from), Some(to)) = (at.get(&*edge.from), at.get(&*edge.to)) else {
                continue;
            };
            // A consumer that cannot be told apart is led to by the places that it may be.
            if edge.kind == EdgeKind::Observed && from.column == 3 {
                continue;
            }
            let (left, right) = match from.column <= to.column {
                true => (from, to),
                false => (to, from),
            };
            let begin = (left.x() + left.width(), left.middle());
            let (end, reach) = match left.column == right.column {
                // Both in one column: out at the right, and back in there.
                true => ((right.x() + right.width(), right.middle()), 28),
                false => {
                    let end = (right.x(), right.middle());
                    (end, (end.0 - begin.0) / 2)
                }
            };
            curves.push(Curve {
                edge,
                class: curve_class(edge, from.node),
                from: begin,
                to: end,
                reach,
            });
        }
        self.curves = curves;
    }
}

/// What stands beside a credential: its places, and whoever uses it without being declared.
fn below<'a>(picture: &Picture<'a>, credential: &Node) -> Vec<&'a Node> {
    let here = picture.edges.iter().filter(|edge| edge.to == credential.id);
    let ids: Vec<&str> = here
        .filter(|edge| {
            matches!(
                edge.kind,
                EdgeKind::Holds | EdgeKind::Declared | EdgeKind::Observed
            )
        })
        .map(|edge| &*edge.from)
        .collect();
    let mut found: Vec<&Node> = picture
        .nodes
        .iter()
        .copied()
        .filter(|node| ids.contains(&&*node.id))
        .filter(|node| {
            let consumer = node.consumer.as_ref();
            consumer.is_none_or(|facts| facts.matched == Match::Undeclared)
        })
        .collect();
    found.sort_by_key(|node| {
        let kind = node.place.as_ref().map(|facts| facts.target.clone());
        (node.kind, kind, in_order(&node.label))
    });
    found
}

/// A name as people put it in order: `2` before `10`.
fn in_order(label: &str) -> Vec<(String, u64)> {
    let mut parts: Vec<(String, u64)> = vec![Default::default()];
    let mut in_number = false;
    for letter in label.chars() {
        let digit = letter.to_digit(10).map(u64::from);
        if digit.is_none() && in_number {
            parts.push(Default::default());
        }
        in_number = digit.is_some();
        if let Some((word, number)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(digit),
                None => word.push(letter),
            }
        }
    }
    parts
}

fn class_of(node: &Node) -> &'static str {
    if let Some(facts) = &node.place {
        return match facts.state {
            State::Verified => "place verified",
            State::Installed => "place installed",
            State::Updating => "place updating",
            State::Declared | State::Retired => "place declared",
        };
    }
    match (node.kind, node.consumer.as_ref().map(|facts| facts.matched)) {
        (_, Some(Match::Ambiguous)) => "consumer ambiguous",
        (_, Some(_)) => "consumer undeclared",
        (NodeKind::Dependent, _) => "dependent",
        (NodeKind::Store, _) => "store",
        _ => "owner",
    }
}

fn curve_class(edge: &Edge, from: &Node) -> &'static str {
    let sight = from.place.as_ref().map(|facts| facts.sight);
    match (edge.kind, sight) {
        (EdgeKind::Observed, _) => "red",
        (EdgeKind::MayFit, _) => "amber dotted",
        (EdgeKind::Replaces, _) => "strong",
        (EdgeKind::Declared, _) | (EdgeKind::Holds, Some(Sight::Never)) => "dashed",
        (EdgeKind::Holds, Some(Sight::Unknown)) | (EdgeKind::FilledFrom | EdgeKind::Is, _) => {
            "dotted"
        }
        _ => "plain",
    }
}

/// Puts things `step` apart, at `least` at the lowest, each as near as can be to where it is
/// wanted. The wants are in ascending order. Neighbours that would overlap form a block, and a
/// block stands where its members' wants have their mean.
fn spread(wanted: &[i32], step: i32, least: i32) -> Vec<i32> {
    // Blocks of how many, and the sum of the wants of their first members.
    let mut blocks: Vec<(i32, i64)> = Vec::new();
    for (at, want) in wanted.iter().enumerate() {
        let offset = i32::try_from(at).unwrap_or(i32::MAX).saturating_mul(step);
        let mut block = (1, i64::from(want.max(&least) - offset));
        while let Some((count, sum)) = blocks.last().copied() {
            // Means are compared without dividing.
            if sum * i64::from(block.0) <= block.1 * i64::from(count) {
                break;
            }
            blocks.pop();
            block = (block.0 + count, block.1 + sum);
        }
        blocks.push(block);
    }
    let mut ys = Vec::with_capacity(wanted.len());
    for (count, sum) in blocks {
        let mean = i32::try_from(sum / i64::from(count)).unwrap_or_default();
        for _ in 0..count {
            let at = i32::try_from(ys.len()).unwrap_or(i32::MAX);
            ys.push(mean.max(least) + at.saturating_mul(step));
        }
    }
    ys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["run 10", "run 2", "run", "a2b10", "a2b9"];
        names.sort_by_key(|name| in_order(name));
        assert_eq!(names, ["a2b9", "a2b10", "run", "run 2", "run 10"]);
    }

    #[test]
    fn things_stand_apart_and_near_where_they_are_wanted() {
        assert_eq!(spread(&[100, 200], 30, 10), [100, 200]);
        assert_eq!(spread(&[100, 100], 30, 10), [85, 115]);
        assert_eq!(spread(&[0, 0, 500], 30, 10), [10, 40, 500]);
        assert_eq!(spread(&[], 30, 10), [0; 0]);
        let crowded: Vec<i32> = vec![50; 40];
        let ys = spread(&crowded, 30, 10);
        assert!(ys.windows(2).all(|pair| pair[1] - pair[0] >= 30));
        assert!(ys[0] >= 10);
    }
}
