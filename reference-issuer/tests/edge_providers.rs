//! Approvals by what a provider signs that is not ours, `oidc-provider`: once as the issuer asks
//! for it, and once as `openid-client`, a library that knows nothing of this protocol, does.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod edge_support;

use std::path::Path;
use std::process::Stdio;

use clp_issuer::identity::{Attempt, Relation, exchange, start};
use clp_schemas::identity::Decided;
use clp_schemas::ops::approve::Challenge;
use clp_schemas::ops::control::{IdentityProviderBody, Sandbox};
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use clp_schemas::state::Named as _;
use edge_support::{Answer, World, create_body};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use url::Url;

const CLIENT: &str = "clp-issuer";
/// Has what a form has to escape.
const SECRET: &str = "a test's secret: /+%&=";
const BACK: &str = "http://localhost:9/approve/back";
const STRONG: &str = "urn:example:two-factors";
const METHODS: [AuthMethod; 3] = [AuthMethod::Oidc, AuthMethod::Sso, AuthMethod::Oauth];

/// The provider, and the person and the library that its process plays too.
struct Provider {
    issuer: String,
    _child: Child,
    asked: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    /// Starts it; `None` where what it needs is not installed.
    async fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers");
        let is_installed = folder.join("node_modules/oidc-provider").exists();
        let client = json!({"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": BACK});
        let child = Command::new("node")
            .args(["provider.mjs", &client.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let (true, Ok(mut child)) = (is_installed, child) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "the gate needs node, and `npm ci` in reference-issuer/tests/providers"
            );
            eprintln!("skipped: want node, and `npm ci` in reference-issuer/tests/providers");
            return None;
        };
        let asked = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready: Value =
            serde_json::from_str(&answers.next_line().await.unwrap().unwrap()).unwrap();
        Some(Self {
            issuer: ready["issuer"].as_str().unwrap().to_owned(),
            _child: child,
            asked,
            answers,
        })
    }

    async fn ask(&mut self, command: Value) -> Value {
        let line = format!("{command}\n");
        self.asked.write_all(line.as_bytes()).await.unwrap();
        let answer = self.answers.next_line().await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["error"], Value::Null, "{command}: {answer}");
        answer
    }

    /// What is configured of it, found in its metadata.
    async fn trusted(&self, sandbox: &Sandbox) -> IdentityProviderBody {
        let get = async |url: &str| -> Value {
            let answer = reqwest::get(url).await.unwrap();
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
        };
        let metadata = get(&format!("{}/.well-known/openid-configuration", self.issuer)).await;
        assert_eq!(metadata["issuer"], self.issuer);
        let approver = &sandbox.principals["approver"].id;
        let mut body = json!({
            "issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET,
            "methods": ["oidc", "sso", "oauth"], "acr_values": [STRONG],
            "jwks": get(metadata["jwks_uri"].as_str().unwrap()).await,
            "accounts": [{"subject": "ben", "principal": approver}],
        });
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "pushed_authorization_request_endpoint",
            "introspection_endpoint",
        ] {
            body[name] = metadata[name].clone();
        }
        serde_json::from_value(body).unwrap()
    }
}

/// A sandbox that trusts the provider.
struct Place<'w> {
    world: &'w World,
    sandbox: Sandbox,
    relation: Relation,
}

impl<'w> Place<'w> {
    async fn open(world: &'w World, provider: &Provider) -> Self {
        let sandbox = world.sandbox("exampleapi").await;
        let trusted = provider.trusted(&sandbox).await;
        let path = format!("/sandboxes/{}/identity-providers", sandbox.tenant_id);
        let body = serde_json::to_value(&trusted).unwrap();
        assert_eq!(world.control("POST", &path, Some(body)).await.status, 204);
        Self {
            world,
            sandbox,
            relation: Relation {
                secret: trusted.client_secret.clone(),
                provider: trusted,
            },
        }
    }

    async fn post(&self, role: &str, path: &str, body: Value) -> Answer {
        let world = self.world;
        world
            .as_role(&self.sandbox, role, "POST", path, Some(body))
            .await
    }

    /// A request, and a challenge of the approver for it.
    async fn challenged(&self) -> Challenge {
        let mut body = create_body(&self.sandbox, false);
        body["environment"] = json!(self.sandbox.probe.approval_environment);
        body["lifetime_seconds"] = json!(600);
        body["subject"] = json!({"kind": "agent", "id": "an-agent"});
        let request = self.post("owner", "/requests", body).await;
        assert_eq!(request.status, 202, "{request:?}");
        let path = format!("/requests/{}/approval-challenges", request.text("id"));
        let challenge = self
            .post("approver", &path, json!({"decision": "approve"}))
            .await;
        assert_eq!(challenge.status, 201, "{challenge:?}");
        serde_json::from_value(challenge.body).unwrap()
    }

    async fn submit(&self, challenge: &Challenge, method: AuthMethod, evidence: Value) -> Answer {
        let path = format!("/requests/{}/approvals", challenge.request_id);
        let body = json!({
            "challenge_id": challenge.id, "method": method.name(), "evidence": evidence,
        });
        self.post("approver", &path, body).await
    }

    /// Has somebody go where the issuer sends them, and fetches what the provider signs.
    async fn fetched(
        &self,
        provider: &mut Provider,
        challenge: &Challenge,
        method: AuthMethod,
        person: &Value,
    ) -> Value {
        let back = Url::parse(BACK).unwrap();
        let verifier = SecretText::new("v".repeat(43));
        let attempt = Attempt {
            issuer: &self.sandbox.issuer_identifier,
            challenge,
            method,
            redirect_uri: &back,
            state: "the-state",
            verifier: &verifier,
        };
        let started = start(&self.relation, attempt).await.unwrap();
        let mut command = person.clone();
        command["url"] = json!(started.authorization_url);
        let came = provider.ask(command).await;
        let came = Url::parse(came["location"].as_str().unwrap()).unwrap();
        let part = |name: &str| {
            let mut pairs = came.query_pairs();
            pairs.find(|(one, _)| one == name).unwrap().1.into_owned()
        };
        assert_eq!(part("state"), "the-state");
        let code = SecretText::new(part("code"));
        let evidence = exchange(&self.relation, attempt, &code).await.unwrap();
        serde_json::to_value(evidence).unwrap()
    }
}

#[tokio::test]
async fn a_provider_that_is_not_ours_approves_as_the_issuer_asks_it() {
    let Some(mut provider) = Provider::start().await else {
        return;
    };
    let world = World::start().await;
    let place = Place::open(&world, &provider).await;
    for method in METHODS {
        let ben = json!({"login": "ben", "acr": STRONG});
        let challenge = place.challenged().await;
        let evidence = place.fetched(&mut provider, &challenge, method, &ben).await;
        // What is good for one decision is good for no other.
        let other = place.challenged().await;
        let refused = place.submit(&other, method, evidence.clone()).await;
        assert_eq!(refused.problem(), "evidence-invalid");
        let approved = place.submit(&challenge, method, evidence).await;
        assert_eq!(approved.status, 201, "{approved:?}");
        assert_eq!(approved.body["method"], method.name());

        let eve = json!({"login": "eve", "acr": STRONG});
        let challenge = place.challenged().await;
        let evidence = place.fetched(&mut provider, &challenge, method, &eve).await;
        let refused = place.submit(&challenge, method, evidence).await;
        assert_eq!(refused.problem(), "evidence-invalid");
    }
    let weak = json!({"login": "ben", "acr": "urn:example:password"});
    let challenge = place.challenged().await;
    let sso = AuthMethod::Sso;
    let evidence = place.fetched(&mut provider, &challenge, sso, &weak).await;
    let refused = place.submit(&challenge, sso, evidence).await;
    assert_eq!(refused.problem(), "evidence-invalid");
}

#[tokio::test]
async fn a_library_that_is_not_ours_gets_what_approves() {
    let Some(mut provider) = Provider::start().await else {
        return;
    };
    let world = World::start().await;
    let place = Place::open(&world, &provider).await;
    for method in METHODS {
        let challenge = place.challenged().await;
        let issuer = place.sandbox.issuer_identifier.as_str();
        let evidence = provider
            .ask(json!({
                "method": method.name(),
                "challenge": challenge.challenge,
                "detail": Decided::of(issuer, &challenge).detail(),
                "login": "ben",
                "acr": STRONG,
            }))
            .await;
        let approved = place.submit(&challenge, method, evidence).await;
        assert_eq!(approved.status, 201, "{approved:?}");
    }
}
