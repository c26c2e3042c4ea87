//! Permission sets as they are written, and the accesses they are asked about.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Selector, limits};
use crate::json::MAX_INTEGER;

/// What a credential opens: the union of its statements. There is no deny.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PermissionSet(#[schemars(length(min = 1, max = limits::STATEMENTS))] pub Vec<Statement>);

/// One grant: these actions on these resources, under these constraints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// A resource type of the permission document.
    #[schemars(length(min = 1, max = limits::NAME_LENGTH))]
    pub resource_type: String,
    /// Which resources of that type.
    pub selector: Selector,
    /// Actions of that type, each once.
    #[schemars(
        length(min = 1, max = limits::ACTIONS_NAMED),
        inner(length(min = 1, max = limits::NAME_LENGTH)),
        extend("uniqueItems" = true)
    )]
    pub actions: Vec<String>,
    /// Constraints of that type by name; all of them hold. Absent where there is none,
    /// never empty, since sets are hashed and one meaning has one spelling.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "at_least_one"
    )]
    #[schemars(extend("minProperties" = 1, "maxProperties" = limits::CONSTRAINTS))]
    pub constraints: BTreeMap<String, ConstraintValue>,
}

fn at_least_one<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, ConstraintValue>, D::Error> {
    let constraints = BTreeMap::deserialize(deserializer)?;
    if constraints.is_empty() {
        return Err(serde::de::Error::custom(
            "`constraints` is present but empty",
        ));
    }
    Ok(constraints)
}

/// The value of a constraint. Which shape is right follows from the constraint's kind, and
/// [`normalise`](super::normalise) refuses any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConstraintValue {
    /// For `flag`. Only `true`, since absence says `false`.
    Flag(bool),
    /// For `max` and `min`: an integer of magnitude at most 2^53.
    Bound(i64),
    /// For `set` and `cidr_set`.
    Members(Vec<String>),
    /// For `interval`.
    Interval(Interval),
}

/// A span of integers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The least value admitted.
    pub from: i64,
    /// The greatest value admitted; not less than `from`.
    pub to: i64,
}

impl JsonSchema for ConstraintValue {
    fn schema_name() -> Cow<'static, str> {
        "ConstraintValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        #[expect(clippy::cast_possible_wrap, reason = "2^53 fits")]
        let greatest = MAX_INTEGER as i64;
        let integer = json_schema!({
            "type": "integer", "minimum": -greatest, "maximum": greatest,
        });
        json_schema!({
            "description": "Which form is right follows from the kind of the constraint.",
            "anyOf": [
                {"title": "flag", "const": true},
                {"title": "max, min", "type": "integer", "minimum": -greatest, "maximum": greatest},
                {
                    "title": "set, cidr_set", "type": "array", "uniqueItems": true,
                    "minItems": 1, "maxItems": limits::MEMBERS,
                    "items": {"type": "string", "minLength": 1, "maxLength": limits::MEMBER_LENGTH},
                },
                {
                    "title": "interval", "type": "object", "additionalProperties": false,
                    "required": ["from", "to"],
                    "properties": {"from": integer, "to": integer},
                },
            ],
        })
    }
}

/// What a resource knows about one access, by the name of the constraint it bears on.
pub type Facts = BTreeMap<String, Fact>;

/// One thing a resource knows about one access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Fact {
    /// For `flag`: whether the access keeps to the restriction.
    Flag(bool),
    /// For `max`, `min` and `interval`.
    Number(i64),
    /// For `set` the member concerned; for `cidr_set` the caller's IP address.
    Text(String),
}

/// One concrete access: one action on one resource. An access that touches several members
/// of a `set`, or several resources, is as many accesses, and needs each of them allowed.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The type of the resource.
    pub resource_type: &'a str,
    /// Its path, decoded, segments joined by `/`.
    pub path: &'a str,
    /// What is to be done.
    pub action: &'a str,
    /// What is known about the access. A constraint without its fact is not met.
    pub facts: &'a Facts,
}
