//! A signed statement that it is safe to revoke, judged a second time: the JWS by RFC 7515 and
//! the crypto library alone, the claims by what was answered beside it (spec chapter 18).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::Unsound;
use super::digest::{base64url, canonical, from_base64url, sha256};

/// What the header has to say the signature is for.
const TYPE: &str = "clp-safe-to-revoke+jwt";
/// The longest that a statement may be good for, in seconds.
const LONGEST: i64 = 60;

/// The claims of a compact JWS that one of the keys of a JWK set signed.
///
/// # Errors
/// Where it is none, or no key of the set did.
pub fn open(compact: &str, jwks: &Value) -> Result<Value, Unsound> {
    let parts: Vec<&str> = compact.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(Unsound::new("not three parts"));
    };
    let json = |part: &str| -> Result<Value, Unsound> {
        serde_json::from_slice(&from_base64url(part)?)
            .map_err(|_| Unsound::new("a part is no JSON"))
    };
    let head = &json(header)?;
    if head["typ"] != TYPE || head.get("crit").is_some() {
        return Err(Unsound::new(format!("the header {head}")));
    }
    let key = jwks["keys"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|key| thumbprint(key).is_ok_and(|known| head["kid"] == known))
        .ok_or_else(|| Unsound::new("`kid` is the thumbprint of no key of the manifest"))?;
    let bytes = |name: &str| from_base64url(key[name].as_str().unwrap_or_default());
    let signed = format!("{header}.{claims}");
    let signature = from_base64url(signature)?;
    let verified = match (head["alg"].as_str(), key["crv"].as_str()) {
        (Some("EdDSA"), Some("Ed25519")) => {
            UnparsedPublicKey::new(&ED25519, bytes("x")?).verify(signed.as_bytes(), &signature)
        }
        (Some("ES256"), Some("P-256")) => {
            let point = [&[4][..], &bytes("x")?, &bytes("y")?].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
        }
        _ => return Err(Unsound::new(format!("the algorithm {}", head["alg"]))),
    };
    verified.map_err(|_| Unsound::new("the signature does not verify"))?;
    json(claims)
}

/// RFC 7638: the required members alone, in the order of their names.
fn thumbprint(key: &Value) -> Result<String, Unsound> {
    let mut members = json!({"kty": key["kty"], "crv": key["crv"], "x": key["x"]});
    if let (Some(members), "EC") = (
        members.as_object_mut(),
        key["kty"].as_str().unwrap_or_default(),
    ) {
        members.insert("y".to_owned(), key["y"].clone());
    }
    Ok(base64url(&sha256(&canonical(&members)?)))
}

/// Checks that the claims say what the answer of `rotation_gates` says that they stand in.
/// `rotation` is the rotation, `now` the issuer's time in seconds since 1970.
///
/// # Errors
/// Where they do not.
pub fn agrees(
    claims: &Value,
    report: &Value,
    rotation: &Value,
    issuer: &str,
    now: i64,
) -> Result<(), Unsound> {
    let judged: Vec<Value> = report["gates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|gate| {
            let mut said = json!({"id": gate["id"], "state": gate["state"]});
            if let (Some(members), Some(basis)) = (said.as_object_mut(), gate.get("basis")) {
                members.insert("basis".to_owned(), basis.clone());
            }
            said
        })
        .collect();
    let unknowns: Vec<&Value> = judged
        .iter()
        .filter(|gate| gate["state"] == "unknown")
        .map(|gate| &gate["id"])
        .collect();
    let wanted = [
        ("iss", json!(issuer)),
        ("sub", rotation["predecessor"].clone()),
        ("successor", rotation["successor"].clone()),
        ("rotation_id", report["rotation_id"].clone()),
        ("state", report["state"].clone()),
        (
            "safe",
            report
                .pointer("/safe_to_revoke/safe")
                .cloned()
                .unwrap_or_default(),
        ),
        ("unknowns", json!(unknowns)),
        ("usage_as_of", report["usage_as_of"].clone()),
        ("gates", json!(judged)),
    ];
    for (name, value) in wanted {
        if claims[name] != value {
            return Err(Unsound::new(format!(
                "`{name}` is {}, and the answer says {value}",
                claims[name]
            )));
        }
    }
    match claims["iat"].as_i64() {
        Some(issued) if (now - issued).abs() <= LONGEST => Ok(()),
        _ => Err(Unsound::new(format!("`iat` is {}", claims["iat"]))),
    }
}

/// Checks that a statement is good for a short time only.
///
/// # Errors
/// Where it is good for longer, or for none.
pub fn is_short(claims: &Value) -> Result<(), Unsound> {
    match (claims["iat"].as_i64(), claims["exp"].as_i64()) {
        (Some(from), Some(to)) if (1..=LONGEST).contains(&(to - from)) => Ok(()),
        _ => Err(Unsound::new(format!(
            "from {} to {}",
            claims["iat"], claims["exp"]
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::jose::Pair;

    fn set(pair: &Pair) -> Value {
        json!({"keys": [pair.jwk()]})
    }

    fn statement(pair: &Pair, kind: &str, claims: &Value) -> String {
        let kid = pair.thumbprint().unwrap();
        pair.sign(json!({"typ": kind, "kid": kid}), claims).unwrap()
    }

    #[test]
    fn a_statement_is_opened_with_the_key_that_signed_it_and_no_other() {
        for curve in ["Ed25519", "P-256"] {
            let (pair, other) = (
                Pair::generate(curve).unwrap(),
                Pair::generate(curve).unwrap(),
            );
            let compact = statement(&pair, TYPE, &json!({"safe": true}));
            assert_eq!(open(&compact, &set(&pair)), Ok(json!({"safe": true})));
            assert!(open(&compact, &set(&other)).is_err());
            assert!(open(&statement(&pair, "JWT", &json!({})), &set(&pair)).is_err());
            let forged = compact.replacen('.', ".e", 1);
            assert!(open(&forged, &set(&pair)).is_err());
        }
    }

    #[test]
    fn claims_that_say_something_else_than_the_answer_are_caught() {
        let report = json!({
            "rotation_id": "rot_1", "state": "draining", "usage_as_of": "2026-01-01T00:00:00Z",
            "safe_to_revoke": {"safe": false},
            "gates": [
                {"id": "successor", "state": "met", "basis": "observed", "detail": ""},
                {"id": "quiet", "state": "unknown", "detail": ""},
            ],
        });
        let rotation = json!({"predecessor": "cred_1", "successor": "cred_2"});
        let claims = json!({
            "iss": "https://i.example", "sub": "cred_1", "successor": "cred_2",
            "rotation_id": "rot_1", "state": "draining", "safe": false, "unknowns": ["quiet"],
            "usage_as_of": "2026-01-01T00:00:00Z", "iat": 100, "exp": 160,
            "gates": [
                {"id": "successor", "state": "met", "basis": "observed"},
                {"id": "quiet", "state": "unknown"},
            ],
        });
        let check = |claims: &Value| agrees(claims, &report, &rotation, "https://i.example", 100);
        assert_eq!(check(&claims), Ok(()));
        assert_eq!(is_short(&claims), Ok(()));
        for name in [
            "iss",
            "sub",
            "successor",
            "rotation_id",
            "state",
            "safe",
            "unknowns",
            "usage_as_of",
            "gates",
            "iat",
        ] {
            let mut other = claims.clone();
            other[name] = json!("other");
            assert!(check(&other).is_err(), "{name}");
        }
        for exp in [100, 161] {
            let mut other = claims.clone();
            other["exp"] = json!(exp);
            assert!(is_short(&other).is_err(), "{exp}");
        }
    }
}
