//! A maker of authenticators with certificates of its own, and what it attests of a key when it
//! is registered (Web Authentication Level 3 sections 6.5 and 8.2): rightly, and wrongly in one
//! place.

use std::collections::BTreeMap;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SigningKey as _,
};
use serde_cbor_2::Value as Cbor;
use serde_json::{Value, json};

use super::Unsound;
use super::digest::{base64url, from_base64url, sha256};
use super::passkey::Passkey;

/// The model that is trusted, by its AAGUID.
const MODEL: [u8; 16] = *b"suite-model-one.";
/// A model that nobody trusts.
const OTHER_MODEL: [u8; 16] = *b"suite-model-two.";
/// `id-fido-gen-ce-aaguid`.
const MODEL_EXTENSION: &[u64] = &[1, 3, 6, 1, 4, 1, 45724, 1, 1, 4];

/// One thing that is wrong with a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Nothing is attested.
    Nothing,
    /// The key attests itself.
    Itself,
    /// One bit of the maker's signature is flipped.
    Altered,
    /// Made on another site.
    Elsewhere,
    /// Nobody unlocked the authenticator.
    Unverified,
    /// The certificate is of another model than the one stated.
    Certificate,
    /// The maker is not trusted.
    Maker,
    /// The model is not trusted.
    Model,
    /// The key can leave the authenticator.
    Copiable,
    /// What the maker signed is the key and its id, and not the model.
    Uncovered,
}

impl Defect {
    /// Every defect and how the scenarios name it.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Nothing, "that attests nothing"),
        (Self::Itself, "that attests itself"),
        (Self::Altered, "whose attestation was altered"),
        (Self::Elsewhere, "registered on another site"),
        (Self::Unverified, "registered by nobody"),
        (Self::Certificate, "with the certificate of another model"),
        (Self::Maker, "of a maker that nobody trusts"),
        (Self::Model, "of a model that nobody trusts"),
        (Self::Copiable, "that can be copied"),
        (Self::Uncovered, "whose model nobody signed"),
    ];

    /// The defect of these words.
    #[must_use]
    pub fn by_words(words: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, name)| *name == words)?;
        Some(found.0)
    }
}

/// A registered key, and what is to be trusted for it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Client data and attestation object, as test control takes them.
    pub attestation: Value,
    /// Roots and models, as test control takes them.
    pub trust: Value,
}

fn unmade<T>(result: Result<T, rcgen::Error>) -> Result<T, Unsound> {
    result.map_err(|fault| Unsound::new(format!("no certificate could be made: {fault}")))
}

/// Registers a passkey for a relying party on an origin, and has a new maker attest it.
///
/// # Errors
/// Where keys or certificates cannot be made.
pub fn register(
    passkey: &Passkey,
    relying_party: &str,
    origin: &str,
    defect: Option<Defect>,
) -> Result<Registered, Unsound> {
    let is = |one| defect == Some(one);
    let client_data = json!({
        "type": "webauthn.create",
        "challenge": base64url(&sha256(b"drawn by whoever registers")),
        "origin": if is(Defect::Elsewhere) { "https://elsewhere.example" } else { origin },
        "crossOrigin": false,
    })
    .to_string();
    let stated = if is(Defect::Model) {
        OTHER_MODEL
    } else {
        MODEL
    };
    let data = authenticator_data(passkey, relying_party, stated, defect)?;
    let signed = match defect {
        Some(Defect::Uncovered) => {
            key_alone(passkey, relying_party, &sha256(client_data.as_bytes()))?
        }
        _ => [data.as_slice(), &sha256(client_data.as_bytes())].concat(),
    };

    let maker = unmade(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256))?;
    let root = root()?;
    let root_key = unmade(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256))?;
    let root_der = unmade(root.self_signed(&root_key))?.der().to_vec();
    let certified = if is(Defect::Certificate) {
        OTHER_MODEL
    } else {
        stated
    };
    let issuer = Issuer::new(root, root_key);
    let leaf = unmade(leaf(certified)?.signed_by(&maker, &issuer))?;

    let mut signature = match defect {
        Some(Defect::Itself) => passkey.sign(&signed)?,
        _ => unmade(maker.sign(&signed))?,
    };
    if is(Defect::Altered)
        && let Some(last) = signature.last_mut()
    {
        *last ^= 1;
    }
    let mut statement = BTreeMap::new();
    if !is(Defect::Nothing) {
        if !is(Defect::Uncovered) {
            statement.insert(text("alg"), Cbor::Integer(-7));
        }
        statement.insert(text("sig"), Cbor::Bytes(signature));
    }
    if !is(Defect::Nothing) && !is(Defect::Itself) {
        let chain = vec![Cbor::Bytes(leaf.der().to_vec())];
        statement.insert(text("x5c"), Cbor::Array(chain));
    }
    let format = match defect {
        Some(Defect::Nothing) => "none",
        Some(Defect::Uncovered) => "fido-u2f",
        _ => "packed",
    };
    let object = Cbor::Map(BTreeMap::from([
        (text("fmt"), text(format)),
        (text("attStmt"), Cbor::Map(statement)),
        (text("authData"), Cbor::Bytes(data)),
    ]));
    let object = serde_cbor_2::to_vec(&object)
        .map_err(|_| Unsound::new("the attestation object cannot be written"))?;
    Ok(Registered {
        attestation: json!({
            "client_data_json": base64url(client_data.as_bytes()),
            "attestation_object": base64url(&object),
        }),
        trust: json!({"roots": [base64url(&root_der)], "models": [spelled(MODEL)]}),
    })
}

fn text(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

/// Authenticator data with the attested credential data of a key that counts nothing yet.
fn authenticator_data(
    passkey: &Passkey,
    relying_party: &str,
    model: [u8; 16],
    defect: Option<Defect>,
) -> Result<Vec<u8>, Unsound> {
    let id = from_base64url(&passkey.credential_id())?;
    let length = u16::try_from(id.len()).map_err(|_| Unsound::new("too long an id"))?;
    // User present and verified, attested data, and perhaps that the key can be backed up.
    let mut flags = 0x45;
    if defect == Some(Defect::Unverified) {
        flags &= !0x04;
    }
    if defect == Some(Defect::Copiable) {
        flags |= 0x08;
    }
    Ok([
        &sha256(relying_party.as_bytes())[..],
        &[flags],
        &[0; 4],
        &model,
        &length.to_be_bytes(),
        &id,
        &from_base64url(&passkey.public_key())?,
    ]
    .concat())
}

/// What is signed in the format `fido-u2f` (Web Authentication Level 3 section 8.6).
fn key_alone(
    passkey: &Passkey,
    relying_party: &str,
    client_data_hash: &[u8],
) -> Result<Vec<u8>, Unsound> {
    Ok([
        &[0][..],
        &sha256(relying_party.as_bytes()),
        client_data_hash,
        &from_base64url(&passkey.credential_id())?,
        passkey.point(),
    ]
    .concat())
}

fn root() -> Result<CertificateParams, Unsound> {
    let mut params = unmade(CertificateParams::new(Vec::new()))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "A maker of the suite");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

/// A certificate of section 8.2.1.
fn leaf(model: [u8; 16]) -> Result<CertificateParams, Unsound> {
    let mut params = unmade(CertificateParams::new(Vec::new()))?;
    let mut name = rcgen::DistinguishedName::new();
    let country = unmade("UT".try_into())?;
    name.push(DnType::CountryName, DnValue::PrintableString(country));
    name.push(DnType::OrganizationName, "The suite");
    name.push(DnType::OrganizationalUnitName, "Authenticator Attestation");
    name.push(DnType::CommonName, "Attestation of the suite");
    params.distinguished_name = name;
    params.is_ca = IsCa::ExplicitNoCa;
    // An OCTET STRING of 16 bytes.
    let content = [&[0x04, 0x10][..], &model].concat();
    params.custom_extensions = vec![CustomExtension::from_oid_content(MODEL_EXTENSION, content)];
    Ok(params)
}

/// An AAGUID as it is written.
fn spelled(model: [u8; 16]) -> String {
    let letters = super::digest::hex(&model);
    let mut text = String::new();
    for (at, letter) in letters.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_shows_in_the_attestation_or_in_what_is_trusted() {
        let passkey = Passkey::generate().unwrap();
        let object = |defect| {
            let made = register(&passkey, "rp", "http://rp", defect).unwrap();
            let bytes = from_base64url(made.attestation["attestation_object"].as_str().unwrap());
            let object: BTreeMap<Cbor, Cbor> = serde_cbor_2::from_slice(&bytes.unwrap()).unwrap();
            (made, object)
        };
        let data = |object: &BTreeMap<Cbor, Cbor>| match &object[&text("authData")] {
            Cbor::Bytes(bytes) => bytes.clone(),
            _ => panic!("no bytes"),
        };
        let (_, sound) = object(None);
        assert_eq!(data(&sound)[32], 0x45);
        assert_eq!(data(&sound)[37..53], MODEL);
        for (defect, name) in Defect::ALL {
            let (made, wrong) = object(Some(*defect));
            let changed = data(&wrong) != data(&sound);
            let expected = matches!(
                defect,
                Defect::Unverified | Defect::Model | Defect::Copiable
            );
            assert_eq!(changed, expected, "{name}");
            assert_eq!(made.trust["models"][0].as_str().unwrap(), spelled(MODEL));
            assert_eq!(Defect::by_words(name), Some(*defect));
        }
    }
}
