//! Which URLs and addresses may be called at all (spec chapters 10 and 90).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::NotAllowed;

/// What a run allows beyond public https. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// http, and loopback addresses, where the host itself is called `localhost` or is a
    /// loopback address. A public name that resolves to one stays refused: whoever holds
    /// the name could otherwise reach services of this machine.
    pub loopback_http: bool,
    /// Addresses that are not public: the issuer is in the user's own network.
    pub private_addresses: bool,
    /// Issuers that call themselves `test`.
    pub test_issuer: bool,
}

impl Policy {
    /// Checks everything about a URL that can be seen before its name is resolved.
    ///
    /// # Errors
    /// [`NotAllowed`].
    pub fn check_url(self, url: &Url) -> Result<(), NotAllowed> {
        let host = url.host().ok_or(NotAllowed::UrlForm)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAllowed::UrlForm);
        }
        match url.scheme() {
            "https" => {}
            "http" if !is_local_host(&host) => return Err(NotAllowed::Scheme),
            "http" if !self.loopback_http => return Err(NotAllowed::LoopbackHttp),
            "http" => {}
            _ => return Err(NotAllowed::Scheme),
        }
        match host {
            // A name is checked when it is resolved.
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.admit(true, address.into()),
            Host::Ipv6(address) => self.admit(true, address.into()),
        }
    }

    /// Checks the addresses that a name resolved to. One that is refused refuses all: a
    /// name that leads inside half of the time is no name of a public service.
    ///
    /// # Errors
    /// [`NotAllowed::Address`].
    pub fn check_addresses(
        self,
        name: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<(), NotAllowed> {
        let local = is_local_name(name);
        addresses
            .into_iter()
            .try_for_each(|address| self.admit(local, address))
    }

    fn admit(self, local_host: bool, address: IpAddr) -> Result<(), NotAllowed> {
        let address = embedded(address);
        let admitted = is_public(address)
            || self.private_addresses
            || (self.loopback_http && local_host && address.is_loopback());
        if admitted {
            Ok(())
        } else {
            Err(NotAllowed::Address)
        }
    }
}

fn is_local_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_local_name(name),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// RFC 6761 section 6.3.
fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.')
        .next()
        .is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
}

/// The IPv4 address that an IPv6 address stands for (RFC 4291 section 2.5.5, RFC 6052,
/// RFC 3056), since a packet to the one can end at the other.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    let [a, b, c, .., y, z] = six.segments();
    let from = |high: u16, low: u16| {
        let [h0, h1] = high.to_be_bytes();
        let [l0, l1] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(h0, h1, l0, l1))
    };
    match (a, b) {
        (0x0064, 0xff9b) => from(y, z),
        (0x2002, high) => from(high, c),
        _ => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_public_v4(four),
        IpAddr::V6(six) => is_public_v6(six),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || shared
        || protocol
        || benchmark
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local())
}

/// Only 2000::/3 is assigned for global unicast (RFC 4291 section 2.4 and IANA's registry):
/// naming what is public leaves no private range to be forgotten.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, ..] = address.segments();
    first & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Policy = Policy {
        loopback_http: false,
        private_addresses: false,
        test_issuer: false,
    };
    const LOOPBACK: Policy = Policy {
        loopback_http: true,
        ..NONE
    };
    const PRIVATE: Policy = Policy {
        private_addresses: true,
        ..NONE
    };

    fn url(policy: Policy, text: &str) -> Result<(), NotAllowed> {
        policy.check_url(&text.parse().unwrap())
    }

    #[test]
    fn urls() {
        assert_eq!(url(NONE, "https://api.example.com/x"), Ok(()));
        assert_eq!(
            url(LOOPBACK, "http://api.example.com/"),
            Err(NotAllowed::Scheme)
        );
        assert_eq!(
            url(LOOPBACK, "ftp://api.example.com/"),
            Err(NotAllowed::Scheme)
        );
        assert_eq!(
            url(LOOPBACK, "file:///etc/passwd"),
            Err(NotAllowed::UrlForm)
        );
        assert_eq!(
            url(NONE, "https://u:p@api.example.com/"),
            Err(NotAllowed::UrlForm)
        );
        assert_eq!(
            url(NONE, "http://localhost:1/"),
            Err(NotAllowed::LoopbackHttp)
        );
        for local in [
            "http://localhost:1/",
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://a.localhost/",
        ] {
            assert_eq!(url(LOOPBACK, local), Ok(()), "{local}");
        }
        for inside in [
            "https://10.0.0.1/",
            "https://127.0.0.1/",
            "https://[fd00::1]/",
            "https://0x7f.1/",
        ] {
            assert_eq!(url(NONE, inside), Err(NotAllowed::Address), "{inside}");
            assert_eq!(url(PRIVATE, inside), Ok(()), "{inside}");
        }
        // Loopback is allowed, the rest of the network is not.
        assert_eq!(url(LOOPBACK, "https://10.0.0.1/"), Err(NotAllowed::Address));
    }

    #[test]
    fn addresses() {
        let check = |policy: Policy, name: &str, address: &str| {
            policy.check_addresses(name, [address.parse().unwrap()])
        };
        for public in [
            "8.8.8.8",
            "2606:4700::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert_eq!(check(NONE, "a.example", public), Ok(()), "{public}");
        }
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b::7f00:1",
            "2002:a00:1::",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::7f00:1",
        ] {
            assert_eq!(
                check(NONE, "a.example", inside),
                Err(NotAllowed::Address),
                "{inside}"
            );
            assert_eq!(
                check(LOOPBACK, "a.example", inside),
                Err(NotAllowed::Address),
                "{inside}"
            );
            assert_eq!(check(PRIVATE, "a.example", inside), Ok(()), "{inside}");
        }
        assert_eq!(check(LOOPBACK, "localhost", "127.0.0.1"), Ok(()));
        assert_eq!(check(LOOPBACK, "localhost.", "::1"), Ok(()));
        assert_eq!(
            check(LOOPBACK, "localhost", "10.0.0.1"),
            Err(NotAllowed::Address)
        );
    }

    #[test]
    fn one_private_address_refuses_all() {
        let addresses = ["8.8.8.8", "10.0.0.1"].map(|text| text.parse().unwrap());
        assert_eq!(
            NONE.check_addresses("a.example", addresses),
            Err(NotAllowed::Address)
        );
    }
}
