//! Reference issuer of the Credential Lifecycle Protocol (CLP). Not for production.
