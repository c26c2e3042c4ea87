//! Where secrets are brought to, one file for each kind of place (spec chapter 16).

pub(crate) mod child;
pub(crate) mod env_file;
pub(crate) mod kind;

/// A name that a variable of a process can have.
pub(crate) fn variable(text: &str) -> Result<String, &'static str> {
    let mut letters = text.bytes();
    let first = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == b'_');
    let rest = letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    match first && rest && text.len() <= 200 {
        true => Ok(text.to_owned()),
        false => Err("want a name of letters, digits and underscores, such as API_KEY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_plain_names() {
        for good in ["A", "_", "API_KEY2"] {
            assert!(variable(good).is_ok(), "{good}");
        }
        for bad in ["", "2A", "A-B", "A=B", "A B", "\u{e9}"] {
            assert!(variable(bad).is_err(), "{bad}");
        }
    }
}
