//! Saboteurs of what is the same for every endpoint: version, authentication, paths and the order
//! of checks (specification chapter 02).

use clp_schemas::problem::ProblemType;
use serde_json::json;

use super::Saboteur;

pub(super) const ALL: &[Saboteur] = &[
    Saboteur::tamper(
        "CLP-TRN-001",
        "does not say its version in a refusal",
        |_, answer| {
            if answer.status >= 400 {
                answer.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-001/another",
        "says another version in its answers",
        |_, answer| answer.set("clp-version", "1.1"),
    ),
    Saboteur::skip(
        "CLP-TRN-002",
        "reads a call of whatever version",
        &["CLP-TRN-002"],
    ),
    Saboteur::mishear(
        "CLP-TRN-002/discovery",
        "shows its manifest in whatever version",
        |asked| {
            if asked.endpoint == "manifest_read" {
                asked.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-002/text",
        "takes a version that is no number for its own",
        |asked| {
            if !asked
                .header("clp-version")
                .starts_with(|letter: char| letter.is_ascii_digit())
            {
                asked.headers.remove("clp-version");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-013",
        "answers an unknown token as one that may not",
        |asked, answer| {
            if asked.has("authorization") && answer.is_problem("unauthenticated") {
                answer.refuse(ProblemType::Forbidden);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-013/none",
        "hides a credential from whoever sends no token",
        |asked, answer| {
            if !asked.has("authorization") && answer.is_problem("unauthenticated") {
                answer.refuse(ProblemType::NotFound);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-013/scheme",
        "takes a token under whatever scheme it comes",
        |asked| {
            if asked.endpoint == "credential_read"
                && let Some(token) = asked.header("authorization").strip_prefix("Basic ")
            {
                let bearer = format!("Bearer {token}");
                asked.set("authorization", &bearer);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-014",
        "does not say where to look for a token where none was sent",
        |asked, answer| {
            if !asked.has("authorization") {
                answer.headers.remove("www-authenticate");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-014/parameter",
        "names the scheme of a token, and not where to look",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.is_problem("unauthenticated") {
                answer.set("www-authenticate", "Bearer");
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-015", "takes a token out of the query", |asked| {
        if asked.endpoint != "elsewhere" {
            super::take_token_from_query(asked);
        }
    }),
    Saboteur::tamper(
        "CLP-TRN-016",
        "reads the body before it knows who calls",
        |asked, answer| {
            let is_early = matches!(answer.status, 401 | 403 | 404);
            if is_early && !asked.body.is_empty() && asked.json().is_null() {
                answer.refuse(ProblemType::InvalidJson);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/schema",
        "holds a body to its schema before it says who may",
        |asked, answer| {
            let reason = &asked.json()["reason"];
            let is_odd = reason.as_str().is_some_and(|text| text.contains('-'));
            if is_odd && matches!(answer.status, 403 | 404) {
                answer.refuse(ProblemType::InvalidRequest);
                answer.edit(|body| body["pointer"] = json!("/reason"));
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/key",
        "asks for a key before it says who may",
        |asked, answer| {
            let takes_one = matches!(asked.endpoint, "credential_create" | "rotation_open");
            if takes_one && !asked.has("idempotency-key") && answer.is_problem("forbidden") {
                answer.refuse(ProblemType::IdempotencyKeyMissing);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/media",
        "looks at the media type before it says who may",
        |asked, answer| {
            if asked.header("content-type") == "text/plain" && answer.is_problem("forbidden") {
                answer.refuse(ProblemType::UnsupportedMediaType);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/version",
        "wants to know who calls before it looks at the version",
        |asked, answer| {
            if !asked.has("authorization")
                && asked.endpoint == "rotation_open"
                && answer.is_problem("version-not-supported")
            {
                answer.refuse(ProblemType::Unauthenticated);
                answer.set(
                    "www-authenticate",
                    "Bearer resource_metadata=\"https://issuer.example/\"",
                );
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/size",
        "looks at the size before it looks at the version",
        |asked, answer| {
            if asked.body.len() > 262_144 && answer.is_problem("version-not-supported") {
                answer.refuse(ProblemType::BodyTooLarge);
            }
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-016/bytes",
        "reads a body to its end before it names a fault",
        |asked| {
            if asked.json().is_null() {
                asked.replace(r#""more":1,"more":1,"#, r#""more":1,"#);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/meaning",
        "looks at what a body means before it looks for a key",
        |asked, answer| {
            if asked.json()["environment"] == "mars" && answer.is_problem("idempotency-key-missing")
            {
                answer.refuse(ProblemType::UnknownEnvironment);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-016/who",
        "looks at what a create means before it says who may",
        |asked, answer| {
            if asked.json()["environment"] == "mars" && answer.is_problem("forbidden") {
                answer.refuse(ProblemType::UnknownEnvironment);
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-031",
        "lets what is read be cached",
        |asked, answer| {
            if asked.method == "GET" && answer.json()["credential_id"].is_string() {
                answer.headers.remove("cache-control");
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-031/private",
        "lets whoever asked keep its refusals",
        |asked, answer| {
            if asked.endpoint != "elsewhere" && answer.status >= 400 {
                answer.set("cache-control", "private");
            }
        },
    ),
    Saboteur::skip(
        "CLP-TRN-034",
        "hides what there is from a method that it has not",
        &["CLP-TRN-034"],
    ),
    Saboteur::tamper(
        "CLP-TRN-034/allow",
        "does not say which methods there are",
        |_, answer| {
            answer.headers.remove("allow");
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-034/options",
        "tells every site what may be done",
        |asked, answer| {
            if asked.method == "OPTIONS" {
                answer.status = 204;
                answer.body.clear();
            }
        },
    ),
    Saboteur::tamper(
        "CLP-TRN-039",
        "has another problem for a member of a profile that it does not claim",
        |asked, answer| {
            let body = asked.json();
            let of_profile = ["webhook", "cnf", "plan"]
                .iter()
                .any(|name| !body[name].is_null());
            if of_profile && answer.is_problem("invalid-request") {
                answer.refuse(ProblemType::TypeMismatch);
            }
        },
    ),
    Saboteur::mishear("CLP-TRN-040", "carries out a HEAD like a GET", |asked| {
        if asked.method == "HEAD" {
            "GET".clone_into(&mut asked.method);
        }
    }),
    Saboteur::mishear(
        "CLP-TRN-041",
        "decodes a path before it looks for it",
        |asked| asked.target = asked.target.replace("%64", "d"),
    ),
    Saboteur::mishear(
        "CLP-TRN-041/slash",
        "passes over a slash at the end of a path",
        |asked| {
            let path = asked.path().trim_end_matches('/').to_owned();
            asked.target = asked.target.replacen(asked.path(), &path, 1);
        },
    ),
    Saboteur::mishear(
        "CLP-TRN-041/empty",
        "passes over an empty segment",
        |asked| asked.target = asked.target.replacen("//", "/", 1),
    ),
];
