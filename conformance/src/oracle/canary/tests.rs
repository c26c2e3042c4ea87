use super::*;
use crate::oracle::digest::hex;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const KEY: &str = "acme_0123456789abcdef_ABCDEFGHIJKLMNOPQRSTUVWXYZ012345abcdef";

fn planted() -> Canary {
    let mut canary = Canary::default();
    canary.taint_key("the key", KEY);
    canary
}

fn found(canary: &Canary, text: &str) -> bool {
    canary
        .search(Channel::ResponseBody, text.as_bytes())
        .is_some()
}

#[test]
fn a_planted_secret_is_found_in_every_spelling() {
    let canary = planted();
    let hexed = hex(KEY.as_bytes());
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let mixed: String = KEY
        .char_indices()
        .map(|(at, letter)| match at % 3 {
            0 => format!("%{:02x}", u32::from(letter)),
            _ => letter.to_string(),
        })
        .collect();
    let mut places = vec![
        format!("{{\"note\":\"{KEY}\"}}"),
        format!("x{hexed}y"),
        hexed.to_uppercase(),
        percent.to_lowercase(),
        format!("a % b %{percent}"),
        mixed,
        format!("\\n{escaped}\\"),
        escaped.to_uppercase().replace("\\U", "\\u"),
    ];
    for lead in ["", "a", "ab", "abc"] {
        let text = format!("{lead}{KEY} and more");
        places.push(STANDARD.encode(&text));
        places.push(URL_SAFE_NO_PAD.encode(&text));
    }
    // The secret part alone, without prefix and key id.
    places.push(KEY.rsplit_once('_').unwrap().1.to_owned());
    for place in places {
        assert!(found(&canary, &place), "{place}");
        let clean = canary.redact(&place);
        assert!(clean.contains("[the "), "{clean}");
        assert!(!found(&canary, &clean), "{clean}");
    }
}

#[test]
fn what_stands_around_a_secret_stays() {
    let canary = planted();
    assert_eq!(
        canary.redact(&format!("é {KEY}, %41 \\\"{KEY}\\\" ü")),
        "é [the key], %41 \\\"[the key]\\\" ü"
    );
    assert_eq!(canary.redact("100 % of \\nothing"), "100 % of \\nothing");
}

#[test]
fn a_leaf_of_the_log_is_decoded() {
    let canary = planted();
    let leaf = STANDARD.encode(format!("{{\"a\":\"{}\"}}", hex(KEY.as_bytes())));
    let page = format!("{{\"items\":[{{\"index\":0,\"leaf\":\"{leaf}\"}}]}}");
    assert_eq!(canary.search(Channel::ResponseBody, page.as_bytes()), None);
    let find = canary.search(Channel::AuditEntry, page.as_bytes()).unwrap();
    assert_eq!(find.spelling, Spelling::Hex);
}

#[test]
fn a_short_secret_is_hidden_and_not_looked_for() {
    let mut canary = Canary::default();
    canary.taint("a token", "dev");
    let text = "{\"token\":\"dev\",\"environment\":\"development\"}";
    assert_eq!(
        canary.redact(text),
        "{\"token\":\"[a token]\",\"environment\":\"development\"}"
    );
    assert!(!found(&canary, "dev"));
    assert_eq!(canary.secrets(), 0);
}

#[test]
fn what_is_public_is_no_find() {
    let canary = planted();
    assert!(!found(&canary, "acme_0123456789abcdef_"));
    // The end of a secret leads to it, and is none by itself; nor is another case of it.
    assert!(!found(&canary, "KLMNOPQRSTUVWXYZ012345abcdef"));
    assert!(!found(&canary, &KEY.to_lowercase()));
    assert!(!format!("{canary:?}").contains("ABCDEFGH"));
}

#[test]
fn what_one_has_learned_another_can() {
    let mut canary = Canary::default();
    canary.taint("another", "fedcba9876543210");
    assert!(!found(&canary, KEY));
    canary.learn(&planted());
    canary.learn(&planted());
    assert!(found(&canary, KEY));
    assert_eq!(canary.secrets(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_is_seen() {
    let seen = of_process(std::process::id()).unwrap();
    assert!(seen.iter().all(|(_, text)| !text.is_empty()));
}
