//! Attestations by an authenticator that is none of our making: the software token of
//! `webauthn-authenticator-rs`, which has a certificate authority of its own.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use clp_schemas::approval::attestation::{
    AttestationFault, RegisteredKey, check, is_certificate, is_model,
};
use clp_schemas::approval::webauthn::{self, PasskeyFault, Signer};
use clp_schemas::canonical::{from_base64url, sha256, to_base64url};
use clp_schemas::ops::approve::{Assertion, AssertionResponse, Attestation, AttestationTrust};
use clp_schemas::time::Timestamp;
use serde_json::json;
use webauthn_authenticator_rs::AuthenticatorBackendHashedClientData as _;
use webauthn_authenticator_rs::softtoken::{AAGUID, SoftToken};
use webauthn_rs_core::proto::AttestationCaListBuilder;

const RP: &str = "localhost";
const ORIGIN: &str = "http://localhost:8801";

struct World {
    token: SoftToken,
    attestation: Attestation,
    trust: AttestationTrust,
}

fn client_data(kind: &str, challenge: &[u8]) -> String {
    let challenge = to_base64url(challenge);
    json!({"type": kind, "challenge": challenge, "origin": ORIGIN, "crossOrigin": false})
        .to_string()
}

/// A token registered at [`ORIGIN`], and trust in its maker and its model.
fn world() -> World {
    let (mut token, root) = SoftToken::new(true).unwrap();
    // The root as DER, through the one way of writing that its crate has in common with ours.
    let mut builder = AttestationCaListBuilder::new();
    builder
        .insert_device_x509(root, AAGUID, String::new(), Default::default())
        .unwrap();
    let list = serde_json::to_value(builder.build()).unwrap();
    let roots = list["cas"].as_object().unwrap();
    let root = roots.values().next().unwrap()["ca"]
        .as_str()
        .unwrap()
        .to_owned();
    let options = serde_json::from_value(json!({
        "rp": {"id": RP, "name": RP},
        "user": {"id": "AA", "name": "ben", "displayName": "Ben"},
        "challenge": to_base64url(&[1; 32]),
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"requireResidentKey": false, "userVerification": "required"},
        "attestation": "direct",
    }))
    .unwrap();
    // The client data is a browser's: the crate's own writes another origin than browsers do.
    let client = client_data("webauthn.create", &[1; 32]);
    let made = token
        .perform_register(sha256(client.as_bytes()).to_vec(), options, 1000)
        .unwrap();
    World {
        token,
        attestation: Attestation {
            client_data_json: to_base64url(client.as_bytes()),
            attestation_object: to_base64url(&made.response.attestation_object),
        },
        trust: AttestationTrust {
            roots: vec![root],
            models: vec![AAGUID.to_string()],
        },
    }
}

fn checked(world: &World) -> Result<String, AttestationFault> {
    let origins = [ORIGIN.to_owned()];
    let now = Timestamp::system_now();
    check(&world.attestation, RP, &origins, &world.trust, now)
}

#[test]
fn the_attestation_of_a_maker_that_is_trusted_holds() {
    let world = world();
    assert_eq!(checked(&world).as_ref(), Ok(&world.trust.roots[0]));
    let key = RegisteredKey::read(&world.attestation).unwrap();
    assert_eq!(key.model, AAGUID.to_string());
}

#[test]
fn nobody_else_is_believed() {
    let (mut one, other) = (world(), world());
    one.trust.roots = other.trust.roots.clone();
    assert_eq!(checked(&one), Err(AttestationFault::Chain));
    one.trust.roots.clear();
    assert_eq!(checked(&one), Err(AttestationFault::Chain));
    let mut one = world();
    one.trust.models = vec!["00000000-0000-0000-0000-000000000000".to_owned()];
    assert_eq!(checked(&one), Err(AttestationFault::Model));
}

#[test]
fn another_site_or_time_is_refused() {
    let world = world();
    let at = |rp: &str, origin: &str, now: Timestamp| {
        check(
            &world.attestation,
            rp,
            &[origin.to_owned()],
            &world.trust,
            now,
        )
    };
    let now = Timestamp::system_now();
    assert!(at(RP, ORIGIN, now).is_ok());
    let ceremony = |fault| Err(AttestationFault::Ceremony(fault));
    assert_eq!(
        at("example.com", ORIGIN, now),
        ceremony(PasskeyFault::RelyingParty)
    );
    assert_eq!(
        at(RP, "http://localhost:8802", now),
        ceremony(PasskeyFault::Origin)
    );
    // The token's certificates last for days.
    assert_eq!(
        at(RP, ORIGIN, now.plus(86_400 * 365)),
        Err(AttestationFault::Chain)
    );
}

#[test]
fn an_altered_registration_does_not_hold() {
    let world = world();
    let origins = [ORIGIN.to_owned()];
    let mut client: serde_json::Value =
        serde_json::from_slice(&from_base64url(&world.attestation.client_data_json).unwrap())
            .unwrap();
    client["more"] = json!(true);
    let altered = Attestation {
        client_data_json: to_base64url(client.to_string().as_bytes()),
        ..world.attestation.clone()
    };
    let now = Timestamp::system_now();
    assert_eq!(
        check(&altered, RP, &origins, &world.trust, now),
        Err(AttestationFault::Statement)
    );
    let cut = Attestation {
        attestation_object: world.attestation.attestation_object[..400].to_owned(),
        ..world.attestation.clone()
    };
    assert_eq!(
        check(&cut, RP, &origins, &world.trust, now),
        Err(AttestationFault::Malformed)
    );
}

#[test]
fn what_the_token_asserts_is_accepted_too() {
    let mut world = world();
    let key = RegisteredKey::read(&world.attestation).unwrap();
    let challenge = [7; 32];
    let options = serde_json::from_value(json!({
        "challenge": to_base64url(&challenge),
        "rpId": RP,
        "allowCredentials": [{"type": "public-key", "id": key.credential_id}],
        "userVerification": "required",
    }))
    .unwrap();
    let client = client_data("webauthn.get", &challenge);
    let made = world
        .token
        .perform_auth(sha256(client.as_bytes()).to_vec(), options, 1000)
        .unwrap();
    let assertion = Assertion {
        id: key.credential_id.clone(),
        raw_id: to_base64url(&made.raw_id),
        kind: made.type_,
        response: AssertionResponse {
            client_data_json: to_base64url(client.as_bytes()),
            authenticator_data: to_base64url(&made.response.authenticator_data),
            signature: to_base64url(&made.response.signature),
            user_handle: None,
        },
    };
    let origins = [ORIGIN.to_owned()];
    let signer = Signer {
        credential_id: &key.credential_id,
        public_key: &key.public_key,
        relying_party_id: RP,
        origins: &origins,
    };
    let asserted = webauthn::check(signer, &challenge, &assertion).unwrap();
    assert!(asserted.counter > 0 && !asserted.backup_eligible);
    assert_eq!(
        webauthn::check(signer, &[8; 32], &assertion),
        Err(PasskeyFault::Challenge)
    );
}

#[test]
fn roots_and_models_have_one_spelling() {
    let world = world();
    assert!(is_certificate(&world.trust.roots[0]));
    assert!(!is_certificate("AAAA"));
    assert!(is_model(&AAGUID.to_string()));
    for other in [
        "",
        "0fb9bcbca0d44042bbb0559bc1631e28",
        "0FB9BCBC-A0D4-4042-BBB0-559BC1631E28",
        "+fb9bcbc-a0d4-4042-bbb0-559bc1631e28",
    ] {
        assert!(!is_model(other), "{other}");
    }
}
