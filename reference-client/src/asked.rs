//! What was asked for, which a new credential is held against: an issuer that mints something
//! else, or something more, is not to be trusted with the difference (CLP-CRE-025).

use clp_schemas::jose::PublicJwk;
use clp_schemas::ops::create::{Confirmation, Credential, DirectCreate, Webhook};
use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::request::RequestBody;
use clp_schemas::permissions::PermissionSet;
use clp_schemas::time::Timestamp;

use crate::error::ProtocolFault;

/// What a new credential is held against.
#[derive(Clone, Debug)]
pub struct Asked {
    pub(crate) permissions: PermissionSet,
    kind: CredentialType,
    project: String,
    environment: String,
    cnf: Option<Confirmation>,
    public_jwk: Option<PublicJwk>,
    webhook: Option<Webhook>,
    end: End,
}

/// When a new credential has to end at the latest.
#[derive(Clone, Copy, Debug)]
enum End {
    Never,
    At(Timestamp),
    After(u64),
}

impl From<&DirectCreate> for Asked {
    fn from(body: &DirectCreate) -> Self {
        Self {
            permissions: body.permissions.clone(),
            kind: body.kind,
            project: body.project.clone(),
            environment: body.environment.clone(),
            cnf: body.cnf.clone(),
            public_jwk: body.public_jwk.clone(),
            webhook: body.webhook.clone(),
            end: body.expires_at.map_or(End::Never, End::At),
        }
    }
}

impl From<&RequestBody> for Asked {
    fn from(body: &RequestBody) -> Self {
        Self {
            permissions: body.permissions.clone(),
            kind: body.kind,
            project: body.project.clone(),
            environment: body.environment.clone(),
            cnf: body.cnf.clone(),
            public_jwk: body.public_jwk.clone(),
            webhook: body.webhook.clone(),
            end: End::After(body.lifetime_seconds),
        }
    }
}

impl Asked {
    pub(crate) fn check(&self, credential: &Credential) -> Result<(), ProtocolFault> {
        let belongs = credential.kind == self.kind
            && credential.project == self.project
            && credential.environment == self.environment;
        if !belongs {
            return Err(ProtocolFault::Mismatch(
                "the credential is of another type, project or environment",
            ));
        }
        // A key that was to be bound and is not opens more than was asked for.
        let own = self.public_jwk.is_none() || credential.public_jwk == self.public_jwk;
        if credential.cnf != self.cnf || credential.webhook != self.webhook || !own {
            return Err(ProtocolFault::Mismatch(
                "the credential has another key or address than was sent",
            ));
        }
        let latest = match self.end {
            End::Never => return Ok(()),
            End::At(time) => time,
            End::After(seconds) => credential
                .created_at
                .plus(i64::try_from(seconds).unwrap_or(i64::MAX)),
        };
        match credential.expires_at {
            Some(end) if end <= latest => Ok(()),
            _ => Err(ProtocolFault::Mismatch("the credential lives longer")),
        }
    }
}
