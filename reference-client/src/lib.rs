//! Reference client of the Credential Lifecycle Protocol (CLP): a library and the command
//! `clp` on top of it.
//!
//! A [`Client`] speaks to one issuer as one principal. [`Client::call`] reaches every row of
//! the endpoint table; the methods beside it, one file for each operation, add what a client
//! owes: checks of what came back, storing before using, recomputing what is signed.
//!
//! - [`transport`]: where requests may go, under which limits, and when they are repeated.
//! - [`issuer`]: what a manifest has to be before it is relied on.
//! - [`versions`]: which manifest was the newest, between runs.
//! - [`asked`]: what a new credential is held against.
//! - [`store`]: the encrypted file in which secrets are kept.
//! - [`pair`]: key pairs of one's own.
//! - [`passkey`]: a software passkey for approvals.
//! - [`transport::Condition`]: changes are made to what was seen, and to nothing else.
//! - [`sabotage`]: clients that break one requirement each, for tests of tests.
//! - [`error`]: what can go wrong, whose fault it is, and what to do next.

pub mod asked;
pub mod cli;
pub mod client;
mod control;
pub mod error;
mod home;
pub mod issuer;
mod issuers;
mod journal;
mod memory;
pub mod ops;
pub mod pair;
pub mod passkey;
mod places;
mod private;
mod render;
pub mod sabotage;
pub mod store;
mod tagged;
mod targets;
pub mod token;
pub mod transport;
mod usage;
pub mod versions;
mod wanted;

pub use client::{Client, Settings};
pub use control::Control;
pub use error::{Error, Exit};
pub use issuer::{Issuer, IssuerId};
pub use sabotage::Sabotage;
pub use tagged::Tagged;
pub use token::Token;
pub use versions::Versions;
