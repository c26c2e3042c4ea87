//! Comparing permission sets of growing size, beside looking at every pair of atoms.
//!
//! Criterion measures; the table at the end puts both ways side by side, out of one run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use clp_schemas::permissions::{
    Atoms, PermissionDocument, PermissionSet, Verdict, limits, normalise,
};
use criterion::{BenchmarkId, Criterion};
use serde_json::{Value, json};

#[path = "../tests/permissions/naive.rs"]
#[expect(dead_code, reason = "nothing is planted here")]
mod naive;

/// Statements a side.
const SIZES: [usize; 4] = [1, 10, 100, 1_000];
/// So many statements about something.
type Workload = fn(usize) -> Vec<Value>;

const OUTPUT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/criterion");

fn document() -> Value {
    let action =
        |implies: &[&str]| json!({"risk": "low", "consent": {"en": "x"}, "implies": implies});
    json!({
        "version": "1",
        "environments": ["production"],
        "resource_types": {"events": {
            "title": {"en": "Events"},
            "actions": {"read": action(&[]), "write": action(&["read"]), "delete": action(&["write"])},
            "constraints": {"rows": {"kind": "max"}, "fields": {"kind": "set"}},
        }},
    })
}

/// Statements about places of their own, three segments deep, with three atoms each.
fn apart(count: usize) -> Vec<Value> {
    (0..count)
        .map(|at| {
            json!({
                "resource_type": "events",
                "selector": format!("zone-{}/store-{}/table-{at}/*", at % 7, at % 31),
                "actions": ["delete"],
                "constraints": {"rows": 100, "fields": ["id", "time", "user"]},
            })
        })
        .collect()
}

/// Statements about one place, none of which covers another: the worst there is.
fn one_place(count: usize) -> Vec<Value> {
    let mut statements = apart(count);
    for (at, statement) in statements.iter_mut().enumerate() {
        statement["selector"] = json!("zone/*");
        statement["constraints"] = json!({"rows": at, "fields": [format!("f{at}")]});
    }
    statements
}

/// The normal form of any number of statements; a permission set holds a hundred.
fn form(document: &PermissionDocument, statements: &[Value]) -> Atoms {
    statements
        .chunks(limits::STATEMENTS)
        .map(|chunk| {
            let set: PermissionSet = serde_json::from_value(chunk.into()).unwrap();
            normalise(document, &set).unwrap()
        })
        .fold(Atoms::default(), |all, next| all.join(&next).unwrap())
}

fn measure(criterion: &mut Criterion, name: &str, statements: Workload) {
    let json = document();
    let document: PermissionDocument = serde_json::from_value(json.clone()).unwrap();
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for size in SIZES {
        // Equal sets in two orders: every atom is looked for, in both directions.
        let one = statements(size);
        let two: Vec<_> = one.iter().rev().cloned().collect();
        let (first, second) = (form(&document, &one), form(&document, &two));
        assert_eq!(first.compare(&second).verdict, Verdict::Equal);
        group.bench_function(BenchmarkId::new("indexed", size), |bencher| {
            bencher.iter(|| black_box(&first).compare(black_box(&second)));
        });
        group.bench_function(BenchmarkId::new("meet", size), |bencher| {
            bencher.iter(|| black_box(&first).meet(black_box(&second)));
        });
        group.bench_function(BenchmarkId::new("subtract", size), |bencher| {
            bencher.iter(|| black_box(&first).subtract(black_box(&second)));
        });
        if size <= limits::STATEMENTS {
            let set: PermissionSet = serde_json::from_value(one.clone().into()).unwrap();
            group.bench_function(BenchmarkId::new("normalise", size), |bencher| {
                bencher.iter(|| normalise(black_box(&document), black_box(&set)));
            });
        }
        let spell = |set: Vec<Value>| naive::spell_out(&json, &set.into(), None);
        let (first, second) = (spell(one), spell(two));
        assert_eq!(naive::verdict(&first, &second, None), "equal");
        group.bench_function(BenchmarkId::new("naive", size), |bencher| {
            bencher.iter(|| naive::verdict(black_box(&first), black_box(&second), None));
        });
    }
    group.finish();
}

/// The median in nanoseconds; `None` where nothing was measured, as with `--test`.
fn median(group: &str, name: &str, size: usize) -> Option<f64> {
    let path = Path::new(OUTPUT).join(format!("{group}/{name}/{size}/new/estimates.json"));
    let estimates: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    estimates.pointer("/median/point_estimate")?.as_f64()
}

fn table(group: &str) {
    println!("\n{group}\n");
    println!(
        "| statements a side | compare, µs | compares/s | growth | every pair, µs | growth | ratio | meet, µs | subtract, µs | normalise, µs |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut before: Option<(f64, f64)> = None;
    for size in SIZES {
        let found = ["indexed", "naive", "meet", "subtract"].map(|name| median(group, name, size));
        let [Some(indexed), Some(naive), Some(meet), Some(subtract)] = found else {
            return;
        };
        let growth = |now: f64, then: Option<f64>| {
            then.map_or_else(|| "–".to_owned(), |then| format!("x {:.1}", now / then))
        };
        let normalise = median(group, "normalise", size)
            .map_or_else(|| "–".to_owned(), |taken| format!("{:.1}", taken / 1e3));
        println!(
            "| {size} | {:.1} | {:.0} | {} | {:.1} | {} | {:.1} | {:.1} | {:.1} | {normalise} |",
            indexed / 1e3,
            1e9 / indexed,
            growth(indexed, before.map(|before| before.0)),
            naive / 1e3,
            growth(naive, before.map(|before| before.1)),
            naive / indexed,
            meet / 1e3,
            subtract / 1e3,
        );
        before = Some((indexed, naive));
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .output_directory(Path::new(OUTPUT))
        .configure_from_args();
    let groups: [(&str, Workload); 2] = [("places apart", apart), ("one place", one_place)];
    for (name, statements) in groups {
        measure(&mut criterion, name, statements);
    }
    criterion.final_summary();
    for (name, _) in groups {
        table(name);
    }
}
