//! What many callers do at once, and the one thing that they do it to.

use std::sync::Arc;
use std::time::Instant;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::Stopped;
use super::linear::Event;
use super::model::{Answer, Call, State};
use crate::draw::Draw;
use crate::subject::Subject;

/// How many call at once.
pub const CALLERS: usize = 50;

/// A game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Game {
    /// Rotations of one credential, revocations of it, and looks at it.
    Rotations,
    /// Creations under few keys, and lists.
    Creations,
    /// Creations, each under a key of its own.
    Apart,
    /// Reports of one place, all by the same picture of it.
    Places,
    /// Decisions on one request, creations from it, and looks at it.
    Requests,
    /// Endings of one rotation, by the same picture of it or by revoking, and looks at it.
    Endings,
}

impl Game {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Rotations,
        Self::Creations,
        Self::Apart,
        Self::Places,
        Self::Requests,
        Self::Endings,
    ];

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotations => "rotations",
            Self::Creations => "creations, shared keys",
            Self::Apart => "creations, own keys",
            Self::Places => "places",
            Self::Requests => "requests",
            Self::Endings => "endings",
        }
    }

    /// Draws a call.
    fn call(self, number: usize, draw: &mut Draw) -> Call {
        let drawn = draw.below(20);
        match (self, drawn) {
            (Self::Rotations, 0) => Call::Revoke,
            (Self::Rotations, 1..=4) => Call::Read,
            (Self::Rotations, _) => Call::Open,
            (Self::Creations, 0..=3) => Call::List,
            (Self::Creations, _) => Call::Create(draw.below(6)),
            (Self::Apart, _) => Call::Create(number),
            (Self::Places, 0..=3) => Call::ReadPlace,
            (Self::Places, _) => Call::Put(number),
            (Self::Requests, 0..=3) => Call::ReadRequest,
            (Self::Requests, 4..=11) => Call::Decide(drawn > 5),
            (Self::Requests, _) => Call::FromRequest,
            (Self::Endings, 0..=3) => Call::ReadRotation,
            (Self::Endings, 4) => Call::RevokeSuccessor,
            (Self::Endings, _) => Call::RollBack,
        }
    }

    /// The call with which a history ends, when nothing else is under way.
    fn last(self) -> Call {
        match self {
            Self::Rotations => Call::Read,
            Self::Creations | Self::Apart => Call::List,
            Self::Places => Call::ReadPlace,
            Self::Requests => Call::ReadRequest,
            Self::Endings => Call::ReadRotation,
        }
    }
}

/// Where a game is played: a sandbox of its own, and the one thing.
struct Table {
    http: Client,
    /// Test control, and its token.
    control: (String, String),
    sandbox: Value,
    /// The ids of the one thing.
    id: String,
    successor: String,
    /// Its tag at first.
    tag: String,
    mark: u64,
}

/// What a request was answered with.
struct Got {
    status: u16,
    tag: String,
    body: Value,
}

impl Got {
    /// The id of what was made before the game begins.
    fn must(&self, call: &str) -> Result<String, Stopped> {
        let id = text(&self.body, "/id");
        match (self.status, id.is_empty()) {
            (201 | 202, false) => Ok(id),
            (status, _) => Err(Stopped::new(format!(
                "{call} is answered {status}: {}",
                self.body
            ))),
        }
    }
}

fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

impl Table {
    async fn send(
        &self,
        method: Method,
        path: &str,
        header: Option<(&str, &str)>,
        body: Option<Value>,
    ) -> Result<Got, Stopped> {
        let (url, token) = match path.strip_prefix("control:") {
            Some(path) => (format!("{}{path}", self.control.0), self.control.1.clone()),
            None => (
                format!(
                    "{}{path}",
                    text(&self.sandbox, "/credential_issuer_endpoint")
                ),
                text(&self.sandbox, "/principals/owner/token"),
            ),
        };
        let mut request = self.http.request(method, url).bearer_auth(token);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(Stopped::silent)?;
        let status = answer.status().as_u16();
        let tag = answer.headers().get("etag");
        let tag = tag.and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        Ok(Got {
            status,
            tag: tag.to_owned(),
            body: serde_json::from_slice(&answer.bytes().await.map_err(Stopped::silent)?)
                .unwrap_or_default(),
        })
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Result<Got, Stopped> {
        let key = format!("race-{}-{key}", self.mark);
        self.send(
            Method::POST,
            path,
            Some(("idempotency-key", &key)),
            Some(body),
        )
        .await
    }

    async fn get(&self, path: &str) -> Result<Got, Stopped> {
        self.send(Method::GET, path, None, None).await
    }

    fn wanted(&self, environment: &str) -> Value {
        json!({"type": "api_key", "purpose": "race", "owner": "race-team",
               "permissions": self.sandbox.pointer("/probe/read_permissions"),
               "project": text(&self.sandbox, "/probe/project"),
               "environment": text(&self.sandbox, &format!("/probe/{environment}"))})
    }

    /// A credential whose key was handed out.
    async fn active(&mut self) -> Result<(), Stopped> {
        let made = self.post("", "first", self.wanted("environment")).await?;
        self.id = made.must("credential_create")?;
        self.read(&made.body).await
    }

    async fn read(&self, credential: &Value) -> Result<(), Stopped> {
        let delivery = text(credential, "/delivery/id");
        let path = format!("/deliveries/{delivery}");
        match self.get(&path).await?.status {
            200 => Ok(()),
            status => Err(Stopped::new(format!("{path} is answered {status}"))),
        }
    }

    /// The one thing, as the game wants it.
    async fn lay(&mut self, game: Game) -> Result<State, Stopped> {
        match game {
            Game::Creations | Game::Apart => {
                return Ok(State::Created([].into(), [].into()));
            }
            Game::Requests => {
                let mut body = self.wanted("approval_environment");
                if let Some(body) = body.as_object_mut() {
                    body.insert("justification".to_owned(), json!("fifty at once"));
                    body.insert("subject".to_owned(), json!({"kind": "agent", "id": "race"}));
                    body.insert("lifetime_seconds".to_owned(), json!(3600));
                }
                let opened = self.post("/requests", "first", body).await?;
                self.id = opened.must("request_open")?;
                return Ok(State::Request("pending_approval", None));
            }
            Game::Rotations => {
                self.active().await?;
                return Ok(State::Credential("active"));
            }
            Game::Places => {
                self.active().await?;
                // Unlike every one that follows: what is put again as it is keeps its tag.
                let made = self.put(None, usize::MAX).await?;
                made.must("installation_put")?;
                self.tag = made.tag;
                return Ok(State::Place(self.tag.clone(), true));
            }
            Game::Endings => {}
        }
        self.active().await?;
        let path = format!("/{}/rotations", self.id);
        let opened = self
            .post(&path, "rotation", json!({"reason": "scheduled"}))
            .await?;
        self.id = opened.must("rotation_open")?;
        self.successor = text(&opened.body, "/successor");
        self.read(opened.body.get("credential").unwrap_or(&Value::Null))
            .await?;
        let path = format!("/rotations/{}", self.id);
        self.tag = self.get(&path).await?.tag;
        Ok(State::Rotation(true))
    }

    async fn put(&self, tag: Option<&str>, number: usize) -> Result<Got, Stopped> {
        let path = self.place();
        let condition = match tag {
            Some(tag) => ("if-match", tag),
            None => ("if-none-match", "*"),
        };
        let body = json!({"target": {"kind": "cron", "name": format!("job {number}")},
                          "state": "declared"});
        self.send(Method::PUT, &path, Some(condition), Some(body))
            .await
    }

    fn place(&self) -> String {
        let id = text(&self.sandbox, "/tenant_id").replace("ten_", "ins_");
        format!("/{}/installations/{id}", self.id)
    }

    /// Makes a call. The word of its answer is where the model looks for it.
    async fn make(&self, call: &Call, number: usize) -> Result<Answer, Stopped> {
        let id = &self.id;
        let (got, word) = match call {
            Call::Open => {
                let path = format!("/{id}/rotations");
                let body = json!({"reason": "scheduled"});
                (self.post(&path, &number.to_string(), body).await?, "/id")
            }
            Call::Revoke | Call::RevokeSuccessor => {
                let id = match call {
                    Call::Revoke => id,
                    _ => &self.successor,
                };
                let body = json!({"mode": "immediate", "reason": "other"});
                let path = format!("/{id}/revoke");
                (
                    self.send(Method::POST, &path, None, Some(body)).await?,
                    "/state",
                )
            }
            Call::Read => (self.get(&format!("/{id}")).await?, "/state"),
            Call::Create(key) => {
                let body = self.wanted("environment");
                (self.post("", &format!("key-{key}"), body).await?, "/id")
            }
            Call::List => (self.get("?limit=200").await?, "/items"),
            Call::Put(number) => (self.put(Some(&self.tag), *number).await?, "tag"),
            Call::ReadPlace => (self.get(&self.place()).await?, "tag"),
            Call::FromRequest => {
                let body = json!({"request_id": id});
                (self.post("", &number.to_string(), body).await?, "/id")
            }
            Call::Decide(approve) => {
                let decision = if *approve { "approve" } else { "deny" };
                let tenant = text(&self.sandbox, "/tenant_id");
                let path = format!("control:/sandboxes/{tenant}/approvals");
                let body = json!({"request_id": id, "decision": decision});
                (
                    self.send(Method::POST, &path, None, Some(body)).await?,
                    "/id",
                )
            }
            Call::ReadRequest => (self.get(&format!("/requests/{id}")).await?, "/state"),
            Call::RollBack => {
                let path = format!("/rotations/{id}/rollback");
                let seen = Some(("if-match", self.tag.as_str()));
                (
                    self.send(Method::POST, &path, seen, Some(json!({})))
                        .await?,
                    "/state",
                )
            }
            Call::ReadRotation => (self.get(&format!("/rotations/{id}")).await?, "/state"),
        };
        let word = match (got.status, word) {
            (400.., _) => {
                let kind = text(&got.body, "/type");
                kind.rsplit('/').next().unwrap_or_default().to_owned()
            }
            (_, "tag") => got.tag,
            (_, "/items") => {
                let items = got.body.get("items").and_then(Value::as_array);
                let mut ids: Vec<String> = items
                    .into_iter()
                    .flatten()
                    .map(|one| text(one, "/id"))
                    .collect();
                ids.sort_unstable();
                ids.join(",")
            }
            (_, pointer) => text(&got.body, pointer),
        };
        Ok(Answer {
            status: got.status,
            word,
        })
    }
}

/// A history: how things were at first, and who called what when.
pub type History = (State, Vec<Event<Call, Answer>>);

/// Plays a game once: everybody calls at once, perhaps a second time, and one looks at the end.
///
/// # Errors
/// Where there is no answer, or the issuer has no test control.
pub async fn play(
    subject: &Subject,
    game: Game,
    number: u64,
    draw: &mut Draw,
) -> Result<History, Stopped> {
    let control = subject
        .control
        .as_ref()
        .ok_or_else(|| Stopped::new("it needs test control".to_owned()))?;
    let base = control.url.as_str().trim_end_matches('/').to_owned();
    let mut table = Table {
        http: subject.http.clone(),
        control: (base, control.token.expose().to_owned()),
        sandbox: Value::Null,
        id: String::new(),
        successor: String::new(),
        tag: String::new(),
        mark: number,
    };
    let identifier = subject.url.as_str().trim_end_matches('/');
    let body = Some(json!({"issuer_identifier": identifier}));
    let opened = table.send(Method::POST, "control:/sandboxes", None, body);
    table.sandbox = opened.await?.body;
    let start = table.lay(game).await?;
    let table = Arc::new(table);
    let barrier = Arc::new(Barrier::new(CALLERS));
    let zero = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let mut calls = vec![game.call(caller, draw)];
        // Some call again once they are answered: what came first then shows.
        if draw.below(5) == 0 {
            calls.push(game.call(CALLERS + caller, draw));
        }
        let (table, barrier) = (Arc::clone(&table), Arc::clone(&barrier));
        callers.spawn(async move {
            barrier.wait().await;
            let mut events = Vec::new();
            for (turn, call) in calls.into_iter().enumerate() {
                let number = turn * CALLERS + caller;
                events.push(timed(&table, call, number, zero).await?);
            }
            Ok::<_, Stopped>(events)
        });
    }
    let mut events = Vec::new();
    while let Some(ended) = callers.join_next().await {
        events.extend(ended.map_err(Stopped::fell)??);
    }
    events.push(timed(&table, game.last(), 2 * CALLERS, zero).await?);
    Ok((start, events))
}

async fn timed(
    table: &Table,
    call: Call,
    number: usize,
    zero: Instant,
) -> Result<Event<Call, Answer>, Stopped> {
    let time = || u64::try_from(zero.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let sent = time();
    let answer = table.make(&call, number).await?;
    Ok(Event {
        call,
        answer,
        sent,
        answered: time(),
    })
}
