//! Strict JSON for everything that arrives from outside: I-JSON (RFC 7493) with limits.
//!
//! `serde_json::Value` silently keeps the last of two equal member names, and two
//! programs that keep different ones read different documents out of the same bytes.
//! Here such input is a typed fault, as are integers that not every JSON reader keeps
//! exactly, and input that is too large or nested too deeply.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The largest integer that every I-JSON reader keeps exactly is 2^53 - 1 (RFC 7493
/// section 2.2); CLP admits 2^53 itself, which is exact too.
pub const MAX_INTEGER: u64 = 1 << 53;

/// How much of a document is read before it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest document accepted, in bytes.
    pub bytes: usize,
    /// Deepest nesting of arrays and objects accepted; a bare scalar has depth 0.
    pub depth: usize,
}

impl Default for Limits {
    /// 256 KiB and 32 levels, the bounds for a manifest.
    fn default() -> Self {
        Self {
            bytes: 256 * 1024,
            depth: 32,
        }
    }
}

/// Why a document was refused. No variant carries text of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More bytes than [`Limits::bytes`].
    #[error("the document is larger than {limit} bytes")]
    TooLarge {
        /// The bound that was exceeded, in bytes.
        limit: usize,
    },
    /// Deeper nesting than [`Limits::depth`].
    #[error("the document is nested deeper than {limit} levels")]
    TooDeep {
        /// The bound that was exceeded, in levels.
        limit: usize,
    },
    /// Two members of one object have the same name.
    #[error("an object has two members of the same name")]
    DuplicateMember,
    /// An integer whose magnitude exceeds [`MAX_INTEGER`].
    #[error("an integer is beyond 2^53")]
    IntegerTooLarge,
    /// Not JSON (RFC 8259), or not UTF-8.
    #[error("not JSON, at line {line} column {column}")]
    Syntax {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, in bytes from 1; 0 at the end of a line.
        column: usize,
    },
}

/// Reads one JSON document that keeps to I-JSON and to `limits`.
///
/// # Errors
/// The first [`Fault`] met, reading from the start.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, Fault> {
    if bytes.len() > limits.bytes {
        return Err(Fault::TooLarge {
            limit: limits.bytes,
        });
    }
    let mut fault = None;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Strict {
        left: limits.depth,
        limit: limits.depth,
        fault: &mut fault,
    };
    let result = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    result.map_err(|error| fault.unwrap_or_else(|| fault_of(&error)))
}

/// The fault behind an error that the reader itself found.
fn fault_of(error: &serde_json::Error) -> Fault {
    // A number that no double holds, such as 1e400, never reaches the visitor, and serde tells
    // it from a mistake in the grammar by its words alone; a test holds them.
    if error.to_string().starts_with("number out of range") {
        return Fault::IntegerTooLarge;
    }
    Fault::Syntax {
        line: error.line(),
        column: error.column(),
    }
}

struct Strict<'a> {
    left: usize,
    limit: usize,
    fault: &'a mut Option<Fault>,
}

impl Strict<'_> {
    /// Notes the fault beside serde's error, which can only carry text.
    fn refuse<T, E: serde::de::Error>(&mut self, fault: Fault) -> Result<T, E> {
        *self.fault = Some(fault);
        Err(E::custom(fault))
    }

    fn descend<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(left),
            None => self.refuse(Fault::TooDeep { limit: self.limit }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_u64<E: serde::de::Error>(mut self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER {
            return self.refuse(Fault::IntegerTooLarge);
        }
        Ok(value.into())
    }

    fn visit_i64<E: serde::de::Error>(mut self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return self.refuse(Fault::IntegerTooLarge);
        }
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(mut self, value: f64) -> Result<Value, E> {
        // An integer beyond 64 bits reaches serde as a float; every float this large is a
        // whole number, so the one test covers both spellings.
        #[expect(clippy::cast_precision_loss, reason = "2^53 is exact in an f64")]
        if value.abs() > MAX_INTEGER as f64 {
            return self.refuse(Fault::IntegerTooLarge);
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let left = self.descend()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Strict {
            left,
            limit: self.limit,
            fault: &mut *self.fault,
        })? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let left = self.descend()?;
        let mut names = HashSet::new();
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return self.refuse(Fault::DuplicateMember);
            }
            let value = members.next_value_seed(Strict {
                left,
                limit: self.limit,
                fault: &mut *self.fault,
            })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Value, Fault> {
        parse(text.as_bytes(), Limits::default())
    }

    #[test]
    fn an_ordinary_document_is_read_whole() {
        let text = r#"{"a":[1,-2,0.5,"x",true,null],"b":{}}"#;
        assert_eq!(read(text), Ok(json!({"a":[1,-2,0.5,"x",true,null],"b":{}})));
    }

    #[test]
    fn equal_names_are_refused_at_any_depth_and_in_any_spelling() {
        assert!(read(r#"{"a":1,"b":1}"#).is_ok());
        assert_eq!(read(r#"{"a":1,"a":1}"#), Err(Fault::DuplicateMember));
        assert_eq!(
            read(r#"[{"x":{"a":1,"a":2}}]"#),
            Err(Fault::DuplicateMember)
        );
        assert_eq!(read("{\"a\":1,\"\\u0061\":2}"), Err(Fault::DuplicateMember));
    }

    #[test]
    fn integers_end_at_two_to_the_53() {
        for fine in ["9007199254740992", "-9007199254740992"] {
            assert!(read(fine).is_ok(), "{fine}");
        }
        for beyond in [
            "9007199254740993",
            "-9007199254740993",
            "18446744073709551616",
            "1e300",
            "1e400",
            "-1e400",
        ] {
            assert_eq!(read(beyond), Err(Fault::IntegerTooLarge), "{beyond}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded_exactly() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(&nested(32)).is_ok());
        assert_eq!(read(&nested(33)), Err(Fault::TooDeep { limit: 32 }));

        let limits = Limits { bytes: 4, depth: 1 };
        assert!(parse(b"true", limits).is_ok());
        assert_eq!(parse(b"true ", limits), Err(Fault::TooLarge { limit: 4 }));
    }

    #[test]
    fn what_is_not_json_says_where() {
        assert_eq!(read("{}\n}"), Err(Fault::Syntax { line: 2, column: 1 }));
        for bytes in [b"\xff".as_slice(), b"\"\xff\"", b"", b"{\"a\":}"] {
            let fault = parse(bytes, Limits::default()).unwrap_err();
            assert!(matches!(fault, Fault::Syntax { .. }), "{bytes:?}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_back(value in any_json()) {
            prop_assert_eq!(read(&value.to_string()), Ok(value));
        }

        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = parse(&bytes, Limits::default());
        }
    }
}
