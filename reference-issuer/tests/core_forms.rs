//! The endpoints that take forms, where the rules of every other endpoint hold for them too.

mod core_support;

use core_support::{ANA, World};

const FORM: &str = "application/x-www-form-urlencoded";

/// More failures than one address is answered in a minute.
const TOO_MANY: usize = 601;

#[tokio::test]
async fn a_query_that_no_table_has_is_refused() {
    let world = World::start().await;
    let form = |path: &str| {
        world
            .request("POST", &world.e(path))
            .header("content-type", FORM)
            .body("grant_type=client_credentials&token=t")
    };
    assert_eq!(
        world.send(form("/oauth/token?x=1")).await.problem(),
        "invalid-query"
    );
    let asked = form("/oauth/introspect?x=1");
    assert_eq!(
        world.send(asked.try_clone().unwrap()).await.problem(),
        "unauthenticated"
    );
    assert_eq!(
        world.send(asked.bearer_auth(ANA)).await.problem(),
        "invalid-query"
    );
}

#[tokio::test]
async fn clients_that_fail_too_often_are_slowed_down() {
    let world = World::start().await;
    let guess = || {
        world
            .request("POST", &world.e("/oauth/token"))
            .basic_auth("cred_0123456789abcdefghij", Some("wrong"))
            .header("content-type", FORM)
            .body("grant_type=client_credentials")
    };
    for _ in 1..TOO_MANY {
        assert_eq!(world.send(guess()).await.status, 401);
    }
    assert_eq!(world.send(guess()).await.problem(), "rate-limited");
}
