//! From a call to a request: its place, its caller's token, its header fields.

use clp_schemas::endpoint::{Base, EndpointId};
use serde_json::Value;
use url::Url;

use super::call::{Actor, Call, Payload, Place};
use super::wire::Sent;
use super::{Fault, World};

impl World {
    /// The request behind a call.
    pub(super) fn prepare(&self, call: &Call) -> Result<Sent, Fault> {
        let mut headers = Vec::new();
        let own = |name: &str| call.owns(name);
        // An OAuth client authenticates in its own way.
        let client = call
            .row()
            .is_some_and(|row| row.id == EndpointId::TokenIssue);
        if !own("clp-version") && call.row().is_some() {
            headers.push(("CLP-Version".to_owned(), "1.0".to_owned()));
        }
        if !own("authorization")
            && !client
            && let Some(token) = self.token(&call.actor)?
        {
            headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        let media = match &call.payload {
            Payload::Nothing => None,
            Payload::Form(_) => Some("application/x-www-form-urlencoded"),
            Payload::Json(_) | Payload::Raw(_) => Some("application/json"),
        };
        if let Some(media) = media.filter(|_| !own("content-type")) {
            headers.push(("Content-Type".to_owned(), media.to_owned()));
        }
        if !own("idempotency-key")
            && let Some(key) = &call.key
        {
            headers.push(("Idempotency-Key".to_owned(), key.clone()));
        }
        headers.extend(call.headers.iter().cloned());
        let mut url = self.url(call)?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(Sent {
            method: call.method.clone(),
            url,
            headers,
            body: match &call.payload {
                Payload::Nothing => None,
                Payload::Json(value) => Some(value.to_string().into_bytes()),
                Payload::Form(fields) => {
                    let mut form = url::form_urlencoded::Serializer::new(String::new());
                    Some(form.extend_pairs(fields).finish().into_bytes())
                }
                Payload::Raw(bytes) => Some(bytes.clone()),
            },
        })
    }

    /// The bearer token of an actor, if there is one.
    ///
    /// # Errors
    /// Where the actor is nobody that the scenario knows.
    pub fn token(&self, actor: &Actor) -> Result<Option<String>, Fault> {
        match actor {
            Actor::Nobody => Ok(None),
            Actor::Stranger => Ok(Some(format!("nobody-gave-this-out-{}", self.mark))),
            Actor::Operator => match &self.subject()?.control {
                Some(control) => Ok(Some(control.token.expose().to_owned())),
                None => Err(Fault::suite("the subject has no test control")),
            },
            Actor::Person(name) => match self.tenant()?.people.get(name) {
                Some(person) => Ok(Some(person.token.clone())),
                None => Err(Fault::suite(format!("nobody is called `{name}`"))),
            },
            Actor::Token(name) => {
                let id = match name {
                    Some(name) => self.names.text(&format!("{{{name}.id}}"))?,
                    None => self.newest_token.clone().unwrap_or_default(),
                };
                match self.tokens.get(&id) {
                    Some(token) => Ok(Some(token.clone())),
                    None => Err(Fault::suite("that token was not issued")),
                }
            }
            Actor::Key(name) => {
                let id = match name {
                    Some(name) => self.names.text(&format!("{{{name}.id}}"))?,
                    None => self.newest_key.clone().unwrap_or_default(),
                };
                match self.keys.get(&id) {
                    Some(key) => Ok(Some(key.clone())),
                    None => Err(Fault::suite("that key was not delivered")),
                }
            }
        }
    }

    /// Where a call goes, without its query.
    pub(super) fn url(&self, call: &Call) -> Result<Url, Fault> {
        let subject = self.subject()?;
        let row = match &call.place {
            Place::Probe { name } => {
                let tenant = self.tenant()?;
                let path = self.names.text(&format!("{{probe.{name}.path}}"))?;
                return tenant
                    .issuer
                    .join(&path)
                    .map_err(|_| Fault::suite("the probe's path is none"));
            }
            Place::Page { uri, id } => {
                let uri = match call.parameters.get("request_id") {
                    Some(other) => uri.replace(id, other),
                    None => uri.clone(),
                };
                return Url::parse(&uri)
                    .map_err(|_| Fault::missing("`approval_uri` as a URL", format!("`{uri}`")));
            }
            Place::Endpoint(row) => row,
        };
        let mut url = match row.base {
            Base::Origin => return self.discovery(row.id),
            Base::Credentials => self.tenant()?.endpoint.clone(),
            Base::Control => match &subject.control {
                Some(control) => control.url.clone(),
                None => return Err(Fault::suite("the subject has no test control")),
            },
        };
        let path = call.path.clone().unwrap_or_else(|| row.path.to_owned());
        if call.path.is_some() && path.contains('%') {
            // As the scenario spells it: nothing is encoded once more.
            url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
            return Ok(url);
        }
        let mut segments = url
            .path_segments_mut()
            .map_err(|()| Fault::suite("the endpoint has no path"))?;
        segments.pop_if_empty();
        for segment in path.split('/').skip(1) {
            match segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            {
                None => segments.push(segment),
                Some(name) => match call.parameters.get(name) {
                    Some(value) => segments.push(value),
                    None => return Err(Fault::suite(format!("the call has no `{name}`"))),
                },
            };
        }
        drop(segments);
        Ok(url)
    }

    /// Where a document for discovery is: the well-known path goes between host and path
    /// (RFC 8414 section 3, RFC 9728 section 3.1).
    fn discovery(&self, id: EndpointId) -> Result<Url, Fault> {
        let inserted = |base: &Url, name: &str| {
            let mut url = base.clone();
            url.set_path(&format!(
                "/.well-known/{name}{}",
                base.path().trim_end_matches('/')
            ));
            url
        };
        let subject = self.subject()?;
        let issuer = subject.at(self.which);
        match id {
            EndpointId::ResourceMetadataRead => Ok(inserted(
                &self.tenant()?.endpoint,
                "oauth-protected-resource",
            )),
            EndpointId::PermissionDocumentRead => {
                let stated = self
                    .manifest()?
                    .get("permission_schema_url")
                    .and_then(Value::as_str);
                match stated {
                    Some(text) => Url::parse(text).map_err(|_| {
                        Fault::missing(
                            "`permission_schema_url` as an absolute URL",
                            format!("`{text}`"),
                        )
                    }),
                    None => issuer
                        .join("/.well-known/credential-permissions")
                        .map_err(|_| Fault::suite("the subject's URL is none")),
                }
            }
            EndpointId::OauthMetadataRead => Ok(inserted(issuer, "oauth-authorization-server")),
            _ => Ok(inserted(issuer, "credential-issuer")),
        }
    }
}
