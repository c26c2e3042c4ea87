//! Forms as OAuth sends them (RFC 6749 section 3.2 and appendix B): each parameter once, in
//! UTF-8, and one without a value as if it were not there.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormFault {
    /// An escape or the UTF-8 is broken.
    #[error("the form is not well-formed")]
    Encoding,
    /// A parameter is there twice.
    #[error("a parameter is repeated")]
    Repeated,
}

/// The parameters of a form. Values are wiped when it is dropped.
#[derive(Default)]
pub(super) struct Form(BTreeMap<String, Zeroizing<String>>);

impl Form {
    /// Reads a body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, FormFault> {
        let mut form = BTreeMap::new();
        let pairs = body
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty());
        for pair in pairs {
            let at = pair
                .iter()
                .position(|byte| *byte == b'=')
                .unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(at).ok_or(FormFault::Encoding)?;
            let value = decode(value.strip_prefix(b"=").unwrap_or(value))?;
            if form.insert(decode(name)?.to_string(), value).is_some() {
                return Err(FormFault::Repeated);
            }
        }
        form.retain(|_, value| !value.is_empty());
        Ok(Self(form))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str())
    }
}

/// Undoes the encoding of one name or value.
pub(super) fn decode(text: &[u8]) -> Result<Zeroizing<String>, FormFault> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest
                    .next()
                    .and_then(hexadecimal)
                    .ok_or(FormFault::Encoding)?;
                let low = rest
                    .next()
                    .and_then(hexadecimal)
                    .ok_or(FormFault::Encoding)?;
                high << 4 | low
            }
            other => other,
        });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| FormFault::Encoding)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once_or_not() {
        let form = Form::parse(b"a=1+2%2B%C3%A9&b=&c&d==&%65=x").unwrap();
        assert_eq!(form.get("a"), Some("1 2+\u{e9}"));
        assert_eq!(
            (form.get("b"), form.get("c"), form.get("f")),
            (None, None, None)
        );
        assert_eq!((form.get("d"), form.get("e")), (Some("="), Some("x")));
        assert!(Form::parse(b"").unwrap().get("a").is_none());
        for (body, fault) in [
            (&b"a=1&a=1"[..], FormFault::Repeated),
            (b"a=&a=1", FormFault::Repeated),
            (b"a=1&%61=2", FormFault::Repeated),
            (b"a=%4", FormFault::Encoding),
            (b"a=%zz", FormFault::Encoding),
            (b"a=%ff", FormFault::Encoding),
            (b"\xff=1", FormFault::Encoding),
        ] {
            assert_eq!(Form::parse(body).err(), Some(fault), "{body:?}");
        }
    }
}
