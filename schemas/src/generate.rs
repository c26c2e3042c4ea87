//! JSON Schemas (draft 2020-12) and the `OpenAPI` 3.1 description, out of the types and the
//! endpoint table.
//!
//! What is published is what is enforced: an issuer checks bodies against these schemas.
//! Requests are closed (an unknown member is refused), answers are open (it is ignored)
//! but for the permission document, and `null` stands nowhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::endpoint::{
    self, Auth, Base, BodyForm, Class, Endpoint, EndpointId, Idempotency, Media,
};
use crate::handoff::Handoff;
use crate::ops::{self, Call};
use crate::problem::{self, Problem};
use crate::usage;

/// Which way a document travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the issuer: closed.
    Request,
    /// From the issuer: open.
    Answer,
}

/// The schema of a type, for one direction of travel.
#[must_use]
pub fn schema_of<T: JsonSchema>(direction: Direction) -> Value {
    let settings = match direction {
        Direction::Request => SchemaSettings::draft2020_12().for_deserialize(),
        Direction::Answer => SchemaSettings::draft2020_12().for_serialize(),
    };
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(|schema: &mut Schema| tidy(schema, direction)).transform(&mut schema);
    schema.to_value()
}

/// Takes `null` out, Rust's own number formats too, and closes requests.
fn tidy(schema: &mut Schema, direction: Direction) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
    }
    if let Some(Value::String(format)) = object.get("format")
        && format != "uri"
    {
        object.remove("format");
    }
    let closable =
        object.contains_key("properties") || object.get("type") == Some(&json!("object"));
    if direction == Direction::Request && closable {
        object.entry("additionalProperties").or_insert(json!(false));
    }
    let closed = object.remove(CLOSED_KEYWORD).is_some();
    if direction == Direction::Answer
        && !closed
        && object.get("additionalProperties") == Some(&json!(false))
    {
        object.remove("additionalProperties");
    }
}

/// The schemas of one endpoint.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Name of the body's type and its schema, where the request carries a body.
    pub body: Option<(String, Value)>,
    /// The schema of the query.
    pub query: Value,
    /// Name of the answer's type and its schema, where the answer is JSON.
    pub answer: Option<(String, Value)>,
}

fn contract<C: Call>() -> Contract {
    let row = C::ID.row();
    Contract {
        body: row.has_body().then(|| {
            (
                C::Body::schema_name().into_owned(),
                schema_of::<C::Body>(Direction::Request),
            )
        }),
        query: schema_of::<C::Query>(Direction::Request),
        answer: (row.media == Media::Json).then(|| {
            (
                C::Answer::schema_name().into_owned(),
                schema_of::<C::Answer>(Direction::Answer),
            )
        }),
    }
}

/// The schemas of an endpoint.
#[must_use]
pub fn contract_of(id: EndpointId) -> Contract {
    use EndpointId as Id;
    match id {
        Id::ManifestRead => contract::<ops::discover::ManifestRead>(),
        Id::ResourceMetadataRead => contract::<ops::discover::ResourceMetadataRead>(),
        Id::PermissionDocumentRead => contract::<ops::discover::PermissionDocumentRead>(),
        Id::RequestOpen => contract::<ops::request::RequestOpen>(),
        Id::RequestRead => contract::<ops::request::RequestRead>(),
        Id::RequestAmend => contract::<ops::request::RequestAmend>(),
        Id::RequestCancel => contract::<ops::request::RequestCancel>(),
        Id::ChallengeOpen => contract::<ops::approve::ChallengeOpen>(),
        Id::ApprovalSubmit => contract::<ops::approve::ApprovalSubmit>(),
        Id::ApprovalRead => contract::<ops::approve::ApprovalRead>(),
        Id::CredentialCreate => contract::<ops::create::CredentialCreate>(),
        Id::CredentialList => contract::<ops::create::CredentialList>(),
        Id::CredentialRead => contract::<ops::create::CredentialRead>(),
        Id::DeliveryRead => contract::<ops::store::DeliveryRead>(),
        Id::RotationOpen => contract::<ops::rotate::RotationOpen>(),
        Id::CredentialRevoke => contract::<ops::revoke::CredentialRevoke>(),
        Id::AuditEntries => contract::<ops::audit::AuditEntries>(),
        Id::AuditCheckpoint => contract::<ops::audit::AuditCheckpoint>(),
        Id::AuditInclusion => contract::<ops::audit::AuditInclusion>(),
        Id::AuditConsistency => contract::<ops::audit::AuditConsistency>(),
        Id::CredentialAmend => contract::<ops::create::CredentialAmend>(),
        Id::ScopeAnalysis => contract::<ops::scope::ScopeAnalysis>(),
        Id::DeliveryAck => contract::<ops::store::DeliveryAck>(),
        Id::StoreRegister => contract::<ops::store::StoreRegister>(),
        Id::StoreList => contract::<ops::store::StoreList>(),
        Id::InstallationPut => contract::<ops::inject::InstallationPut>(),
        Id::InstallationDelete => contract::<ops::inject::InstallationDelete>(),
        Id::InstallationList => contract::<ops::inventory::InstallationList>(),
        Id::InstallationRead => contract::<ops::inventory::InstallationRead>(),
        Id::UsageRead => contract::<ops::inventory::UsageRead>(),
        Id::RotationRead => contract::<ops::rotate::RotationRead>(),
        Id::RotationGates => contract::<ops::rotate::RotationGates>(),
        Id::RotationAdvance => contract::<ops::rotate::RotationAdvance>(),
        Id::RotationRollback => contract::<ops::rotate::RotationRollback>(),
        Id::CredentialSuspend => contract::<ops::revoke::CredentialSuspend>(),
        Id::CredentialResume => contract::<ops::revoke::CredentialResume>(),
        Id::OauthMetadataRead => contract::<ops::oauth::OauthMetadataRead>(),
        Id::TokenIssue => contract::<ops::oauth::TokenIssue>(),
        Id::TokenIntrospect => contract::<ops::oauth::TokenIntrospect>(),
        Id::EventTest => contract::<ops::inject::EventTest>(),
        Id::SandboxOpen => contract::<ops::control::SandboxOpen>(),
        Id::SandboxReset => contract::<ops::control::SandboxReset>(),
        Id::ClockAdvance => contract::<ops::control::ClockAdvance>(),
        Id::ControlApprove => contract::<ops::control::ControlApprove>(),
        Id::ControlPrincipalAdd => contract::<ops::control::ControlPrincipalAdd>(),
        Id::ControlPrincipalSet => contract::<ops::control::ControlPrincipalSet>(),
        Id::ControlPolicySet => contract::<ops::policy::ControlPolicySet>(),
        Id::AuthenticatorRegister => contract::<ops::control::AuthenticatorRegister>(),
        Id::AttestationTrustPut => contract::<ops::control::AttestationTrustPut>(),
        Id::ControlIdentityProvider => contract::<ops::control::ControlIdentityProvider>(),
        Id::RequestLog => contract::<ops::control::RequestLog>(),
        Id::StateDump => contract::<ops::control::StateDump>(),
        Id::FaultsPut => contract::<ops::faults::FaultsPut>(),
        Id::FaultsRead => contract::<ops::faults::FaultsRead>(),
    }
}

/// Takes the members out of a request schema that belong to profiles which an issuer does
/// not claim; what is left is what that issuer admits (spec chapter 02).
pub fn restrict(schema: &mut Value, claims: &dyn Fn(Class) -> bool) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                properties.retain(|_, property| {
                    property
                        .get(PROFILE_KEYWORD)
                        .and_then(Value::as_str)
                        .is_none_or(|name| Class::from_name(name).is_some_and(claims))
                });
            }
            for value in object.values_mut() {
                restrict(value, claims);
            }
        }
        Value::Array(items) => {
            for item in items {
                restrict(item, claims);
            }
        }
        _ => {}
    }
}

/// Marks a type that is closed in answers too; no published schema has it.
pub(crate) const CLOSED_KEYWORD: &str = "x-clp-closed";

/// The annotation of a member that belongs to a profile.
pub const PROFILE_KEYWORD: &str = "x-clp-profile";

/// Every generated file below `schemas/`, by path.
///
/// # Errors
/// When a document cannot be serialised, which a test excludes.
pub fn files() -> Result<BTreeMap<String, String>, serde_json::Error> {
    let mut documents: BTreeMap<String, Value> = BTreeMap::new();
    for row in endpoint::ALL {
        let contract = contract_of(row.id);
        for (name, schema) in contract.body.into_iter().chain(contract.answer) {
            documents.insert(format!("v1/{}.schema.json", kebab(&name)), schema);
        }
    }
    // These stand inside other documents; people look for them by name all the same.
    for (name, schema) in [
        ("problem", schema_of::<Problem>(Direction::Answer)),
        (
            "audit-entry",
            schema_of::<ops::audit::AuditEntry>(Direction::Answer),
        ),
        (
            "revocation",
            schema_of::<ops::revoke::Revocation>(Direction::Answer),
        ),
        // No endpoint answers these: a client writes them.
        (
            "usage-graph",
            schema_of::<usage::UsageGraph>(Direction::Answer),
        ),
        (
            "usage-breaks",
            schema_of::<usage::Breaks>(Direction::Answer),
        ),
        ("handoff", schema_of::<Handoff>(Direction::Answer)),
    ] {
        documents.insert(format!("v1/{name}.schema.json"), schema);
    }
    for (path, schema) in &mut documents {
        if let Some(object) = schema.as_object_mut() {
            object.insert(
                "$id".to_owned(),
                json!(format!("https://clp.example/schemas/{path}")),
            );
        }
    }
    documents.insert("v1/openapi.json".to_owned(), openapi());
    documents
        .into_iter()
        .map(|(path, document)| Ok((path, in_ascii(&serde_json::to_string_pretty(&document)?))))
        .collect()
}

/// JSON with every other character escaped, and a line feed: patterns name characters that
/// nobody would see in the file, or that would reorder it.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // Beyond ASCII, and the one control that JSON does not escape by itself: both stand
        // in strings alone.
        if character.is_ascii() && character != '\u{7f}' {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text.push('\n');
    text
}

/// `CredentialRequest` → `credential-request`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn openapi() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for row in endpoint::ALL.iter().filter(|row| row.base != Base::Control) {
        paths
            .entry(path_of(row))
            .or_default()
            .insert(row.method.name().to_lowercase(), operation(row));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Credential Lifecycle Protocol",
            "version": "1.0",
            "description": "Generated from the endpoint table. `/credentials` stands for the path of `credential_issuer_endpoint`.",
        },
        "servers": [{"url": "https://issuer.example"}],
        "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    })
}

fn path_of(row: &Endpoint) -> String {
    match row.base {
        Base::Credentials => format!("/credentials{}", row.path),
        Base::Origin | Base::Control => row.path.to_owned(),
    }
}

fn operation(row: &Endpoint) -> Value {
    let contract = contract_of(row.id);
    let mut operation = json!({
        "operationId": row.name,
        "summary": row.summary,
        "tags": [row.operation.name()],
        "x-clp-class": row.class.name(),
        "parameters": parameters(row, &contract.query),
        "responses": responses(row, contract.answer.as_ref().map(|(name, _)| name.as_str())),
    });
    if let Some(object) = operation.as_object_mut() {
        if row.auth != Auth::Anyone {
            object.insert("security".to_owned(), json!([{"bearer": []}]));
        }
        if let Some((name, _)) = &contract.body {
            let media = match row.body() {
                BodyForm::Form => "application/x-www-form-urlencoded",
                BodyForm::Json | BodyForm::None => "application/json",
            };
            object.insert(
                "requestBody".to_owned(),
                json!({"required": true, "content": {media: {"schema": reference(name)}}}),
            );
        }
    }
    operation
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{}.schema.json", kebab(name))})
}

fn parameters(row: &Endpoint, query: &Value) -> Vec<Value> {
    let in_path = row
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let key = (row.idempotency == Idempotency::Key).then(|| {
        json!({"name": "Idempotency-Key", "in": "header", "required": true,
               "schema": {"type": "string", "minLength": 1, "maxLength": 255}})
    });
    let version = json!({"name": "CLP-Version", "in": "header", "required": false,
                         "schema": {"type": "string", "enum": ["1.0"]}});
    let required: Vec<&str> = query
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let in_query = query
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            json!({"name": name, "in": "query", "required": required.contains(&name.as_str()),
                   "schema": inline(schema, query)})
        });
    in_path
        .chain(key)
        .chain([version])
        .chain(in_query)
        .collect()
}

/// A parameter's schema with its one reference resolved, since it has no document of its own.
fn inline(schema: &Value, root: &Value) -> Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|target| root.pointer(target.strip_prefix('#')?))
        .unwrap_or(schema)
        .clone()
}

fn responses(row: &Endpoint, answer: Option<&str>) -> Value {
    let mut responses = Map::new();
    let content = match (row.media, answer) {
        (Media::Json, Some(name)) => json!({"application/json": {"schema": reference(name)}}),
        (Media::Text, _) => json!({"text/plain": {"schema": {"type": "string"}}}),
        _ => json!({}),
    };
    for success in row.successes() {
        responses.insert(
            success.to_string(),
            json!({"description": "success", "content": content}),
        );
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for problem in row.problems() {
        by_status
            .entry(problem.status())
            .or_default()
            .push(problem.name());
    }
    for (status, names) in by_status {
        responses.insert(
            status.to_string(),
            json!({"description": names.join(", "), "x-clp-problems": names,
                   "content": {problem::MEDIA_TYPE: {"schema": reference("Problem")}}}),
        );
    }
    Value::Object(responses)
}
