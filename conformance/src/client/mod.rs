//! Clients under test. The suite plays the issuer, gives a client one task at a time, and
//! judges from outside: by what it sent, what it stored and what it printed. A client is any
//! program that speaks the short protocol of `SUBJECT.md`.

pub mod checks;
pub mod command;
pub mod elsewhere;
mod leak;
pub mod misbehaviour;
mod misstated;
pub mod mutants;
pub mod null;
pub mod played;
pub mod run;
pub mod steps;
mod taken;
pub mod task;
mod twin;
pub mod usual;
pub mod world;
