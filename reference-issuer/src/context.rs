//! What every decision may depend on besides its input: whose world it is, what time it is
//! there, and where randomness comes from. It is passed down; nothing here is global.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use clp_schemas::ids::TenantId;
use clp_schemas::time::Timestamp;

use crate::seams::Seams;
use crate::store::Fault;

/// The world of one call.
#[derive(Clone, Debug)]
pub struct Context {
    /// The tenant that the caller belongs to. Never taken from input.
    pub tenant: TenantId,
    /// The time by the tenant's clock. It stands still during a call.
    pub now: Timestamp,
    /// Where the issuer can be made to break the protocol.
    pub seams: Seams,
    /// Where ids, keys, nonces and salts come from.
    pub random: Random,
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Random {
    /// Fresh random bytes, fit for secrets.
    ///
    /// # Errors
    /// [`Fault::Randomness`] if the operating system has none.
    pub fn bytes<const N: usize>(self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Fault::Randomness)?;
        Ok(bytes)
    }
}
