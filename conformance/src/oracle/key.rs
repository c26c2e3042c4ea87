//! The form of an API key, read a second time (spec chapter 13).

use super::Unsound;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Checks the form of a key and its checksum, and answers the key id.
///
/// # Errors
/// Where the key has another form.
pub fn key_id(key: &str) -> Result<&str, Unsound> {
    let mut parts = key.rsplitn(3, '_');
    let (Some(tail), Some(id), Some(prefix)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Unsound::new("not three parts joined by `_`"));
    };
    let base62 = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if prefix.len() > 24 || !prefix.split('_').all(word) {
        return Err(Unsound::new("the prefix is not of its form"));
    }
    if !base62(id, 16) {
        return Err(Unsound::new("the key id is not 16 letters and digits"));
    }
    if !base62(tail, 38) {
        return Err(Unsound::new("the last part is not 38 letters and digits"));
    }
    let (body, given) = key
        .split_at_checked(key.len() - 6)
        .ok_or_else(|| Unsound::new("the key is too short"))?;
    if checksum(body.as_bytes()) == given {
        Ok(id)
    } else {
        Err(Unsound::new("the checksum does not fit"))
    }
}

/// Another key with the id of this one: well-formed, and never issued.
///
/// # Errors
/// Where the key has not the form of one.
pub fn forged(key: &str) -> Result<String, Unsound> {
    key_id(key)?;
    let (head, tail) = key
        .rsplit_once('_')
        .ok_or_else(|| Unsound::new("no parts"))?;
    let random = tail.get(..32).unwrap_or_default();
    let mut body = format!("{head}_");
    // The same letters backwards, and the first changed: never the same, even if they read
    // alike both ways.
    body.extend(
        random
            .chars()
            .rev()
            .map(|letter| if letter == 'a' { 'b' } else { 'a' })
            .take(1),
    );
    body.extend(random.chars().rev().skip(1));
    let sum = checksum(body.as_bytes());
    Ok(body + &sum)
}

/// The same key with one letter of its checksum changed.
#[must_use]
pub fn mistyped(key: &str) -> String {
    let mut letters: Vec<char> = key.chars().collect();
    if let Some(last) = letters.last_mut() {
        *last = if *last == '0' { '1' } else { '0' };
    }
    letters.into_iter().collect()
}

/// CRC-32 bit by bit, in base 62 with the most significant digit first.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let mut register = u32::MAX;
    for byte in bytes {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            let low = register & 1;
            register >>= 1;
            if low == 1 {
                register ^= 0xEDB8_8320;
            }
        }
    }
    let mut rest = !register;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(rest % 62).unwrap_or_default();
        *digit = DIGITS.get(at).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> String {
        let body = format!("acme_test_{}_{}", "a".repeat(16), "B".repeat(32));
        let sum = checksum(body.as_bytes());
        body + &sum
    }

    #[test]
    fn the_checksum_is_that_of_the_spec() {
        assert_eq!(checksum(b"123456789"), "3jZRME");
    }

    #[test]
    fn a_forged_key_has_the_form_and_the_id_and_a_mistyped_one_has_not() {
        let key = sound();
        let other = forged(&key).unwrap();
        assert_eq!(key_id(&other), key_id(&key));
        assert_ne!(other, key);
        assert!(key_id(&mistyped(&key)).is_err());
    }

    #[test]
    fn planted_faults_are_seen() {
        let key = sound();
        assert_eq!(key_id(&key), Ok("a".repeat(16).as_str()));
        let planted = [
            key.replacen('B', "C", 1),
            key.replacen("acme", "Acme", 1),
            key.replacen("acme", "", 1),
            key.replacen('a', "aa", 1),
            key.replacen("_a", "_", 1),
            key.get(..key.len() - 1).unwrap().to_owned(),
            format!("{key}0"),
            "acme".to_owned(),
        ];
        for wrong in planted {
            assert!(key_id(&wrong).is_err(), "{wrong}");
        }
    }
}
