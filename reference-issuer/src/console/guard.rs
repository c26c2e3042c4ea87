//! What keeps other sites out: who may send something to the page, and what a browser may do
//! with what it answers.

use axum::http::HeaderName;
use axum::http::header::{CONTENT_SECURITY_POLICY, ORIGIN, REFERRER_POLICY};
use clp_schemas::problem::{Problem, ProblemType};

use crate::http::{Inbound, Reply};
use crate::rules::Rule;
use crate::service::Service;

/// Where something that is sent comes from.
struct Sender {
    is_this_origin: bool,
    is_this_site: bool,
}

/// A cookie alone proves nothing: all ports of this machine are one site to a browser.
const RULES: &[Rule<Sender>] = &[Rule {
    id: "CLP-PAG-006",
    refuses: |sender| {
        (!(sender.is_this_origin && sender.is_this_site)).then(|| {
            Problem::new(ProblemType::Forbidden)
                .detail("only the approval page itself may ask this")
        })
    },
}];

/// Holds what is sent to having been sent by the page.
///
/// # Errors
/// `forbidden`.
pub(super) fn check(service: &Service, inbound: &Inbound) -> Result<(), Problem> {
    const FETCH_SITE: &str = "sec-fetch-site";
    let sender = Sender {
        is_this_origin: inbound.only(ORIGIN.as_str()) == Some(service.origin.as_str()),
        // Older browsers do not say; where it is said, it has to be right.
        is_this_site: !inbound.headers.contains_key(FETCH_SITE)
            || inbound.only(FETCH_SITE) == Some("same-origin"),
    };
    service.seams.check(RULES, &sender)
}

/// Scripts and styles are files of this origin. Nothing else is loaded, nothing is framed, no
/// form is sent anywhere else, and no text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// The same with the header fields that everything below the page's path has.
pub(super) fn dressed(reply: Reply) -> Reply {
    let fields = [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        (
            "permissions-policy",
            "publickey-credentials-get=(self), publickey-credentials-create=(self), \
             camera=(), geolocation=(), microphone=()",
        ),
    ];
    let reply = reply
        .caching("no-store")
        .with(CONTENT_SECURITY_POLICY, POLICY)
        .with(REFERRER_POLICY, "no-referrer");
    fields.into_iter().fold(reply, |reply, (name, value)| {
        reply.with(HeaderName::from_static(name), value)
    })
}
