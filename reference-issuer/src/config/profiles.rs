//! The profiles of a persona, and what needs them.

use clp_schemas::endpoint::Class;
use clp_schemas::key;
use clp_schemas::ops::discover::{AuthMethod, CredentialType, Deployment};

use super::Persona;
use super::check::{At, Checked};
use crate::ops::oauth::token_prefix;

/// The profiles that a persona can claim or leave.
pub const OPTIONAL: [Class; 7] = [
    Class::ApprovalPolicy,
    Class::Lifecycle,
    Class::Inventory,
    Class::Oauth,
    Class::Webhooks,
    Class::BoundKeys,
    Class::Faults,
];

/// The ways of approving that a persona can offer or leave.
pub const APPROVAL_METHODS: &[AuthMethod] = &[
    AuthMethod::Passkey,
    AuthMethod::HardwareKey,
    AuthMethod::Oidc,
    AuthMethod::Sso,
    AuthMethod::Oauth,
];

impl Persona {
    /// Whether approvals can be given by this method.
    #[must_use]
    pub fn takes(&self, method: AuthMethod) -> bool {
        self.auth_methods.contains(&method)
    }

    /// Whether it claims a class or profile. Approvals and proofs of the log, every persona
    /// has; test control, whatever is no production.
    #[must_use]
    pub fn claims(&self, class: Class) -> bool {
        match class {
            Class::Core | Class::Approval | Class::AuditProofs => true,
            Class::TestControl => self.environment == Deployment::Test,
            Class::ApprovalPolicy
            | Class::Lifecycle
            | Class::Inventory
            | Class::Oauth
            | Class::Webhooks
            | Class::BoundKeys
            | Class::Faults => self.profiles.contains(&class),
        }
    }
}

/// Checks that the profiles fit together, and with the rest of a persona.
pub(super) fn check(at: &At, persona: &Persona) -> Checked {
    for (position, class) in persona.profiles.iter().enumerate() {
        at.want(
            OPTIONAL.contains(class),
            format!("profiles[{position}]"),
            "want `approval-policy`, `lifecycle`, `inventory`, `oauth`, `webhooks`, `bound-keys` or `faults`",
        )?;
    }
    at.want(
        !persona.auth_methods.is_empty()
            && persona
                .auth_methods
                .iter()
                .all(|method| APPROVAL_METHODS.contains(method)),
        "auth_methods",
        "want one or more of `passkey`, `hardware_key`, `oidc`, `sso` and `oauth`",
    )?;
    at.want(
        !persona.claims(Class::Inventory) || persona.claims(Class::Lifecycle),
        "profiles",
        "`inventory` needs `lifecycle`",
    )?;
    at.want(
        !persona.claims(Class::Faults) || persona.environment == Deployment::Test,
        "profiles",
        "`faults` needs the environment `test`",
    )?;
    at.want(
        !persona.claims(Class::Oauth) || key::pattern(&token_prefix(persona)).is_ok(),
        "token_prefix",
        "want at most 21 characters where access tokens are issued",
    )?;
    for (position, kind) in persona.credential_types.iter().enumerate() {
        let needed = match kind {
            CredentialType::ApiKey => Class::Core,
            CredentialType::OauthClient | CredentialType::ServiceAccount => Class::Oauth,
            CredentialType::WebhookSecret => Class::Webhooks,
        };
        at.want(
            persona.claims(needed),
            format!("credential_types[{position}]"),
            "want the profile of this type in `profiles`",
        )?;
    }
    Ok(())
}
