//! Conformance suite of the Credential Lifecycle Protocol (CLP).

pub mod cli;
pub mod client;
pub mod config;
pub mod coverage;
pub mod crash;
pub mod draw;
pub mod r#gen;
pub mod lint;
pub mod model;
pub mod mutants;
pub mod oracle;
pub mod parser;
pub mod proof;
pub mod race;
pub mod record;
pub mod report;
pub mod requirements;
pub mod run;
pub mod selection;
pub mod steps;
pub mod subject;
pub mod world;
pub mod writer;
