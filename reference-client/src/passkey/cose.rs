//! The one public key that a software passkey has, as a `COSE_Key` (RFC 9052 section 7).

/// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`: EC2, ES256, P-256 (RFC 9053 section 7.1.1), in the
/// canonical form that WebAuthn section 6.5.1.1 asks for.
///
/// `point` is the public key uncompressed (SEC 1 section 2.3.3); `None` if it is not.
pub(super) fn es256(point: &[u8]) -> Option<Vec<u8>> {
    let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
    if y.len() != 32 {
        return None;
    }
    const UP_TO_X: &[u8] = &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    const UP_TO_Y: &[u8] = &[0x22, 0x58, 0x20];
    Some([UP_TO_X, x, UP_TO_Y, y].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_cbor_2::Value;
    use std::collections::BTreeMap;

    #[test]
    fn another_cbor_reader_finds_the_five_members() {
        let point = [&[4][..], &[7; 32], &[9; 32]].concat();
        let bytes = es256(&point).unwrap();
        let read: BTreeMap<i32, Value> = serde_cbor_2::from_slice(&bytes).unwrap();
        let expected = BTreeMap::from([
            (1, Value::Integer(2)),
            (3, Value::Integer(-7)),
            (-1, Value::Integer(1)),
            (-2, Value::Bytes(vec![7; 32])),
            (-3, Value::Bytes(vec![9; 32])),
        ]);
        assert_eq!(read, expected);
    }

    #[test]
    fn other_points_are_refused() {
        assert_eq!(es256(&[4; 64]), None);
        assert_eq!(es256(&[4; 66]), None);
        assert_eq!(es256(&[2; 65]), None);
    }
}
