//! Words that others chose can hold a secret by mistake: somebody pastes a key where its purpose
//! was asked for. What goes to others is looked through once more (CLP-INV-009).

use clp_schemas::key::Key;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::{Error, LocalFault};

/// What stands where a secret stood.
const REMOVED: &str = "[a secret stood here]";
/// A shorter secret could be a word.
const LEAST: usize = 8;

/// The same document without any of these secrets, and without anything that has the form of a
/// key.
///
/// # Errors
/// Only if the document is none that JSON can hold.
pub(crate) fn scrub<T: Serialize + DeserializeOwned>(
    document: &T,
    secrets: &[&str],
) -> Result<T, Error> {
    let fault = |_| LocalFault::System("what was learnt cannot be written as JSON");
    let mut value = serde_json::to_value(document).map_err(fault)?;
    clear(&mut value, secrets);
    Ok(serde_json::from_value(value).map_err(fault)?)
}

fn clear(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::String(text) => {
            if let Some(cleared) = cleared(text, secrets) {
                *text = cleared;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clear(item, secrets)),
        Value::Object(members) => {
            let names: Vec<(String, String)> = members
                .keys()
                .filter_map(|name| Some((name.clone(), cleared(name, secrets)?)))
                .collect();
            for (name, cleared) in names {
                if let Some(value) = members.remove(&name) {
                    members.insert(cleared, value);
                }
            }
            members.values_mut().for_each(|value| clear(value, secrets));
        }
        _ => {}
    }
}

/// The text without secrets; `None` where there were none.
fn cleared(text: &str, secrets: &[&str]) -> Option<String> {
    let mut new = text.to_owned();
    for secret in secrets {
        if secret.len() >= LEAST && new.contains(*secret) {
            new = new.replace(secret, REMOVED);
        }
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let keys: Vec<String> = new
        .split(|letter| !is_part(letter))
        .filter(|word| Key::parse(word).is_ok())
        .map(str::to_owned)
        .collect();
    for key in &keys {
        new = new.replace(key, REMOVED);
    }
    (new != text).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_a_secret_or_looks_like_a_key_goes_and_the_rest_stays() {
        let random: Vec<u8> = (0..=255).collect();
        let key = Key::generate("acme", &random).unwrap();
        let secrets = ["a webhook's secret", "short"];
        let document = json!({
            "purpose": format!("import ({}) in short", key.expose()),
            "labels": {"a webhook's secret": "x", "y": ["a webhook's secret!"]},
            "uses": 3,
        });
        let cleared = scrub(&document, &secrets).unwrap();
        assert_eq!(
            cleared,
            json!({
                "purpose": "import ([a secret stood here]) in short",
                "labels": {"[a secret stood here]": "x", "y": ["[a secret stood here]!"]},
                "uses": 3,
            })
        );
        assert_eq!(scrub(&cleared, &secrets).unwrap(), cleared);
    }
}
