//! The published schemas, compiled once. What is published is what is enforced.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use clp_schemas::endpoint::{self, Class, EndpointId};
use clp_schemas::generate::{Direction, contract_of, restrict, schema_of};
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
    /// What is left of a published schema where these profiles are claimed.
    fn new(mut schema: Value, profiles: &[Class]) -> Self {
        restrict(&mut schema, &|class| profiles.contains(&class));
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
    /// The shape of a create without a request, by itself: of a union, a validator can only
    /// say that neither branch fits.
    direct: Option<Compiled>,
    /// The shape of a create from a request.
    from_request: Option<Compiled>,
    pub(super) query: Compiled,
}

impl Schemas {
    fn new(id: EndpointId, profiles: &[Class]) -> Self {
        let contract = contract_of(id);
        let compiled = |schema| Compiled::new(schema, profiles);
        let is_create = id == EndpointId::CredentialCreate;
        Self {
            body: contract.body.map(|(_, schema)| compiled(schema)),
            direct: is_create.then(|| compiled(schema_of::<DirectCreate>(Direction::Request))),
            from_request: is_create
                .then(|| compiled(schema_of::<CreateFromRequest>(Direction::Request))),
            query: compiled(contract.query),
        }
    }

    /// The schema that a body has to fit.
    pub(super) fn body_schema(&self, body: &Value) -> Option<&Compiled> {
        let shape = match body.get("request_id") {
            Some(_) => &self.from_request,
            None => &self.direct,
        };
        shape.as_ref().or(self.body.as_ref())
    }
}

type Set = Arc<HashMap<EndpointId, Arc<Schemas>>>;

/// Every schema, once for each selection of profiles that somebody claims.
static SETS: LazyLock<Mutex<HashMap<Vec<Class>, Set>>> = LazyLock::new(Mutex::default);

/// The schemas of an endpoint, where these profiles are claimed (CLP-TRN-039).
pub(super) fn of(id: EndpointId, profiles: &[Class]) -> Result<Arc<Schemas>, Problem> {
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    let set = match sets.get(profiles) {
        Some(set) => Arc::clone(set),
        None => {
            let all = endpoint::ALL.iter();
            let set: Set = Arc::new(
                all.map(|row| (row.id, Arc::new(Schemas::new(row.id, profiles))))
                    .collect(),
            );
            sets.insert(profiles.to_vec(), Arc::clone(&set));
            set
        }
    };
    set.get(&id)
        .cloned()
        .ok_or_else(|| ProblemType::Internal.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OPTIONAL;
    use serde_json::json;

    #[test]
    fn every_schema_compiles() {
        for row in endpoint::ALL {
            for profiles in [&OPTIONAL[..], &[]] {
                let schemas = of(row.id, profiles).unwrap();
                assert!(schemas.query.validator.is_some(), "{}", row.name);
                assert_eq!(schemas.body.is_some(), row.has_body(), "{}", row.name);
                let bodies = [&schemas.body, &schemas.direct, &schemas.from_request];
                assert!(
                    bodies
                        .into_iter()
                        .flatten()
                        .all(|body| body.validator.is_some()),
                    "{}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn a_member_of_a_profile_is_there_where_the_profile_is() {
        let cases = [
            (EndpointId::CredentialCreate, "cnf", Class::BoundKeys),
            (EndpointId::CredentialCreate, "public_jwk", Class::Oauth),
            (EndpointId::RequestOpen, "webhook", Class::Webhooks),
            (EndpointId::RotationOpen, "plan", Class::Lifecycle),
            (EndpointId::DeliveryAck, "store_id", Class::Inventory),
        ];
        for (id, member, class) in cases {
            let has = |profiles: &[Class]| {
                let schemas = of(id, profiles).unwrap();
                schemas
                    .body_schema(&json!({}))
                    .unwrap()
                    .member(member)
                    .is_some()
            };
            assert!(has(&[class]) && !has(&[]), "{member}");
        }
        let has = |profiles: &[Class]| {
            of(EndpointId::CredentialList, profiles)
                .unwrap()
                .query
                .member("label")
                .is_some()
        };
        assert!(has(&[Class::Lifecycle]) && !has(&[Class::Oauth]));
    }

    fn pointer(change: impl FnOnce(&mut Value)) -> String {
        let mut body = json!({
            "type": "api_key", "purpose": "p", "owner": "o", "project": "a", "environment": "b",
            "permissions": [{"resource_type": "x", "selector": "*", "actions": ["read"],
                             "constraints": {"secret_name": 1}}],
            "labels": {"secret_label": "x"},
        });
        let schemas = of(EndpointId::CredentialCreate, &[]).unwrap();
        let schema = schemas.body_schema(&body).unwrap();
        schema.check(&body).unwrap();
        change(&mut body);
        schema.check(&body).unwrap_err().pointer
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
