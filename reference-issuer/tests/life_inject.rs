//! Where a credential is used: declared, moved, forgotten; seen.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod life_support;

use life_support::{Life, With, installation_id, nightly};
use serde_json::json;

#[tokio::test]
async fn a_place_is_declared_once_and_then_replaced() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    let id = installation_id();
    let path = format!("/{}/installations/{id}", minted.id);
    let put = |fields| {
        let with = With {
            body: Some(nightly("declared")),
            fields,
        };
        life.with("owner", "PUT", &path, with)
    };
    assert_eq!(put(&[]).await.problem(), "precondition-required");
    assert_eq!(
        put(&[("If-Match", "*")]).await.problem(),
        "precondition-failed"
    );
    let verified = life.declare(&minted.id, &id, nightly("verified")).await;
    assert_eq!(verified.problem(), "installation-state");
    let mut stored = nightly("declared");
    stored["store_id"] = json!("sto_00000000000000000000");
    assert_eq!(
        life.declare(&minted.id, &id, stored).await.problem(),
        "unknown-store"
    );

    let made = life.declare(&minted.id, &id, nightly("declared")).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["required"], true);
    assert_eq!(made.body["target"], nightly("declared")["target"]);
    assert_eq!(life.get(&path).await.body, made.body);
    assert_eq!(life.get(&path).await.header("etag"), made.header("etag"));
    assert_eq!(
        put(&[("If-None-Match", "*")]).await.problem(),
        "precondition-failed"
    );

    let installed = life
        .if_match(
            "PUT",
            &path,
            made.header("etag"),
            Some(nightly("installed")),
        )
        .await;
    assert_eq!(installed.status, 200, "{installed:?}");
    let stale = life
        .if_match("PUT", &path, made.header("etag"), Some(nightly("verified")))
        .await;
    assert_eq!(stale.problem(), "precondition-failed");
    let retired = life.change("PUT", &path, "", nightly("retired")).await;
    assert_eq!(retired.status, 200, "{retired:?}");
    let back = life.change("PUT", &path, "", nightly("installed")).await;
    assert_eq!(back.problem(), "installation-state");

    let cleo = With {
        body: Some(nightly("declared")),
        fields: &[("If-Match", "*")],
    };
    assert_eq!(
        life.with("bystander", "PUT", &path, cleo).await.problem(),
        "forbidden"
    );
    assert_eq!(
        life.with("outsider", "GET", &path, With::default())
            .await
            .problem(),
        "not-found"
    );
    assert_eq!(
        life.with("owner", "DELETE", &path, With::default())
            .await
            .problem(),
        "precondition-required"
    );
    let gone = life
        .if_match("DELETE", &path, retired.header("etag"), None)
        .await;
    assert_eq!((gone.status, gone.body), (204, serde_json::Value::Null));
    assert_eq!(
        life.with("owner", "GET", &path, With::default())
            .await
            .problem(),
        "not-found"
    );
}

#[tokio::test]
async fn a_place_follows_the_line_and_no_other() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    let other = life.mint(&json!({})).await;
    let id = installation_id();
    life.declare(&minted.id, &id, nightly("installed")).await;
    let twin = life.declare(&other.id, &id, nightly("declared")).await;
    assert_eq!(
        twin.status, 201,
        "the same id below another line is another installation"
    );

    let rotation = life
        .post(
            &format!("/{}/rotations", minted.id),
            json!({"reason": "scheduled"}),
        )
        .await;
    let successor = rotation.text("successor");
    let below = format!("/{}/installations/{id}", minted.id);
    let above = format!("/{successor}/installations/{id}");
    let mut optional = nightly("installed");
    optional["required"] = json!(false);
    assert_eq!(
        life.change("PUT", &below, "", optional).await.problem(),
        "rotation-in-progress"
    );
    assert_eq!(
        life.change("PUT", &below, "", nightly("retired"))
            .await
            .problem(),
        "rotation-in-progress"
    );
    let tag = life.get(&below).await.header("etag").to_owned();
    assert_eq!(
        life.if_match("DELETE", &below, &tag, None).await.problem(),
        "rotation-in-progress"
    );

    assert_eq!(
        life.if_match("PUT", &above, &tag, Some(nightly("verified")))
            .await
            .problem(),
        "installation-state"
    );
    let moved = life
        .if_match("PUT", &above, &tag, Some(nightly("updating")))
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert_eq!(moved.body["credential_id"], json!(successor));
    assert_eq!(
        life.with("owner", "GET", &below, With::default())
            .await
            .problem(),
        "not-found"
    );
    assert_eq!(life.get(&above).await.header("etag"), moved.header("etag"));
    for (credential, count) in [(&minted.id, 0), (&successor, 1), (&other.id, 1)] {
        let page = life.get(&format!("/{credential}/installations")).await;
        assert_eq!(
            page.body["items"].as_array().unwrap().len(),
            count,
            "{credential}"
        );
    }

    life.post(
        &format!("/{}/revoke", minted.id),
        json!({"mode": "immediate", "reason": "compromise"}),
    )
    .await;
    let back = life
        .if_match(
            "PUT",
            &below,
            moved.header("etag"),
            Some(nightly("updating")),
        )
        .await;
    assert_eq!(back.problem(), "credential-not-active");
}

#[tokio::test]
async fn installations_come_in_pages_and_by_state() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    let mut ids = Vec::new();
    for state in ["declared", "installed", "declared"] {
        let id = installation_id();
        life.declare(&minted.id, &id, nightly(state)).await;
        ids.push(json!(id));
    }
    let path = format!("/{}/installations", minted.id);
    let page = life.get(&format!("{path}?limit=1&state=declared")).await;
    assert_eq!(page.body["items"][0]["id"], ids[2]);
    let cursor = page.text("next_cursor");
    let last = life
        .get(&format!("{path}?state=declared&cursor={cursor}"))
        .await;
    assert_eq!(last.body["items"][0]["id"], ids[0]);
    let wrong = life
        .with(
            "owner",
            "GET",
            &format!("{path}?cursor={cursor}"),
            With::default(),
        )
        .await;
    assert_eq!(wrong.problem(), "invalid-cursor");
    let refused = life
        .with(
            "owner",
            "GET",
            &format!("{path}?state=lost"),
            With::default(),
        )
        .await;
    assert_eq!(refused.problem(), "invalid-query");
}

#[tokio::test]
async fn what_is_seen_is_told_from_what_is_declared() {
    let life = Life::at("exampleapi").await;
    let minted = life.mint(&json!({})).await;
    let (first, second) = (installation_id(), installation_id());
    life.declare(&minted.id, &first, nightly("installed")).await;
    life.declare(&minted.id, &second, nightly("installed"))
        .await;
    for agent in ["nightly/1.0", "nightly/1.0", "dashboard/2"] {
        assert_eq!(life.use_key(&minted.key, agent).await, 200);
        life.advance_clock(5).await;
    }
    let usage = life.get(&format!("/{}/usage", minted.id)).await;
    assert_eq!(usage.body["uses"], 3, "{usage:?}");
    let consumers = usage.body["consumers"].as_array().unwrap();
    assert_eq!(consumers[0]["user_agent"], "dashboard/2");
    assert_eq!(consumers[0]["installations"], json!([]));
    assert_eq!(consumers[1]["uses"], 2);
    assert_eq!(consumers[1]["installations"], json!([first, second]));
    assert_eq!(usage.body["last_used_at"], consumers[0]["last_seen_at"]);
    let place = life
        .get(&format!("/{}/installations/{first}", minted.id))
        .await;
    assert_eq!(place.body["last_seen_at"], consumers[1]["last_seen_at"]);
}

#[tokio::test]
async fn what_was_used_of_the_permissions_is_told() {
    let life = Life::at("exampleapi").await;
    let writes = life.sandbox.probe.write_permissions.clone();
    let minted = life.mint(&json!({"permissions": writes})).await;
    let path = format!("/{}/scope-analysis", minted.id);
    let unused = life.get(&path).await;
    assert!(
        unused.body["atoms"]
            .as_array()
            .unwrap()
            .iter()
            .all(|atom| atom["used"] == false)
    );
    assert!(unused.body.get("recommended").is_none());

    assert_eq!(life.use_key(&minted.key, "a/1").await, 200);
    life.advance_clock(100).await;
    let used = life.get(&path).await;
    let by_action = |action: &str| {
        let atoms = used.body["atoms"].as_array().unwrap();
        let found = atoms
            .iter()
            .find(|atom| atom["statement"]["actions"] == json!([action]));
        found.unwrap()["used"].clone()
    };
    assert_eq!(
        (by_action("read"), by_action("write")),
        (json!(true), json!(false))
    );
    let since = used.text("as_of");
    let later = life.get(&format!("{path}?since={since}")).await;
    assert!(
        later.body["atoms"]
            .as_array()
            .unwrap()
            .iter()
            .all(|atom| atom["used"] == false)
    );

    let narrower = json!({"reason": "policy", "permissions": used.body["recommended"]});
    let rotation = life
        .post(&format!("/{}/rotations", minted.id), narrower)
        .await;
    assert_eq!(rotation.status, 201, "{rotation:?}");
    assert_eq!(
        rotation.body["credential"]["permissions"],
        used.body["recommended"]
    );
}

#[tokio::test]
async fn what_is_forgotten_is_said_and_narrows_nothing() {
    let life = Life::at("exampleapi").await;
    let writes = life.sandbox.probe.write_permissions.clone();
    let minted = life.mint(&json!({"permissions": writes})).await;
    let path = format!("/{}/scope-analysis", minted.id);
    assert_ne!(life.read_record(&minted.key, "0").await, 403);
    life.advance_clock(100).await;
    for number in 1..=100 {
        let status = life.read_record(&minted.key, &number.to_string()).await;
        assert_ne!(status, 403);
    }
    let all = life.get(&path).await;
    let paths: Vec<&str> = all.body["recorded"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["access"]["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths.len(), 100);
    assert!(!paths.contains(&"atlas/records/0"));
    assert_eq!(all.body["complete"], false);
    assert_eq!(all.body["confidence"], "low");
    assert_eq!(all.body["would_refuse"], json!([]));
    // Nothing shows that less than the whole selector would do.
    assert_eq!(
        all.body["recommended"][0]["selector"],
        json!(writes)[0]["selector"]
    );
    assert_eq!(all.body["recommended"][0]["actions"], json!(["read"]));

    // Of a shorter time everything is known.
    let since = all.body["recorded"][99]["last_used_at"].as_str().unwrap();
    let later = life.get(&format!("{path}?since={since}")).await;
    assert_eq!(later.body["complete"], true);
    assert_eq!(later.body["uses"], 100);

    let long = "b".repeat(257);
    assert_ne!(life.read_record(&minted.key, &long).await, 403);
    let gap = life.get(&format!("{path}?since={since}")).await;
    assert_eq!(gap.body["complete"], false);
    assert_eq!(gap.body["recorded"].as_array().unwrap().len(), 100);
}
