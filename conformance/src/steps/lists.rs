//! Listings, and what is not there.

use clp_schemas::endpoint::{self, Base, BodyForm, Class, Endpoint};
use clp_schemas::ops::discover::Manifest;
use cucumber::then;
use serde_json::{Value, json};

use super::act::plain;
use super::verdicts::last;
use crate::world::baseline::Kind;
use crate::world::call::{Actor, Call, Payload};
use crate::world::names::at;
use crate::world::{Fault, World};

/// More pages than any scenario fills.
const MOST_PAGES: usize = 50;

fn ids(page: &Value) -> Vec<Value> {
    at(page, "items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| at(item, "id").cloned())
        .collect()
}

fn named(world: &World, names: &str) -> Result<Vec<Value>, Fault> {
    if names == "none" {
        return Ok(Vec::new());
    }
    names
        .split(", ")
        .map(|name| world.names.resolve(&format!("{name}.id")))
        .collect()
}

#[then(regex = r"^the items are (.+?)( in any order)?$")]
async fn items(world: &mut World, names: String, order: String) -> Result<(), Fault> {
    let outcome = named(world, &names).and_then(|wanted| {
        let (_, answer) = last(world)?;
        let got = answer.json.as_ref().map(ids).unwrap_or_default();
        alike(wanted, got, !order.is_empty())
    });
    world.note(outcome)
}

fn alike(mut wanted: Vec<Value>, mut got: Vec<Value>, any_order: bool) -> Result<(), Fault> {
    if any_order {
        wanted.sort_by_key(ToString::to_string);
        got.sort_by_key(ToString::to_string);
    }
    if got == wanted {
        return Ok(());
    }
    Err(Fault::missing(
        json!(wanted).to_string(),
        json!(got).to_string(),
    ))
}

/// Follows the pages of a listing to its end.
async fn pages(world: &mut World, first: &Call, list: &str) -> Result<Vec<Value>, Fault> {
    let mut call = first.clone();
    let mut all = Vec::new();
    for _ in 0..MOST_PAGES {
        let answer = world.send(&call).await?;
        let page = match (answer.kind, answer.json) {
            (Kind::Accepted, Some(page)) => page,
            _ => return Err(Fault::missing("a page", answer.got.status.to_string())),
        };
        let items = at(&page, list)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let limit = call
            .query
            .iter()
            .find(|(name, _)| name == "limit")
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(50);
        if items.len() > limit {
            return Err(Fault::broken(
                "CLP-TRN-028",
                format!("at most {limit} items"),
                items.len().to_string(),
            ));
        }
        all.extend(items);
        match at(&page, "next_cursor").and_then(Value::as_str) {
            None => return Ok(all),
            Some(cursor) => {
                call.query.retain(|(name, _)| name != "cursor");
                call.query.push(("cursor".to_owned(), cursor.to_owned()));
            }
        }
    }
    Err(Fault::missing(
        "a last page",
        format!("{MOST_PAGES} pages and more"),
    ))
}

/// Every entry of the audit log that this person sees, of one event if one is given.
///
/// # Errors
/// Where a page is refused, or is none.
pub async fn entries(world: &mut World, person: &str, event: &str) -> Result<Vec<Value>, Fault> {
    let mut recipe = plain(person, "audit_entries", "");
    recipe
        .changes
        .push(("query limit".to_owned(), "200".to_owned()));
    if !event.is_empty() {
        recipe
            .changes
            .push(("query event".to_owned(), event.to_owned()));
    }
    let call = world.cook(&recipe)?;
    pages(world, &call, "entries").await
}

#[then(regex = r"^the pages of the same call hold (.+?)( in any order)?$")]
async fn all_pages(world: &mut World, names: String, order: String) -> Result<(), Fault> {
    if names == "every entry once, in order" {
        return all_entries(world).await;
    }
    let outcome = async {
        let wanted = named(world, &names)?;
        let call = last(world)?.0.clone();
        let items = pages(world, &call, "items").await?;
        alike(wanted, ids(&json!({"items": items})), !order.is_empty())
    }
    .await;
    world.note(outcome)
}

fn indexes(entries: &[Value]) -> Vec<Option<u64>> {
    let index = |entry| at(entry, "index")?.as_u64();
    entries.iter().map(index).collect()
}

async fn all_entries(world: &mut World) -> Result<(), Fault> {
    let outcome = async {
        let call = last(world)?.0.clone();
        let indexes = indexes(&pages(world, &call, "entries").await?);
        let mut at_once = call;
        at_once.query.retain(|(name, _)| name != "limit");
        at_once.query.push(("limit".to_owned(), "200".to_owned()));
        let all = self::indexes(&pages(world, &at_once, "entries").await?);
        if indexes == all && all.is_sorted_by(|one, next| one < next) {
            return Ok(());
        }
        Err(Fault::missing(
            format!("those of one page, ascending: {all:?}"),
            format!("{indexes:?}"),
        ))
    }
    .await;
    world.note(outcome)
}

#[then(regex = r"^(\d+) credentials? exists?$")]
async fn count(world: &mut World, wanted: usize) -> Result<(), Fault> {
    let outcome = async {
        let mut recipe = plain("Ana", "credential_list", "");
        recipe
            .changes
            .push(("query owner".to_owned(), "{mark}".to_owned()));
        recipe
            .changes
            .push(("query limit".to_owned(), "200".to_owned()));
        let call = world.cook(&recipe)?;
        let got = pages(world, &call, "items").await?.len();
        if got == wanted {
            return Ok(());
        }
        Err(Fault::missing(
            format!("{wanted} credentials"),
            got.to_string(),
        ))
    }
    .await;
    world.note(outcome)
}

/// Paths that belong to profiles which this version does not specify.
const UNSPECIFIED: &[(&str, &str)] = &[
    ("GET", "/{credential_id}/blast-radius"),
    ("POST", "/{credential_id}/usage-reports"),
    ("POST", "/leak-reports"),
];

#[then("no undeclared operation answers")]
async fn undeclared(world: &mut World) -> Result<(), Fault> {
    let outcome = refuse_undeclared(world).await;
    world.note(outcome)
}

async fn refuse_undeclared(world: &mut World) -> Result<(), Fault> {
    let manifest: Manifest = serde_json::from_value(world.manifest()?.clone())
        .map_err(|error| Fault::broken("CLP-DIS-002", "a manifest", error.to_string()))?;
    let declared = |row: &Endpoint| match row.class {
        Class::Core => true,
        Class::Approval => manifest.declares(row.operation),
        class => manifest.claims(class),
    };
    let id = world.names.text("{credential.id}")?;
    let template = world.cook(&plain("Ana", "credential_read", ""))?;
    let mut calls: Vec<Call> = UNSPECIFIED
        .iter()
        .map(|(method, path)| Call {
            method: (*method).to_owned(),
            path: Some((*path).to_owned()),
            payload: if *method == "GET" {
                Payload::Nothing
            } else {
                Payload::Json(json!({}))
            },
            ..template.clone()
        })
        .collect();
    for row in endpoint::ALL
        .iter()
        .filter(|row| row.base != Base::Control && !declared(row))
    {
        let payload = match row.body() {
            BodyForm::None => Payload::Nothing,
            BodyForm::Json => Payload::Json(json!({})),
            BodyForm::Form => Payload::Form(Vec::new()),
        };
        let mut call = Call::of(row, Actor::Person("Ana".to_owned()), payload);
        for (name, prefix) in [
            ("request_id", "req"),
            ("rotation_id", "rot"),
            ("delivery_id", "dlv"),
            ("installation_id", "ins"),
        ] {
            let value = format!("{prefix}_00000000000000000000");
            call.parameters.insert(name.to_owned(), value);
        }
        call.parameters
            .insert("credential_id".to_owned(), id.clone());
        calls.push(call);
    }
    for call in &calls {
        let answer = world.send(call).await?;
        if !matches!(answer.got.status, 404 | 405) {
            return Err(Fault::broken(
                "CLP-DIS-006",
                "404 or 405 from what is not declared",
                format!(
                    "{} from {} {}",
                    answer.got.status,
                    call.method,
                    call.path.clone().unwrap_or_else(|| call.name())
                ),
            ));
        }
    }
    Ok(())
}
