//! Signed events, judged a second time (Standard Webhooks; spec chapter 21).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Unsound;

/// An event as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// The key that a webhook secret stands for.
///
/// # Errors
/// Where it is not `whsec_` and the base64 of 24 to 64 bytes.
pub fn key(secret: &str) -> Result<Vec<u8>, Unsound> {
    let text = secret
        .strip_prefix("whsec_")
        .ok_or_else(|| Unsound::new("the secret does not begin with `whsec_`"))?;
    let key = STANDARD
        .decode(text)
        .map_err(|_| Unsound::new("the secret is not base64"))?;
    if (24..=64).contains(&key.len()) {
        Ok(key)
    } else {
        Err(Unsound::new("the secret has not 24 to 64 bytes"))
    }
}

fn signature(event: &Event, secret: &str) -> Result<String, Unsound> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret)?);
    let mut signed = format!("{}.{}.", event.id, event.timestamp).into_bytes();
    signed.extend_from_slice(&event.body);
    let tag = hmac::sign(&key, &signed);
    Ok(format!("v1,{}", STANDARD.encode(tag.as_ref())))
}

/// Checks that each of these secrets signed the event, and no other did.
///
/// # Errors
/// Where one did not, or another did.
pub fn signed_by(event: &Event, secrets: &[&str]) -> Result<(), Unsound> {
    let mut found: Vec<&str> = event.signature.split(' ').collect();
    for (place, secret) in secrets.iter().enumerate() {
        let wanted = signature(event, secret)?;
        let at = found
            .iter()
            .position(|one| *one == wanted)
            .ok_or_else(|| Unsound::new(format!("secret {} did not sign it", place + 1)))?;
        found.swap_remove(at);
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Unsound::new(format!("{} signatures more", found.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Standard Webhooks.
    fn published() -> (Event, &'static str) {
        let event = Event {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: "1614265330".to_owned(),
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
            body: br#"{"test": 2432232314}"#.to_vec(),
        };
        (event, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    fn other() -> String {
        format!("whsec_{}", STANDARD.encode([7; 32]))
    }

    #[test]
    fn the_published_event_is_signed_by_its_secret() {
        let (event, secret) = published();
        assert_eq!(signed_by(&event, &[secret]), Ok(()));
        assert!(signed_by(&event, &[&other()]).is_err());
    }

    #[test]
    fn planted_faults_are_seen() {
        let (event, secret) = published();
        let other = other();
        let mut both = event.clone();
        both.signature = format!("{} {}", signature(&event, &other).unwrap(), event.signature);
        assert_eq!(signed_by(&both, &[secret, &other]), Ok(()));
        // One signature too few, one too many, and the same one twice.
        assert!(signed_by(&event, &[secret, &other]).is_err());
        assert!(signed_by(&both, &[secret]).is_err());
        let mut twice = event.clone();
        twice.signature = format!("{0} {0}", event.signature);
        assert!(signed_by(&twice, &[secret]).is_err());
        assert!(signed_by(&event, &[]).is_err());
        for change in [
            |event: &mut Event| event.id.push('x'),
            |event: &mut Event| event.timestamp.push('0'),
            |event: &mut Event| event.body.push(b' '),
        ] {
            let mut changed = event.clone();
            change(&mut changed);
            assert!(signed_by(&changed, &[secret]).is_err());
        }
    }

    #[test]
    fn a_secret_of_another_form_is_none() {
        for wrong in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            "whsec_!".to_owned(),
            format!("whsec_{}", STANDARD.encode([7; 23])),
            format!("whsec_{}", STANDARD.encode([7; 65])),
        ] {
            assert!(key(&wrong).is_err(), "{wrong}");
        }
        assert!(key(&other()).is_ok());
    }
}
