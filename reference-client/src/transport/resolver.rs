//! Resolves names for the HTTP library and checks what they resolve to. The library connects
//! to the very addresses answered here, so that no second lookup can give another.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Policy;

#[derive(Debug)]
pub(super) struct CheckedResolver {
    pub(super) policy: Policy,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
            policy.check_addresses(name, found.iter().map(std::net::SocketAddr::ip))?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
