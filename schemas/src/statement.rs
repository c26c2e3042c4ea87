//! `safe_to_revoke` as a signed statement (specification chapter 18): a JWS (RFC 7515) over
//! claims (RFC 7519). It is evidence at a time, to be kept or shown to somebody who does not
//! ask the issuer. It is no authority: whoever revokes is judged again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::gates::{Basis, Gate, GateId, GateState};
use crate::ids::{CredentialId, RotationId};
use crate::jose::{JoseFault, PublicJwk, SigningKey, Unverified};
use crate::state::rotation::State;
use crate::time::Timestamp;

/// The `typ` of the header: it keeps the signature from meaning anything elsewhere
/// (RFC 8725 section 3.11).
pub const TYPE: &str = "clp-safe-to-revoke+jwt";

/// How long a statement is good for, in seconds.
pub const VALID_SECONDS: i64 = 60;

/// How far the clock of whoever reads a statement may be behind, in seconds.
const LEEWAY_SECONDS: i64 = 60;

/// Every gate, in the order of the specification.
const ORDER: [GateId; 6] = [
    GateId::Successor,
    GateId::Installations,
    GateId::Health,
    GateId::Quiet,
    GateId::Consumers,
    GateId::Overlap,
];

/// The claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// Who says so: the issuer identifier.
    #[schemars(length(min = 1, max = 2048))]
    pub iss: String,
    /// Of what: the predecessor.
    pub sub: CredentialId,
    /// When it was judged, in seconds since 1970 (RFC 7519 section 2, `NumericDate`).
    pub iat: i64,
    /// From then on, ask again.
    pub exp: i64,
    /// The rotation.
    pub rotation_id: RotationId,
    /// The stage that it was at.
    pub state: State,
    /// What takes the predecessor's place.
    pub successor: CredentialId,
    /// Whether every gate is met.
    pub safe: bool,
    /// The six gates, in the order of the specification.
    #[schemars(length(min = 6, max = 6))]
    pub gates: Vec<Judged>,
    /// The gates that cannot be told.
    pub unknowns: Vec<GateId>,
    /// Up to when uses were seen.
    pub usage_as_of: Timestamp,
}

/// How a gate stands, and what that rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Which.
    pub id: GateId,
    /// How it stands.
    pub state: GateState,
    /// The weakest of what it rests on; absent while it is `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// Why a statement says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// It is no compact signature, or its header asks for something that is not supported.
    #[error("not a signed statement")]
    Form,
    /// It is signed for something else.
    #[error("the signature was made for something else than a statement that it is safe to revoke")]
    Type,
    /// None of the trusted keys is the one that it names.
    #[error("signed with a key that is not trusted")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature does not verify")]
    Signature,
    /// A claim is missing or of another form.
    #[error("the claims are not those of a statement that it is safe to revoke")]
    Claims,
    /// `safe`, `unknowns` and `gates` do not go together.
    #[error("the statement contradicts itself")]
    Contradiction,
    /// It is of another time: lapsed, from the future, or good for too long.
    #[error("the statement is not valid at this time")]
    Time,
}

impl Statement {
    /// States how `gates` stand.
    #[must_use]
    pub fn new(
        iss: String,
        rotation: (RotationId, State),
        (predecessor, successor): (CredentialId, CredentialId),
        gates: &[Gate],
        now: Timestamp,
    ) -> Self {
        let standing = |wanted: GateState| {
            gates
                .iter()
                .filter(move |gate| gate.state == wanted)
                .map(|gate| gate.id)
        };
        Self {
            iss,
            sub: predecessor,
            iat: now.unix(),
            exp: now.plus(VALID_SECONDS).unix(),
            rotation_id: rotation.0,
            state: rotation.1,
            successor,
            safe: !gates.is_empty() && standing(GateState::Met).count() == gates.len(),
            gates: gates
                .iter()
                .map(|gate| Judged {
                    id: gate.id,
                    state: gate.state,
                    basis: gate.basis,
                })
                .collect(),
            unknowns: standing(GateState::Unknown).collect(),
            usage_as_of: now,
        }
    }

    /// Signs it, in compact form.
    ///
    /// # Errors
    /// [`JoseFault`] where the key cannot sign.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseFault> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!(TYPE));
        header.insert("kid".to_owned(), json!(key.public().thumbprint()?));
        match serde_json::to_value(self) {
            Ok(Value::Object(claims)) => key.sign(header, &claims),
            _ => Err(JoseFault::Form),
        }
    }

    /// Reads a statement that one of `trusted` signed. `trusted` comes from whoever asks, never
    /// from beside the statement.
    ///
    /// # Errors
    /// [`StatementFault`], in the order in which the parts are checked. Of a lapsed statement
    /// nothing is answered: what it said need no longer hold.
    pub fn read(
        compact: &str,
        trusted: &[PublicJwk],
        at: Timestamp,
    ) -> Result<Self, StatementFault> {
        let signed = Unverified::parse(compact).map_err(|_| StatementFault::Form)?;
        let member = |name: &str| signed.header().get(name).and_then(Value::as_str);
        if member("typ") != Some(TYPE) {
            return Err(StatementFault::Type);
        }
        let named = member("kid").ok_or(StatementFault::UnknownKey)?;
        let key = trusted
            .iter()
            .find(|key| key.thumbprint().is_ok_and(|known| known == named))
            .ok_or(StatementFault::UnknownKey)?;
        let claims = signed.verify(key).map_err(|fault| match fault {
            JoseFault::Signature => StatementFault::Signature,
            JoseFault::Key | JoseFault::Form | JoseFault::Header => StatementFault::Form,
        })?;
        let statement: Self =
            serde_json::from_value(Value::Object(claims)).map_err(|_| StatementFault::Claims)?;
        if !statement.is_coherent() {
            return Err(StatementFault::Contradiction);
        }
        let now = at.unix();
        let (issued, lapses) = (statement.iat, statement.exp);
        let is_timely = issued <= now.saturating_add(LEEWAY_SECONDS)
            && now < lapses
            && lapses > issued
            && lapses.saturating_sub(issued) <= VALID_SECONDS;
        if is_timely {
            Ok(statement)
        } else {
            Err(StatementFault::Time)
        }
    }

    fn is_coherent(&self) -> bool {
        let unknowns: Vec<GateId> = self
            .gates
            .iter()
            .filter(|gate| gate.state == GateState::Unknown)
            .map(|gate| gate.id)
            .collect();
        self.gates.iter().map(|gate| gate.id).eq(ORDER)
            && self.safe == self.gates.iter().all(|gate| gate.state == GateState::Met)
            && self.unknowns == unknowns
            && self
                .gates
                .iter()
                .all(|gate| gate.basis.is_some() != (gate.state == GateState::Unknown))
            && self.sub != self.successor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::Evidence;

    fn gate(id: GateId, state: GateState) -> Gate {
        Gate {
            id,
            state,
            basis: (state != GateState::Unknown).then_some(Basis::Observed),
            detail: String::new(),
            evidence: Evidence::default(),
        }
    }

    fn statement(last: GateState) -> Statement {
        let mut gates: Vec<Gate> = ORDER.map(|id| gate(id, GateState::Met)).into();
        gates[5].state = last;
        gates[5].basis = (last != GateState::Unknown).then_some(Basis::Observed);
        Statement::new(
            "https://issuer.example".to_owned(),
            (RotationId::from_entropy([1; 16]), State::Draining),
            (
                CredentialId::from_entropy([2; 16]),
                CredentialId::from_entropy([3; 16]),
            ),
            &gates,
            Timestamp::from_unix(1_800_000_000),
        )
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    #[test]
    fn what_is_signed_is_read_back_by_who_trusts_the_key() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let other = SigningKey::from_seed(&[8; 32]).unwrap();
        let said = statement(GateState::Met);
        let compact = said.sign(&key).unwrap();
        let read = |keys: &[PublicJwk], when| Statement::read(&compact, keys, when);
        assert_eq!(read(&[other.public(), key.public()], at(59)), Ok(said));
        assert_eq!(
            read(&[other.public()], at(0)),
            Err(StatementFault::UnknownKey)
        );
        assert_eq!(read(&[key.public()], at(60)), Err(StatementFault::Time));
        assert_eq!(read(&[key.public()], at(-61)), Err(StatementFault::Time));
        assert!(read(&[key.public()], at(-60)).is_ok());
    }

    #[test]
    fn what_contradicts_itself_or_was_signed_for_something_else_is_refused() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let trusted = [key.public()];
        let read = |said: &Statement| {
            Statement::read(&said.sign(&key).unwrap(), &trusted, at(0)).map(|_| ())
        };
        for last in [GateState::Met, GateState::Unmet, GateState::Unknown] {
            let said = statement(last);
            assert_eq!(said.safe, last == GateState::Met);
            assert_eq!(read(&said), Ok(()));
            let opposite = Statement {
                safe: !said.safe,
                ..said.clone()
            };
            assert_eq!(read(&opposite), Err(StatementFault::Contradiction));
        }
        let mut short = statement(GateState::Met);
        short.gates.pop();
        assert_eq!(read(&short), Err(StatementFault::Contradiction));
        let mut silent = statement(GateState::Unknown);
        silent.unknowns.clear();
        assert_eq!(read(&silent), Err(StatementFault::Contradiction));
        let mut long = statement(GateState::Met);
        long.exp += 1;
        assert_eq!(read(&long), Err(StatementFault::Time));

        let Value::Object(claims) = serde_json::to_value(statement(GateState::Met)).unwrap() else {
            panic!("not an object");
        };
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("kid".to_owned(), json!(key.public().thumbprint().unwrap()));
        let other = key.sign(header, &claims).unwrap();
        assert_eq!(
            Statement::read(&other, &trusted, at(0)),
            Err(StatementFault::Type)
        );
    }
}
