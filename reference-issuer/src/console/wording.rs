//! Words for people.

use clp_schemas::ops::discover::CredentialType;
use clp_schemas::ops::request::RequestBody;
use clp_schemas::permissions::Risk;
use clp_schemas::time::Timestamp;
pub(super) use clp_schemas::words::clean;

/// The language of the page.
pub(super) const LANGUAGE: &str = "en";

/// A time span in the two largest units that it has.
pub(super) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let count = left / size;
        left %= size;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    match parts.is_empty() {
        true => "no time".to_owned(),
        false => parts.join(" "),
    }
}

/// A point in time, for reading and for machines.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// RFC 3339.
    pub(super) exact: String,
    /// For people.
    pub(super) words: String,
}

/// A point in time as it is seen from `now`.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> Moment {
    let exact = at.to_string();
    let minute = exact.get(..16).unwrap_or(&exact);
    let utc = format!("{} UTC", minute.replace('T', " "));
    let away = at.unix() - now.unix();
    // To the minute, and beyond a day to the hour: more is noise.
    let grain = match away.unsigned_abs() {
        0..60 => 1,
        60..86_400 => 60,
        _ => 3600,
    };
    let span = duration(away.unsigned_abs() / grain * grain);
    let words = match away {
        -59..=0 => format!("{utc}, just now"),
        1.. => format!("{utc}, in {span}"),
        _ => format!("{utc}, {span} ago"),
    };
    Moment { exact, words }
}

/// A type of credential.
pub(super) const fn kind(kind: CredentialType) -> &'static str {
    match kind {
        CredentialType::ApiKey => "API key",
        CredentialType::OauthClient => "OAuth client",
        CredentialType::ServiceAccount => "service account",
        CredentialType::WebhookSecret => "webhook secret",
    }
}

/// Access does not end with the credential where it can be renewed.
pub(super) fn renewal(asked: &RequestBody, now: Timestamp) -> String {
    if asked.emergency.is_some() {
        return "It is an emergency, for which fewer people are asked than otherwise. It cannot be \
                renewed without asking again."
            .to_owned();
    }
    let policy = asked.rotation_policy.as_ref();
    match policy.and_then(|policy| policy.renewable_until) {
        Some(until) => format!(
            "It can be renewed by rotation without asking again, until {}.",
            moment(until, now).words
        ),
        None => {
            "It can be renewed by rotation without asking again, and without an end.".to_owned()
        }
    }
}

/// A risk, for a class of the style sheet and for people.
pub(super) fn risk(risk: Risk) -> (&'static str, &'static str) {
    match risk {
        Risk::Low => (
            "low",
            "Low risk: nothing is changed, and little is revealed.",
        ),
        Risk::Medium => (
            "medium",
            "Medium risk: changes that are easily undone, or data that is not public.",
        ),
        Risk::High => (
            "high",
            "High risk: changes that are hard to undo, or data about people.",
        ),
        Risk::Critical => (
            "critical",
            "Critical risk: money moved, access granted, or everything deleted.",
        ),
    }
}

/// What somebody else wrote, line by line, and whether something of it cannot be shown.
#[derive(Clone, Debug)]
pub(super) struct Quoted {
    /// The lines.
    pub(super) lines: Vec<String>,
    /// Whether characters were left out.
    pub(super) is_cut: bool,
}

/// Other people's words. Line breaks stay; nothing else that controls does.
pub(super) fn quoted(text: &str) -> Quoted {
    let lines: Vec<String> = text.lines().map(clean).collect();
    let kept: usize = lines.iter().map(|line| line.chars().count()).sum();
    let given: usize = text.lines().map(|line| line.chars().count()).sum();
    Quoted {
        lines,
        is_cut: kept != given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_words() {
        for (seconds, words) in [
            (0, "no time"),
            (1, "1 second"),
            (3600, "1 hour"),
            (5400, "1 hour 30 minutes"),
            (43_200, "12 hours"),
            (2_592_000, "30 days"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn moments_are_seen_from_now() {
        let now = Timestamp::from_unix(1_800_000_000);
        let words = |seconds| moment(now.plus(seconds), now).words;
        assert!(words(0).ends_with(", just now"), "{}", words(0));
        assert!(words(3661).ends_with(" UTC, in 1 hour 1 minute"));
        assert!(words(-90_061).ends_with(" UTC, 1 day 1 hour ago"));
    }

    #[test]
    fn what_controls_is_left_out_and_said_to_be() {
        let said = quoted("approve\u{202e}yes\n<b>now</b>");
        assert_eq!(said.lines, ["approveyes", "<b>now</b>"]);
        assert!(said.is_cut);
        assert!(!quoted("two\nlines").is_cut);
    }
}
