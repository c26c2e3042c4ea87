//! What a client knows of an issuer: its identifier, and its manifest once it was read and
//! found to hold together (spec chapter 10).

use std::time::{Duration, SystemTime};

use clp_schemas::endpoint::{Class, Endpoint, Operation};
use clp_schemas::ops::discover::{Deployment, MANIFEST_PATH, Manifest, PERMISSIONS_PATH};
use url::Url;

use crate::error::{Error, NotAllowed, ProtocolFault};
use crate::sabotage::Sabotage;
use crate::transport::{Policy, VERSION};

/// How long a manifest may be used (CLP-DIS-014).
const MAX_AGE: Duration = Duration::from_secs(86_400);

/// The identifier of an issuer: an https URL without query and fragment, compared byte by
/// byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerId {
    text: String,
    url: Url,
}

impl std::str::FromStr for IssuerId {
    type Err = NotAllowed;

    fn from_str(text: &str) -> Result<Self, NotAllowed> {
        let url: Url = text.parse().map_err(|_| NotAllowed::UrlForm)?;
        let bare = url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(NotAllowed::UrlForm);
        }
        // A URL parser puts a slash where the path is empty; the identifier has none.
        let text = match url.path() {
            "/" => url.origin().ascii_serialization(),
            _ => url.to_string(),
        };
        Ok(Self { text, url })
    }
}

impl std::fmt::Display for IssuerId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl IssuerId {
    /// The identifier as it is compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As a URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where its manifest is: the well-known path between host and path (RFC 8414
    /// section 3).
    #[must_use]
    pub fn manifest_url(&self) -> Url {
        let mut url = self.url.clone();
        let path = format!("{MANIFEST_PATH}{}", self.url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }
}

/// A manifest that was read and found to hold together.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The identifier that it was fetched for.
    pub id: IssuerId,
    /// What it says.
    pub manifest: Manifest,
    fetched_at: SystemTime,
}

impl Issuer {
    /// Checks a manifest that was fetched for `id`.
    ///
    /// `credential_origin` is the one other origin at which credentials and permissions may
    /// stand, if one is configured.
    pub(crate) fn admit(
        id: &IssuerId,
        manifest: Manifest,
        policy: Policy,
        credential_origin: Option<&url::Origin>,
        sabotage: Sabotage,
    ) -> Result<Self, Error> {
        if !sabotage.breaks("CLP-DIS-009") {
            manifest.check().map_err(ProtocolFault::from)?;
        }
        if manifest.identifier(id.url()) != id.text && !sabotage.breaks("CLP-DIS-008") {
            return Err(ProtocolFault::OtherIssuer.into());
        }
        let test = policy.test_issuer || sabotage.breaks("CLP-DIS-015");
        if manifest.environment == Some(Deployment::Test) && !test {
            return Err(NotAllowed::TestIssuer.into());
        }
        let versions = manifest.protocol_versions_supported.as_deref();
        if versions.is_some_and(|versions| !versions.iter().any(|version| version == VERSION)) {
            return Err(ProtocolFault::Version.into());
        }
        let mut manifest = manifest;
        if sabotage.breaks("CLP-DIS-016") {
            manifest.supported_operations.get_or_insert_default();
        }
        let issuer = Self {
            id: id.clone(),
            manifest,
            fetched_at: SystemTime::now(),
        };
        for url in [issuer.endpoint(), &issuer.permissions_url()] {
            let origin = url.origin();
            let here = origin == id.url.origin() || sabotage.breaks("CLP-DIS-013");
            if !here && Some(&origin) != credential_origin {
                return Err(ProtocolFault::EndpointElsewhere.into());
            }
            if !sabotage.breaks("CLP-SEC-005") {
                policy.check_url(url)?;
            }
        }
        Ok(issuer)
    }

    /// Whether the manifest is too old to be used. A clock that went back makes it so.
    pub(crate) fn is_stale(&self) -> bool {
        self.fetched_at.elapsed().map_or(true, |age| age >= MAX_AGE)
    }

    /// E, the collection of credentials.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.manifest.credential_issuer_endpoint
    }

    /// Where the permission document is.
    #[must_use]
    pub fn permissions_url(&self) -> Url {
        self.manifest
            .permission_schema_url
            .clone()
            .unwrap_or_else(|| {
                let mut url = self.id.url.clone();
                url.set_path(PERMISSIONS_PATH);
                url
            })
    }

    /// Where the RFC 9728 document of E is (section 3.1 there).
    #[must_use]
    pub fn resource_metadata_url(&self) -> Url {
        let mut url = self.endpoint().clone();
        let path = url.path().trim_end_matches('/');
        url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
        url
    }

    /// Refuses a call that the manifest does not declare.
    pub(crate) fn require(&self, row: &Endpoint) -> Result<(), Error> {
        match row.class {
            // These are asked for in `profiles_supported`, and nowhere else.
            Class::Lifecycle
            | Class::Inventory
            | Class::Oauth
            | Class::Webhooks
            | Class::BoundKeys
            | Class::Faults
            | Class::ApprovalPolicy
            | Class::AuditProofs => return self.require_class(row.class),
            Class::Core | Class::Approval | Class::TestControl => {}
        }
        let operation = match row.operation {
            // A secret is handed over by whoever mints it, said or not (chapter 10).
            Operation::Store => Operation::Create,
            other => other,
        };
        if self.manifest.declares(operation) {
            Ok(())
        } else {
            Err(Error::undeclared_operation(operation))
        }
    }

    /// Refuses what needs a profile that the manifest does not claim.
    pub(crate) fn require_class(&self, class: Class) -> Result<(), Error> {
        match self.manifest.claims(class) {
            true => Ok(()),
            false => Err(Error::undeclared_class(class)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn admit(id: &str, manifest: Value, policy: Policy) -> Result<Issuer, Error> {
        let id: IssuerId = id.parse().unwrap();
        let manifest = serde_json::from_value(manifest).unwrap();
        Issuer::admit(&id, manifest, policy, None, Sabotage::default())
    }

    const API: &str = "https://api.example.com";

    #[test]
    fn well_known_paths_stand_between_host_and_path() {
        for (id, expected) in [
            (API, "https://api.example.com/.well-known/credential-issuer"),
            (
                "https://api.example.com/",
                "https://api.example.com/.well-known/credential-issuer",
            ),
            (
                "https://api.example.com/eu",
                "https://api.example.com/.well-known/credential-issuer/eu",
            ),
        ] {
            let id: IssuerId = id.parse().unwrap();
            assert_eq!(id.manifest_url().as_str(), expected);
        }
        for refused in [
            "api.example.com",
            "https://u@api.example.com",
            "https://api.example.com?x",
            "mailto:a@b",
        ] {
            assert!(refused.parse::<IssuerId>().is_err(), "{refused}");
        }
    }

    #[test]
    fn one_member_is_enough() {
        let issuer = admit(
            API,
            json!({"credential_issuer_endpoint": "https://api.example.com/v1/c"}),
            Policy::default(),
        )
        .unwrap();
        assert_eq!(
            issuer.permissions_url().as_str(),
            "https://api.example.com/.well-known/credential-permissions"
        );
        assert_eq!(
            issuer.resource_metadata_url().as_str(),
            "https://api.example.com/.well-known/oauth-protected-resource/v1/c"
        );
        let refused = issuer.require(clp_schemas::endpoint::EndpointId::RequestOpen.row());
        assert!(matches!(refused, Err(Error::Undeclared("request"))));
        assert!(
            issuer
                .require(clp_schemas::endpoint::EndpointId::DeliveryRead.row())
                .is_ok()
        );
        let refused = issuer.require(clp_schemas::endpoint::EndpointId::AuditCheckpoint.row());
        assert!(matches!(refused, Err(Error::Undeclared("audit-proofs"))));
        let refused = issuer.require(clp_schemas::endpoint::EndpointId::CredentialAmend.row());
        assert!(matches!(refused, Err(Error::Undeclared("lifecycle"))));
    }

    #[test]
    fn manifests_that_do_not_hold_together_are_refused() {
        let with = |member: &str, value: Value| {
            let mut manifest = json!({"credential_issuer_endpoint": "https://api.example.com/c"});
            manifest[member] = value;
            admit(API, manifest, Policy::default()).map(|_| ())
        };
        let fault = |result: Result<(), Error>| match result {
            Err(Error::Protocol(fault)) => fault,
            other => panic!("{other:?}"),
        };
        for other in [
            "https://other.example.com",
            "https://api.example.com/",
            "https://API.example.com",
        ] {
            assert_eq!(
                fault(with("issuer_identifier", json!(other))),
                ProtocolFault::OtherIssuer
            );
        }
        assert!(with("issuer_identifier", json!(API)).is_ok());
        for elsewhere in [
            "https://evil.example/c",
            "http://api.example.com/c",
            "https://api.example.com:8443/c",
        ] {
            assert_eq!(
                fault(with("credential_issuer_endpoint", json!(elsewhere))),
                ProtocolFault::EndpointElsewhere
            );
            assert_eq!(
                fault(with("permission_schema_url", json!(elsewhere))),
                ProtocolFault::EndpointElsewhere
            );
        }
        assert_eq!(
            fault(with("protocol_versions_supported", json!(["2.0"]))),
            ProtocolFault::Version
        );
        let test = with("environment", json!("test"));
        assert!(matches!(
            test,
            Err(Error::NotAllowed(NotAllowed::TestIssuer))
        ));
    }

    #[test]
    fn another_origin_is_used_where_it_is_configured() {
        let id: IssuerId = API.parse().unwrap();
        let manifest: Manifest = serde_json::from_value(
            json!({"credential_issuer_endpoint": "https://keys.example.com/c"}),
        )
        .unwrap();
        let origin = Url::parse("https://keys.example.com").unwrap().origin();
        let policy = Policy::default();
        assert!(Issuer::admit(&id, manifest, policy, Some(&origin), Sabotage::default()).is_ok());
    }

    #[test]
    fn a_day_old_manifest_is_stale() {
        let mut issuer = admit(
            API,
            json!({"credential_issuer_endpoint": "https://api.example.com/c"}),
            Policy::default(),
        )
        .unwrap();
        assert!(!issuer.is_stale());
        issuer.fetched_at = SystemTime::now() - MAX_AGE;
        assert!(issuer.is_stale());
        issuer.fetched_at = SystemTime::now() + Duration::from_secs(60);
        assert!(issuer.is_stale());
    }
}
