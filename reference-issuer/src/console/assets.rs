//! The files of the page: one style sheet, and scripts that are loaded as modules. They are the
//! same for everybody and tell nothing.

use crate::http::Reply;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, media type and text of each.
const FILES: &[(&str, &str, &str)] = &[
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("page.css", STYLE, include_str!("page/page.css")),
    ("canonical.js", SCRIPT, include_str!("page/canonical.js")),
    ("passkey.js", SCRIPT, include_str!("page/passkey.js")),
    ("sign-in.js", SCRIPT, include_str!("page/sign-in.js")),
    ("enrol.js", SCRIPT, include_str!("page/enrol.js")),
    ("callback.js", SCRIPT, include_str!("page/callback.js")),
    ("decide.js", SCRIPT, include_str!("page/decide.js")),
];

/// The file of this name.
pub(super) fn find(name: &str) -> Option<Reply> {
    let (_, media, text) = FILES.iter().find(|(known, ..)| *known == name)?;
    Some(Reply::text(200, media, (*text).to_owned()))
}
