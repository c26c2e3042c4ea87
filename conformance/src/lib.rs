//! Conformance suite of the Credential Lifecycle Protocol (CLP).

pub mod config;
pub mod r#gen;
pub mod record;
pub mod requirements;
