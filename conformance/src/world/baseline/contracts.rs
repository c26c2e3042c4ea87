//! The published schemas, as the measure of every answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clp_schemas::endpoint::EndpointId;
use clp_schemas::generate::{Direction, contract_of, schema_of};
use clp_schemas::problem::Problem;
use jsonschema::Validator;
use serde_json::Value;

use super::{Fault, Remarks};

/// The published schemas, each compiled once.
#[derive(Default)]
pub struct Contracts(Mutex<HashMap<Option<EndpointId>, Arc<Validator>>>);

impl std::fmt::Debug for Contracts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Contracts")
    }
}

impl Contracts {
    /// Checks an answer of an endpoint, or with `None` a problem, against its schema.
    ///
    /// # Errors
    /// Where it lacks what every answer of its kind has, so that it cannot stand for one. That
    /// something inside of it is of another form is remarked.
    pub(super) fn check(
        &self,
        id: Option<EndpointId>,
        value: &Value,
        remarks: &mut Remarks,
    ) -> Result<(), Fault> {
        let known = self.locked().get(&id).cloned();
        let validator = match known {
            Some(validator) => validator,
            None => {
                let schema = match id {
                    None => schema_of::<Problem>(Direction::Answer),
                    Some(id) => match contract_of(id).answer {
                        Some((_, schema)) => schema,
                        None => return Ok(()),
                    },
                };
                let validator = jsonschema::options()
                    .build(&schema)
                    .map_err(|_| Fault::suite("a published schema does not compile"))?;
                let validator = Arc::new(validator);
                self.locked().insert(id, Arc::clone(&validator));
                validator
            }
        };
        let mut faults = validator.iter_errors(value).map(|error| {
            let place = error.instance_path().to_string();
            let at_the_top = place.is_empty();
            let place = if at_the_top { "the top" } else { &place };
            let fault = Fault::broken(
                "CLP-TRN-011",
                "an answer that fits its published schema",
                format!("at {place}: {}", error.masked()),
            );
            (at_the_top, fault)
        });
        let Some((mut grave, mut fault)) = faults.next() else {
            return Ok(());
        };
        if !grave && let Some(graver) = faults.find(|(at_the_top, _)| *at_the_top) {
            (grave, fault) = graver;
        }
        if grave {
            return Err(fault);
        }
        remarks.take(Err(fault));
        Ok(())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Option<EndpointId>, Arc<Validator>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
