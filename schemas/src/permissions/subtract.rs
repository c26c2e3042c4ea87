//! What one permission set opens beyond another.

use super::meet::both;
use super::{Atoms, CombineFault, PermissionDocument, PermissionSet};

/// What of `first` is not shown to stay within `second`, under one document: the atoms of
/// its normal form that are within no atom of the other, whole.
///
/// Every access that the first grants and the second does not is granted by these atoms.
/// Such an atom can grant accesses that the second grants too, since a permission set has
/// no deny with which to say "all but these"; so this is an upper bound of the difference.
/// No smaller normal form would do: it is the least one that, joined with the second, the
/// first stays within. It is empty exactly if [`compare`](super::compare) says `equal` or
/// `narrower`.
///
/// # Errors
/// [`CombineFault::First`] and [`CombineFault::Second`]. The result is never larger than
/// the first.
pub fn subtract(
    document: &PermissionDocument,
    first: &PermissionSet,
    second: &PermissionSet,
) -> Result<Atoms, CombineFault> {
    let (first, second) = both(document, first, second)?;
    Ok(first.subtract(&second))
}

impl Atoms {
    /// The atoms that are within no atom of `other`; see [`subtract`]. They are not closed
    /// over what actions imply: of `write`, which implies `read`, beside another set's
    /// `read`, `write` is left.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = Self::default();
        for (region, actions) in self.outside(other) {
            left.add(
                region.resource_type,
                region.selector,
                region.constraints.clone(),
                actions,
            );
        }
        left
    }
}
