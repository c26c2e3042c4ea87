//! Which fault a call meets by a seed (spec chapter 80): a function of what both sides know, so
//! that every issuer draws the same one and a run can be had again.

use crate::canonical::sha256;

/// What the hashed text begins with.
const CONTEXT: &str = "clp-chaos-v1";

/// A call, as far as the draw depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'a> {
    /// The seed.
    pub seed: u64,
    /// The run that the call is of.
    pub run: &'a str,
    /// The name of the endpoint, or `resource`.
    pub endpoint: &'a str,
    /// The how-manieth call of this endpoint in this run since the script was put; from 1 on.
    pub ordinal: u64,
}

/// The position in a list of so many faults of the one that the call meets; `None` where it
/// meets none.
///
/// ```
/// use clp_schemas::chaos::{Drawn, draw};
///
/// let call = Drawn { seed: 1, run: "default", endpoint: "credential_create", ordinal: 1 };
/// assert_eq!(draw(call, 0, 3), None);
/// assert!(draw(call, 100, 3).is_some_and(|position| position < 3));
/// ```
#[must_use]
pub fn draw(call: Drawn<'_>, percent: u8, among: usize) -> Option<usize> {
    let Drawn {
        seed,
        run,
        endpoint,
        ordinal,
    } = call;
    let text = format!("{CONTEXT}\n{seed}\n{run}\n{endpoint}\n{ordinal}");
    let hash = u128::from_be_bytes(*sha256(text.as_bytes()).first_chunk()?);
    let (first, second) = (hash >> 64, hash & u128::from(u64::MAX));
    if first % 100 >= u128::from(percent) {
        return None;
    }
    let among = u128::try_from(among).ok()?;
    usize::try_from(second.checked_rem(among)?).ok()
}
