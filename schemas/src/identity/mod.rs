//! What an identity provider signs for an approval (specification chapter 12): an ID token
//! (`OpenID` Connect Core 1.0 section 2) or a signed answer to an introspection (RFC 9701).
//!
//! Everything that is wrong is found, not the first thing alone: the checks do not depend on one
//! another, so that none can hide that another one is missing.

mod keys;
mod tokens;

pub use keys::{ALGORITHMS, KeySet, KeySetFault, MAX_KEYS};
pub use tokens::{
    Checked, DETAIL_TYPE, Decided, Expected, LEEWAY_SECONDS, ProviderFault, check_id_token,
    check_introspection, claims_unverified,
};
