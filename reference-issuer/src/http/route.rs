//! Which endpoint a request is for (step 3).

use clp_schemas::endpoint::{ALL, Base, Class, Endpoint, Method};
use serde_json::{Map, Value};

use crate::service::ENDPOINT_PATH;

/// Where a request leads.
#[derive(Debug)]
pub(super) enum Routed {
    /// To an endpoint, with what stands in the path for its parameters.
    Endpoint(&'static Endpoint, Map<String, Value>),
    /// To a path that does not have the method, but these.
    NoMethod(String),
    /// To nothing below E or among the well-known documents.
    Nothing,
    /// Elsewhere: to the persona's own API.
    Elsewhere,
}

/// Finds the endpoint of a method and a path, among those of the classes that are claimed.
pub(super) fn route(method: &str, path: &str, claims: impl Fn(Class) -> bool) -> Routed {
    let matching: Vec<_> = ALL
        .iter()
        .filter(|row| claims(row.class))
        .filter_map(|row| Some((*row, parameters(row, path)?)))
        .collect();
    // A reserved word comes before a parameter at the same place.
    let Some(fewest) = matching.iter().map(|(_, found)| found.len()).min() else {
        let is_below = path
            .strip_prefix(ENDPOINT_PATH)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        return if is_below {
            Routed::Nothing
        } else {
            Routed::Elsewhere
        };
    };
    let closest: Vec<_> = matching
        .into_iter()
        .filter(|(_, found)| found.len() == fewest)
        .collect();
    let allow = allowed(closest.iter().map(|(row, _)| row.method));
    // A HEAD is a GET whose answer goes out without its body.
    let method = if method == "HEAD" { "GET" } else { method };
    match closest
        .into_iter()
        .find(|(row, _)| row.method.name() == method)
    {
        Some((row, found)) => Routed::Endpoint(row, found),
        None => Routed::NoMethod(allow),
    }
}

fn allowed(methods: impl Iterator<Item = Method>) -> String {
    let mut names = Vec::new();
    for method in methods {
        names.push(method.name());
        if method == Method::Get {
            names.push("HEAD");
        }
    }
    names.join(", ")
}

/// What stands for the parameters of a row in a path that has its form.
fn parameters(row: &Endpoint, path: &str) -> Option<Map<String, Value>> {
    let rest = match row.base {
        Base::Origin => path,
        Base::Credentials => path.strip_prefix(ENDPOINT_PATH)?,
        Base::Control => return None,
    };
    let (mut wanted, mut given) = (row.path.split('/'), rest.split('/'));
    let mut found = Map::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(given)) => {
                let name = wanted
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                match name {
                    Some(name) if !given.is_empty() => {
                        found.insert(name.to_owned(), given.into());
                    }
                    None if wanted == given => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &str, path: &str) -> String {
        name_among(method, path, |_| true)
    }

    fn name_among(method: &str, path: &str, claims: impl Fn(Class) -> bool) -> String {
        match route(method, path, claims) {
            Routed::Endpoint(row, found) => format!("{} {}", row.name, found.len()),
            Routed::NoMethod(allow) => allow,
            Routed::Nothing => "nothing".to_owned(),
            Routed::Elsewhere => "elsewhere".to_owned(),
        }
    }

    #[test]
    fn every_endpoint_outside_test_control_is_found_by_its_own_path() {
        for row in ALL.iter().filter(|row| row.base != Base::Control) {
            let base = if row.base == Base::Credentials {
                ENDPOINT_PATH
            } else {
                ""
            };
            let count = row.path.matches('{').count();
            assert_eq!(
                name(row.method.name(), &format!("{base}{}", row.path)),
                format!("{} {count}", row.name)
            );
        }
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        assert_eq!(name("HEAD", "/credentials/x"), "credential_read 1");
        assert_eq!(name("DELETE", "/credentials/x"), "GET, HEAD, PATCH");
        assert_eq!(name("GET", "/credentials/requests"), "POST");
        assert_eq!(name("PUT", "/credentials"), "POST, GET, HEAD");
        for nothing in [
            "/credentials/",
            "/credentials//x",
            "/credentials/x/rotations/y/z",
            "/credentials/audit/x",
        ] {
            assert_eq!(name("GET", nothing), "nothing", "{nothing}");
        }
        assert_eq!(name("GET", "/credentialsx"), "elsewhere");
        assert_eq!(name("GET", "/"), "elsewhere");
    }

    #[test]
    fn what_is_not_claimed_is_not_there() {
        let core = |method, path| name_among(method, path, |class| class == Class::Core);
        assert_eq!(core("DELETE", "/credentials/x"), "GET, HEAD");
        assert_eq!(core("PATCH", "/credentials/x"), "GET, HEAD");
        assert_eq!(core("GET", "/credentials/rotations/x/gates"), "nothing");
        assert_eq!(
            core("GET", "/.well-known/oauth-authorization-server"),
            "elsewhere"
        );
    }
}
