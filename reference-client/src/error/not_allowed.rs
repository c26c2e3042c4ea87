//! What a run was not allowed.

/// What the settings of a run forbid. Each can be allowed by the flag that the hint names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Not https, and not http on a loopback address either.
    #[error("the URL is not https")]
    Scheme,
    /// http on a loopback address, which has to be allowed first.
    #[error("the URL is http on a loopback address")]
    LoopbackHttp,
    /// User name, password, query, fragment, or no host.
    #[error("the URL has no host, or has a user name, a query or a fragment")]
    UrlForm,
    /// The host is, or resolves to, an address that is not public.
    #[error("the host has a private, link-local or loopback address")]
    Address,
    /// The manifest says `environment: test`.
    #[error("the issuer is a test issuer: its clock and its approvals prove nothing")]
    TestIssuer,
}
