//! Pages: how many items, and the sealed cursor to the next (specification chapter 02,
//! "Queries and pages").

use clp_schemas::canonical;
use clp_schemas::problem::{Problem, ProblemType};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rules::Rule;
use crate::seams::Seams;
use crate::store::{Cipher, Fault};

/// Items of a page where the query does not say.
const DEFAULT_LIMIT: u32 = 50;
/// Longest cursor that is looked at, in characters.
const MAX_CURSOR: usize = 1024;

/// What a cursor is good for: one principal, path and filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing<'a> {
    /// Whose page.
    pub(super) caller: &'a str,
    /// Which endpoint.
    pub(super) endpoint: &'a str,
}

/// How many items a page has.
pub(super) fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(DEFAULT_LIMIT)
}

/// Cuts a page of `limit` items off items of which one more than that was asked for. Answers
/// whether more are behind it.
pub(super) fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    more
}

impl Listing<'_> {
    /// What a cursor is bound to. Two listings differ in it if they differ in anything.
    fn owner<F: Serialize>(&self, filter: &F) -> Result<Vec<u8>, Fault> {
        Ok(serde_json::to_vec(&(self.caller, self.endpoint, filter))?)
    }

    /// A cursor to a position. `filter` is the query without `limit` and `cursor`.
    pub(super) fn seal<F: Serialize, P: Serialize>(
        &self,
        cipher: &Cipher,
        filter: &F,
        position: &P,
    ) -> Result<String, Fault> {
        let sealed = cipher.seal(&serde_json::to_vec(position)?, &self.owner(filter)?)?;
        Ok(canonical::to_base64url(&sealed))
    }

    /// The position of a cursor.
    ///
    /// # Errors
    /// `invalid-cursor`, unless it was sealed here for this listing.
    pub(super) fn open<F: Serialize, P: DeserializeOwned>(
        &self,
        seams: Seams,
        cipher: &Cipher,
        filter: &F,
        cursor: Option<&str>,
    ) -> Result<Option<P>, Problem> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let owner = self.owner(filter)?;
        let opened = Opened(if cursor.len() > MAX_CURSOR {
            None
        } else {
            canonical::from_base64url(cursor)
                .ok()
                .and_then(|sealed| cipher.open(&sealed, &owner).ok())
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        });
        seams.check(&Opened::RULES, &opened)?;
        Ok(opened.0)
    }
}

/// What was in a cursor.
struct Opened<P>(Option<P>);

impl<P> Opened<P> {
    const RULES: [Rule<Self>; 1] = [Rule {
        id: "CLP-TRN-029",
        refuses: |opened| {
            opened
                .0
                .is_none()
                .then(|| ProblemType::InvalidCursor.into())
        },
    }];
}
