//! The bytes of a `WebAuthn` assertion (Level 2, sections 5.8.1 and 6.1).

use clp_schemas::canonical::{sha256, to_base64url};
use clp_schemas::ops::approve::{Assertion, AssertionResponse};
use serde_json::json;

/// User present and user verified.
const FLAGS: u8 = 0b0000_0101;

/// What is signed, before it is.
pub(super) struct Parts {
    client_data: String,
    authenticator_data: Vec<u8>,
}

impl Parts {
    pub(super) fn new(
        challenge: &[u8; 32],
        relying_party_id: &str,
        origin: &str,
        counter: u32,
    ) -> Self {
        let client_data = json!({
            "type": "webauthn.get",
            "challenge": to_base64url(challenge),
            "origin": origin,
            "crossOrigin": false,
        });
        let relying_party = sha256(relying_party_id.as_bytes());
        Self {
            client_data: client_data.to_string(),
            authenticator_data: [&relying_party[..], &[FLAGS], &counter.to_be_bytes()].concat(),
        }
    }

    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        [
            &self.authenticator_data[..],
            &sha256(self.client_data.as_bytes()),
        ]
        .concat()
    }

    pub(super) fn into_assertion(self, credential_id: String, signature: &[u8]) -> Assertion {
        Assertion {
            id: credential_id.clone(),
            raw_id: credential_id,
            kind: "public-key".to_owned(),
            response: AssertionResponse {
                client_data_json: to_base64url(self.client_data.as_bytes()),
                authenticator_data: to_base64url(&self.authenticator_data),
                signature: to_base64url(signature),
                user_handle: None,
            },
        }
    }
}
