//! The published schemas, compiled once. What is published is what is enforced.

use std::collections::HashMap;
use std::sync::LazyLock;

use clp_schemas::endpoint::{self, EndpointId};
use clp_schemas::generate::{Direction, contract_of, schema_of};
use clp_schemas::ops::create::{CreateFromRequest, DirectCreate};
use clp_schemas::problem::{Problem, ProblemType};
use jsonschema::Validator;
use serde_json::Value;

/// A schema, and what checks a value against it.
#[derive(Debug)]
pub(super) struct Compiled {
    schema: Value,
    /// `None` only where a schema of our own cannot be compiled, which a test excludes.
    validator: Option<Validator>,
}

/// Where a value breaks its schema.
#[derive(Debug)]
pub(super) struct Breach {
    /// JSON pointer to the value or to one that encloses it, through names of the schema only.
    pub(super) pointer: String,
    /// The keyword that it breaks.
    pub(super) keyword: String,
}

impl Compiled {
    fn new(schema: Value) -> Self {
        let validator = jsonschema::validator_for(&schema).ok();
        Self { schema, validator }
    }

    /// The schema of one member, where the schema defines it.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        let member = self.schema.get("properties")?.get(name)?;
        Some(self.resolve(member))
    }

    /// Checks a value; answers the first breach.
    pub(super) fn check(&self, value: &Value) -> Result<(), Breach> {
        let Some(validator) = &self.validator else {
            return Err(Breach {
                pointer: String::new(),
                keyword: "schema".to_owned(),
            });
        };
        validator.validate(value).map_err(|error| Breach {
            pointer: self.within(error.instance_path().as_str()),
            keyword: error.kind().keyword().to_owned(),
        })
    }

    /// The beginning of a pointer that leads through array indexes and names that the schema
    /// defines. What follows would repeat the peer's own text.
    fn within(&self, pointer: &str) -> String {
        let mut kept = String::new();
        let mut at = vec![&self.schema];
        for segment in pointer.split('/').skip(1) {
            at = at
                .into_iter()
                .flat_map(|schema| self.choices(schema))
                .filter_map(|schema| child(schema, segment))
                .collect();
            if at.is_empty() {
                break;
            }
            kept.push('/');
            kept.push_str(segment);
        }
        kept
    }

    /// A schema and the alternatives that it offers.
    fn choices<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let mut all = vec![schema];
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let offered = schema.get(keyword).and_then(Value::as_array);
            all.extend(
                offered
                    .into_iter()
                    .flatten()
                    .map(|choice| self.resolve(choice)),
            );
        }
        all
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| self.schema.pointer(target.strip_prefix('#')?))
            .unwrap_or(schema)
    }
}

fn child<'a>(schema: &'a Value, segment: &str) -> Option<&'a Value> {
    if segment.bytes().all(|byte| byte.is_ascii_digit())
        && let Some(items) = schema.get("items")
    {
        return Some(items);
    }
    schema.get("properties")?.get(segment)
}

/// The schemas of one endpoint.
#[derive(Debug)]
pub(super) struct Schemas {
    body: Option<Compiled>,
    pub(super) query: Compiled,
}

static ALL: LazyLock<HashMap<EndpointId, Schemas>> = LazyLock::new(|| {
    endpoint::ALL
        .iter()
        .map(|row| {
            let contract = contract_of(row.id);
            let schemas = Schemas {
                body: contract.body.map(|(_, schema)| Compiled::new(schema)),
                query: Compiled::new(contract.query),
            };
            (row.id, schemas)
        })
        .collect()
});

/// The two shapes of a create, each by itself: of a union, a validator can only say that
/// neither branch fits.
static DIRECT_CREATE: LazyLock<Compiled> =
    LazyLock::new(|| Compiled::new(schema_of::<DirectCreate>(Direction::Request)));
static CREATE_FROM_REQUEST: LazyLock<Compiled> =
    LazyLock::new(|| Compiled::new(schema_of::<CreateFromRequest>(Direction::Request)));

/// The schemas of an endpoint.
pub(super) fn of(id: EndpointId) -> Result<&'static Schemas, Problem> {
    ALL.get(&id).ok_or_else(|| ProblemType::Internal.into())
}

impl Schemas {
    /// The schema that a body has to fit.
    pub(super) fn body_schema(&self, id: EndpointId, body: &Value) -> Option<&Compiled> {
        match id {
            EndpointId::CredentialCreate if body.get("request_id").is_some() => {
                Some(&CREATE_FROM_REQUEST)
            }
            EndpointId::CredentialCreate => Some(&DIRECT_CREATE),
            _ => self.body.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_schema_compiles() {
        for row in endpoint::ALL {
            let schemas = of(row.id).unwrap();
            assert!(schemas.query.validator.is_some(), "{}", row.name);
            assert_eq!(schemas.body.is_some(), row.has_body(), "{}", row.name);
            assert!(
                schemas.body.iter().all(|body| body.validator.is_some()),
                "{}",
                row.name
            );
        }
        assert!(DIRECT_CREATE.validator.is_some() && CREATE_FROM_REQUEST.validator.is_some());
    }

    fn pointer(change: impl FnOnce(&mut Value)) -> String {
        let mut body = json!({
            "type": "api_key", "purpose": "p", "owner": "o", "project": "a", "environment": "b",
            "permissions": [{"resource_type": "x", "selector": "*", "actions": ["read"],
                             "constraints": {"secret_name": 1}}],
            "labels": {"secret_label": "x"},
        });
        DIRECT_CREATE.check(&body).unwrap();
        change(&mut body);
        DIRECT_CREATE.check(&body).unwrap_err().pointer
    }

    #[test]
    fn a_pointer_ends_before_the_peers_own_names() {
        assert_eq!(pointer(|body| body["purpose"] = json!("")), "/purpose");
        assert_eq!(pointer(|body| body["secret_member"] = json!(1)), "");
        assert_eq!(
            pointer(|body| body["labels"]["secret_label"] = json!(1)),
            "/labels"
        );
        assert_eq!(
            pointer(|body| body["labels"]["owner"] = json!(1)),
            "/labels"
        );
        assert_eq!(
            pointer(|body| body["permissions"][0]["actions"][0] = json!(1)),
            "/permissions/0/actions/0"
        );
        assert_eq!(
            pointer(|body| body["permissions"][0]["constraints"]["secret_name"] = json!(false)),
            "/permissions/0/constraints"
        );
    }
}
