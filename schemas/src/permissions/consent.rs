//! What a person is shown before agreeing to a permission set, and how risky it is.

use super::bound::quoted;
use super::{
    Localised, PermissionDocument, PermissionSet, Risk, Statement, Unknown, limits, normalise,
};

/// There is no consent text to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentFault {
    /// The set has a part that the document does not define.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The text would be longer than [`limits::CONSENT_BYTES`].
    #[error("the consent text is longer than {} bytes", limits::CONSENT_BYTES)]
    TooLong,
}

/// The consent text of a set: one line for each atom of its normal form, implied actions
/// included, in a fixed order.
///
/// The words are the document's, in `language` (a tag of RFC 5646) or the nearest there
/// is. Values out of the set stand in quotes; no other word of a requester appears.
///
/// # Errors
/// [`ConsentFault`]; nobody can be asked to approve such a set.
pub fn consent(
    document: &PermissionDocument,
    set: &PermissionSet,
    language: &str,
) -> Result<Vec<String>, ConsentFault> {
    lines(document, set, language, |_| true)
}

/// The line of the consent text for one part of a set: a statement of one action, as
/// [`expand`](super::expand) makes them. What the action implies has lines of its own.
///
/// # Errors
/// [`ConsentFault`], as for a whole set.
pub fn consent_part(
    document: &PermissionDocument,
    part: &Statement,
    language: &str,
) -> Result<String, ConsentFault> {
    let set = PermissionSet(vec![part.clone()]);
    let lines = lines(document, &set, language, |action| {
        part.actions.iter().any(|own| own == action)
    })?;
    Ok(lines.join("; "))
}

/// The lines of those actions that are wanted.
fn lines(
    document: &PermissionDocument,
    set: &PermissionSet,
    language: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>, ConsentFault> {
    let atoms = normalise(document, set)?;
    let mut regions: Vec<_> = atoms
        .regions()
        .map(|region| {
            let constraints = region.constraints.text();
            (
                region.resource_type,
                region.selector,
                constraints,
                region.actions,
            )
        })
        .collect();
    regions.sort();
    let mut left = limits::CONSENT_BYTES;
    let mut lines = Vec::new();
    for (resource_type, selector, constraints, actions) in regions {
        let definition = document.resource_type(resource_type);
        let selector = quoted(selector.as_str());
        for action in actions.iter().filter(|action| is_wanted(action)) {
            let template = definition
                .and_then(|definition| definition.actions.get(action))
                .and_then(|action| in_language(&action.consent, language))
                .unwrap_or(action);
            let line = match template.split_once("{selector}") {
                Some((before, after)) => format!("{before}{selector}{after}{constraints}"),
                None => format!("{template}: {selector}{constraints}"),
            };
            left = left.checked_sub(line.len()).ok_or(ConsentFault::TooLong)?;
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Lookup of RFC 4647 section 3.4, then English, then the first language by code points.
fn in_language<'a>(text: &'a Localised, language: &str) -> Option<&'a str> {
    let find = |wanted: &str| {
        text.iter()
            .find(|(tag, _)| tag.eq_ignore_ascii_case(wanted))
            .map(|(_, text)| text.as_str())
    };
    let mut range = language;
    loop {
        if let Some(found) = find(range) {
            return Some(found);
        }
        let Some((shorter, _)) = range.rsplit_once('-') else {
            break;
        };
        // A single letter or digit only introduces what follows it.
        range = match shorter.rsplit_once('-') {
            Some((before, single)) if single.len() == 1 => before,
            _ => shorter,
        };
    }
    find("en").or_else(|| text.values().next().map(String::as_str))
}

/// The highest risk among everything the set grants, implied actions included. A set with
/// a part that the document does not define is of critical risk; an empty set of low risk.
#[must_use]
pub fn risk(document: &PermissionDocument, set: &PermissionSet) -> Risk {
    let Ok(atoms) = normalise(document, set) else {
        return Risk::Critical;
    };
    let risks = atoms.iter().map(|atom| {
        document
            .resource_type(atom.resource_type())
            .and_then(|definition| definition.actions.get(atom.action()))
            .map_or(Risk::Critical, |action| action.risk)
    });
    risks.max().unwrap_or(Risk::Low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::expand;
    use serde_json::json;

    #[test]
    fn each_part_has_the_line_that_it_has_in_the_whole() {
        let document: PermissionDocument = serde_json::from_value(json!({
            "version": "1", "environments": ["staging"],
            "resource_types": {"record": {
                "title": {"en": "Records"},
                "actions": {
                    "read": {"risk": "low", "consent": {"en": "Read {selector}"}},
                    "write": {"risk": "medium", "consent": {"en": "Write {selector}"}, "implies": ["read"]},
                },
            }},
        }))
        .unwrap();
        let set: PermissionSet = serde_json::from_value(json!([
            {"resource_type": "record", "selector": "atlas/*", "actions": ["write"]},
        ]))
        .unwrap();
        let parts = expand(&document, &set).unwrap();
        let lines: Vec<_> = parts
            .iter()
            .map(|part| consent_part(&document, part, "en").unwrap())
            .collect();
        assert_eq!(lines, consent(&document, &set, "en").unwrap());
        assert_eq!(lines.len(), 2);
    }
}
