//! What stands in a persona's API for one tenant: what every tenant begins with, and over it
//! what the tenant has written.

use std::collections::BTreeMap;

use clp_schemas::permissions::Fact;
use clp_schemas::problem::{Problem, ProblemType};
use serde_json::{Value, json};

use super::Success;
use super::access::Wanted;
use crate::config::{Effect, FactSource, Seed};
use crate::store::{Fault, Tx};

/// Most values that one listing answers, and that one collection takes.
const MAX_ITEMS: u32 = 1000;

/// The values of one tenant by path. A stored null hides what stands there to begin with.
pub(super) struct Data<'a, 'c> {
    tx: &'a mut Tx<'c>,
    seed: &'a [Seed],
}

impl<'a, 'c> Data<'a, 'c> {
    pub(super) fn new(tx: &'a mut Tx<'c>, seed: &'a [Seed]) -> Self {
        Self { tx, seed }
    }

    /// Does what a route does.
    pub(super) fn carry_out(
        &mut self,
        wanted: &Wanted,
        path: &str,
        body: Value,
    ) -> Result<Result<Success, Problem>, Fault> {
        let done = |status, value| Ok(Ok(Success { status, value }));
        match wanted.route.effect {
            Effect::Read => match self.read(path)? {
                Some(value) => done(200, Some(value)),
                None => Ok(Err(ProblemType::NotFound.into())),
            },
            Effect::List => {
                let items: Vec<Value> = self
                    .items(path)?
                    .into_iter()
                    .take(most(wanted))
                    .map(|(id, value)| json!({"id": id, "value": value}))
                    .collect();
                done(200, Some(json!({"items": items})))
            }
            Effect::Write => {
                self.tx.put_resource(path, &body)?;
                done(200, Some(body))
            }
            Effect::Append => {
                let items = self.items(path)?;
                if items.len() >= MAX_ITEMS as usize {
                    let full = Problem::new(ProblemType::Forbidden);
                    return Ok(Err(full.detail("the collection takes no more")));
                }
                let last = items.keys().filter_map(|id| id.parse::<u32>().ok()).max();
                let id = last.unwrap_or_default().saturating_add(1).to_string();
                self.tx.put_resource(&format!("{path}/{id}"), &body)?;
                done(201, Some(json!({"id": id, "value": body})))
            }
            Effect::Remove => match self.read(path)? {
                Some(_) => {
                    self.remove(path)?;
                    done(204, None)
                }
                None => Ok(Err(ProblemType::NotFound.into())),
            },
        }
    }

    fn read(&self, path: &str) -> Result<Option<Value>, Fault> {
        let stored = self.tx.resource(path)?;
        let value = stored.or_else(|| {
            let seed = self.seed.iter().find(|seed| seed.path == path);
            seed.map(|seed| seed.value.clone())
        });
        Ok(value.filter(|value| !value.is_null()))
    }

    fn remove(&mut self, path: &str) -> Result<(), Fault> {
        if self.seed.iter().any(|seed| seed.path == path) {
            return self.tx.put_resource(path, &Value::Null);
        }
        self.tx.remove_resource(path).map(|_| ())
    }

    /// Every value right below a path, by the last segment of its own.
    fn items(&self, path: &str) -> Result<BTreeMap<String, Value>, Fault> {
        let prefix = format!("{path}/");
        let below = |path: &str| {
            let rest = path.strip_prefix(&prefix)?;
            (!rest.contains('/')).then(|| rest.to_owned())
        };
        let mut items: BTreeMap<String, Value> = self
            .seed
            .iter()
            .filter_map(|seed| Some((below(&seed.path)?, seed.value.clone())))
            .collect();
        for (path, value) in self.tx.resources_below(&prefix, MAX_ITEMS)? {
            if let Some(id) = below(&path) {
                items.insert(id, value);
            }
        }
        items.retain(|_, value| !value.is_null());
        Ok(items)
    }
}

/// How many items a listing may answer: what the query's `limit` says, since permissions can
/// bound it.
fn most(wanted: &Wanted) -> usize {
    let limits =
        wanted.route.facts.iter().filter(
            |(_, source)| matches!(source, FactSource::Query { name, .. } if name == "limit"),
        );
    limits
        .filter_map(|(constraint, _)| match wanted.facts.get(constraint) {
            Some(Fact::Number(number)) => Some(usize::try_from(*number).unwrap_or_default()),
            _ => None,
        })
        .min()
        .unwrap_or(MAX_ITEMS as usize)
}
