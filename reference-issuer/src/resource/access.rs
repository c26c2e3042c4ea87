//! From a request to the access that it amounts to. Pure.

use std::net::IpAddr;

use clp_schemas::permissions::{self, Access, Fact, Facts, PermissionDocument, PermissionSet};

use crate::config::{Effect, FactSource, Parameters, Route};

/// One request to a persona's API, told apart from every other by what has to be permitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted<'a> {
    /// The route it took.
    pub route: &'a Route,
    /// The resource it touches.
    pub resource: String,
    /// What is known about it.
    pub facts: Facts,
}

/// Why a request amounts to no access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAccess {
    /// No route has this path.
    NotFound,
    /// Routes have this path, with these methods.
    MethodNotAllowed(Vec<String>),
    /// A query parameter that a fact is taken from is malformed.
    Query,
}

/// Finds the route of a request.
///
/// Segments are taken as they stand. None that is percent-encoded has a route: two
/// spellings of one resource would be one permission too few or too many.
///
/// # Errors
/// [`NoAccess`].
pub fn resolve<'a>(
    routes: &'a [Route],
    method: &str,
    path: &str,
    query: &str,
    caller: IpAddr,
) -> Result<Wanted<'a>, NoAccess> {
    let Some(rest) = path.strip_prefix('/').filter(|rest| !rest.contains('%')) else {
        return Err(NoAccess::NotFound);
    };
    let segments: Vec<String> = rest.split('/').map(str::to_owned).collect();
    let on_path: Vec<(&Route, Parameters)> = routes
        .iter()
        .filter_map(|route| Some((route, route.path.matches(&segments)?)))
        .collect();
    let Some((route, parameters)) = on_path.iter().find(|(route, _)| route.method == method) else {
        if on_path.is_empty() {
            return Err(NoAccess::NotFound);
        }
        let methods = on_path.iter().map(|(route, _)| route.method.clone()).collect();
        return Err(NoAccess::MethodNotAllowed(methods));
    };
    let resource = route.selector.fill(parameters).ok_or(NoAccess::NotFound)?;
    let facts = route
        .facts
        .iter()
        .map(|(name, source)| Some((name.clone(), fact(source, parameters, query, caller)?)))
        .collect::<Option<Facts>>()
        .ok_or(NoAccess::Query)?;
    Ok(Wanted {
        route,
        resource,
        facts,
    })
}

fn fact(source: &FactSource, parameters: &Parameters, query: &str, caller: IpAddr) -> Option<Fact> {
    let in_query = |wanted: &str| {
        let mut found = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned());
        // Of two values, the one that is checked need not be the one that is used.
        match (found.next(), found.next()) {
            (first, None) => Some(first),
            (_, Some(_)) => None,
        }
    };
    match source {
        FactSource::Path(name) => parameters.get(name).cloned().map(Fact::Text),
        FactSource::Query { name, default } => match in_query(name)? {
            Some(value) => value.parse().ok().map(Fact::Number),
            None => Some(Fact::Number(*default)),
        },
        FactSource::Switch(name) => match in_query(name)?.as_deref() {
            Some("true") => Some(Fact::Flag(true)),
            Some("false") | None => Some(Fact::Flag(false)),
            Some(_) => None,
        },
        FactSource::Address => Some(Fact::Text(caller.to_string())),
    }
}

impl Wanted<'_> {
    /// Whether the permissions of a credential admit it, by the document they were
    /// granted under.
    #[must_use]
    pub fn is_allowed(&self, document: &PermissionDocument, set: &PermissionSet) -> bool {
        let access = Access {
            resource_type: &self.route.resource_type,
            path: &self.resource,
            action: &self.route.action,
            facts: &self.facts,
        };
        permissions::allows(document, set, access)
    }

    /// Whether it needs a body.
    #[must_use]
    pub fn takes_body(&self) -> bool {
        matches!(self.route.effect, Effect::Write | Effect::Append)
    }
}
