//! Key pairs and what they sign, made a second time: proofs of possession (RFC 9449) and
//! assertions (RFC 7523), rightly and wrongly. Everything is built from the RFCs and the
//! signatures of the crypto library alone.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

use super::Unsound;
use super::digest::{base64url, canonical, from_base64url, hex, sha256};

/// A key pair.
#[derive(Debug)]
pub struct Pair(Signer);

#[derive(Debug)]
enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Pair {
    /// Makes a new one, of the curve `Ed25519` or `P-256`.
    ///
    /// # Errors
    /// Where there is no such curve here, or no randomness.
    pub fn generate(curve: &str) -> Result<Self, Unsound> {
        let failed = |_| Unsound::new("no key pair could be made");
        match curve {
            "Ed25519" => Ok(Self(Signer::Ed25519(
                Ed25519KeyPair::generate().map_err(failed)?,
            ))),
            "P-256" => Ok(Self(Signer::P256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?,
            ))),
            other => Err(Unsound::new(format!("no curve is called `{other}`"))),
        }
    }

    /// The pair of a private JWK on the curve Ed25519 (RFC 8037), whose two halves fit.
    ///
    /// # Errors
    /// Where it is none.
    pub fn from_jwk(jwk: &Value) -> Result<Self, Unsound> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        if (text("kty"), text("crv")) != ("OKP", "Ed25519") {
            return Err(Unsound::new("not a JWK on the curve Ed25519"));
        }
        let (seed, public) = (from_base64url(text("d"))?, from_base64url(text("x"))?);
        Ed25519KeyPair::from_seed_and_public_key(&seed, &public)
            .map(|pair| Self(Signer::Ed25519(pair)))
            .map_err(|_| Unsound::new("the halves of the JWK do not fit"))
    }

    /// The public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        match &self.0 {
            Signer::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref())})
            }
            Signer::P256(pair) => {
                // An uncompressed point is 0x04, then x and y of 32 bytes each.
                let point = pair.public_key().as_ref();
                let part = |from: usize| base64url(point.get(from..from + 32).unwrap_or_default());
                json!({"kty": "EC", "crv": "P-256", "x": part(1), "y": part(33)})
            }
        }
    }

    /// The private half, as bytes.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub fn secret(&self) -> Result<Vec<u8>, Unsound> {
        let failed = |_| Unsound::new("the private half cannot be had");
        match &self.0 {
            Signer::Ed25519(pair) => Ok(pair
                .seed()
                .and_then(|seed| seed.as_be_bytes())
                .map_err(failed)?
                .as_ref()
                .to_vec()),
            Signer::P256(pair) => Ok(pair
                .private_key()
                .as_be_bytes()
                .map_err(failed)?
                .as_ref()
                .to_vec()),
        }
    }

    /// The thumbprint of the public half (RFC 7638): its members are the required ones alone.
    ///
    /// # Errors
    /// Where the JWK has no canonical form, which cannot be.
    pub fn thumbprint(&self) -> Result<String, Unsound> {
        Ok(base64url(&sha256(&canonical(&self.jwk())?)))
    }

    fn alg(&self) -> &'static str {
        match self.0 {
            Signer::Ed25519(_) => "EdDSA",
            Signer::P256(_) => "ES256",
        }
    }

    /// A compact JWS (RFC 7515) of these claims.
    pub(super) fn sign(&self, mut header: Value, claims: &Value) -> Result<String, Unsound> {
        if let Some(members) = header.as_object_mut() {
            members.insert("alg".to_owned(), json!(self.alg()));
        }
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(&header), part(claims));
        let signature = match &self.0 {
            Signer::Ed25519(pair) => pair.sign(input.as_bytes()).as_ref().to_vec(),
            Signer::P256(pair) => pair
                .sign(&SystemRandom::new(), input.as_bytes())
                .map_err(|_| Unsound::new("nothing could be signed"))?
                .as_ref()
                .to_vec(),
        };
        Ok(format!("{input}.{}", base64url(&signature)))
    }
}

/// An identifier that nobody has used.
pub(super) fn fresh() -> Result<String, Unsound> {
    let mut random = [0; 16];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Unsound::new("the system has no randomness"))?;
    Ok(hex(&random))
}

/// The same with one bit of its signature changed: not one of those that base64 leaves over.
pub(super) fn flipped(compact: &str) -> String {
    let (head, signature) = compact.rsplit_once('.').unwrap_or((compact, ""));
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{head}.{other}{}", signature.get(1..).unwrap_or_default())
}

/// How far beside the minute of a proof an hour is, in seconds.
const HOUR: i64 = 3600;

/// The call that a proof is of.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL, without query and fragment.
    pub url: &'a str,
    /// The key.
    pub token: &'a str,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// A proof that the caller holds the private half (RFC 9449 section 4.2), perhaps with a flaw.
///
/// # Errors
/// Where there is no such flaw, or nothing can be signed.
pub fn proof(pair: &Pair, called: Called<'_>, flaw: &str) -> Result<String, Unsound> {
    let stranger = match flaw {
        "of another key pair" => Some(Pair::generate("Ed25519")?),
        _ => None,
    };
    let signer = stranger.as_ref().unwrap_or(pair);
    let mut header = json!({"typ": "dpop+jwt", "jwk": signer.jwk()});
    let ath = |token: &str| base64url(&sha256(token.as_bytes()));
    let mut claims = json!({
        "jti": fresh()?, "htm": called.method, "htu": called.url,
        "iat": called.now, "ath": ath(called.token),
    });
    let (holder, name, value) = match flaw {
        "" | "of another key pair" | "with a bit flipped" => {
            return finish(signer, header, &claims, flaw);
        }
        "of another method" => (&mut claims, "htm", json!("DELETE")),
        "of another URL" => (
            &mut claims,
            "htu",
            json!(format!("{}/elsewhere", called.url)),
        ),
        "of another key" => (&mut claims, "ath", json!(ath("another"))),
        "from an hour ago" => (&mut claims, "iat", json!(called.now - HOUR)),
        "from an hour ahead" => (&mut claims, "iat", json!(called.now + HOUR)),
        "of another type" => (&mut header, "typ", json!("JWT")),
        // Verified with a key of the attacker's choice, where the header is believed.
        "with another key pair in its head" => {
            (&mut header, "jwk", Pair::generate("Ed25519")?.jwk())
        }
        "without an identifier" => (&mut claims, "jti", json!("")),
        other => return Err(Unsound::new(format!("a proof has no flaw `{other}`"))),
    };
    if let Some(members) = holder.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    signer.sign(header, &claims)
}

fn finish(signer: &Pair, header: Value, claims: &Value, flaw: &str) -> Result<String, Unsound> {
    let compact = signer.sign(header, claims)?;
    Ok(if flaw == "with a bit flipped" {
        flipped(&compact)
    } else {
        compact
    })
}

/// How long an assertion is good for by itself, in seconds.
const GOOD: i64 = 120;

/// An assertion by which a service account speaks (RFC 7523 section 3), perhaps with a flaw.
///
/// # Errors
/// Where there is no such flaw, or nothing can be signed.
pub fn assertion(
    pair: &Pair,
    client: &str,
    audience: &str,
    now: i64,
    flaw: &str,
) -> Result<String, Unsound> {
    let stranger = match flaw {
        "another key" => Some(Pair::generate("Ed25519")?),
        _ => None,
    };
    let signer = stranger.as_ref().unwrap_or(pair);
    let mut claims = json!({
        "iss": client, "sub": client, "aud": audience,
        "exp": now + GOOD, "iat": now, "jti": fresh()?,
    });
    let (name, value) = match flaw {
        "" | "another key" | "a bit flipped" => {
            return finish(
                signer,
                json!({"typ": "JWT"}),
                &claims,
                if flaw == "a bit flipped" {
                    "with a bit flipped"
                } else {
                    ""
                },
            );
        }
        "no signature" => {
            let part = |value: &Value| base64url(value.to_string().as_bytes());
            return Ok(format!(
                "{}.{}.",
                part(&json!({"alg": "none"})),
                part(&claims)
            ));
        }
        "another issuer" => ("iss", json!("cred_00000000000000000000")),
        "another subject" => ("sub", json!("cred_00000000000000000000")),
        "another audience" => ("aud", json!("https://elsewhere.example")),
        "an end that is past" => ("exp", json!(now - GOOD)),
        "an end too far away" => ("exp", json!(now + HOUR)),
        "a beginning that is to come" => ("nbf", json!(now + HOUR)),
        "no identifier" => ("jti", Value::Null),
        "no end" => ("exp", Value::Null),
        other => return Err(Unsound::new(format!("an assertion has no flaw `{other}`"))),
    };
    if let Some(members) = claims.as_object_mut() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value);
        }
    }
    signer.sign(json!({"typ": "JWT"}), &claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

    const CALLED: Called<'_> = Called {
        method: "GET",
        url: "http://localhost:1/v1/records",
        token: "acme_key",
        now: 1_800_000_000,
    };

    fn read(compact: &str) -> (Value, Value, Vec<u8>, String) {
        let (input, signature) = compact.rsplit_once('.').unwrap();
        let (header, claims) = input.split_once('.').unwrap();
        let json = |part: &str| serde_json::from_slice(&from_base64url(part).unwrap()).unwrap();
        (
            json(header),
            json(claims),
            from_base64url(signature).unwrap(),
            input.to_owned(),
        )
    }

    fn verifies(jwk: &Value, input: &str, signature: &[u8]) -> bool {
        let part = |name: &str| from_base64url(jwk[name].as_str().unwrap()).unwrap();
        if jwk["crv"] == "Ed25519" {
            return UnparsedPublicKey::new(&ED25519, part("x"))
                .verify(input.as_bytes(), signature)
                .is_ok();
        }
        let point = [vec![4], part("x"), part("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(input.as_bytes(), signature)
            .is_ok()
    }

    /// A resource that looks at everything but what it is told to leave out.
    fn takes(pair: &Pair, compact: &str, blind_to: &str) -> bool {
        let (header, claims, signature, input) = read(compact);
        let jwk = &header["jwk"];
        let thumbprint = base64url(&sha256(&canonical(jwk).unwrap()));
        let near = (claims["iat"].as_i64().unwrap() - CALLED.now).abs() <= 60;
        [
            ("typ", header["typ"] == "dpop+jwt"),
            ("signature", verifies(jwk, &input, &signature)),
            ("key", thumbprint == pair.thumbprint().unwrap()),
            ("htm", claims["htm"] == CALLED.method),
            ("htu", claims["htu"] == CALLED.url),
            (
                "ath",
                claims["ath"] == base64url(&sha256(CALLED.token.as_bytes())),
            ),
            ("iat", near),
            ("jti", claims["jti"] != ""),
        ]
        .into_iter()
        .all(|(what, holds)| holds || what == blind_to)
    }

    #[test]
    fn each_flaw_is_what_one_blind_spot_lets_through() {
        for curve in ["Ed25519", "P-256"] {
            let pair = Pair::generate(curve).unwrap();
            let made = |flaw: &str| proof(&pair, CALLED, flaw).unwrap();
            assert!(takes(&pair, &made(""), "nothing"));
            for (flaw, blind_to) in [
                ("of another method", "htm"),
                ("of another URL", "htu"),
                ("of another key", "ath"),
                ("from an hour ago", "iat"),
                ("from an hour ahead", "iat"),
                ("of another type", "typ"),
                ("of another key pair", "key"),
                ("with a bit flipped", "signature"),
                ("without an identifier", "jti"),
            ] {
                assert!(!takes(&pair, &made(flaw), "nothing"), "{flaw}");
                assert!(takes(&pair, &made(flaw), blind_to), "{flaw}");
            }
            let both = made("with another key pair in its head");
            assert!(!takes(&pair, &both, "key") && !takes(&pair, &both, "signature"));
            assert!(proof(&pair, CALLED, "of no kind").is_err());
        }
    }

    #[test]
    fn an_assertion_is_wrong_in_one_thing() {
        let pair = Pair::generate("P-256").unwrap();
        let sound = |flaw: &str| {
            let compact =
                assertion(&pair, "cred_1", "https://a.example", CALLED.now, flaw).unwrap();
            let (header, claims, signature, input) = read(&compact);
            let ends = claims["exp"]
                .as_i64()
                .is_some_and(|end| end > CALLED.now && end <= CALLED.now + 300);
            [
                header["alg"] == "ES256" && verifies(&pair.jwk(), &input, &signature),
                claims["iss"] == "cred_1",
                claims["sub"] == "cred_1",
                claims["aud"] == "https://a.example",
                ends,
                claims.get("nbf").is_none(),
                claims["jti"].is_string(),
            ]
            .into_iter()
            .filter(|holds| !holds)
            .count()
        };
        assert_eq!(sound(""), 0);
        for flaw in [
            "another key",
            "a bit flipped",
            "no signature",
            "another issuer",
            "another subject",
            "another audience",
            "an end that is past",
            "an end too far away",
            "a beginning that is to come",
            "no identifier",
            "no end",
        ] {
            assert_eq!(sound(flaw), 1, "{flaw}");
        }
    }

    #[test]
    fn a_private_jwk_whose_halves_do_not_fit_is_none() {
        // RFC 8037, appendix A.1 and A.3.
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        let pair = Pair::from_jwk(&jwk).unwrap();
        assert_eq!(
            pair.thumbprint().unwrap(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        let mut other = jwk.clone();
        other["x"] = Pair::generate("Ed25519").unwrap().jwk()["x"].clone();
        assert!(Pair::from_jwk(&other).is_err());
        other["kty"] = json!("EC");
        assert!(Pair::from_jwk(&other).is_err());
    }
}
