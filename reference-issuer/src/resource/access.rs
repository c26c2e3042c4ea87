//! From a request to the access that it amounts to. Pure.

use std::net::IpAddr;

use clp_schemas::permissions::{self, Access, Fact, Facts, PermissionDocument, PermissionSet};

use crate::config::{Effect, FactSource, Parameters, Route};

/// One request to a persona's API, told apart from every other by what has to be permitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The route it took.
    pub route: Route,
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
pub fn resolve(
    routes: &[Route],
    method: &str,
    path: &str,
    query: &str,
    caller: IpAddr,
) -> Result<Wanted, NoAccess> {
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
        let methods = on_path
            .iter()
            .map(|(route, _)| route.method.clone())
            .collect();
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
        route: (*route).clone(),
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

impl Wanted {
    /// Whether the permissions of a credential admit it, by the document they were
    /// granted under.
    #[must_use]
    pub fn is_allowed(&self, document: &PermissionDocument, set: &PermissionSet) -> bool {
        permissions::allows(document, set, self.access())
    }

    /// What has to be permitted.
    #[must_use]
    pub fn access(&self) -> Access<'_> {
        Access {
            resource_type: &self.route.resource_type,
            path: &self.resource,
            action: &self.route.action,
            facts: &self.facts,
        }
    }

    /// Whether it changes something.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(
            self.route.effect,
            Effect::Write | Effect::Append | Effect::Remove
        )
    }

    /// Whether it needs a body.
    #[must_use]
    pub fn takes_body(&self) -> bool {
        matches!(self.route.effect, Effect::Write | Effect::Append)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clp_schemas::permissions::Statement;
    use serde_json::json;

    const CALLER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn routes() -> Vec<Route> {
        let route = |method: &str, path: &str, action: &str, effect: &str| {
            serde_json::from_value(json!({
                "method": method, "path": path, "action": action, "effect": effect,
                "resource_type": "record", "selector": "{project}/{record}",
                "facts": {
                    "names": {"path": "record"}, "most": {"query": {"name": "limit", "default": 5}},
                    "careful": {"switch": "careful"}, "from": "address",
                },
            }))
            .unwrap()
        };
        vec![
            route("GET", "/v1/{project}/{record}", "read", "read"),
            route("PUT", "/v1/{project}/{record}", "write", "write"),
        ]
    }

    fn get(path: &str, query: &str) -> Result<Wanted, NoAccess> {
        resolve(&routes(), "GET", path, query, CALLER)
    }

    #[test]
    fn a_call_is_one_resource_one_action_and_its_facts() {
        let wanted = get("/v1/atlas/7", "limit=3&careful=true&other=1").unwrap();
        assert_eq!(
            (wanted.resource.as_str(), wanted.route.action.as_str()),
            ("atlas/7", "read")
        );
        assert_eq!(wanted.facts["names"], Fact::Text("7".to_owned()));
        assert_eq!(wanted.facts["most"], Fact::Number(3));
        assert_eq!(wanted.facts["careful"], Fact::Flag(true));
        assert_eq!(wanted.facts["from"], Fact::Text("127.0.0.1".to_owned()));
        let plain = get("/v1/atlas/7", "").unwrap();
        assert_eq!(
            (&plain.facts["most"], &plain.facts["careful"]),
            (&Fact::Number(5), &Fact::Flag(false))
        );
    }

    #[test]
    fn what_has_two_readings_has_no_route() {
        assert!(get("/v1/atlas/7", "").is_ok());
        for path in [
            "/v1/atlas/%37",
            "/v1/atlas%2f7",
            "/v1/atlas/7/",
            "/v1//7",
            "/V1/atlas/7",
            "v1/atlas/7",
            "",
        ] {
            assert_eq!(get(path, ""), Err(NoAccess::NotFound), "{path}");
        }
        for query in [
            "limit=1&limit=9",
            "limit=",
            "limit=1.5",
            "careful=yes",
            "careful=true&careful=false",
        ] {
            assert_eq!(get("/v1/atlas/7", query), Err(NoAccess::Query), "{query}");
        }
        let methods = vec!["GET".to_owned(), "PUT".to_owned()];
        let refused = resolve(&routes(), "PATCH", "/v1/atlas/7", "", CALLER);
        assert_eq!(refused, Err(NoAccess::MethodNotAllowed(methods)));
    }

    #[test]
    fn a_path_that_climbs_is_nowhere_permitted() {
        let document: PermissionDocument = serde_json::from_value(json!({
            "version": "1", "environments": ["test"],
            "resource_types": {"record": {"title": {"en": "R"}, "actions": {
                "read": {"risk": "low", "consent": {"en": "Read {selector}"}},
            }}},
        }))
        .unwrap();
        let everything = PermissionSet(vec![Statement {
            resource_type: "record".to_owned(),
            selector: "*".parse().unwrap(),
            actions: vec!["read".to_owned()],
            constraints: std::collections::BTreeMap::new(),
        }]);
        let allowed = |path| get(path, "").unwrap().is_allowed(&document, &everything);
        assert!(allowed("/v1/atlas/7"));
        assert!(!allowed("/v1/atlas/.."));
        assert!(!allowed("/v1/../7"));
        assert!(!allowed("/v1/atlas/*"));
    }
}
