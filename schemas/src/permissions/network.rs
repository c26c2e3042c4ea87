//! IP networks in CIDR notation (RFC 4632, RFC 4291 section 2.3), as far as needed to
//! compare sets of them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: every address whose leading bits are these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network {
    /// 32 or 128.
    width: u8,
    /// The address, with every bit beyond the prefix zero.
    bits: u128,
    /// How many leading bits are fixed, at most `width`.
    length: u8,
}

impl Network {
    /// `None` where the text is no network, where bits beyond the prefix are set, and for
    /// IPv4-mapped IPv6 networks, which [`address`] could never fall into.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        if address.to_canonical() != address {
            return None;
        }
        let number: u8 = length.parse().ok()?;
        // `+8` and `08` parse as numbers, and would be second spellings.
        let whole = Self::host(address);
        (number.to_string() == length && number <= whole.width)
            .then(|| whole.truncated(number))
            .filter(|network| network.bits == whole.bits)
    }

    /// The network of one address.
    pub(super) fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self {
                width: 32,
                bits: u128::from(address.to_bits()),
                length: 32,
            },
            IpAddr::V6(address) => Self {
                width: 128,
                bits: address.to_bits(),
                length: 128,
            },
        }
    }

    /// The network of the first `length` bits; `length` is at most the present one.
    fn truncated(self, length: u8) -> Self {
        let host_bits = u32::from(self.width - length);
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Self {
            bits: self.bits & mask,
            length,
            ..self
        }
    }

    /// Whether every address of `inner` is in this network.
    pub(super) fn contains(self, inner: Self) -> bool {
        self.length <= inner.length && inner.truncated(self.length) == self
    }

    /// The network one bit shorter, and the other half of it; `None` for a whole family.
    fn parent_and_sibling(self) -> Option<(Self, Self)> {
        let length = self.length.checked_sub(1)?;
        let last_bit = 1 << (self.width - self.length);
        let sibling = Self {
            bits: self.bits ^ last_bit,
            ..self
        };
        Some((self.truncated(length), sibling))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match u32::try_from(self.bits) {
            Ok(bits) if self.width == 32 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(self.bits)),
        };
        write!(formatter, "{address}/{}", self.length)
    }
}

/// Reads the address of a caller. An IPv4-mapped IPv6 address, as sockets that serve both
/// families report, is the IPv4 address.
pub(super) fn address(text: &str) -> Option<Network> {
    let address: IpAddr = text.parse().ok()?;
    Some(Network::host(address.to_canonical()))
}

/// The fewest networks with the same addresses. A network is covered by several together
/// exactly if it is within one of the result, which makes comparing sets exact.
pub(super) fn aggregate(networks: impl IntoIterator<Item = Network>) -> BTreeSet<Network> {
    let mut result: BTreeSet<Network> = BTreeSet::new();
    let mut waiting: Vec<Network> = networks.into_iter().collect();
    while let Some(network) = waiting.pop() {
        if result.iter().any(|outer| outer.contains(network)) {
            continue;
        }
        result.retain(|inner| !network.contains(*inner));
        match network.parent_and_sibling() {
            Some((parent, sibling)) if result.remove(&sibling) => waiting.push(parent),
            _ => {
                result.insert(network);
            }
        }
    }
    result
}

/// The fewest networks with the addresses that two sets have in common. Of two networks one
/// contains the other or they share nothing.
pub(super) fn common(one: &BTreeSet<Network>, other: &BTreeSet<Network>) -> BTreeSet<Network> {
    let within = |inner: &BTreeSet<Network>, outer: &BTreeSet<Network>| -> Vec<Network> {
        inner
            .iter()
            .filter(|network| outer.iter().any(|wide| wide.contains(**network)))
            .copied()
            .collect()
    };
    aggregate(within(one, other).into_iter().chain(within(other, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortest(texts: &[&str]) -> Vec<String> {
        let networks = texts.iter().map(|text| Network::parse(text).unwrap());
        aggregate(networks)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn one_network_has_one_spelling_of_its_length_and_no_stray_bits() {
        for text in [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.1.2.3/32",
            "::/0",
            "2001:db8::/32",
            "::1/128",
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "010.0.0.0/8",
            "10.0.0/8",
            "::/129",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
            "fe80::1%eth0/128",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn halves_join_and_what_is_covered_goes() {
        assert_eq!(shortest(&["10.0.0.0/9", "10.128.0.0/9"]), ["10.0.0.0/8"]);
        assert_eq!(
            shortest(&["10.0.0.0/10", "10.128.0.0/9", "10.64.0.0/10"]),
            ["10.0.0.0/8"]
        );
        assert_eq!(
            shortest(&["10.1.0.0/16", "10.0.0.0/8", "10.1.2.3/32"]),
            ["10.0.0.0/8"]
        );
        assert_eq!(
            shortest(&["0.0.0.0/1", "128.0.0.0/1", "::/0"]),
            ["0.0.0.0/0", "::/0"]
        );
        assert_eq!(shortest(&["10.64.0.0/10", "10.128.0.0/10"]).len(), 2);
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_one() {
        let private = Network::parse("10.0.0.0/8").unwrap();
        assert!(private.contains(address("::ffff:10.1.2.3").unwrap()));
        assert!(
            !Network::parse("::/0")
                .unwrap()
                .contains(address("10.1.2.3").unwrap())
        );
        assert_eq!(address("10.1.2.3/32"), None);
    }
}
