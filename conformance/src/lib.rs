//! Conformance suite of the Credential Lifecycle Protocol (CLP).
