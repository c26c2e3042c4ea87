//! Looks at the set-up before anything is judged: a wrong URL or token is no fault of the
//! issuer's, and would read like hundreds of them.

use clp_schemas::ops::discover::{MANIFEST_PATH, Manifest};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use url::Url;

use super::{Subject, SubjectFault};
use crate::config::ROLES;
use crate::world::wire;

impl Subject {
    /// Tries the connection, and each token once. Whatever else is wrong is for the scenarios
    /// to find; without a sound manifest, so is what becomes of the tokens.
    ///
    /// # Errors
    /// Where there is no connection, or a token is refused with 401 or 403.
    pub async fn preflight(&self, manifest: Option<&Manifest>) -> Result<(), SubjectFault> {
        let Some(manifest) = manifest else {
            let mut url = self.url.clone();
            let tenant = url.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{MANIFEST_PATH}{tenant}"));
            reach(&url, self.http.get(url.clone())).await?;
            return Ok(());
        };
        if let Some(control) = &self.control {
            let url = below(&control.url, "sandboxes");
            let body = json!({"issuer_identifier": self.url.as_str().trim_end_matches('/')});
            let open = self
                .http
                .post(url.clone())
                .bearer_auth(control.token.expose())
                .header("content-type", "application/json")
                .body(body.to_string());
            let status = reach(&url, open).await?;
            accepted("control.token", &control.from, status)?;
            return Ok(());
        }
        let Ok(endpoint) = Url::parse(manifest.credential_issuer_endpoint.as_ref()) else {
            return Ok(());
        };
        for role in ROLES {
            let Some(member) = self.cast.as_ref().and_then(|cast| cast.members.get(role)) else {
                continue;
            };
            let list = self
                .http
                .get(endpoint.clone())
                .bearer_auth(member.token.expose());
            let status = reach(&endpoint, list).await?;
            accepted(&format!("cast.{role}.token"), &member.from, status)?;
        }
        Ok(())
    }
}

/// The status, if the request got through. A broken answer is one all the same.
async fn reach(url: &Url, request: RequestBuilder) -> Result<Option<StatusCode>, SubjectFault> {
    match request.send().await {
        Ok(answer) => Ok(Some(answer.status())),
        Err(fault) if fault.is_connect() => Err(SubjectFault::Unreachable(
            url.to_string(),
            wire::words(&fault),
        )),
        Err(_) => Ok(None),
    }
}

fn accepted(name: &str, from: &str, status: Option<StatusCode>) -> Result<(), SubjectFault> {
    match status {
        Some(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
            Err(SubjectFault::TokenRefused {
                name: name.to_owned(),
                from: from.to_owned(),
                status: status.as_u16(),
            })
        }
        _ => Ok(()),
    }
}

fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{name}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn nothing_that_listens_is_no_failure_of_the_issuer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let url: Url = url.parse().unwrap();
        let subject = Subject::start(
            url,
            BTreeMap::new(),
            None,
            None,
            None,
            wire::Limits::default(),
        )
        .unwrap();
        let fault = subject.preflight(None).await.unwrap_err().to_string();
        assert!(
            fault.starts_with("no connection to http://127.0.0.1"),
            "{fault}"
        );
    }

    #[test]
    fn a_refused_token_is_named_with_its_place() {
        for (status, refused) in [(200, false), (401, true), (403, true), (500, false)] {
            let status = StatusCode::from_u16(status).unwrap();
            let from = "variable `OWNER_TOKEN`";
            let outcome = accepted("cast.owner.token", from, Some(status));
            assert_eq!(outcome.is_err(), refused);
            if let Err(fault) = outcome {
                let words = fault.to_string();
                assert!(words.contains("cast.owner.token") && words.contains(from));
            }
        }
    }
}
