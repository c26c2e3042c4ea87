//! Where there is nothing, every core scenario fails: none passes, none is skipped.

use clp_conformance::subject::null::{Null, null_floor};

#[tokio::test(flavor = "multi_thread")]
async fn the_floor_is_zero() {
    let floors = null_floor(32).await.unwrap_or_default();
    assert_eq!(floors.len(), 2 * Null::ALL.len());
    for floor in floors {
        assert!(floor.scenarios > 100, "{}: {}", floor.name, floor.scenarios);
        assert!(floor.blind.is_empty(), "{}: {:#?}", floor.name, floor.blind);
    }
}
