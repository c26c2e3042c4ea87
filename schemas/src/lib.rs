//! Wire types, endpoint table, state machines and canonical form of the Credential
//! Lifecycle Protocol (CLP) 1.0.
//!
//! Everything here is pure: no clock, no randomness, no I/O. Issuer, client and suite share
//! it; none of them shares anything else.

pub mod approval;
pub mod assertion;
pub mod audit;
pub mod canonical;
pub mod chaos;
pub mod dpop;
pub mod endpoint;
pub mod gates;
pub mod generate;
pub mod handoff;
pub mod identity;
pub mod ids;
pub mod jose;
pub mod json;
pub mod key;
pub mod ops;
pub mod permissions;
pub mod problem;
pub mod state;
pub mod statement;
pub mod target;
pub mod time;
pub mod usage;
pub mod webhook;
pub mod words;
