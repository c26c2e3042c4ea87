//! An identity provider in software, so that approvals really come from one: what it signs,
//! rightly and wrongly (`OpenID` Connect Core 1.0 section 2, RFC 9396, RFC 9701).

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::Unsound;
use super::digest::base64url;
use super::jose::{Pair, flipped, fresh};

/// The class of authentication that it attests, and that the issuer asks for.
pub const CLASS: &str = "urn:clp-suite:acr:strong";

/// How far beside its time something is, in seconds: more than the leeway of a minute.
const BESIDE: i64 = 300;

/// A provider at which one person has an account, and a colleague of theirs.
#[derive(Debug)]
pub struct Provider {
    pair: Pair,
    stranger: Pair,
    /// Its identifier.
    pub issuer: String,
    /// As whom the issuer is known there.
    pub client: String,
    /// What the issuer authenticates with there.
    pub secret: String,
    /// The account.
    pub account: String,
    /// The account of somebody else of the same tenant.
    pub colleague: String,
}

/// A decision as a provider is asked for it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The challenge, base64url.
    pub challenge: &'a str,
    /// What else is in the challenge that was answered: for the details of an authorization.
    pub about: &'a Value,
    /// The issuer identifier.
    pub place: &'a str,
    /// The time, in seconds since 1970.
    pub now: i64,
}

impl Provider {
    /// A new one, with names that nobody else has.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn generate() -> Result<Self, Unsound> {
        let mark = fresh()?;
        Ok(Self {
            pair: Pair::generate("P-256")?,
            stranger: Pair::generate("P-256")?,
            issuer: format!("https://{mark}.idp.example"),
            client: format!("client-{mark}"),
            secret: format!("secret-of-{mark}"),
            account: format!("account-{mark}"),
            colleague: format!("colleague-{mark}"),
        })
    }

    /// Its private key, as bytes.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub fn key(&self) -> Result<Vec<u8>, Unsound> {
        self.pair.secret()
    }

    /// Its public keys (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let mut key = self.pair.jwk();
        if let Some(members) = key.as_object_mut() {
            members.insert("kid".to_owned(), json!("1"));
            members.insert("use".to_owned(), json!("sig"));
            members.insert("alg".to_owned(), json!("ES256"));
        }
        json!({"keys": [key]})
    }

    /// An ID token of somebody who logged in just now, perhaps with a flaw.
    ///
    /// # Errors
    /// Where there is no such flaw, or nothing can be signed.
    pub fn id_token(&self, asked: Asked<'_>, flaw: &str) -> Result<String, Unsound> {
        let now = asked.now;
        let header = json!({"kid": "1"});
        let mut claims = json!({
            "iss": self.issuer, "sub": self.account, "aud": self.client,
            "iat": now, "exp": now + BESIDE, "auth_time": now,
            "nonce": asked.challenge, "acr": CLASS,
        });
        let both = json!([self.client, "somebody-else"]);
        match flaw {
            "another type" => {
                return self.sign(json!({"kid": "1", "typ": "logout+jwt"}), &claims, "");
            }
            "a name for its type" => {
                return self.sign(json!({"kid": "1", "typ": "JWT"}), &claims, "");
            }
            "two audiences" => put(&mut claims, &[("aud", both), ("azp", json!(self.client))]),
            "two audiences for another" => {
                put(
                    &mut claims,
                    &[("aud", both), ("azp", json!("somebody-else"))],
                );
            }
            "two audiences and no party" => put(&mut claims, &[("aud", both)]),
            "an end that is past" => put(&mut claims, &[("exp", json!(now - BESIDE))]),
            "no end" => put(&mut claims, &[("exp", Value::Null)]),
            "another nonce" => put(&mut claims, &[("nonce", json!(base64url(&[7; 32])))]),
            "no nonce" => put(&mut claims, &[("nonce", Value::Null)]),
            "an old log-in" => put(&mut claims, &[("auth_time", json!(now - BESIDE))]),
            "no time of a log-in" => put(&mut claims, &[("auth_time", Value::Null)]),
            "another class" => put(&mut claims, &[("acr", json!("urn:clp-suite:acr:weak"))]),
            "no class" => put(&mut claims, &[("acr", Value::Null)]),
            "another account" => put(&mut claims, &[("sub", json!("account-of-nobody"))]),
            "the account of a colleague" => put(&mut claims, &[("sub", json!(self.colleague))]),
            flaw => return self.common(header, claims, now, flaw),
        }
        self.sign(header, &claims, "")
    }

    /// An answer to an introspection of a token for one decision, perhaps with a flaw.
    ///
    /// # Errors
    /// Where there is no such flaw, or nothing can be signed.
    pub fn introspection(&self, asked: Asked<'_>, flaw: &str) -> Result<String, Unsound> {
        let about = |name: &str| asked.about.get(name).cloned().unwrap_or_default();
        let mut detail = json!({
            "type": "clp_approval", "locations": [asked.place],
            "request_id": about("request_id"), "version": about("version"),
            "digest": about("digest"), "decision": about("decision"),
            "challenge": asked.challenge,
        });
        let other = json!(base64url(&[7; 32]));
        match flaw {
            "another kind of detail" => put(&mut detail, &[("type", json!("payment"))]),
            "another place" => {
                put(
                    &mut detail,
                    &[("locations", json!(["https://elsewhere.example"]))],
                );
            }
            "another request" => {
                put(
                    &mut detail,
                    &[("request_id", json!("req_00000000000000000000"))],
                );
            }
            "another version" => put(&mut detail, &[("version", json!(7))]),
            "another digest" => put(&mut detail, &[("digest", other)]),
            "another challenge" => put(&mut detail, &[("challenge", other)]),
            "the other decision" => put(&mut detail, &[("decision", json!("deny"))]),
            "a word more" => put(&mut detail, &[("actions", json!(["everything"]))]),
            _ => {}
        }
        let details = match flaw {
            "two details" => json!([detail, {"type": "payment", "amount": "1000"}]),
            "no details" => json!([]),
            _ => json!([detail]),
        };
        let mut answer = json!({
            "active": true, "sub": self.account, "client_id": self.client,
            "authorization_details": details,
        });
        match flaw {
            "a token that has ended" => put(&mut answer, &[("active", json!(false))]),
            "another client" => put(&mut answer, &[("client_id", json!("somebody-else"))]),
            "another account" => put(&mut answer, &[("sub", json!("account-of-nobody"))]),
            "the account of a colleague" => put(&mut answer, &[("sub", json!(self.colleague))]),
            _ => {}
        }
        let claims = json!({
            "iss": self.issuer, "aud": self.client, "iat": asked.now,
            "token_introspection": answer,
        });
        let header = json!({"kid": "1", "typ": "token-introspection+jwt"});
        if OF_THE_ANSWER.contains(&flaw) {
            return self.sign(header, &claims, "");
        }
        if flaw == "another type" {
            return self.sign(json!({"kid": "1", "typ": "at+jwt"}), &claims, "");
        }
        self.common(header, claims, asked.now, flaw)
    }

    /// Signs, perhaps with a flaw that both forms can have.
    fn common(
        &self,
        mut header: Value,
        mut claims: Value,
        now: i64,
        flaw: &str,
    ) -> Result<String, Unsound> {
        match flaw {
            "another issuer" => {
                put(&mut claims, &[("iss", json!("https://elsewhere.example"))]);
            }
            "another audience" => put(&mut claims, &[("aud", json!("somebody-else"))]),
            "a beginning that is to come" => put(&mut claims, &[("iat", json!(now + BESIDE))]),
            "an old beginning" => put(&mut claims, &[("iat", json!(now - BESIDE))]),
            "a critical word" => {
                put(&mut header, &[("crit", json!(["x"])), ("x", json!(true))]);
            }
            "" | "another key" | "a bit flipped" | "no signature" | "a shared secret" => {}
            other => return Err(Unsound::new(format!("a provider has no flaw `{other}`"))),
        }
        self.sign(header, &claims, flaw)
    }

    fn sign(&self, mut header: Value, claims: &Value, flaw: &str) -> Result<String, Unsound> {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        match flaw {
            "no signature" => {
                put(&mut header, &[("alg", json!("none"))]);
                Ok(format!("{}.{}.", part(&header), part(claims)))
            }
            // With what the issuer has, and could have signed with itself.
            "a shared secret" => {
                put(&mut header, &[("alg", json!("HS256"))]);
                let input = format!("{}.{}", part(&header), part(claims));
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
                let tag = hmac::sign(&key, input.as_bytes());
                Ok(format!("{input}.{}", base64url(tag.as_ref())))
            }
            "another key" => self.stranger.sign(header, claims),
            "a bit flipped" => Ok(flipped(&self.pair.sign(header, claims)?)),
            _ => self.pair.sign(header, claims),
        }
    }
}

/// The flaws that stand in what the answer to an introspection says.
const OF_THE_ANSWER: [&str; 14] = [
    "another kind of detail",
    "another place",
    "another request",
    "another version",
    "another digest",
    "another challenge",
    "the other decision",
    "a word more",
    "two details",
    "no details",
    "a token that has ended",
    "another client",
    "another account",
    "the account of a colleague",
];

/// Puts members in place; `null` takes one away.
fn put(holder: &mut Value, changes: &[(&str, Value)]) {
    let Some(members) = holder.as_object_mut() else {
        return;
    };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(*name);
        } else {
            members.insert((*name).to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::digest::from_base64url;

    fn read(compact: &str) -> (Value, Value) {
        let mut parts = compact.split('.');
        let mut json =
            || serde_json::from_slice(&from_base64url(parts.next().unwrap()).unwrap()).unwrap();
        (json(), json())
    }

    #[test]
    fn a_flaw_changes_one_thing() {
        let provider = Provider::generate().unwrap();
        let about =
            json!({"request_id": "req_1", "version": 1, "digest": "d", "decision": "approve"});
        let asked = Asked {
            challenge: "c",
            about: &about,
            place: "https://issuer.example",
            now: 1_800_000_000,
        };
        let sound = read(&provider.id_token(asked, "").unwrap());
        assert_eq!(sound.1["nonce"], "c");
        for (flaw, member) in [
            ("another issuer", "iss"),
            ("another audience", "aud"),
            ("another nonce", "nonce"),
            ("an old log-in", "auth_time"),
            ("another class", "acr"),
            ("another account", "sub"),
            ("an end that is past", "exp"),
        ] {
            let mut wrong = read(&provider.id_token(asked, flaw).unwrap()).1;
            assert_ne!(wrong[member], sound.1[member], "{flaw}");
            wrong[member] = sound.1[member].clone();
            assert_eq!(wrong, sound.1, "{flaw}");
        }
        let sound = read(&provider.introspection(asked, "").unwrap());
        for flaw in OF_THE_ANSWER {
            let wrong = read(&provider.introspection(asked, flaw).unwrap());
            assert_eq!(wrong.0, sound.0, "{flaw}");
            assert_ne!(wrong.1, sound.1, "{flaw}");
        }
        assert!(provider.id_token(asked, "of no kind").is_err());
        assert!(provider.introspection(asked, "of no kind").is_err());
        assert!(provider.id_token(asked, "a token that has ended").is_err());
    }
}
