//! Reference issuer of the Credential Lifecycle Protocol (CLP). Not for production.

pub mod config;
mod resource;
