//! Entity tags, and what a caller says about the state that they saw (step 9; RFC 9110
//! section 13; specification chapter 02, "Preconditions").

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use clp_schemas::canonical;
use clp_schemas::endpoint::Precondition;
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::Value;

use crate::rules::Rule;
use crate::seams::Seams;

/// The entity tag of an object: the hash of what a caller sees of it.
///
/// # Errors
/// `internal`, if the object has no canonical form.
pub(crate) fn tag(object: &Value) -> Result<String, Problem> {
    let bytes = canonical::to_bytes(object).map_err(|_| ProblemType::Internal)?;
    Ok(canonical::to_base64url(&canonical::sha256(&bytes)))
}

/// One of the two header fields.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Absent,
    /// `*`
    Any,
    Tags(Vec<Tag>),
    Malformed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    opaque: String,
}

/// What a caller says about the state that they saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    matches: Field,
    none_matches: Field,
}

impl Conditions {
    /// Reads the header fields `If-Match` and `If-None-Match`.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        Self {
            matches: Field::read(headers, &IF_MATCH),
            none_matches: Field::read(headers, &IF_NONE_MATCH),
        }
    }
}

impl Field {
    fn read(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut lines = Vec::new();
        for value in headers.get_all(name) {
            match value.to_str() {
                Ok(line) => lines.push(line),
                Err(_) => return Self::Malformed,
            }
        }
        if lines.is_empty() {
            return Self::Absent;
        }
        // Several lines are one list (RFC 9110 section 5.3).
        let text = lines.join(",");
        match text.trim() {
            "*" => Self::Any,
            list => tags(list).map_or(Self::Malformed, Self::Tags),
        }
    }
}

/// A list of entity tags (RFC 9110 sections 5.6.1 and 8.8.3); `None` where it is none.
fn tags(list: &str) -> Option<Vec<Tag>> {
    const SPACE: [char; 2] = [' ', '\t'];
    let mut found = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (!found.is_empty()).then_some(found);
        }
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if !opaque
            .bytes()
            .all(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte))
        {
            return None;
        }
        found.push(Tag {
            is_weak,
            opaque: opaque.to_owned(),
        });
        rest = after.trim_start_matches(SPACE);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

/// A call against an object.
struct Seen {
    wanted: Precondition,
    conditions: Conditions,
    /// The tag of the object; `None` where there is none.
    current: Option<String>,
}

const RULES: &[Rule<Seen>] = &[
    Rule {
        id: "CLP-TRN-036",
        refuses: |seen| {
            let given = seen.conditions.matches != Field::Absent;
            // Whoever makes something says that there was nothing; a list of tags does not.
            let given_new = matches!(seen.conditions.none_matches, Field::Any | Field::Malformed);
            let missing = match seen.wanted {
                Precondition::None | Precondition::Tagged => false,
                Precondition::IfMatch => !given,
                Precondition::IfMatchOrNew => !given && !given_new,
            };
            missing.then(|| ProblemType::PreconditionRequired.into())
        },
    },
    Rule {
        id: "CLP-TRN-037",
        refuses: |seen| (!seen.holds()).then(|| ProblemType::PreconditionFailed.into()),
    },
];

impl Seen {
    /// RFC 9110 section 13.2.2.
    fn holds(&self) -> bool {
        let current = self.current.as_deref();
        let same = |tag: &Tag| current == Some(tag.opaque.as_str());
        let matches = match &self.conditions.matches {
            Field::Absent => true,
            Field::Any => current.is_some(),
            Field::Tags(tags) => tags.iter().any(|tag| !tag.is_weak && same(tag)),
            Field::Malformed => false,
        };
        let none_matches = match &self.conditions.none_matches {
            Field::Absent => true,
            Field::Any => current.is_none(),
            Field::Tags(tags) => !tags.iter().any(same),
            Field::Malformed => false,
        };
        matches && none_matches
    }
}

/// Checks what a caller says against the object as they see it.
///
/// # Errors
/// `precondition-required` or `precondition-failed`.
pub(crate) fn check(
    seams: Seams,
    wanted: Precondition,
    conditions: &Conditions,
    current: Option<&Value>,
) -> Result<(), Problem> {
    let seen = Seen {
        wanted,
        conditions: conditions.clone(),
        current: current.map(tag).transpose()?,
    };
    seams.check(RULES, &seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(
        wanted: Precondition,
        fields: &[(HeaderName, &str)],
        current: Option<&Value>,
    ) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        check(
            Seams::default(),
            wanted,
            &Conditions::read(&headers),
            current,
        )
        .err()
        .map(|problem| problem.status)
    }

    #[test]
    fn what_was_seen_has_to_be_what_is() {
        let object = json!({"b": 1, "a": "x"});
        let good = format!("\"{}\"", tag(&json!({"a": "x", "b": 1})).unwrap());
        let change =
            |value: &str| outcome(Precondition::IfMatch, &[(IF_MATCH, value)], Some(&object));
        assert_eq!(change(&good), None);
        assert_eq!(change("*"), None);
        assert_eq!(change(&format!("\"other\" , {good}")), None);
        for wrong in [
            "\"other\"",
            &format!("W/{good}"),
            good.trim_matches('"'),
            "",
            "\"",
            "*, *",
        ] {
            assert_eq!(change(wrong), Some(412), "{wrong}");
        }
        assert_eq!(
            outcome(Precondition::IfMatch, &[], Some(&object)),
            Some(428)
        );
        assert_eq!(
            outcome(
                Precondition::IfMatch,
                &[(IF_NONE_MATCH, "*")],
                Some(&object)
            ),
            Some(428)
        );
        assert_eq!(outcome(Precondition::Tagged, &[], Some(&object)), None);
    }

    #[test]
    fn what_is_made_must_not_be_there() {
        let object = json!({});
        let good = format!("\"{}\"", tag(&object).unwrap());
        let put = |fields: &[(HeaderName, &str)], current| {
            outcome(Precondition::IfMatchOrNew, fields, current)
        };
        assert_eq!(put(&[(IF_NONE_MATCH, "*")], None), None);
        assert_eq!(put(&[(IF_NONE_MATCH, "*")], Some(&object)), Some(412));
        assert_eq!(put(&[(IF_MATCH, "*")], None), Some(412));
        assert_eq!(put(&[(IF_MATCH, &good)], None), Some(412));
        assert_eq!(put(&[(IF_MATCH, &good)], Some(&object)), None);
        assert_eq!(put(&[], None), Some(428));
        assert_eq!(put(&[(IF_NONE_MATCH, &good)], None), Some(428));
        assert_eq!(put(&[(IF_NONE_MATCH, "x")], None), Some(412));
        assert_eq!(
            put(&[(IF_MATCH, &good), (IF_NONE_MATCH, "*")], Some(&object)),
            Some(412)
        );
    }
}
