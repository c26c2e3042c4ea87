//! What a step is to the loader: a call, the same call changed, a verdict, or something else.
//!
//! A refusal counts only next to its accepted twin, so the loader has to know which step
//! is which before anything runs.

/// What a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// A call that what follows refers to.
    Call {
        /// Name out of the endpoint table, or `resource`.
        endpoint: String,
    },
    /// The same call once more.
    Again {
        /// What is different this time, if anything is.
        change: Option<String>,
    },
    /// The last call was carried out.
    Accepted,
    /// The last call was refused.
    Refused {
        /// The problem's name; at a resource, its error code.
        problem: String,
    },
    /// Something else that is done, or checked.
    Other,
}

/// Tells what a step is by its text alone.
#[must_use]
pub fn phrase(text: &str) -> Phrase {
    let text = text.trim().trim_end_matches(':').trim_end();
    if text == "the last call is sent again" {
        return Phrase::Again { change: None };
    }
    if let Some(rest) = text.strip_prefix("the same call is ") {
        let change = rest
            .strip_prefix("made")
            .or_else(|| rest.strip_prefix("repeated"))
            .unwrap_or(rest)
            .trim();
        let change = (!change.is_empty() && change != "again").then(|| change.to_owned());
        return Phrase::Again { change };
    }
    if text == "it is accepted" || text == "it is served" {
        return Phrase::Accepted;
    }
    if let Some(problem) = text.strip_prefix("it is refused as ") {
        return Phrase::Refused {
            problem: problem.to_owned(),
        };
    }
    if let Some((_, code)) = text
        .strip_prefix("it is refused with ")
        .and_then(|rest| rest.split_once(" and "))
    {
        return Phrase::Refused {
            problem: code.to_owned(),
        };
    }
    match text.split_once(" calls ") {
        Some((_, rest)) if rest.starts_with("the ") && rest.contains(" probe") => Phrase::Call {
            endpoint: "resource".to_owned(),
        },
        Some((_, rest)) => Phrase::Call {
            endpoint: rest.split(' ').next().unwrap_or_default().to_owned(),
        },
        None => Phrase::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_apart() {
        let call = |endpoint: &str| Phrase::Call {
            endpoint: endpoint.to_owned(),
        };
        let again = |change: Option<&str>| Phrase::Again {
            change: change.map(str::to_owned),
        };
        let refused = |problem: &str| Phrase::Refused {
            problem: problem.to_owned(),
        };
        for (text, expected) in [
            (
                "Ana calls credential_create with:",
                call("credential_create"),
            ),
            (
                "the key of first calls credential_revoke on first",
                call("credential_revoke"),
            ),
            ("the key calls the read probe", call("resource")),
            ("the same call is made again", again(None)),
            ("the same call is repeated", again(None)),
            ("the last call is sent again", again(None)),
            ("the same call is made by Cleo", again(Some("by Cleo"))),
            ("the same call is made with:", again(Some("with"))),
            ("it is accepted", Phrase::Accepted),
            ("it is served", Phrase::Accepted),
            ("it is refused as not-found", refused("not-found")),
            (
                "it is refused with 403 and insufficient_scope",
                refused("insufficient_scope"),
            ),
            ("the clock advances by 901 seconds", Phrase::Other),
        ] {
            assert_eq!(phrase(text), expected, "{text}");
        }
    }
}
