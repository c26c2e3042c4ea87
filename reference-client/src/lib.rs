//! Reference client of the Credential Lifecycle Protocol (CLP).
