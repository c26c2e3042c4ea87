//! Places where secrets are kept, by name (specification chapter 15).

use clp_schemas::audit::Event;
use clp_schemas::ids::StoreId;
use clp_schemas::ops::Call as _;
use clp_schemas::ops::create::Credential;
use clp_schemas::ops::store::{Store, StoreList, StorePage, StoreQuery, StoreRegister};
use clp_schemas::problem::{Problem, ProblemType};

use super::page::{self, Listing};
use super::{Incoming, Operation, Outcome, guard};
use crate::audit::Entry;
use crate::auth::Action;
use crate::lifecycle::Effect;
use crate::rules::Rule;
use crate::store::{Fault, Tx};

/// How a caller stands to the place of a store, and whether there is such a place.
pub(crate) struct Wanted {
    permitted: bool,
    environment_exists: bool,
}

const SIGHT_RULES: &[Rule<Wanted>] = &[Rule {
    id: "CLP-MOD-007",
    refuses: |wanted| (!wanted.permitted).then(|| ProblemType::Forbidden.into()),
}];

const RULES: &[Rule<Wanted>] = &[Rule {
    id: "CLP-CRE-007",
    refuses: |wanted| {
        (!wanted.environment_exists)
            .then(|| Problem::new(ProblemType::UnknownEnvironment).pointer("/environment"))
    },
}];

impl Operation for StoreRegister {
    type Subject = Wanted;

    /// Project and environment stand in the body, so the body is read first.
    fn admit(tx: &Tx<'_>, call: &Incoming<Self>) -> Result<Wanted, Problem> {
        let body = &call.body()?.typed;
        let known = &call.service.persona.permissions.environments;
        let wanted = Wanted {
            permitted: call.caller.may(
                Action::Inventory,
                &guard::place(&body.project, &body.environment),
            ),
            environment_exists: known.contains(&body.environment),
        };
        tx.check(SIGHT_RULES, &wanted)?;
        Ok(wanted)
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        wanted: Wanted,
        call: &Incoming<Self>,
    ) -> Result<Outcome<Store>, Problem> {
        tx.check(RULES, &wanted)?;
        let body = &call.body()?.typed;
        let store = Store {
            id: StoreId::from_entropy(tx.context().random.bytes()?),
            name: body.name.clone(),
            kind: body.kind,
            owner: body.owner.clone(),
            project: body.project.clone(),
            environment: body.environment.clone(),
            registered_by: call.caller.principal()?.clone(),
            registered_at: tx.now(),
        };
        let entry = Entry::new(Event::StoreRegistered)
            .place(&store.project, &store.environment)
            .actor(call.caller.id())
            .text("store_id", store.id.as_str());
        tx.apply(vec![
            Effect::SaveStore(Box::new(store.clone())),
            Effect::Audit(entry),
        ])?;
        Ok(Outcome::Done(store))
    }
}

impl Operation for StoreList {
    type Subject = ();

    /// Anybody may list; what one does not see is not listed.
    fn admit(_: &Tx<'_>, _: &Incoming<Self>) -> Result<(), Problem> {
        Ok(())
    }

    fn carry_out(
        tx: &mut Tx<'_>,
        (): (),
        call: &Incoming<Self>,
    ) -> Result<Outcome<StorePage>, Problem> {
        let query = call.query()?;
        let filter = StoreQuery {
            limit: None,
            cursor: None,
            ..query.clone()
        };
        let listing = Listing {
            caller: call.caller.id(),
            endpoint: Self::ID.row().name,
        };
        let cipher = tx.keys().cursors();
        let after: Option<i64> =
            listing.open(tx.seams(), cipher, &filter, query.cursor.as_deref())?;
        let mut places = tx.store_places()?;
        places.retain(|place| call.caller.may(Action::Read, place));
        let limit = page::limit(query.limit);
        let mut found = tx.named_stores(&places, &filter, after, limit + 1)?;
        let more = page::cut(&mut found, limit);
        let next_cursor = match found.last() {
            Some((last, _)) if more => Some(listing.seal(cipher, &filter, last)?),
            _ => None,
        };
        let items = found.into_iter().map(|(_, store)| store).collect();
        Ok(Outcome::Done(StorePage { items, next_cursor }))
    }
}

/// A store that somebody names: whether it is there, and keeps secrets of a credential's place.
pub(super) enum Named {
    /// None is named.
    No,
    /// There is no such store.
    Unknown,
    /// It is of another project or environment.
    Elsewhere,
    /// It is of the credential's.
    Here,
}

impl Named {
    /// The facts about a store that a body names, if it names one.
    pub(super) fn new(
        tx: &Tx<'_>,
        id: Option<&StoreId>,
        credential: &Credential,
    ) -> Result<Self, Fault> {
        let Some(id) = id else {
            return Ok(Self::No);
        };
        let is_here = |store: Store| {
            (store.project, store.environment)
                == (credential.project.clone(), credential.environment.clone())
        };
        Ok(match tx.named_store(id)?.map(is_here) {
            None => Self::Unknown,
            Some(false) => Self::Elsewhere,
            Some(true) => Self::Here,
        })
    }
}

pub(super) const NAMED_RULES: &[Rule<Named>] = &[
    Rule {
        id: "CLP-DLV-019/unknown",
        refuses: |named| no_store(matches!(named, Named::Unknown)),
    },
    Rule {
        id: "CLP-DLV-019/elsewhere",
        refuses: |named| no_store(matches!(named, Named::Elsewhere)),
    },
];

fn no_store(is_none: bool) -> Option<Problem> {
    is_none.then(|| Problem::new(ProblemType::UnknownStore).pointer("/store_id"))
}
