//! One episode: something is begun, killed, and gone on with to its end, while others use what
//! is changed and a judge asks after each kill.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::judge::{Judge, Now};
use super::ledger::Ledger;
use super::plan::{self, Models, Shape};
use super::stage::{Ran, Scene, Stage};
use super::trap::{Kill, Sighting, Victim};
use super::user::{User, VARIABLE, held};
use super::{Stopped, rest, watch};
use crate::draw::Draw;

/// How often something is gone on with before it counts as without end.
const ATTEMPTS: usize = 12;
/// How often that is refused besides, because a place is being used while it is changed: whoever is
/// told to look again does.
const LOOKS: usize = 60;
/// The status of a command that was refused.
const REFUSED: i32 = 3;
/// How many kills fall into one episode at most.
const KILLS: usize = 3;

/// What came of one.
#[derive(Default)]
pub struct Came {
    /// The kills that fell: where, and on whom.
    pub kills: Vec<(String, Victim)>,
    /// What the first run of the client looked like.
    pub seen: Sighting,
    /// Calls of the users that were answered, and that were made again.
    pub calls: (u64, u64),
    /// Facts that the judge looked at.
    pub facts: u64,
    /// Changes that the issuer acknowledged.
    pub acknowledgements: u64,
    /// How the rotation ended, if it was one.
    pub ended: Option<&'static str>,
    /// What does not hold.
    pub wrong: Vec<String>,
}

struct Episode<'a> {
    stage: &'a Stage,
    scene: Scene,
    shape: Shape,
    judge: Judge,
    /// The credential that it is about; empty where there is none yet.
    credential: String,
    came: Came,
}

/// Plays one, with a first kill if one is planned.
///
/// # Errors
/// Where it cannot be played to its end.
pub async fn play(
    stage: &Stage,
    number: u64,
    shape: Shape,
    kill: Option<Kill>,
    models: &Models,
    draw: &mut Draw,
) -> Result<Came, Stopped> {
    let scene = stage.scene(number, shape.places()).await?;
    let judge = Judge::new(
        stage.http.clone(),
        stage.origin(),
        scene.text("/principals/owner/token"),
        scene.text("/probe/read/path"),
    );
    let mut episode = Episode {
        stage,
        scene,
        shape,
        judge,
        credential: String::new(),
        came: Came::default(),
    };
    episode.prepare().await?;
    let used = if shape.is_rotation() {
        shape.places()
    } else {
        0
    };
    let users: Vec<User> = (0..used).map(|at| episode.user(at)).collect();
    if shape == Shape::RollBack {
        episode.advance().await?;
    }
    let watching = watch::below(&episode.scene.folder, &stage.trap)?;
    episode.drive(kill, models.get(&shape), draw).await?;
    drop(watching);
    for user in users {
        let used = user.stop().await?;
        episode.came.calls.0 += used.calls;
        episode.came.calls.1 += used.again;
        episode.came.wrong.extend(used.failures.into_iter().take(3));
    }
    episode.end().await?;
    let folder = episode.scene.folder.clone();
    let came = episode.came;
    if came.wrong.is_empty() {
        std::fs::remove_dir_all(folder).map_err(Stopped::system)?;
    }
    Ok(came)
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

impl Episode<'_> {
    fn ledger(&self) -> Ledger {
        let ledger = self.stage.ledger.lock();
        ledger.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn creation(&self) -> Vec<String> {
        let mut all = words(
            "create --purpose crash --owner crash-team --lifetime 30d --max-overlap 7d --json",
        );
        for name in ["project", "environment"] {
            all.push(format!("--{name}"));
            all.push(self.scene.text(&format!("/probe/{name}")));
        }
        all.push("--permissions".to_owned());
        all.push(self.permissions().display().to_string());
        all
    }

    fn injection(&self, place: usize) -> Vec<String> {
        let mut all = words("inject");
        all.push(self.credential.clone());
        all.push("--env-file".to_owned());
        all.push(self.scene.file(place).display().to_string());
        all.extend(words(&format!(
            "--name {VARIABLE} --user-agent crash-{place}/"
        )));
        all
    }

    fn permissions(&self) -> PathBuf {
        self.scene.folder.join("permissions.json")
    }

    /// What has to be there before something is done to it.
    async fn prepare(&mut self) -> Result<(), Stopped> {
        let permissions = self.scene.sandbox.pointer("/probe/read_permissions");
        let permissions = permissions.map(Value::to_string).unwrap_or_default();
        std::fs::write(self.permissions(), permissions).map_err(Stopped::system)?;
        if self.shape == Shape::Create {
            return Ok(());
        }
        let created = self.must(&self.creation(), 0).await?;
        let created: Value = serde_json::from_str(&created.out).unwrap_or_default();
        let id = created.get("id").and_then(Value::as_str);
        self.credential = id.unwrap_or_default().to_owned();
        if self.shape.is_rotation() {
            for place in 0..self.shape.places() {
                self.must(&self.injection(place), 0).await?;
            }
        }
        Ok(())
    }

    /// Brings the successor to all places, where that is what is given up. Users are at it already.
    async fn advance(&mut self) -> Result<(), Stopped> {
        let mut words = self.rotation();
        for _ in 0..LOOKS {
            let ran = self.stage.run(&self.scene, &words, None).await?;
            match (ran.code, self.rotated().await?) {
                (Some(7), _) => return Ok(()),
                (Some(REFUSED), Some((id, _))) => {
                    let line = format!("rotate --resume {id} --health {}", self.health());
                    words = self::words(&line);
                }
                (code, _) => {
                    let said = format!("the rotation ended with {code:?}: {}", ran.said);
                    return Err(Stopped::new(said));
                }
            }
        }
        Err(Stopped::new(
            "the rotation does not come to its places".to_owned(),
        ))
    }

    async fn must(&self, words: &[String], code: i32) -> Result<Ran, Stopped> {
        let ran = self.stage.run(&self.scene, words, None).await?;
        match ran.code == Some(code) {
            true => Ok(ran),
            false => Err(Stopped::new(format!(
                "`clp {}` ended with {:?} where nothing was killed: {}",
                words.join(" "),
                ran.code,
                ran.said
            ))),
        }
    }

    fn user(&self, place: usize) -> User {
        User::start(
            self.stage.http.clone(),
            format!("{}{}", self.judge.origin, self.judge.resource),
            format!("crash-{place}/1"),
            self.scene.file(place),
            Arc::clone(&self.stage.issuer),
        )
    }

    fn health(&self) -> String {
        format!("{}{}", self.stage.identifier, self.judge.resource)
    }

    /// The command that begins a rotation: to its end, or as far as the places.
    fn rotation(&self) -> Vec<String> {
        let health = self.health();
        let more = match self.shape {
            Shape::Rotate(_) => "--wait 30s",
            _ => "--quiet 1h",
        };
        words(&format!(
            "rotate {} --health {health} {more}",
            self.credential
        ))
    }

    /// The rotation of the credential, if there is one, and its state.
    async fn rotated(&self) -> Result<Option<(String, String)>, Stopped> {
        let now = self.judge.now().await?;
        let Some(id) = now.credentials.keys().find_map(|id| now.origin_of(id)) else {
            return Ok(None);
        };
        let path = format!("/credentials/rotations/{id}");
        let found = self.judge.get(&path).await?;
        let state = found.get("state").and_then(Value::as_str);
        Ok(Some((id, state.unwrap_or_default().to_owned())))
    }

    /// The next command, and the status with which it is done. Somebody who finds a run dead
    /// looks how far it came, and runs it again or goes on with it.
    async fn next(&self, first: bool, resumes: bool) -> Result<(Vec<String>, i32), Stopped> {
        let rotated = match (self.shape, first) {
            (Shape::Rotate(_) | Shape::GiveUp, true) => None,
            (shape, _) if !shape.is_rotation() => None,
            _ => self.rotated().await?,
        };
        Ok(match (self.shape, rotated) {
            (Shape::Create, _) => (self.creation(), 0),
            (Shape::Inject, _) => (self.injection(0), 0),
            (Shape::Revoke, _) => (
                words(&format!("revoke {} --reason other", self.credential)),
                0,
            ),
            (Shape::Rotate(_), Some((id, state)))
                if resumes || state == "completed" || state == "rolled_back" =>
            {
                let health = self.health();
                let line = format!("rotate --resume {id} --health {health} --wait 30s");
                (words(&line), 0)
            }
            (Shape::Rotate(_), _) => (self.rotation(), 0),
            (Shape::GiveUp | Shape::RollBack, Some((id, _))) => {
                (words(&format!("rotate --rollback {id}")), 0)
            }
            (Shape::GiveUp | Shape::RollBack, None) => (self.rotation(), 7),
        })
    }

    /// Runs the client, kills, asks, and goes on, until it is done.
    async fn drive(
        &mut self,
        mut kill: Option<Kill>,
        model: Option<&Sighting>,
        draw: &mut Draw,
    ) -> Result<(), Stopped> {
        let mut resumes = draw.below(2) == 0;
        let (mut attempt, mut looks) = (0, 0);
        let mut first = true;
        while attempt < ATTEMPTS {
            let (words, done) = self.next(first, resumes).await?;
            let ran = self.stage.run(&self.scene, &words, kill.take()).await?;
            if first {
                self.came.seen = ran.seen.clone();
            }
            first = false;
            match ran.code {
                Some(REFUSED) if looks < LOOKS => looks += 1,
                _ => attempt += 1,
            }
            if let Some(fell) = ran.seen.fell {
                self.came.kills.push(fell);
                self.ask(false).await?;
                if self.shape == Shape::Create && self.is_created().await? {
                    return Ok(());
                }
                if let Some(model) = model
                    && self.came.kills.len() < KILLS
                    && draw.below(2) == 0
                {
                    kill = Some(plan::another(model, draw));
                }
            } else if ran.code != Some(done) {
                // The same command cannot always be run again.
                resumes = true;
            }
            let is_last = words.iter().any(|word| word == "--rollback") || done == 0;
            if ran.code == Some(done) && is_last {
                return Ok(());
            }
            if attempt == ATTEMPTS {
                self.came.wrong.push(format!(
                    "`clp {}` comes to no end: {:?}, {}",
                    words.join(" "),
                    ran.code,
                    ran.said
                ));
            }
        }
        Ok(())
    }

    /// Whether a creation was done but for saying so: to run it again would be another one.
    async fn is_created(&self) -> Result<bool, Stopped> {
        let notes = rest::visible(&self.scene.home().join("journal"))?;
        let words = words("store list");
        let list = self.stage.run(&self.scene, &words, None).await?;
        Ok(notes.is_empty() && list.out.contains("cred_"))
    }

    async fn ask(&mut self, last: bool) -> Result<(), Stopped> {
        let ledger = self.ledger();
        let wrong = self.judge.judge(&ledger, last).await?;
        self.came.wrong.extend(wrong);
        Ok(())
    }

    /// What has to be so in the end.
    async fn end(&mut self) -> Result<(), Stopped> {
        self.ask(true).await?;
        let ledger = self.ledger();
        self.came.acknowledgements = ledger.acknowledgements;
        self.came.facts = self.judge.facts;
        let now = self.judge.now().await?;
        let states = |wanted: &str| -> Vec<&String> {
            let all = now.credentials.keys();
            all.filter(|id| now.state(id) == wanted).collect()
        };
        let (active, revoked) = (states("active"), states("revoked"));
        let wanted = match self.shape {
            Shape::Rotate(_) | Shape::GiveUp | Shape::RollBack => (1, 1),
            Shape::Revoke => (0, 1),
            Shape::Create | Shape::Inject => (1, 0),
        };
        let is = (active.len(), revoked.len());
        if is != wanted || now.credentials.len() != is.0 + is.1 {
            let all = now.credentials.keys();
            let all: Vec<String> = all.map(|id| format!("{id} {}", now.state(id))).collect();
            self.wrong(format!("in the end there is: {}", all.join(", ")));
        }
        if self.shape.is_rotation() {
            let back = now.state(&self.credential) == "active";
            match (self.shape, back) {
                (Shape::Rotate(_), false) => self.came.ended = Some("completed"),
                (Shape::GiveUp | Shape::RollBack, true) => self.came.ended = Some("rolled_back"),
                _ => self.wrong("the rotation did not end as it should".to_owned()),
            }
        }
        if let Some(id) = active.first() {
            self.placed(id, &ledger).await?;
        }
        self.rest(&ledger, &now)
    }

    fn wrong(&mut self, what: String) {
        self.came.wrong.push(what);
    }

    /// The one that works is in each place and in the store, and each place is declared once.
    async fn placed(&mut self, id: &str, ledger: &Ledger) -> Result<(), Stopped> {
        let secret = ledger.secrets.get(id).cloned().unwrap_or_default();
        let path = format!("/credentials/{id}/installations");
        let declared = self.judge.get(&path).await?;
        let declared = declared.get("items").and_then(Value::as_array);
        let states: Vec<&str> = declared
            .into_iter()
            .flatten()
            .filter_map(|place| place.get("state")?.as_str())
            .collect();
        let filled = ["installed", "verified"];
        if states.len() != self.shape.places() || states.iter().any(|one| !filled.contains(one)) {
            self.wrong(format!("the places of {id} are {}", states.join(", ")));
        }
        for place in 0..self.shape.places() {
            let file = self.scene.file(place);
            if held(&file).as_ref() != Some(&secret) {
                self.wrong(format!("{} does not hold the key of {id}", file.display()));
            }
        }
        let read = self
            .stage
            .run(&self.scene, &words(&format!("store read {id}")), None)
            .await?;
        if read.out.trim() != secret {
            self.wrong(format!(
                "the key of {id} is not in the store: {}",
                read.said
            ));
        }
        Ok(())
    }

    /// Nothing is left that a run without a kill would not have left.
    fn rest(&mut self, ledger: &Ledger, now: &Now) -> Result<(), Stopped> {
        let places: BTreeSet<PathBuf> = (0..self.shape.places())
            .map(|place| self.scene.file(place))
            .collect();
        let secrets: Vec<&str> = ledger
            .secrets
            .iter()
            .filter(|(id, _)| now.credentials.contains_key(*id))
            .map(|(_, secret)| secret.as_str())
            .collect();
        let folders = [self.scene.folder.clone(), self.stage.issuer.data()];
        let folders: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
        let wrong = rest::look(&folders, &places, &secrets)?;
        self.came.wrong.extend(wrong);
        let home = self.scene.home();
        let notes = rest::visible(&home.join("journal"))?;
        let records = rest::visible(&home.join("rotations"))?;
        for left in notes.iter().chain(&records) {
            self.wrong(format!("`{}` is left", left.display()));
        }
        Ok(())
    }
}
