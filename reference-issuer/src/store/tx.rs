//! The state of one tenant, during one call.

use clp_schemas::ids::{PrincipalId, TenantId};
use clp_schemas::permissions::PermissionDocument;
use clp_schemas::time::Timestamp;
use rusqlite::Connection;

use super::{Fault, Gate, Keys, PrincipalRow};
use crate::context::Context;
use crate::lifecycle::Effect;
use crate::rules::Rule;
use crate::seams::Seams;

/// The state of one tenant, during one call. Every query is bounded by the tenant.
#[derive(Debug)]
pub struct Tx<'c> {
    gate: Gate<'c>,
    context: Context,
}

impl<'c> Tx<'c> {
    pub(super) fn new(gate: Gate<'c>, context: Context) -> Self {
        Self { gate, context }
    }

    pub(super) fn note_erased(&self) {
        self.gate.note_erased();
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.gate.connection()
    }

    /// The keys of the process.
    #[must_use]
    pub fn keys(&self) -> &'c Keys {
        self.gate.keys()
    }

    /// The world of this call.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Where the issuer can be made to break the protocol.
    #[must_use]
    pub fn seams(&self) -> Seams {
        self.context.seams
    }

    /// Checks rules in order.
    ///
    /// # Errors
    /// What the first rule that refuses says.
    pub fn check<F: ?Sized, R>(&self, rules: &[Rule<F, R>], facts: &F) -> Result<(), R> {
        self.seams().check(rules, facts)
    }

    /// The time by the tenant's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.context.now
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.context.tenant
    }

    /// The permission document of a persona that has this digest.
    ///
    /// # Errors
    /// A failure of the database; also where there is none, since every credential's is kept.
    pub fn document(&self, persona: &str, digest: &str) -> Result<PermissionDocument, Fault> {
        self.gate
            .document(persona, digest)?
            .ok_or(Fault::Value("permission document"))
    }

    /// A principal of the tenant.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn principal(&self, id: &PrincipalId) -> Result<Option<PrincipalRow>, Fault> {
        self.gate.principal(self.tenant(), id)
    }

    /// Carries out what was decided, in order.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn apply(&mut self, effects: Vec<Effect>) -> Result<(), Fault> {
        for effect in self.seams().altered(&self.context, effects) {
            match effect {
                Effect::Mint {
                    credential,
                    secret,
                    delivery,
                } => self.mint(&credential, &secret, delivery.as_ref())?,
                Effect::SaveCredential(credential) => self.save_credential(&credential)?,
                Effect::CloseDelivery(credential) => self.close_delivery(&credential)?,
                Effect::SaveRequest(request) => self.save_request(&request)?,
                Effect::SaveChallenge(challenge) => self.put_challenge(&challenge)?,
                Effect::UseChallenge(challenge) => self.use_challenge(&challenge)?,
                Effect::SaveEvidence(evidence) => self.put_evidence(&evidence)?,
                Effect::SavePasskey(principal, passkey) => {
                    self.put_passkey(&principal, &passkey)?
                }
                Effect::SaveAttestationTrust(trust) => self.put_attestation_trust(&trust)?,
                Effect::SaveProvider(provider) => self.save_provider(&provider)?,
                Effect::SaveRotation(rotation) => self.save_rotation(&rotation)?,
                Effect::SaveInstallation(row) => self.save_installation(&row)?,
                Effect::RemoveInstallation(row) => self.remove_installation(&row)?,
                Effect::SaveStore(store) => self.save_store(&store)?,
                Effect::SaveReceipt(receipt) => self.save_receipt(&receipt)?,
                Effect::SaveToken(token) => self.save_token(&token)?,
                Effect::Remember(spent) => self.remember(&spent)?,
                Effect::CountUse(used) => self.count_use(&used)?,
                Effect::Record {
                    key,
                    answer,
                    forget_at,
                } => self.record(&key, &answer, forget_at)?,
                Effect::Schedule(at, due) => self.schedule(at, &due)?,
                Effect::Audit(entry) => self.audit(&entry)?,
                Effect::CountAuditRead(reader) => self.note_audit_read(&reader)?,
            }
        }
        Ok(())
    }
}
