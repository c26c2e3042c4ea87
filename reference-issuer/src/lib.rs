//! Reference issuer of the Credential Lifecycle Protocol (CLP). Not for production.

pub mod config;
pub mod passkey;
mod resource;

mod audit;
mod auth;
mod context;
mod lifecycle;
mod rules;
mod store;
