//! The software passkey: what it signs is what WebAuthn says, checked with another reader.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use clp_client::passkey::Passkey;
use clp_schemas::canonical::{from_base64url, sha256, to_base64url};
use serde_cbor_2::Value as Cbor;

const HOST: &str = "issuer.example";
const ORIGIN: &str = "https://issuer.example";

fn point(cose: &str) -> Vec<u8> {
    let bytes = from_base64url(cose).unwrap();
    let members: BTreeMap<i32, Cbor> = serde_cbor_2::from_slice(&bytes).unwrap();
    let coordinate = |name: i32| match &members[&name] {
        Cbor::Bytes(bytes) => bytes.clone(),
        other => panic!("{other:?}"),
    };
    [vec![4], coordinate(-2), coordinate(-3)].concat()
}

#[test]
fn an_assertion_verifies_and_says_what_it_should() {
    let directory = tempfile::tempdir().unwrap();
    let passkey = Passkey::create(directory.path().join("passkey.json"), HOST).unwrap();
    let public = passkey.public().unwrap();
    let allowed = [public.credential_id.clone()];
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(&public.public_key));
    for count in 1..=3_u32 {
        let challenge = [u8::try_from(count).unwrap(); 32];
        let assertion = passkey.sign(&challenge, HOST, ORIGIN, &allowed).unwrap();
        assert_eq!(assertion.kind, "public-key");
        assert_eq!(
            (&assertion.id, &assertion.raw_id),
            (&public.credential_id, &public.credential_id)
        );
        let client_data = from_base64url(&assertion.response.client_data_json).unwrap();
        let authenticator_data = from_base64url(&assertion.response.authenticator_data).unwrap();
        let signature = from_base64url(&assertion.response.signature).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&client_data).unwrap();
        assert_eq!(read["type"], "webauthn.get");
        assert_eq!(read["challenge"], to_base64url(&challenge));
        assert_eq!(read["origin"], ORIGIN);
        assert_eq!(read["crossOrigin"], false);
        assert_eq!(authenticator_data[..32], sha256(HOST.as_bytes()));
        assert_eq!(authenticator_data[32], 0b101);
        assert_eq!(authenticator_data[33..], count.to_be_bytes());
        let signed = [&authenticator_data[..], &sha256(&client_data)].concat();
        key.verify(&signed, &signature).unwrap();
        assert!(key.verify(&authenticator_data, &signature).is_err());
    }
}

#[test]
fn it_signs_for_its_relying_party_alone_and_only_where_it_is_registered() {
    let directory = tempfile::tempdir().unwrap();
    let passkey = Passkey::create(directory.path().join("passkey.json"), HOST).unwrap();
    let own = [passkey.public().unwrap().credential_id];
    assert!(
        passkey
            .sign(&[1; 32], "other.example", ORIGIN, &own)
            .is_err()
    );
    assert!(
        passkey
            .sign(&[1; 32], HOST, ORIGIN, &["another".to_owned()])
            .is_err()
    );
    assert!(passkey.sign(&[1; 32], HOST, ORIGIN, &[]).is_err());
    assert!(passkey.sign(&[1; 32], HOST, ORIGIN, &own).is_ok());
}

#[test]
fn the_file_is_private_and_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("passkey.json");
    let passkey = Passkey::create(path.clone(), HOST).unwrap();
    let first = passkey.public().unwrap();
    assert!(Passkey::create(path.clone(), HOST).is_err());
    assert_eq!(passkey.public().unwrap(), first);
    let text = std::fs::read_to_string(&path).unwrap();
    let content: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(!format!("{passkey:?} {first:?}").contains(content["private_key"].as_str().unwrap()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(passkey.public().is_err());
    }
}
