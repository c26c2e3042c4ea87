//! Conformance suite of the Credential Lifecycle Protocol (CLP).

pub mod config;
pub mod record;
