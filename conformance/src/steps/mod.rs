//! The vocabulary of the features: few steps, and tables that say the rest.
//!
//! `ACTOR` is one of the cast, `nobody`, `a stranger`, `the operator`, `the key [of NAME]` or
//! `the token [of NAME]`. What a caller adds by itself (the precondition, how an OAuth client
//! authenticates, the proof of a bound key) the scenario only says where it is the point.
//! A cell is JSON, a reference such as `{credential.id}`, or one of the words in [`expect`].

pub mod act;
pub mod approval;
pub mod audit;
pub mod calls;
pub mod documents;
pub mod expect;
pub mod grammar;
pub mod ground;
pub mod lists;
pub mod places;
pub mod secrets;
mod statement;
pub mod verdicts;
pub mod webhooks;

use cucumber::gherkin::Step;

use crate::world::Fault;

/// The rows of a step's table, below the heading.
///
/// # Errors
/// Where a row has not two cells.
pub fn rows(step: &Step) -> Result<Vec<(String, String)>, Fault> {
    let Some(table) = &step.table else {
        return Ok(Vec::new());
    };
    table
        .rows
        .iter()
        .skip(1)
        .map(|row| match row.as_slice() {
            [member, cell] => Ok((member.clone(), cell.clone())),
            _ => Err(Fault::suite("a table has two columns: member and value")),
        })
        .collect()
}
