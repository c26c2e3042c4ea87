//! Wire types and canonical form of the Credential Lifecycle Protocol (CLP) 1.0.

pub mod json;
