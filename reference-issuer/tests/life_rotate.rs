//! Rotations with gates: from unsafe to safe, further and back.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod life_support;

use life_support::{Life, With, installation_id, nightly, states};
use serde_json::{Value, json};

/// A credential in use at one place, and a rotation of it.
struct Rotated {
    life: Life,
    predecessor: String,
    key: String,
    successor: String,
    successor_key: String,
    rotation: String,
    place: String,
    opened: Value,
}

async fn rotated(more: Value, body: Value) -> Rotated {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&more).await;
    let place = installation_id();
    life.declare(&minted.id, &place, nightly("installed")).await;
    assert_eq!(life.use_key(&minted.key, "nightly/1.0").await, 200);
    let opened = life.post(&format!("/{}/rotations", minted.id), body).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(opened.body["state"], "created");
    assert!(opened.headers.get("etag").is_some());
    let rotation = format!("/rotations/{}", opened.text("id"));
    let early = life.change("POST", &rotation, "/advance", json!({})).await;
    assert_eq!(early.problem(), "rotation-not-open");
    let successor_key = life.fetch(&opened.body["credential"]).await;
    assert_eq!(life.get(&rotation).await.body["state"], "distributing");
    Rotated {
        predecessor: minted.id,
        key: minted.key,
        successor: opened.text("successor"),
        successor_key,
        rotation,
        place,
        opened: opened.body,
        life,
    }
}

impl Rotated {
    async fn gate(&self, id: &str) -> String {
        let report = self.life.get(&format!("{}/gates", self.rotation)).await;
        let found = states(&report.body["gates"])
            .into_iter()
            .find(|(name, _)| name == id);
        found.unwrap().1
    }

    async fn safe(&self) -> bool {
        let report = self.life.get(&format!("{}/gates", self.rotation)).await;
        report.body["safe_to_revoke"]["safe"].as_bool().unwrap()
    }

    async fn advance(&self) -> life_support::edge_support::Answer {
        self.life
            .change("POST", &self.rotation, "/advance", json!({}))
            .await
    }

    async fn report(&self, body: Value) {
        let (below, above) = (
            format!("/{}/installations/{}", self.predecessor, self.place),
            format!("/{}/installations/{}", self.successor, self.place),
        );
        let present = self
            .life
            .with("owner", "GET", &above, With::default())
            .await;
        let tag = match present.status {
            200 => present.header("etag").to_owned(),
            _ => self.life.get(&below).await.header("etag").to_owned(),
        };
        let put = self.life.if_match("PUT", &above, &tag, Some(body)).await;
        assert_eq!(put.status, 200, "{put:?}");
    }

    /// Brings the successor to the place, and sees it work from there.
    async fn migrate(&self) {
        self.report(nightly("installed")).await;
        assert_eq!(
            self.life.use_key(&self.successor_key, "nightly/1.0").await,
            200
        );
        let probe = self.opened["probe_value"].as_str().unwrap();
        assert_eq!(self.life.use_key(probe, "nightly/1.0").await, 401);
        self.report(nightly("verified")).await;
    }
}

#[tokio::test]
async fn a_rotation_goes_from_unsafe_to_safe_and_is_completed() {
    let plan =
        json!({"quiet_period_seconds": 600, "min_overlap_seconds": 300, "least_basis": "observed"});
    let it = rotated(json!({}), json!({"reason": "scheduled", "plan": plan})).await;
    assert_eq!(it.opened["plan"], plan);
    let report = it.life.get(&format!("{}/gates", it.rotation)).await;
    let stands: Vec<(String, String)> = states(&report.body["gates"]);
    let wanted = [
        ("successor", "met"),
        ("installations", "unmet"),
        ("health", "unmet"),
        ("quiet", "unmet"),
        ("consumers", "met"),
        ("overlap", "unmet"),
    ];
    assert_eq!(
        stands,
        wanted.map(|(id, state)| (id.to_owned(), state.to_owned()))
    );
    let refused = it.advance().await;
    assert_eq!(refused.problem(), "gate-unmet");
    assert_eq!(refused.body["gates"], json!(["installations", "health"]));

    it.migrate().await;
    let drained = it.advance().await;
    assert_eq!(drained.body["state"], "draining", "{drained:?}");
    let refused = it.advance().await;
    assert_eq!(refused.body["gates"], json!(["quiet", "overlap"]));
    let migration = json!({"mode": "after_migration", "reason": "superseded"});
    let revoke = format!("/{}/revoke", it.predecessor);
    let refused = it.life.post(&revoke, migration.clone()).await;
    assert_eq!(refused.problem(), "gate-unmet");
    assert_eq!(refused.body["gates"], json!(["quiet", "overlap"]));

    it.life.advance_clock(400).await;
    assert_eq!(
        (it.gate("overlap").await, it.gate("quiet").await),
        ("met".to_owned(), "unmet".to_owned())
    );
    assert_eq!(it.life.use_key(&it.key, "nightly/1.0").await, 200);
    it.life.advance_clock(400).await;
    assert!(!it.safe().await, "a use begins the quiet period anew");
    it.life.advance_clock(300).await;
    assert!(it.safe().await);

    let completed = it.advance().await;
    assert_eq!(completed.body["state"], "completed", "{completed:?}");
    assert!(completed.body["ended_at"].is_string());
    let gone = it.life.get(&format!("/{}", it.predecessor)).await;
    assert_eq!(gone.body["state"], "revoked");
    assert_eq!(gone.body["revocation"]["mode"], "after_migration");
    assert_eq!(gone.body["revocation"]["reason"], "superseded");
    assert_eq!(it.life.use_key(&it.key, "nightly/1.0").await, 401);
    assert_eq!(it.advance().await.problem(), "rotation-not-open");
    let late = it
        .life
        .change("POST", &it.rotation, "/rollback", json!({}))
        .await;
    assert_eq!(late.problem(), "rotation-not-open");
}

#[tokio::test]
async fn a_revocation_after_migration_is_judged_when_it_is_made() {
    let it = rotated(json!({}), json!({"reason": "scheduled"})).await;
    // What is verified of the predecessor says nothing of the successor.
    let below = format!("/{}/installations/{}", it.predecessor, it.place);
    let mut verified = nightly("verified");
    verified["health"] = json!({
        "credential": "accepted", "probe": "refused", "checked_at": it.opened["created_at"],
    });
    let put = it.life.change("PUT", &below, "", verified).await;
    assert_eq!(put.status, 200, "{put:?}");
    let migration = json!({"mode": "after_migration", "reason": "handover"});
    let revoke = format!("/{}/revoke", it.predecessor);
    let refused = it.life.post(&revoke, migration.clone()).await;
    assert_eq!(refused.body["gates"], json!(["installations", "health"]));
    let other = it
        .life
        .post(&format!("/{}/revoke", it.successor), migration.clone())
        .await;
    assert_eq!(other.problem(), "rotation-not-open");
    it.migrate().await;
    let ended = it.life.post(&revoke, migration.clone()).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(ended.body["revocation"]["reason"], "handover");
    assert_eq!(it.life.get(&it.rotation).await.body["state"], "completed");
    let again = it.life.post(&revoke, migration).await;
    assert_eq!(again.body["revocation"], ended.body["revocation"]);
}

#[tokio::test]
async fn a_consumer_that_nobody_declared_stands_in_the_way() {
    let it = rotated(json!({}), json!({"reason": "scheduled"})).await;
    it.migrate().await;
    assert!(it.safe().await);
    assert_eq!(it.life.use_key(&it.key, "dashboard/2").await, 200);
    assert_eq!(it.gate("consumers").await, "unmet");
    let twin = json!({"target": {"kind": "ci", "name": "twin"}, "state": "installed", "match": {"user_agent": "night"}, "required": false});
    it.life
        .declare(&it.predecessor, &installation_id(), twin)
        .await;
    let dashboard = json!({"target": {"kind": "notebook", "name": "d"}, "state": "installed", "match": {"user_agent": "dashboard/"}, "required": false});
    it.life
        .declare(&it.predecessor, &installation_id(), dashboard)
        .await;
    assert_eq!(
        it.gate("consumers").await,
        "unknown",
        "two installations fit the nightly job"
    );
}

#[tokio::test]
async fn a_rotation_is_given_back_once_no_place_needs_it() {
    let it = rotated(json!({}), json!({"reason": "scheduled"})).await;
    it.report(nightly("installed")).await;
    let stuck = it
        .life
        .change("POST", &it.rotation, "/rollback", json!({}))
        .await;
    assert_eq!(stuck.problem(), "gate-unmet");
    assert_eq!(stuck.body["gates"], json!(["installations"]));
    let above = format!("/{}/installations/{}", it.successor, it.place);
    let tag = it.life.get(&above).await.header("etag").to_owned();
    let below = format!("/{}/installations/{}", it.predecessor, it.place);
    let moved = it
        .life
        .if_match("PUT", &below, &tag, Some(nightly("updating")))
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    // Nobody knows what a place holds that is being changed.
    let between = it
        .life
        .change("POST", &it.rotation, "/rollback", json!({}))
        .await;
    assert_eq!(between.problem(), "gate-unmet");
    let tag = moved.header("etag").to_owned();
    let filled = it
        .life
        .if_match("PUT", &below, &tag, Some(nightly("installed")))
        .await;
    assert_eq!(filled.status, 200, "{filled:?}");

    let bare = With {
        body: Some(json!({})),
        fields: &[],
    };
    let path = format!("{}/rollback", it.rotation);
    assert_eq!(
        it.life
            .with("owner", "POST", &path, bare.clone())
            .await
            .problem(),
        "precondition-required"
    );
    assert_eq!(
        it.life
            .with("bystander", "POST", &path, bare.clone())
            .await
            .problem(),
        "forbidden"
    );
    assert_eq!(
        it.life
            .with("outsider", "POST", &path, bare)
            .await
            .problem(),
        "not-found"
    );
    let back = it
        .life
        .change("POST", &it.rotation, "/rollback", json!({"note": "later"}))
        .await;
    assert_eq!(back.body["state"], "rolled_back", "{back:?}");
    assert_eq!(back.body["credential"]["state"], "revoked");
    assert_eq!(
        it.life.get(&format!("/{}", it.predecessor)).await.body["state"],
        "active"
    );
    assert_eq!(it.life.use_key(&it.successor_key, "nightly/1.0").await, 401);

    let compromised = it
        .life
        .post(
            &format!("/{}/rotations", it.predecessor),
            json!({"reason": "compromise"}),
        )
        .await;
    assert_eq!(compromised.status, 201, "{compromised:?}");
    let rotation = format!("/rotations/{}", compromised.text("id"));
    let refused = it
        .life
        .change("POST", &rotation, "/rollback", json!({}))
        .await;
    assert_eq!(refused.problem(), "no-rollback-after-compromise");
}

#[tokio::test]
async fn a_deadline_blocks_and_ends_nothing() {
    let policy = json!({"rotation_policy": {"max_overlap_seconds": 1000}});
    let body = json!({"reason": "scheduled", "plan": {"quiet_period_seconds": 1000}});
    let it = rotated(policy, body).await;
    assert!(it.opened["plan"]["deadline"].is_string());
    it.migrate().await;
    it.advance().await;
    it.life.advance_clock(1001).await;
    assert_eq!(it.life.get(&it.rotation).await.body["state"], "blocked");
    assert_eq!(
        it.life.get(&format!("/{}", it.predecessor)).await.body["state"],
        "retiring"
    );
    assert_eq!(
        it.life.get(&format!("/{}", it.successor)).await.body["state"],
        "active"
    );
    assert_eq!(it.advance().await.problem(), "rotation-not-open");
    let entries = it.life.get("/audit/entries?event=rotation.blocked").await;
    assert_eq!(entries.body["entries"].as_array().unwrap().len(), 1);
    let migration = json!({"mode": "after_migration", "reason": "superseded"});
    let ended = it
        .life
        .post(&format!("/{}/revoke", it.predecessor), migration)
        .await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(it.life.get(&it.rotation).await.body["state"], "completed");
}

#[tokio::test]
async fn a_place_that_was_left_behind_is_waited_for() {
    let it = rotated(json!({}), json!({"reason": "compromise"})).await;
    let revoke = json!({"mode": "immediate", "reason": "compromise"});
    it.life
        .post(&format!("/{}/revoke", it.predecessor), revoke)
        .await;
    let path = format!("/{}/rotations", it.successor);
    let next = it.life.post(&path, json!({"reason": "policy"})).await;
    let rotation = format!("/rotations/{}", next.text("id"));
    it.life.fetch(&next.body["credential"]).await;
    let refused = it
        .life
        .change("POST", &rotation, "/advance", json!({}))
        .await;
    assert_eq!(refused.body["gates"], json!(["installations", "health"]));
    let left = format!("/{}/installations/{}", it.predecessor, it.place);
    let tag = it.life.get(&left).await.header("etag").to_owned();
    let gone = it.life.if_match("DELETE", &left, &tag, None).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let advanced = it
        .life
        .change("POST", &rotation, "/advance", json!({}))
        .await;
    assert_eq!(advanced.body["state"], "draining", "{advanced:?}");
}
