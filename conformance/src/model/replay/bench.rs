//! A real issuer beside the issuer of the model: the same calls, and the same questions about
//! how things are. It speaks HTTP, and knows nothing of the issuer but the chapters.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};

use super::super::issuer::{Issuer, Record};
use super::super::plan::Plan;
use super::super::request::{Answer, Gate, Problem, Request};
use super::super::table::Report;
use crate::subject::reference::Embedded;

/// A tick of the model, in seconds. What is due after so many ticks is due that much earlier, so
/// that the time that a run takes makes no difference, and in the order of the model: deadlines,
/// then deliveries (900 seconds, as the chapters have it), then the ends of lives.
const TICK: u64 = 500;
const OVERLAP_EARLIER: u64 = 200;
const DEADLINE_EARLIER: u64 = 150;
const LIFE_EARLIER: u64 = 50;
const QUIET: u64 = 300;
/// Longer than an issuer has to know an idempotency key.
const DAY: u64 = 90_000;

/// Why a trace could not be followed: the two differ, or nothing was answered.
pub type Differs = String;

/// What was answered: status, header fields, body.
pub struct Got {
    status: u16,
    headers: HeaderMap,
    /// The body, null where it is no JSON.
    pub body: Value,
}

impl Got {
    /// The tag of what it shows.
    #[must_use]
    pub fn tag(&self) -> Option<String> {
        let tag = self.headers.get("etag")?;
        tag.to_str().ok().map(str::to_owned)
    }

    fn text(&self, member: &str) -> Result<String, Differs> {
        let text = self.body[member].as_str().map(str::to_owned);
        text.ok_or_else(|| {
            format!(
                "an answer of status {} has no `{member}`: {}",
                self.status, self.body
            )
        })
    }
}

/// A call that is ready to go.
#[derive(Clone, Debug)]
pub struct Ready {
    method: Method,
    url: String,
    token: String,
    fields: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// The number that the successor gets, where one is made.
    makes: Option<u8>,
}

/// A credential as the bench knows it.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) id: String,
    delivery: String,
    pub(super) rotation: String,
    key: Option<String>,
}

/// One sandbox of a real issuer, with one credential in use as the plan has it.
pub struct Bench<'a> {
    issuer: &'a Embedded,
    http: Client,
    plan: Plan,
    endpoint: String,
    tenant: String,
    owner: String,
    call: String,
    pub(super) line: Vec<Known>,
    pub(super) places: Vec<String>,
    keys: Vec<String>,
}

/// A text that no other call uses.
fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{what}{:020}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl<'a> Bench<'a> {
    /// Opens a sandbox, makes the first credential, and declares its places.
    ///
    /// # Errors
    /// Where the issuer does not do that.
    pub async fn open(issuer: &'a Embedded, http: &Client, plan: &Plan) -> Result<Self, Differs> {
        let mut bench = Self {
            issuer,
            http: http.clone(),
            plan: *plan,
            endpoint: String::new(),
            tenant: String::new(),
            owner: String::new(),
            call: String::new(),
            line: Vec::new(),
            places: (0..plan.places).map(|_| unique("ins_")).collect(),
            keys: vec![String::new(); super::super::issuer::KEYS],
        };
        let opened = bench.control("/sandboxes", json!({})).await?;
        bench.endpoint = opened.text("credential_issuer_endpoint")?;
        bench.tenant = opened.text("tenant_id")?;
        let path = |pointer: &str| opened.body.pointer(pointer).and_then(Value::as_str);
        bench.owner = path("/principals/owner/token")
            .unwrap_or_default()
            .to_owned();
        bench.call = format!(
            "{}{}",
            issuer.url.as_str().trim_end_matches('/'),
            path("/probe/read/path").unwrap_or_default()
        );
        bench
            .create(&opened.body["probe"], &opened.text("now")?)
            .await?;
        let model = Issuer::new(plan);
        for (place, record) in (0u8..).zip(model.places) {
            if let Some(record) = record {
                let ready = bench.put(place, record, Err(()));
                bench.expect(&ready, 201).await?;
            }
        }
        Ok(bench)
    }

    async fn create(&mut self, probe: &Value, now: &str) -> Result<(), Differs> {
        let mut body = json!({
            "type": "api_key", "permissions": probe["read_permissions"], "purpose": "to be rotated",
            "owner": "the model", "project": probe["project"], "environment": probe["environment"],
        });
        if let Some(ticks) = self.plan.deadline {
            let most = u64::from(ticks) * TICK - DEADLINE_EARLIER;
            body["rotation_policy"] = json!({"max_overlap_seconds": most});
        }
        if let Some(ticks) = self.plan.left {
            let now: jiff::Timestamp = now.parse().map_err(|_| format!("`{now}` is no time"))?;
            let seconds = u64::from(ticks) * TICK - LIFE_EARLIER;
            let span = jiff::SignedDuration::from_secs(seconds.cast_signed());
            let at = now.checked_add(span).map_err(|fault| fault.to_string())?;
            let at = at
                .round(jiff::Unit::Second)
                .map_err(|fault| fault.to_string())?;
            body["expires_at"] = json!(at.to_string());
        }
        let ready = self.ready(Method::POST, "", Some(body), unique("create-"));
        let made = self.expect(&ready, 201).await?;
        self.learn(&made.body, "");
        let read = self.ready(Method::GET, &self.line[0].delivery, None, String::new());
        let read = self.expect(&read, 200).await?;
        self.line[0].key = read.body["secret"]["value"].as_str().map(str::to_owned);
        // The delivery is closed, and no use is seen by it.
        let path = format!("{}/ack", self.line[0].delivery);
        let close = self.ready(Method::POST, &path, Some(json!({})), String::new());
        self.expect(&close, 200).await?;
        Ok(())
    }

    /// Notes a credential that was made.
    fn learn(&mut self, credential: &Value, rotation: &str) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.line.push(Known {
            id: text(&credential["id"]),
            delivery: text(&credential["delivery"]["uri"]),
            rotation: rotation.to_owned(),
            key: None,
        });
    }

    fn url(&self, path: &str) -> String {
        match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.endpoint),
        }
    }

    fn ready(&self, method: Method, path: &str, body: Option<Value>, key: String) -> Ready {
        let mut fields = vec![("CLP-Version", "1.0".to_owned())];
        if !key.is_empty() {
            fields.push(("Idempotency-Key", key));
        }
        Ready {
            method,
            url: self.url(path),
            token: self.owner.clone(),
            fields,
            body,
            makes: None,
        }
    }

    async fn send(&self, ready: &Ready) -> Result<Got, Differs> {
        let mut request = self
            .http
            .request(ready.method.clone(), &ready.url)
            .bearer_auth(&ready.token);
        for (name, value) in &ready.fields {
            request = request.header(*name, value);
        }
        if let Some(body) = &ready.body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|fault| fault.to_string())?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.map_err(|fault| fault.to_string())?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Got {
            status,
            headers,
            body,
        })
    }

    async fn expect(&self, ready: &Ready, status: u16) -> Result<Got, Differs> {
        let got = self.send(ready).await?;
        match got.status == status {
            true => Ok(got),
            false => Err(format!(
                "{} {} was answered with {}, not {status}: {}",
                ready.method, ready.url, got.status, got.body
            )),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Got, Differs> {
        let ready = self.ready(Method::GET, path, None, String::new());
        self.expect(&ready, 200).await
    }

    async fn control(&self, path: &str, body: Value) -> Result<Got, Differs> {
        let base = self.issuer.control.url.as_str().trim_end_matches('/');
        let ready = Ready {
            method: Method::POST,
            url: format!("{base}{path}"),
            token: self.issuer.control.token.expose().to_owned(),
            fields: vec![("CLP-Version", "1.0".to_owned())],
            body: Some(body),
            makes: None,
        };
        let got = self.send(&ready).await?;
        match got.status {
            200 | 201 => Ok(got),
            status => Err(format!("test control answered {status}: {}", got.body)),
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// Where test control does not do it.
    pub async fn tick(&self, is_day: bool) -> Result<(), Differs> {
        let path = format!("/sandboxes/{}/clock", self.tenant);
        let seconds = if is_day { DAY } else { TICK };
        self.control(&path, json!({"advance_seconds": seconds}))
            .await?;
        Ok(())
    }

    fn installation(&self, below: u8, place: u8) -> String {
        let (id, place) = (
            &self.line[usize::from(below)].id,
            &self.places[usize::from(place)],
        );
        format!("/{id}/installations/{place}")
    }

    fn rotation(&self, successor: u8) -> String {
        format!("/rotations/{}", self.line[usize::from(successor)].rotation)
    }

    /// The tag of an installation, wherever in the line it is.
    ///
    /// # Errors
    /// Where it is nowhere.
    pub async fn tag_of_place(&self, below: u8, place: u8) -> Result<String, Differs> {
        let got = self.get(&self.installation(below, place)).await?;
        got.tag()
            .ok_or_else(|| "an installation has no tag".to_owned())
    }

    /// The tag of a rotation.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn tag_of_rotation(&self, successor: u8) -> Result<String, Differs> {
        let got = self.get(&self.rotation(successor)).await?;
        got.tag().ok_or_else(|| "a rotation has no tag".to_owned())
    }

    /// An intent has a key of its own.
    pub fn intend(&mut self, key: u8) {
        self.keys[usize::from(key)] = unique("rotate-");
    }

    fn put(&self, place: u8, record: Record, tag: Result<String, ()>) -> Ready {
        let mut body = json!({
            "target": {"kind": "cron", "name": format!("place-{place}")},
            "state": record.state.name(),
            "required": record.required,
            "match": {"user_agent": format!("place-{place}/")},
            // Never twice the same, so that no two reports have one tag.
            "depends_on": [unique("job-")],
        });
        if record.state == Report::Verified {
            body["health"] = json!({
                "credential": "accepted", "probe": "refused", "checked_at": "2026-01-01T00:00:00Z",
            });
        }
        let path = self.installation(record.below, place);
        let mut ready = self.ready(Method::PUT, &path, Some(body), String::new());
        ready.fields.push(match tag {
            Ok(tag) => ("If-Match", tag),
            Err(()) => ("If-None-Match", "*".to_owned()),
        });
        ready
    }

    /// Makes a call of the model ready. `tag` is that of what the caller has seen; `model` is how
    /// things are.
    #[must_use]
    pub fn prepare(&self, request: Request, tag: Option<String>, model: &Issuer) -> Ready {
        let post =
            |path: String, body: Value| self.ready(Method::POST, &path, Some(body), String::new());
        let id = |of: u8| self.line[usize::from(of)].id.clone();
        let stale = || "\"stale\"".to_owned();
        let seen = |mut ready: Ready, tag: Option<String>| {
            ready.fields.push(("If-Match", tag.unwrap_or_else(stale)));
            ready
        };
        match request {
            Request::Open { of, key } => {
                let mut body = json!({"reason": if self.plan.compromise { "compromise" } else { "scheduled" }});
                let overlap = u64::from(self.plan.overlap) * TICK;
                body["plan"] = json!({
                    "quiet_period_seconds": if self.plan.quiet { QUIET } else { 0 },
                    "min_overlap_seconds": overlap.saturating_sub(OVERLAP_EARLIER),
                });
                let path = format!("/{}/rotations", id(of));
                let key = self.keys[usize::from(key)].clone();
                let mut ready = self.ready(Method::POST, &path, Some(body), key);
                ready.makes = model.room(&self.plan);
                ready
            }
            Request::Read { of } => {
                let path = &self.line[usize::from(of)].delivery;
                self.ready(Method::GET, path, None, String::new())
            }
            Request::Acknowledge { of } => {
                let path = format!("{}/ack", self.line[usize::from(of)].delivery);
                post(path, json!({}))
            }
            Request::Put {
                place,
                record,
                seen,
            } => {
                let tag = match seen {
                    super::super::request::Seen::Nothing => Err(()),
                    _ => Ok(tag.unwrap_or_else(stale)),
                };
                self.put(place, record, tag)
            }
            Request::Advance { rotation, .. } => {
                let path = format!("{}/advance", self.rotation(rotation));
                seen(post(path, json!({})), tag)
            }
            Request::RollBack { rotation, .. } => {
                let path = format!("{}/rollback", self.rotation(rotation));
                seen(post(path, json!({})), tag)
            }
            Request::Revoke { of } => post(
                format!("/{}/revoke", id(of)),
                json!({"mode": "immediate", "reason": "other"}),
            ),
            Request::Migrate { of, .. } => post(
                format!("/{}/revoke", id(of)),
                json!({"mode": "after_migration", "reason": "superseded"}),
            ),
            Request::Suspend { of } => {
                post(format!("/{}/suspend", id(of)), json!({"reason": "other"}))
            }
            Request::Resume { of, .. } => seen(post(format!("/{}/resume", id(of)), json!({})), tag),
            Request::Use { place, with } => Ready {
                method: Method::GET,
                url: self.call.clone(),
                token: self.line[usize::from(with)].key.clone().unwrap_or_default(),
                fields: vec![("User-Agent", format!("place-{place}/1.0"))],
                body: None,
                makes: None,
            },
        }
    }

    /// The tag of a credential.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn tag_of_credential(&self, of: u8) -> Result<String, Differs> {
        let got = self
            .get(&format!("/{}", self.line[usize::from(of)].id))
            .await?;
        got.tag()
            .ok_or_else(|| "a credential has no tag".to_owned())
    }

    /// Makes a call, and learns from its answer what a caller would.
    ///
    /// # Errors
    /// Where there is no answer, or one that the model has no word for.
    pub async fn make(
        &mut self,
        request: Request,
        ready: &Ready,
    ) -> Result<(Answer, Got), Differs> {
        let got = self.send(ready).await?;
        if got.status < 300 {
            match request {
                Request::Open { .. } => {
                    let (rotation, successor) = (got.text("id")?, got.text("successor")?);
                    if self.line.iter().all(|known| known.id != successor) {
                        self.learn(&got.body["credential"], &rotation);
                    }
                }
                Request::Read { of } => {
                    let key = got.body["secret"]["value"].as_str();
                    self.line[usize::from(of)].key = key.map(str::to_owned);
                }
                _ => {}
            }
            return Ok((Answer::Done, got));
        }
        if got.status == 401 {
            return Ok((Answer::Refused(Problem::Unauthenticated, Vec::new()), got));
        }
        let name = got.text("type")?;
        let name = name.rsplit('/').next().unwrap_or_default();
        let problem = Problem::named(name)
            .ok_or_else(|| format!("{request:?} was refused as `{name}`: {}", got.body))?;
        let gates = got.body["gates"].as_array().into_iter().flatten();
        let gates = gates
            .filter_map(|gate| Gate::named(gate.as_str()?))
            .collect();
        Ok((Answer::Refused(problem, gates), got))
    }
}
