//! A call before it is sent: who, what, and each part that a scenario can change.

use std::collections::BTreeMap;

use clp_schemas::endpoint::{self, Endpoint};
use serde_json::{Value, json};

use super::Fault;
use super::names::{Names, remove, set};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// One of the cast.
    Person(String),
    /// Nobody: without a token.
    Nobody,
    /// Somebody with a token that nobody gave out.
    Stranger,
    /// Whoever holds the token of test control.
    Operator,
    /// Whoever holds the key of the named credential; the last one delivered by default.
    Key(Option<String>),
    /// Whoever holds the access token of the named credential; the last one by default.
    Token(Option<String>),
}

impl Actor {
    /// Reads the words of a step.
    #[must_use]
    pub fn read(words: &str) -> Self {
        match words {
            "nobody" => Self::Nobody,
            "a stranger" => Self::Stranger,
            "the operator" => Self::Operator,
            "the key" => Self::Key(None),
            "the token" => Self::Token(None),
            other => {
                let of = |what: &str| other.strip_prefix(what).map(str::to_owned);
                match (of("the key of "), of("the token of ")) {
                    (Some(name), _) => Self::Key(Some(name)),
                    (_, Some(name)) => Self::Token(Some(name)),
                    _ => Self::Person(other.to_owned()),
                }
            }
        }
    }
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Place {
    /// A row of the table.
    Endpoint(&'static Endpoint),
    /// One of the two calls to the issuer's own API.
    Probe {
        /// Which.
        name: String,
    },
    /// The page on which a person decides; the protocol says little about it.
    Page {
        /// The `approval_uri` of a request.
        uri: String,
        /// The request's id, in whose place the scenario can put another.
        id: String,
    },
}

/// What is sent with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Value),
    /// A form, as OAuth has it.
    Form(Vec<(String, String)>),
    /// Bytes as they are.
    Raw(Vec<u8>),
}

/// How a change is to be made to a list that can hold a name twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Put {
    Instead,
    Beside,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub place: Place,
    /// Who calls.
    pub actor: Actor,
    /// The method.
    pub method: String,
    /// The path below the base, in place of the row's.
    pub path: Option<String>,
    /// What stands for each `{parameter}` of the path.
    pub parameters: BTreeMap<String, String>,
    /// The query.
    pub query: Vec<(String, String)>,
    /// Header fields of the scenario's own.
    pub headers: Vec<(String, String)>,
    /// Header fields that are left out though they belong there, in lower case.
    pub without: Vec<String>,
    /// The body.
    pub payload: Payload,
    /// The `Idempotency-Key`, once it is chosen.
    pub key: Option<String>,
    /// How an OAuth client authenticates, in the words of the scenario.
    pub authentication: Option<String>,
    /// What proof goes with a bound key, in the words of the scenario.
    pub proof: Option<String>,
    /// Whether precondition, authentication and proof are in place.
    pub dressed: bool,
}

impl Call {
    /// A call of a row.
    #[must_use]
    pub fn of(row: &'static Endpoint, actor: Actor, payload: Payload) -> Self {
        Self::at(Place::Endpoint(row), actor, row.method.name(), payload)
    }

    /// A call to the issuer's own API.
    #[must_use]
    pub fn of_probe(name: &str, actor: Actor, method: &str, payload: Payload) -> Self {
        let name = name.to_owned();
        Self::at(Place::Probe { name }, actor, method, payload)
    }

    /// A look at the page of a request.
    #[must_use]
    pub fn of_page(uri: String, id: String) -> Self {
        let place = Place::Page { uri, id };
        Self::at(place, Actor::Nobody, "GET", Payload::Nothing)
    }

    fn at(place: Place, actor: Actor, method: &str, payload: Payload) -> Self {
        Self {
            place,
            actor,
            method: method.to_owned(),
            path: None,
            parameters: BTreeMap::new(),
            query: Vec::new(),
            headers: Vec::new(),
            without: Vec::new(),
            payload,
            key: None,
            authentication: None,
            proof: None,
            dressed: false,
        }
    }

    /// The row, where it is a call of one.
    #[must_use]
    pub fn row(&self) -> Option<&'static Endpoint> {
        match self.place {
            Place::Endpoint(row) => Some(row),
            Place::Probe { .. } | Place::Page { .. } => None,
        }
    }

    /// What the call is named in failures.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::Endpoint(row) => row.name.to_owned(),
            Place::Probe { name } => format!("the {name} probe"),
            Place::Page { .. } => "the approval page".to_owned(),
        }
    }

    /// Whether the scenario itself says what stands in this header field, or that it is absent.
    #[must_use]
    pub fn owns(&self, header: &str) -> bool {
        self.without.iter().any(|gone| gone == header)
            || self
                .headers
                .iter()
                .any(|(have, _)| have.eq_ignore_ascii_case(header))
    }

    /// Gives one part another value. A part is `query NAME`, `header NAME` or `form NAME` (with
    /// `another` in front: beside what is there), `HTTP method`, `path NAME`, `authentication`, `proof`, or a
    /// path of members into the body.
    ///
    /// # Errors
    /// Where the part or the value makes no sense.
    pub fn set(&mut self, part: &str, cell: &str, names: &Names) -> Result<(), Fault> {
        let (put, part) = match part.strip_prefix("another ") {
            Some(rest) => (Put::Beside, rest),
            None => (Put::Instead, part),
        };
        match part.split_once(' ') {
            Some(("query", name)) => place(&mut self.query, name, names.text(cell)?, put),
            Some(("header", name)) => place(&mut self.headers, name, names.text(cell)?, put),
            Some(("form", name)) => place(self.form_mut()?, name, names.text(cell)?, put),
            Some(("HTTP", "method")) => self.method = names.text(cell)?,
            Some(("path", name)) => {
                self.parameters.insert(name.to_owned(), names.text(cell)?);
            }
            Some(_) => return Err(Fault::suite(format!("a call has no part `{part}`"))),
            None if part == "body" => self.payload = Payload::Json(names.value(cell)?),
            None if part == "authentication" => self.authentication = Some(names.text(cell)?),
            None if part == "proof" => self.proof = Some(names.text(cell)?),
            None => {
                // A member can be named by a reference too.
                let part = names.text(part)?;
                let body = self.json_mut(&part)?;
                set(body, &part, names.value(cell)?)?;
            }
        }
        Ok(())
    }

    /// Leaves one part out.
    ///
    /// # Errors
    /// Where the part is not there.
    pub fn leave_out(&mut self, part: &str) -> Result<(), Fault> {
        match part.split_once(' ') {
            Some(("query", name)) => self.query.retain(|(have, _)| have != name),
            Some(("form", name)) => self.form_mut()?.retain(|(have, _)| have != name),
            Some(("header", name)) => {
                self.headers
                    .retain(|(have, _)| !have.eq_ignore_ascii_case(name));
                self.without.push(name.to_ascii_lowercase());
            }
            Some(_) => return Err(Fault::suite(format!("a call has no part `{part}`"))),
            None if part == "body" => self.payload = Payload::Nothing,
            None if part == "proof" => self.proof = Some("none".to_owned()),
            None if part == "authentication" => self.authentication = Some("none".to_owned()),
            None => remove(self.json_mut(part)?, part)?,
        }
        Ok(())
    }

    /// The fields of the form.
    ///
    /// # Errors
    /// Where the call has none.
    pub fn form_mut(&mut self) -> Result<&mut Vec<(String, String)>, Fault> {
        match &mut self.payload {
            Payload::Form(fields) => Ok(fields),
            _ => Err(Fault::suite("the call has no form")),
        }
    }

    fn json_mut(&mut self, part: &str) -> Result<&mut Value, Fault> {
        match &mut self.payload {
            Payload::Json(body) => Ok(body),
            _ => Err(Fault::suite(format!("there is no body for `{part}`"))),
        }
    }

    /// Sends a body that no reader of JSON should take.
    ///
    /// # Errors
    /// Where there is no such kind of body.
    pub fn spoil(&mut self, kind: &str) -> Result<(), Fault> {
        let Payload::Json(body) = &self.payload else {
            return Err(Fault::suite("there is no body to spoil"));
        };
        let text = body.to_string();
        let inside = text
            .strip_prefix('{')
            .ok_or_else(|| Fault::suite("the body is no object"))?;
        self.payload = Payload::Raw(spoilt(kind, &text, inside)?);
        Ok(())
    }
}

fn place(all: &mut Vec<(String, String)>, name: &str, value: String, put: Put) {
    if put == Put::Instead {
        all.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
    }
    all.push((name.to_owned(), value));
}

/// Bodies that are wrong before any schema is looked at. Each differs from the right one in
/// one thing; all but the unreadable ones would fit the schema if that thing were overlooked
/// or are refused earlier than it.
fn spoilt(kind: &str, text: &str, inside: &str) -> Result<Vec<u8>, Fault> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let longer = |bytes: usize| {
        let mut body = text.to_owned();
        body.extend(std::iter::repeat_n(' ', bytes.saturating_sub(text.len())));
        body.into_bytes()
    };
    Ok(match kind {
        "is empty" => Vec::new(),
        "is cut short" => text
            .as_bytes()
            .split_last()
            .map_or_else(Vec::new, |(_, rest)| rest.to_vec()),
        "is not UTF-8" => {
            let mut bytes = b"{\"\xff\":1,".to_vec();
            bytes.extend_from_slice(inside.as_bytes());
            bytes
        }
        "has a comma too many" => format!("{{,{inside}").into_bytes(),
        "is an array" => format!("[{text}]").into_bytes(),
        "goes on after its end" => format!("{text} {{}}").into_bytes(),
        "has half a character" => format!("{{\"more\":\"\\ud800\",{inside}").into_bytes(),
        "has a member twice inside" => {
            format!("{{\"more\":[{{\"a\":1,\"a\":1}}],{inside}").into_bytes()
        }
        "has a member twice but no end" => {
            format!("{{\"more\":1,\"more\":1,{}", inside.trim_end_matches('}')).into_bytes()
        }
        "is 32 levels deep" => format!("{{\"more\":{},{inside}", nested(31)).into_bytes(),
        "has a member twice" => {
            let first = serde_json::from_str::<Value>(text)
                .ok()
                .and_then(|body| {
                    let (name, value) = body.as_object()?.iter().next()?;
                    Some(format!("{}:{value}", json!(name)))
                })
                .ok_or_else(|| Fault::suite("the body has no member"))?;
            format!("{{{first},{inside}").into_bytes()
        }
        "has a member twice, once escaped" => {
            let (name, value) = serde_json::from_str::<Value>(text)
                .ok()
                .and_then(|body| {
                    let (name, value) = body.as_object()?.iter().next()?;
                    Some((name.clone(), value.clone()))
                })
                .ok_or_else(|| Fault::suite("the body has no member"))?;
            let escaped: String = name
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect();
            format!("{{\"{escaped}\":{value},{inside}").into_bytes()
        }
        "has its members in another order" => {
            let body: Value = serde_json::from_str(text).unwrap_or_default();
            let members: Vec<String> = body
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| format!("{}: {value}", json!(name)))
                .rev()
                .collect();
            format!("{{ {} }}", members.join(", ")).into_bytes()
        }
        "begins with a byte order mark" => format!("\u{feff}{text}").into_bytes(),
        "holds 2^53 + 1 inside" => format!("{{\"more\":[[9007199254740993]],{inside}").into_bytes(),
        "holds a number beyond all bounds" => format!("{{\"more\":1e400,{inside}").into_bytes(),
        "holds 2^53 + 1" => format!("{{\"more\":9007199254740993,{inside}").into_bytes(),
        "holds -2^53 - 1" => format!("{{\"more\":-9007199254740993,{inside}").into_bytes(),
        "is 33 levels deep" => format!("{{\"more\":{},{inside}", nested(32)).into_bytes(),
        "is 100000 levels deep" => format!("{{\"more\":{},{inside}", nested(100_000)).into_bytes(),
        "is 262144 bytes long" => longer(262_144),
        "is 262145 bytes long" => longer(262_145),
        other => return Err(Fault::suite(format!("there is no body that {other}"))),
    })
}

/// The row of that name.
///
/// # Errors
/// Where the table has none.
pub fn row(name: &str) -> Result<&'static Endpoint, Fault> {
    endpoint::ALL
        .iter()
        .copied()
        .find(|row| row.name == name)
        .ok_or_else(|| Fault::suite(format!("no endpoint is called `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoilt_body_is_wrong_in_the_way_that_it_says() {
        use clp_schemas::json::{Fault as Json, Limits, parse};
        let row = row("rotation_open").unwrap();
        let fault = |kind: &str| {
            let payload = Payload::Json(json!({"reason": "scheduled"}));
            let mut call = Call::of(row, Actor::Nobody, payload);
            call.spoil(kind).unwrap();
            let Payload::Raw(bytes) = call.payload else {
                unreachable!()
            };
            parse(&bytes, Limits::default()).err()
        };
        assert!(matches!(fault("is empty"), Some(Json::Syntax { .. })));
        assert!(matches!(fault("is cut short"), Some(Json::Syntax { .. })));
        assert!(matches!(fault("is not UTF-8"), Some(Json::Syntax { .. })));
        assert!(matches!(
            fault("has a comma too many"),
            Some(Json::Syntax { .. })
        ));
        assert!(matches!(
            fault("goes on after its end"),
            Some(Json::Syntax { .. })
        ));
        assert!(matches!(
            fault("has half a character"),
            Some(Json::Syntax { .. })
        ));
        assert_eq!(fault("is 32 levels deep"), None);
        assert_eq!(fault("has its members in another order"), None);
        assert_eq!(fault("has a member twice"), Some(Json::DuplicateMember));
        assert_eq!(
            fault("has a member twice inside"),
            Some(Json::DuplicateMember)
        );
        assert_eq!(
            fault("has a member twice but no end"),
            Some(Json::DuplicateMember)
        );
        assert_eq!(
            fault("has a member twice, once escaped"),
            Some(Json::DuplicateMember)
        );
        assert_eq!(fault("holds 2^53 + 1"), Some(Json::IntegerTooLarge));
        assert_eq!(fault("holds -2^53 - 1"), Some(Json::IntegerTooLarge));
        assert!(matches!(
            fault("is 33 levels deep"),
            Some(Json::TooDeep { .. })
        ));
        assert!(matches!(
            fault("is 262145 bytes long"),
            Some(Json::TooLarge { .. })
        ));
        assert_eq!(fault("is 262144 bytes long"), None);
        assert_eq!(fault("holds 2^53 + 1 inside"), Some(Json::IntegerTooLarge));
        assert!(matches!(
            fault("begins with a byte order mark"),
            Some(Json::Syntax { .. })
        ));
        assert_eq!(fault("is an array"), None);
    }
}
