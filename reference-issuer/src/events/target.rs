//! Where events may be sent: to public addresses, so that nobody makes the issuer call what
//! only it can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use clp_schemas::ops::discover::Deployment;
use url::{Host, Url};

/// How long a name may take to be resolved.
const LOOKUP_TIME: Duration = Duration::from_secs(2);

/// Reads a target: http or https, with a host, and without user, password and fragment.
pub(crate) fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    is_plain.then_some(url)
}

/// The addresses of a host that nobody has to be asked about: a literal, or the name that
/// always means this machine (RFC 6761 section 6.3).
pub(crate) fn known_addresses(url: &Url) -> Option<Vec<IpAddr>> {
    match url.host()? {
        Host::Ipv4(address) => Some(vec![address.into()]),
        Host::Ipv6(address) => Some(vec![address.into()]),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            (name == "localhost" || name.ends_with(".localhost"))
                .then(|| vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
    }
}

/// The addresses that a target has now; none where its name leads nowhere.
pub(crate) async fn addresses(url: &Url) -> Vec<IpAddr> {
    if let Some(known) = known_addresses(url) {
        return known;
    }
    let Some(host) = url.host_str() else {
        return Vec::new();
    };
    let found = tokio::time::timeout(LOOKUP_TIME, tokio::net::lookup_host((host, 0))).await;
    match found {
        Ok(Ok(addresses)) => addresses.map(|address| address.ip()).collect(),
        _ => Vec::new(),
    }
}

/// Whether events may be sent to a target with these addresses. In tests it can be this
/// machine; otherwise it is https, and every address is public.
pub(crate) fn is_allowed(url: &Url, addresses: &[IpAddr], environment: Deployment) -> bool {
    let is_here = !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback);
    if is_here {
        return environment == Deployment::Test;
    }
    url.scheme() == "https" && addresses.iter().all(|address| is_public(*address))
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let [first, second, .., high, low] = address.segments();
            let within = (u32::from(high) << 16) | u32::from(low);
            // NAT64 (RFC 6052) and 6to4 (RFC 3056) hold an IPv4 address that is gone to.
            let translated = match (first, second) {
                (0x64, 0xff9b) => is_public_v4(Ipv4Addr::from(within)),
                (0x2002, _) => false,
                _ => true,
            };
            translated
                && !address.is_loopback()
                && !address.is_unspecified()
                && !address.is_multicast()
                && !address.is_unique_local()
                && !address.is_unicast_link_local()
                && first != 0
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_benchmark = first == 198 && (second == 18 || second == 19);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || is_shared
        || is_benchmark
        || (first, second, third) == (192, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str, environment: Deployment) -> bool {
        let url = parse(text).unwrap();
        is_allowed(
            &url,
            &known_addresses(&url).unwrap_or_default(),
            environment,
        )
    }

    #[test]
    fn a_target_is_public_or_this_machine_in_tests() {
        for public in [
            "https://hooks.example/a?b=c",
            "https://192.0.2.1:8443/",
            "https://[2001:db8::1]/",
        ] {
            assert!(allowed(public, Deployment::Production), "{public}");
            assert!(allowed(public, Deployment::Test), "{public}");
        }
        for here in [
            "http://127.0.0.1:9/",
            "http://localhost/x",
            "https://[::1]:1/",
            "http://a.localhost/",
        ] {
            assert!(!allowed(here, Deployment::Production), "{here}");
            assert!(allowed(here, Deployment::Test), "{here}");
        }
        for refused in [
            "http://hooks.example/",
            "http://192.0.2.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/",
            "https://192.168.1.1/",
            "https://0.0.0.0/",
            "https://100.64.0.1/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[::]/",
        ] {
            assert!(!allowed(refused, Deployment::Test), "{refused}");
        }
    }

    #[test]
    fn a_target_is_an_url_of_a_host_and_nothing_more() {
        for refused in [
            "ftp://hooks.example/",
            "https://user@hooks.example/",
            "https://:pw@hooks.example/",
            "https://hooks.example/#x",
            "hooks.example",
            "https://",
            "mailto:a@hooks.example",
        ] {
            assert!(parse(refused).is_none(), "{refused}");
        }
    }
}
