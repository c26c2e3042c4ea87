//! An approval record, judged a second time: digest, challenge, signature and attestation, from
//! nothing but what stands in it (spec chapter 12).

use std::collections::BTreeMap;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_cbor_2::Value as Cbor;
use serde_json::Value;
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use super::Unsound;
use super::digest::{challenge, from_base64url, of_request, sha256};

/// Tells what does not hold in a record, and is silent where everything does.
///
/// # Errors
/// The first part that does not hold.
pub fn check(record: &Value) -> Result<(), Unsound> {
    let document = at(record, "/approval_document")?;
    let digest = of_request(document)?;
    let parts = at(record, "/challenge")?;
    want(text(parts, "/digest")? == digest, "the digest")?;
    for (left, right) in [
        ("/approval/request_id", "/approval_document/request_id"),
        ("/approval/version", "/approval_document/version"),
        ("/approval/decision", "/challenge/decision"),
        ("/approval/approver", "/challenge/approver"),
    ] {
        want(at(record, left)? == at(record, right)?, left)?;
    }
    let is_own = at(record, "/approval/approver")? == at(record, "/approval_document/requester")?;
    want(!is_own, "that somebody else decided than who asked")?;
    let opened = time(parts, "/opened_at")?;
    let decided = time(record, "/approval/approved_at")?;
    let is_in_time = (opened..opened + 300).contains(&decided);
    want(is_in_time, "the time of the decision")?;
    want(text(parts, "/context")? == "clp-approval-v1", "the context")?;
    let nonce = text(parts, "/nonce")?;
    want(from_base64url(nonce)?.len() == 32, "the nonce")?;
    let signed = challenge(
        &digest,
        nonce,
        text(parts, "/decision")?,
        text(parts, "/approver")?,
    )?;
    match text(record, "/approval/method")? {
        "passkey" => assertion(record, &signed).map(|_| ()),
        "hardware_key" => {
            let flags = assertion(record, &signed)?;
            want(flags & 0x08 == 0, "that the key cannot be copied")?;
            registration(record, decided)
        }
        other => Err(Unsound::new(format!("nothing is known of `{other}`"))),
    }
}

fn want(holds: bool, what: &str) -> Result<(), Unsound> {
    match holds {
        true => Ok(()),
        false => Err(Unsound::new(format!("{what} does not hold"))),
    }
}

fn at<'a>(value: &'a Value, pointer: &str) -> Result<&'a Value, Unsound> {
    value
        .pointer(pointer)
        .ok_or_else(|| Unsound::new(format!("`{pointer}` is missing")))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, Unsound> {
    at(value, pointer)?
        .as_str()
        .ok_or_else(|| Unsound::new(format!("`{pointer}` is no text")))
}

fn bytes(value: &Value, pointer: &str) -> Result<Vec<u8>, Unsound> {
    from_base64url(text(value, pointer)?)
}

/// A time in seconds.
fn time(value: &Value, pointer: &str) -> Result<i64, Unsound> {
    text(value, pointer)?
        .parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_second)
        .map_err(|_| Unsound::new(format!("`{pointer}` is no time")))
}

/// Client data of this type at one of the origins; its challenge.
fn client_data(bytes: &[u8], kind: &str, record: &Value) -> Result<String, Unsound> {
    let data: Value =
        serde_json::from_slice(bytes).map_err(|_| Unsound::new("the client data is not JSON"))?;
    want(text(&data, "/type")? == kind, "the type of the client data")?;
    let origins = at(record, "/verification/origins")?.as_array();
    let origin = at(&data, "/origin")?;
    let is_here = origins.is_some_and(|all| all.contains(origin));
    want(is_here, "the origin")?;
    let is_framed = data.get("crossOrigin") == Some(&Value::Bool(true));
    want(!is_framed, "the frame")?;
    text(&data, "/challenge").map(str::to_owned)
}

/// Checks an assertion, and answers its flags.
fn assertion(record: &Value, signed: &str) -> Result<u8, Unsound> {
    let answer = at(record, "/evidence/response")?;
    let id = at(record, "/verification/credential_id")?;
    want(at(record, "/evidence/id")? == id, "the credential id")?;
    want(at(record, "/evidence/rawId")? == id, "the raw id")?;
    let client = bytes(answer, "/clientDataJSON")?;
    let challenge = client_data(&client, "webauthn.get", record)?;
    want(challenge == signed, "the challenge that was signed")?;
    let data = bytes(answer, "/authenticatorData")?;
    let flags = flags(&data, record)?;
    let message = [data.as_slice(), &sha256(&client)].concat();
    let key = bytes(record, "/verification/public_key")?;
    verify(&key, &message, &bytes(answer, "/signature")?)?;
    Ok(flags)
}

fn flags(data: &[u8], record: &Value) -> Result<u8, Unsound> {
    let party = text(record, "/verification/relying_party_id")?;
    let hash = sha256(party.as_bytes());
    want(data.get(..32) == Some(&hash[..]), "the relying party")?;
    let flags = data.get(32).copied().unwrap_or_default();
    want(flags & 0x05 == 0x05, "that somebody was there")?;
    Ok(flags)
}

/// Checks a signature by a `COSE_Key`.
fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Unsound> {
    let members: BTreeMap<Cbor, Cbor> =
        serde_cbor_2::from_slice(key).map_err(|_| Unsound::new("the key is not CBOR"))?;
    let part = |label: i128| match members.get(&Cbor::Integer(label)) {
        Some(Cbor::Bytes(bytes)) => Ok(bytes.clone()),
        _ => Err(Unsound::new("the key lacks a part")),
    };
    let (algorithm, public): (&'static dyn VerificationAlgorithm, _) =
        match members.get(&Cbor::Integer(3)) {
            Some(Cbor::Integer(-7)) => (
                &ECDSA_P256_SHA256_ASN1,
                [vec![4], part(-2)?, part(-3)?].concat(),
            ),
            Some(Cbor::Integer(-35)) => (
                &ECDSA_P384_SHA384_ASN1,
                [vec![4], part(-2)?, part(-3)?].concat(),
            ),
            Some(Cbor::Integer(-8)) => (&ED25519, part(-2)?),
            Some(Cbor::Integer(-257)) => {
                let (n, e) = (part(-1)?, part(-2)?);
                let key = RsaPublicKeyComponents { n, e };
                let made = key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature);
                return want(made.is_ok(), "the signature");
            }
            _ => return Err(Unsound::new("the key is of another algorithm")),
        };
    let key = UnparsedPublicKey::new(algorithm, public);
    want(key.verify(message, signature).is_ok(), "the signature")
}

/// Checks a packed attestation with a certificate, and that it is of the key that signed.
fn registration(record: &Value, decided: i64) -> Result<(), Unsound> {
    let shown = at(record, "/verification/registration")?;
    let client = bytes(shown, "/client_data_json")?;
    client_data(&client, "webauthn.create", record)?;
    let object: BTreeMap<Cbor, Cbor> =
        serde_cbor_2::from_slice(&bytes(shown, "/attestation_object")?)
            .map_err(|_| Unsound::new("the attestation object is not CBOR"))?;
    let part = |name: &str| object.get(&Cbor::Text(name.to_owned()));
    let (Some(Cbor::Bytes(data)), Some(Cbor::Map(statement))) = (part("authData"), part("attStmt"))
    else {
        return Err(Unsound::new("the attestation object lacks a part"));
    };
    let is_packed = part("fmt") == Some(&Cbor::Text("packed".to_owned()));
    want(is_packed, "the format of the attestation")?;
    want(
        flags(data, record)? & 0x08 == 0,
        "that the key cannot be copied",
    )?;
    let stated = |name: &str| statement.get(&Cbor::Text(name.to_owned()));
    let (Some(Cbor::Bytes(signature)), Some(Cbor::Array(chain))) = (stated("sig"), stated("x5c"))
    else {
        return Err(Unsound::new("the attestation has no certificate"));
    };
    let [Cbor::Bytes(leaf)] = chain.as_slice() else {
        return Err(Unsound::new("the chain is not one certificate"));
    };
    let root = bytes(shown, "/root")?;
    let (Ok((_, leaf)), Ok((_, root))) = (
        X509Certificate::from_der(leaf),
        X509Certificate::from_der(&root),
    ) else {
        return Err(Unsound::new("a certificate cannot be read"));
    };
    let then = ASN1Time::from_timestamp(decided).map_err(|_| Unsound::new("no such time"))?;
    let is_valid = leaf.validity().is_valid_at(then) && root.validity().is_valid_at(then);
    want(is_valid, "that the certificates were valid")?;
    let is_issued = leaf.issuer() == root.subject()
        && leaf.verify_signature(Some(root.public_key())).is_ok()
        && root.is_ca()
        && !leaf.is_ca();
    want(is_issued, "that the root issued the certificate")?;
    let point = leaf.public_key().subject_public_key.data.to_vec();
    let message = [data.as_slice(), &sha256(&client)].concat();
    let attested = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(&message, signature)
        .is_ok();
    want(attested, "the attestation")?;
    let model = leaf
        .extensions()
        .iter()
        .find(|one| one.oid.to_id_string() == "1.3.6.1.4.1.45724.1.1.4");
    let is_model = model.is_none_or(|one| one.value.get(2..) == data.get(37..53));
    want(is_model, "the model of the certificate")?;
    let id = bytes(record, "/verification/credential_id")?;
    let key = bytes(record, "/verification/public_key")?;
    let rest = data.get(55..).unwrap_or_default();
    want(rest == [id, key].concat(), "that this key was registered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_come_out_as_they_should() {
        let file = clp_test_vectors::load("approval/record.json").unwrap();
        for vector in file.vectors {
            let text = vector.input["record"].as_str().unwrap();
            let record: Value = serde_json::from_str(text).unwrap();
            // Of spelling the strict reader judges, and that is the client's.
            if vector
                .flags
                .iter()
                .any(|flag| flag == "spelling" || flag == "method")
            {
                continue;
            }
            let verdict = check(&record);
            let expected = vector.expect.get("stage").is_none();
            assert_eq!(verdict.is_ok(), expected, "{}: {verdict:?}", vector.id);
        }
    }
}
