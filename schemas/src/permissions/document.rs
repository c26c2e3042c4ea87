//! The permission document: what an issuer can grant, and what the names mean.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use super::form::{Object, objects, present, present_objects, word};
use super::limits;
use super::reserved::{CREDENTIAL_TYPE, credential_type, is_reserved};
use super::text::{
    is_environment, is_language, is_name, is_prose, is_template, language_schema, name_schema,
    prose_schema, template_schema, type_name_schema,
};

/// A text by language tag (RFC 5646), such as `{"en": "Read events of {selector}"}`.
pub type Localised = BTreeMap<String, String>;

/// `GET /.well-known/credential-permissions`: what this issuer can grant.
///
/// The document is hashed and gives grants their meaning, so unknown members are refused,
/// and reading and writing it again yields the same canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-clp-closed" = true))]
pub struct PermissionDocument {
    /// The issuer's own name for this version of the document.
    #[schemars(schema_with = "version")]
    pub version: String,
    /// The types of resource, by name.
    #[schemars(extend(
        "minProperties" = 1,
        "maxProperties" = limits::RESOURCE_TYPES,
        "propertyNames" = type_name_schema()
    ))]
    pub resource_types: BTreeMap<String, ResourceType>,
    /// The environments that a credential can belong to, each once.
    #[schemars(
        length(min = 1, max = limits::ENVIRONMENTS),
        inner(regex(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")),
        extend("uniqueItems" = true)
    )]
    pub environments: Vec<String>,
}

/// A type of resource and what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-clp-closed" = true))]
pub struct ResourceType {
    /// What people call it.
    #[schemars(extend(
        "minProperties" = 1,
        "maxProperties" = limits::LANGUAGES,
        "propertyNames" = language_schema(),
        "additionalProperties" = prose_schema()
    ))]
    pub title: Localised,
    /// The actions, by name.
    #[serde(deserialize_with = "objects")]
    #[schemars(extend(
        "minProperties" = 1,
        "maxProperties" = limits::ACTIONS,
        "propertyNames" = name_schema()
    ))]
    pub actions: BTreeMap<String, Action>,
    /// The constraints that a statement may carry, by name. Absent and empty mean the same.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present_objects"
    )]
    #[schemars(
        with = "BTreeMap<String, Constraint>",
        extend("maxProperties" = limits::CONSTRAINT_DEFINITIONS, "propertyNames" = name_schema())
    )]
    pub constraints: Option<BTreeMap<String, Constraint>>,
}

/// Something that can be done with a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-clp-closed" = true))]
pub struct Action {
    /// Actions of the same type that this one includes, each once; acyclic. Absent and
    /// empty mean the same.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(
        with = "Vec<String>",
        length(max = limits::ACTIONS),
        extend("uniqueItems" = true, "items" = name_schema())
    )]
    pub implies: Option<Vec<String>>,
    /// How much harm the action can do.
    #[serde(deserialize_with = "word")]
    pub risk: Risk,
    /// What a person is asked to consent to, by language. `{selector}` stands for the
    /// resources concerned.
    #[schemars(extend(
        "minProperties" = 1,
        "maxProperties" = limits::LANGUAGES,
        "propertyNames" = language_schema(),
        "additionalProperties" = template_schema()
    ))]
    pub consent: Localised,
    /// Whether the issuer wants nobody to ask for the action any more. Statements that
    /// name it keep their meaning.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "bool")]
    pub deprecated: Option<bool>,
}

fn version(_: &mut SchemaGenerator) -> Schema {
    prose_schema().try_into().unwrap_or_default()
}

impl<'de> Deserialize<'de> for PermissionDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            version: String,
            #[serde(deserialize_with = "objects")]
            resource_types: BTreeMap<String, ResourceType>,
            environments: Vec<String>,
        }

        let Object(form) = Object::<Form>::deserialize(deserializer)?;
        Ok(Self {
            version: form.version,
            resource_types: form.resource_types,
            environments: form.environments,
        })
    }
}

/// How much harm an action can do, from least to most.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing is changed and little is revealed.
    Low,
    /// Changes that are easily undone, or data that is not public.
    Medium,
    /// Changes that are hard to undo, or data about people.
    High,
    /// Loss of control: money moved, access granted, everything deleted.
    Critical,
}

/// A constraint that statements about a resource type may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-clp-closed" = true))]
pub struct Constraint {
    /// How its values compare.
    #[serde(deserialize_with = "word")]
    pub kind: ConstraintKind,
}

/// How the values of a constraint compare, and so which of two is tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintKind {
    /// Strings; a subset is tighter.
    Set,
    /// An upper bound; lower is tighter.
    Max,
    /// A lower bound; higher is tighter.
    Min,
    /// Networks in CIDR notation; fewer addresses are tighter.
    CidrSet,
    /// A span of integers; a span within is tighter.
    Interval,
    /// A restriction that is there or is not; there is tighter.
    Flag,
}

/// A permission document that cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permission document is refused at `{pointer}`: {kind}")]
pub struct DocumentFault {
    /// JSON Pointer (RFC 6901) to the place. A name that is itself at fault is not shown:
    /// the pointer ends at the object that holds it.
    pub pointer: String,
    /// What is wrong there.
    pub kind: DocumentFaultKind,
}

/// What is wrong with a permission document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFaultKind {
    /// Fewer entries than one, or more than the bound (see [`limits`]).
    #[error("too few or too many entries")]
    Size,
    /// A name of a form that is not admitted, or one that stands twice.
    #[error("a name is malformed or repeated")]
    Name,
    /// A resource type that only the protocol defines.
    #[error("the resource type is reserved")]
    Reserved,
    /// An action is implied that the resource type does not have.
    #[error("an implied action is not defined")]
    UnknownImplied,
    /// An action implies itself, directly or through others.
    #[error("the action implies itself")]
    Cycle,
    /// A text that is empty, too long, or not one plain line; or a language tag that is
    /// none; or a placeholder other than `{selector}`.
    #[error("a text or its language tag is malformed")]
    Text,
}

impl PermissionDocument {
    /// The definition of a resource type: the document's, or the reserved one.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        if is_reserved(name) {
            return (name == CREDENTIAL_TYPE).then(credential_type);
        }
        self.resource_types.get(name)
    }

    /// The digest by which grants refer to this document: `sha256:` and the lower-case
    /// hexadecimal SHA-256 of its canonical form (RFC 8785).
    #[must_use]
    pub fn digest(&self) -> String {
        #[expect(
            clippy::expect_used,
            reason = "names and strings only: there is no number that JCS could refuse"
        )]
        let canonical = serde_json_canonicalizer::to_vec(self).expect("always representable");
        let mut text = String::from("sha256:");
        for byte in digest(&SHA256, &canonical).as_ref() {
            for nibble in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(nibble), 16));
            }
        }
        text
    }

    /// Checks what the form alone does not show: names, sizes, texts, and that `implies`
    /// is closed and acyclic. Whoever loads a document does this once, before using it.
    ///
    /// # Errors
    /// The first [`DocumentFault`], in the order of the members.
    pub fn check(&self) -> Result<(), DocumentFault> {
        if !is_prose(&self.version) {
            return fault("/version", DocumentFaultKind::Text);
        }
        size(
            "/resource_types",
            self.resource_types.len(),
            1,
            limits::RESOURCE_TYPES,
        )?;
        for (name, definition) in &self.resource_types {
            if is_reserved(name) {
                return fault("/resource_types", DocumentFaultKind::Reserved);
            }
            if !is_name(name) {
                return fault("/resource_types", DocumentFaultKind::Name);
            }
            definition.check(&format!("/resource_types/{name}"))?;
        }
        size(
            "/environments",
            self.environments.len(),
            1,
            limits::ENVIRONMENTS,
        )?;
        let distinct: BTreeSet<_> = self.environments.iter().collect();
        if distinct.len() != self.environments.len()
            || !self.environments.iter().all(|name| is_environment(name))
        {
            return fault("/environments", DocumentFaultKind::Name);
        }
        Ok(())
    }
}

impl ResourceType {
    /// The kind of a constraint, `None` where statements about this type cannot carry it.
    #[must_use]
    pub fn constraint_kind(&self, name: &str) -> Option<ConstraintKind> {
        Some(self.constraints.as_ref()?.get(name)?.kind)
    }

    /// The actions named and every action they imply, directly or through others; `None`
    /// where one of them is not defined.
    pub(super) fn closure<'a>(
        &'a self,
        named: impl IntoIterator<Item = &'a String>,
    ) -> Option<BTreeSet<&'a str>> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&'a String> = named.into_iter().collect();
        while let Some(name) = waiting.pop() {
            let action = self.actions.get(name)?;
            if reached.insert(name.as_str()) {
                waiting.extend(action.implied());
            }
        }
        Some(reached)
    }

    fn check(&self, pointer: &str) -> Result<(), DocumentFault> {
        check_text(&format!("{pointer}/title"), &self.title, |text| {
            is_prose(text)
        })?;
        let actions = format!("{pointer}/actions");
        size(&actions, self.actions.len(), 1, limits::ACTIONS)?;
        for (name, action) in &self.actions {
            if !is_name(name) {
                return fault(&actions, DocumentFaultKind::Name);
            }
            self.check_action(&format!("{actions}/{name}"), name, action)?;
        }
        if let Some(constraints) = &self.constraints {
            let pointer = format!("{pointer}/constraints");
            size(
                &pointer,
                constraints.len(),
                0,
                limits::CONSTRAINT_DEFINITIONS,
            )?;
            if !constraints.keys().all(|name| is_name(name)) {
                return fault(&pointer, DocumentFaultKind::Name);
            }
        }
        Ok(())
    }

    fn check_action(
        &self,
        pointer: &str,
        name: &str,
        action: &Action,
    ) -> Result<(), DocumentFault> {
        check_text(&format!("{pointer}/consent"), &action.consent, is_template)?;
        let pointer = format!("{pointer}/implies");
        let implied = action.implied();
        size(&pointer, implied.len(), 0, limits::ACTIONS)?;
        if implied.iter().collect::<BTreeSet<_>>().len() != implied.len() {
            return fault(&pointer, DocumentFaultKind::Name);
        }
        match self.closure(implied) {
            None => fault(&pointer, DocumentFaultKind::UnknownImplied),
            Some(reached) if reached.contains(name) => fault(&pointer, DocumentFaultKind::Cycle),
            Some(_) => Ok(()),
        }
    }
}

impl Action {
    /// The actions that this one includes directly.
    #[must_use]
    pub fn implied(&self) -> &[String] {
        self.implies.as_deref().unwrap_or_default()
    }
}

fn fault(pointer: &str, kind: DocumentFaultKind) -> Result<(), DocumentFault> {
    Err(DocumentFault {
        pointer: pointer.to_owned(),
        kind,
    })
}

fn size(pointer: &str, count: usize, least: usize, most: usize) -> Result<(), DocumentFault> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    fault(pointer, DocumentFaultKind::Size)
}

fn check_text(
    pointer: &str,
    text: &Localised,
    is_fine: impl Fn(&str) -> bool,
) -> Result<(), DocumentFault> {
    size(pointer, text.len(), 1, limits::LANGUAGES)?;
    if text
        .iter()
        .all(|(language, text)| is_language(language) && is_fine(text))
    {
        return Ok(());
    }
    fault(pointer, DocumentFaultKind::Text)
}
