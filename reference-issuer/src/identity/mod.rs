//! The issuer as a client of identity providers (specification chapter 12): how a person is sent
//! to one for a decision, and how what it signed is fetched.
//!
//! Nothing here decides anything. What comes of it is evidence, which is checked when it is
//! submitted, as it would be from anywhere else.

mod exchange;
mod redirect;

pub use exchange::exchange;
pub use redirect::{Attempt, Started, start};

use clp_schemas::ops::control::IdentityProviderBody;
use clp_schemas::ops::discover::AuthMethod;
use clp_schemas::ops::store::SecretText;
use clp_schemas::state::Named as _;

/// What the issuer knows of a provider, and how it says there who it is.
#[derive(Clone, Debug)]
pub struct Relation {
    /// As it is trusted.
    pub provider: IdentityProviderBody,
    /// What the issuer authenticates with there; `None` for a public client.
    pub secret: Option<SecretText>,
}

/// Why nothing came of an attempt. No variant carries a code, a token or a secret.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFault {
    /// Nobody said where to go.
    #[error("the provider has no `{0}`; add it to what is configured of the provider")]
    Endpoint(&'static str),
    /// The provider is not trusted for this method.
    #[error("the provider is not trusted for `{}`", .0.name())]
    Method(AuthMethod),
    /// The method has nothing to do with a provider.
    #[error("no provider is asked for by this method")]
    Attempt,
    /// The provider cannot be reached in time, or breaks off.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// The provider answers with something else than is wanted, or with too much.
    #[error("the provider answers {0} with something else than was asked for")]
    Answer(u16),
}
