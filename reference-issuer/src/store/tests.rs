//! What the store promises: refusals undo their own effects alone, answers come after the
//! commit, and a failure of one job is no other's.

use clp_schemas::audit::Event;
use clp_schemas::audit::merkle;
use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::ops::audit::EntriesQuery;
use clp_schemas::ops::create::ListQuery;
use clp_schemas::problem::{Problem, ProblemType};
use clp_schemas::state::credential::State;
use serde_json::json;

use super::{EntryRange, Fault, Filter, NewTenant, Position, Store};
use crate::audit::Entry;
use crate::lifecycle::Effect;
use crate::seams::Seams;

async fn tenant(store: &Store) -> TenantId {
    let new = NewTenant {
        persona: "p",
        name: None,
    };
    store
        .run(move |gate| Ok(gate.make_tenant(new)?))
        .await
        .unwrap()
}

async fn value(store: &Store, tenant: &TenantId) -> Option<serde_json::Value> {
    store
        .submit(tenant.clone(), |tx| Ok(tx.resource("x")?))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_refusal_undoes_what_its_own_job_did() {
    let store = Store::open(None, Seams::default()).unwrap();
    let tenant = tenant(&store).await;
    let jobs = (0..20).map(|number| {
        store.submit(tenant.clone(), move |tx| {
            let before = tx
                .resource("x")?
                .and_then(|value| value.as_u64())
                .unwrap_or_default();
            tx.put_resource("x", &json!(before + 1))?;
            tx.apply(vec![Effect::Audit(Entry::new(Event::AuditRead))])?;
            match number % 4 {
                0 => Err(Problem::from(ProblemType::Forbidden)),
                1 => panic!("a job may fail"),
                _ => Ok(()),
            }
        })
    });
    let results = futures::future::join_all(jobs).await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().and_then(Problem::kind))
        .collect();
    assert_eq!(kinds.iter().filter(|kind| kind.is_none()).count(), 10);
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == Some(ProblemType::Forbidden))
            .count(),
        5
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == Some(ProblemType::Internal))
            .count(),
        5
    );
    assert_eq!(value(&store, &tenant).await, Some(json!(10)));
    let size = store
        .submit(tenant, |tx| Ok(tx.audit_size()?))
        .await
        .unwrap();
    assert_eq!(size, 10);
}

#[tokio::test]
async fn tenants_share_nothing_but_the_store() {
    let store = Store::open(None, Seams::default()).unwrap();
    let (first, second) = (tenant(&store).await, tenant(&store).await);
    store
        .submit(first.clone(), |tx| Ok(tx.put_resource("x", &json!(1))?))
        .await
        .unwrap();
    assert_eq!(value(&store, &second).await, None);
    let moved = store
        .run({
            let first = first.clone();
            move |gate| Ok(gate.advance_clock(&first, 1000)?)
        })
        .await
        .unwrap();
    let elsewhere = store.submit(second, |tx| Ok(tx.now())).await.unwrap();
    assert!(moved.unix() - elsewhere.unix() >= 999);
    store
        .run({
            let first = first.clone();
            move |gate| Ok(gate.reset_tenant(&first)?)
        })
        .await
        .unwrap();
    assert_eq!(value(&store, &first).await, None);
    let nobody = TenantId::from_entropy([1; 16]);
    let refused = store.submit(nobody, |_| Ok(())).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemType::NotFound));
}

#[tokio::test]
async fn the_root_is_that_of_the_leaves() {
    let store = Store::open(None, Seams::default()).unwrap();
    let tenant = tenant(&store).await;
    for size in 0..=17_u64 {
        let (root, leaves) = store
            .submit(tenant.clone(), move |tx| {
                let root = merkle::root(size, |node| tx.audit_node(node)).map_err(Fault::from)?;
                let range = EntryRange {
                    from: 0,
                    before: size,
                    places: Vec::new(),
                    without_place: true,
                };
                let entries = tx.audit_entries(&EntriesQuery::default(), &range, 100)?;
                let entry = Entry::new(Event::AuditRead).actor("prin_0123456789abcdefghij");
                tx.apply(vec![Effect::Audit(entry)])?;
                Ok((root, entries))
            })
            .await
            .unwrap();
        let mut hashes: Vec<_> = leaves
            .iter()
            .map(|entry| {
                merkle::leaf_hash(&clp_schemas::canonical::from_base64(&entry.leaf).unwrap())
            })
            .collect();
        assert_eq!(hashes.len() as u64, size);
        // Pairing from the left and carrying an odd one up gives the tree of RFC 9162.
        while hashes.len() > 1 {
            hashes = hashes
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => merkle::node_hash(left, right),
                    [single] => *single,
                    _ => unreachable!(),
                })
                .collect();
        }
        assert_eq!(
            root,
            hashes.first().copied().unwrap_or_else(merkle::empty_root)
        );
    }
}

#[tokio::test]
async fn readings_of_the_log_are_written_as_one_entry() {
    let store = Store::open(None, Seams::default()).unwrap();
    let tenant = tenant(&store).await;
    let reader: PrincipalId = "prin_0123456789abcdefghij".parse().unwrap();
    for _ in 0..3 {
        let reader = reader.clone();
        store
            .submit(tenant.clone(), move |tx| {
                Ok(tx.apply(vec![Effect::CountAuditRead(reader)])?)
            })
            .await
            .unwrap();
    }
    let size = async || {
        store
            .submit(tenant.clone(), |tx| Ok(tx.audit_size()?))
            .await
            .unwrap()
    };
    assert_eq!(size().await, 0);
    let moving = tenant.clone();
    store
        .run(move |gate| Ok(gate.advance_clock(&moving, 301)?))
        .await
        .unwrap();
    assert_eq!(size().await, 1);
    let entries = store
        .submit(tenant.clone(), |tx| {
            let range = EntryRange {
                from: 0,
                before: 1,
                places: Vec::new(),
                without_place: true,
            };
            Ok(tx.audit_entries(&EntriesQuery::default(), &range, 10)?)
        })
        .await
        .unwrap();
    assert_eq!(entries[0].disclosed["count"].value, json!(3));
}

#[tokio::test]
async fn a_closed_store_answers_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Some(directory.path()), Seams::default()).unwrap();
    let tenant = tenant(&store).await;
    store.close().await;
    let refused = store.submit(tenant.clone(), |_| Ok(())).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemType::Unavailable));
    let again = Store::open(Some(directory.path()), Seams::default()).unwrap();
    again.submit(tenant, |_| Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_page_of_a_listing_is_read_in_order_out_of_an_index() {
    let store = Store::open(None, Seams::default()).unwrap();
    let tenant = tenant(&store).await;
    let text = |text: &str| Some(text.to_owned());
    let all = ListQuery::default();
    let queries = [
        all.clone(),
        ListQuery {
            project: text("a"),
            ..all.clone()
        },
        ListQuery {
            owner: text("o"),
            ..all.clone()
        },
        ListQuery {
            state: Some(State::Active),
            ..all.clone()
        },
        ListQuery {
            state: Some(State::Active),
            owner: text("o"),
            project: text("a"),
            ..all
        },
    ];
    for (query, places) in queries.iter().flat_map(|query| [(query, 1), (query, 3)]) {
        let query = query.clone();
        let plan: Vec<String> = store
            .submit(tenant.clone(), move |tx| {
                let places = vec!["a/e".to_owned(); places];
                let filter = Filter {
                    places: &places,
                    query: &query,
                };
                let after = Position {
                    created_at: 5,
                    number: 5,
                };
                let (text, values) = tx.listing(filter, Some(after), 10)?;
                let mut statement = tx
                    .connection()
                    .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
                    .map_err(Fault::from)?;
                let rows = statement
                    .query_map(rusqlite::params_from_iter(values), |row| row.get(3))
                    .map_err(Fault::from)?;
                Ok(rows.collect::<Result<_, _>>().map_err(Fault::from)?)
            })
            .await
            .unwrap();
        let plan = plan.join("; ");
        assert!(plan.contains("SEARCH credentials USING INDEX"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[tokio::test]
async fn a_transaction_that_ends_by_itself_takes_its_whole_batch_along() {
    let store = Store::open(None, Seams::default()).unwrap();
    let tenant = tenant(&store).await;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let write = |name: &'static str| {
        store.submit(tenant.clone(), move |tx| {
            Ok(tx.put_resource(name, &json!(1))?)
        })
    };
    // Nobody gets on before all four are waiting, so that they share a batch.
    let first = store.run(move |_| {
        // The other end is there until it has sent.
        wait.recv().map_err(|_| ProblemType::Internal.into())
    });
    let ended = store.run(|gate| {
        // What SQLite does by itself on a full disk.
        Ok(gate
            .connection()
            .execute_batch("ROLLBACK")
            .map_err(Fault::from)?)
    });
    let all = async { tokio::join!(first, write("before"), ended, write("after")) };
    let release = async {
        tokio::task::yield_now().await;
        go.send(()).unwrap();
    };
    let ((first, before, ended, after), ()) = tokio::join!(all, release);
    for refused in [first, before] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), Some(ProblemType::Unavailable));
    }
    assert!(ended.is_err());
    // It came after the batch, in one of its own.
    assert!(after.is_ok());
    let kept = store
        .submit(tenant, |tx| {
            Ok((tx.resource("before")?, tx.resource("after")?))
        })
        .await
        .unwrap();
    assert_eq!(kept, (None, Some(json!(1))));
}

#[tokio::test]
async fn a_directory_is_for_its_owner_and_for_one_process() {
    use std::os::unix::fs::PermissionsExt as _;

    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state");
    let mode = |path: &std::path::Path| {
        let about = std::fs::metadata(path).unwrap();
        about.permissions().mode() & 0o777
    };
    let store = Store::open(Some(&directory), Seams::default()).unwrap();
    tenant(&store).await;
    assert_eq!(mode(&directory), 0o700);
    for name in ["issuer.db", "issuer.db-wal", "issuer.db-shm"] {
        assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
    }
    assert!(matches!(
        Store::open(Some(&directory), Seams::default()),
        Err(Fault::InUse)
    ));
    store.close().await;
    Store::open(Some(&directory), Seams::default())
        .unwrap()
        .close()
        .await;

    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o750)).unwrap();
    assert!(matches!(
        Store::open(Some(&directory), Seams::default()),
        Err(Fault::Readable)
    ));
}
