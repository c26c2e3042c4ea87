//! What a fresh tenant for tests looks like (specification chapter 80, "Test control").

use clp_schemas::endpoint::Class;
use clp_schemas::ops::control::{Probe, ProbeCall};
use clp_schemas::permissions::{
    CREDENTIAL_TYPE, PermissionSet, Selector, Statement, credential_type,
};
use serde::Deserialize;

/// The project, the environments and the probe of a sandbox. Who is in it, the
/// specification fixes: see [`CastRole`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxTemplate {
    /// The project that the cast has rights in.
    pub project: String,
    /// An environment where a create of the probe's permissions needs no approval.
    pub environment: String,
    /// An environment where it does.
    pub approval_environment: String,
    /// A call that `read_permissions` admit.
    pub read: ProbeCall,
    /// A call that `write_permissions` admit and `read_permissions` do not.
    pub write: ProbeCall,
    /// What the first needs.
    pub read_permissions: PermissionSet,
    /// What the second needs.
    pub write_permissions: PermissionSet,
}

/// Somebody in the cast of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastRole {
    /// Asks for, makes, replaces and ends credentials of the project.
    Owner,
    /// Decides on requests of the project.
    Approver,
    /// Sees the credentials of the project and may do nothing.
    Bystander,
    /// May do everything, in another tenant.
    Outsider,
}

impl CastRole {
    /// The whole cast.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Approver, Self::Bystander, Self::Outsider];

    /// The role as the wire spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Approver => "approver",
            Self::Bystander => "bystander",
            Self::Outsider => "outsider",
        }
    }

    /// Whether the role stands in the sandbox's own tenant.
    #[must_use]
    pub const fn is_inside(self) -> bool {
        !matches!(self, Self::Outsider)
    }

    fn actions(self, claims: impl Fn(Class) -> bool) -> Vec<String> {
        let named: &[&str] = match self {
            Self::Owner => &["request", "create", "read", "rotate", "revoke", "audit"],
            Self::Approver => &["read", "approve", "audit"],
            Self::Bystander => &["read"],
            Self::Outsider => return credential_type().actions.keys().cloned().collect(),
        };
        let mut actions: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        if self == Self::Owner {
            let of_profiles = [(Class::Lifecycle, "amend"), (Class::Inventory, "inventory")];
            let claimed = of_profiles.iter().filter(|(class, _)| claims(*class));
            actions.extend(claimed.map(|(_, name)| (*name).to_owned()));
        }
        actions
    }
}

impl SandboxTemplate {
    /// What a role may do, with the profiles that the persona claims: on `<project>/*`, the
    /// outsider on everything in its own tenant.
    /// `None` only if the project is no path segment, which loading excludes.
    #[must_use]
    pub fn permissions_of(
        &self,
        role: CastRole,
        claims: impl Fn(Class) -> bool,
    ) -> Option<PermissionSet> {
        let selector: Selector = if role.is_inside() {
            format!("{}/*", self.project).parse().ok()?
        } else {
            "*".parse().ok()?
        };
        Some(PermissionSet(vec![Statement {
            resource_type: CREDENTIAL_TYPE.to_owned(),
            selector,
            actions: role.actions(claims),
            constraints: std::collections::BTreeMap::new(),
        }]))
    }

    /// The probe as test control answers it.
    #[must_use]
    pub fn probe(&self) -> Probe {
        Probe {
            project: self.project.clone(),
            environment: self.environment.clone(),
            approval_environment: self.approval_environment.clone(),
            read: self.read.clone(),
            write: self.write.clone(),
            read_permissions: self.read_permissions.clone(),
            write_permissions: self.write_permissions.clone(),
        }
    }
}
