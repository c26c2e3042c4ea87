//! Test vectors of the Credential Lifecycle Protocol (CLP), embedded.
