//! Reference issuer of the Credential Lifecycle Protocol (CLP). Not for production.
#![expect(
    clippy::result_large_err,
    reason = "a problem is made at most once a call, and an allocation would make no call faster"
)]

pub mod cli;
pub mod config;
pub mod identity;
pub mod passkey;

mod audit;
mod auth;
mod console;
mod context;
mod control;
mod events;
pub mod faults;
mod http;
mod issuer;
mod lifecycle;
mod listen;
mod ops;
mod private_file;
mod resource;
mod rules;
pub mod sabotage;
mod seams;
mod service;
mod store;

pub use issuer::{Issuer, Running, RunningPersona, StartFault};
pub use store::Fault as StoreFault;
