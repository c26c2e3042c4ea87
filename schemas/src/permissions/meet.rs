//! What two permission sets have in common, and what they open together.

use super::atoms::Region;
use super::{Atoms, PermissionDocument, PermissionSet, Unknown, limits, normalise};

/// A normal form that is worked out of others would break [`limits::REGIONS`] or
/// [`limits::FORM_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error(
    "the result has more than {} places or {} bytes; take smaller sets",
    limits::REGIONS,
    limits::FORM_BYTES
)]
pub struct TooLarge;

/// Two permission sets cannot be worked into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineFault {
    /// The first has a part that the document does not define.
    #[error("the first set has no meaning at `{}`: {}", .0.pointer, .0.reason)]
    First(Unknown),
    /// The second has a part that the document does not define.
    #[error("the second set has no meaning at `{}`: {}", .0.pointer, .0.reason)]
    Second(Unknown),
    /// The result would be too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// What both permission sets open under one document: exactly the accesses that each of
/// them grants. It is the greatest lower bound of the two in the order of
/// [`compare`](super::compare), and empty where they have nothing in common.
///
/// # Errors
/// [`CombineFault`]. Permission sets that differ mostly in where they grant are far
/// from [`limits::REGIONS`]; sets that grant the same place under many sets of constraints
/// can have as many places in common as there are pairs of statements.
pub fn meet(
    document: &PermissionDocument,
    first: &PermissionSet,
    second: &PermissionSet,
) -> Result<Atoms, CombineFault> {
    let (first, second) = both(document, first, second)?;
    Ok(first.meet(&second)?)
}

pub(super) fn both(
    document: &PermissionDocument,
    first: &PermissionSet,
    second: &PermissionSet,
) -> Result<(Atoms, Atoms), CombineFault> {
    Ok((
        normalise(document, first).map_err(CombineFault::First)?,
        normalise(document, second).map_err(CombineFault::Second)?,
    ))
}

impl Atoms {
    /// What both grant, exactly; see [`meet`]. Constraints of one name but of two kinds,
    /// as two documents can have, have nothing in common.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn meet(&self, other: &Self) -> Result<Self, TooLarge> {
        let mut result = Form::default();
        let (first, second) = (
            result.take_whole(self, other)?,
            result.take_whole(other, self)?,
        );
        for region in first.regions() {
            for wide in second.covering(region.resource_type, region.selector.as_str()) {
                result.add_common(region, wide)?;
            }
        }
        for region in second.regions() {
            for wide in first.covering(region.resource_type, region.selector.as_str()) {
                // Equal selectors were met above.
                if wide.selector != region.selector {
                    result.add_common(region, wide)?;
                }
            }
        }
        Ok(result.atoms.settled())
    }

    /// What one or the other grants, exactly. It is the least upper bound of the two in
    /// the order of [`compare`](super::compare), and can hold more than one permission set
    /// can, such as all that several credentials open.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn join(&self, other: &Self) -> Result<Self, TooLarge> {
        let mut result = Form::default();
        for region in self.regions().chain(other.regions()) {
            result.add(region)?;
        }
        Ok(result.atoms.settled())
    }
}

/// Atoms under construction, kept within bounds while they grow.
#[derive(Default)]
struct Form {
    atoms: Atoms,
    regions: usize,
    bytes: usize,
}

impl Form {
    fn add(&mut self, region: Region<'_>) -> Result<(), TooLarge> {
        if region.actions.is_empty() {
            return Ok(());
        }
        let is_new = self.atoms.add(
            region.resource_type,
            region.selector,
            region.constraints.clone(),
            region.actions.iter().map(String::as_str),
        );
        if is_new {
            self.regions += 1;
            self.bytes = self.bytes.saturating_add(region.bytes());
        }
        if self.regions > limits::REGIONS || self.bytes > limits::FORM_BYTES {
            return Err(TooLarge);
        }
        Ok(())
    }

    /// Adds the regions of `one` that lie whole in a region of `other`, and answers with the
    /// rest. What such a region has in common with any other is covered by itself, so it
    /// need not be met with others; a set and itself make as many regions as the set.
    fn take_whole(&mut self, one: &Atoms, other: &Atoms) -> Result<Atoms, TooLarge> {
        let mut rest = Atoms::default();
        for region in one.regions() {
            if other.contains_whole(region) {
                self.add(region)?;
            } else {
                rest.add(
                    region.resource_type,
                    region.selector,
                    region.constraints.clone(),
                    region.actions.iter().map(String::as_str),
                );
            }
        }
        Ok(rest)
    }

    /// Adds what a region has in common with another whose selector covers its own.
    fn add_common(&mut self, narrow: Region<'_>, wide: Region<'_>) -> Result<(), TooLarge> {
        let actions = narrow.actions.intersection(wide.actions).cloned().collect();
        match narrow.constraints.meet(wide.constraints) {
            None => Ok(()),
            Some(constraints) => self.add(Region {
                constraints: &constraints,
                actions: &actions,
                ..narrow
            }),
        }
    }
}
