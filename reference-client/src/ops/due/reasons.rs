//! Why a credential is due, and whether a rotation would help.

use clp_schemas::ops::create::Credential;
use clp_schemas::state::credential::State;
use clp_schemas::time::Timestamp;
use serde::Serialize;

/// Why a credential is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub(crate) enum Why {
    /// It ends by itself.
    Expires {
        /// When.
        at: Timestamp,
    },
    /// Its policy wants it rotated this often.
    RotateEvery {
        /// When it is so old.
        at: Timestamp,
        /// How often, in seconds.
        rotate_every_seconds: u64,
    },
    /// From then on no successor lives.
    RenewableUntil {
        /// When.
        at: Timestamp,
    },
    /// It was replaced, and lives on longer than its policy wants both to.
    Overlap {
        /// When both have lived side by side for so long.
        at: Timestamp,
        /// How long, in seconds.
        max_overlap_seconds: u64,
    },
}

impl Why {
    /// When it is due.
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Expires { at }
            | Self::RotateEvery { at, .. }
            | Self::RenewableUntil { at }
            | Self::Overlap { at, .. } => *at,
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expires { at } => write!(to, "expires {at}"),
            Self::RotateEvery {
                at,
                rotate_every_seconds,
            } => write!(
                to,
                "to be rotated every {} by {at}",
                span(*rotate_every_seconds)
            ),
            Self::RenewableUntil { at } => write!(to, "no successor lives beyond {at}"),
            Self::Overlap {
                at,
                max_overlap_seconds,
            } => write!(
                to,
                "replaced, and still alive after {} of overlap at {at}",
                span(*max_overlap_seconds)
            ),
        }
    }
}

/// A length of time for people, in its largest unit that divides it.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let fits = units.iter().find(|(size, _)| seconds.is_multiple_of(*size));
    match fits {
        Some((size, unit)) if seconds > 0 => format!("{}{unit}", seconds / size),
        _ => format!("{seconds}s"),
    }
}

/// Why this credential is due by `until`, soonest first. `replaced_at` is when its successor was
/// made. What has ended, or was never fetched, is not in use, and so is never due.
pub(super) fn reasons(
    credential: &Credential,
    replaced_at: Option<Timestamp>,
    until: Timestamp,
) -> Vec<Why> {
    let mut all = Vec::new();
    if !credential.state.is_live() || credential.state == State::Provisioned {
        return all;
    }
    let later =
        |from: Timestamp, seconds: u64| from.plus(i64::try_from(seconds).unwrap_or(i64::MAX));
    all.extend(credential.expires_at.map(|at| Why::Expires { at }));
    if let Some(policy) = &credential.rotation_policy {
        all.extend(policy.rotate_every_seconds.map(|every| Why::RotateEvery {
            at: later(credential.created_at, every),
            rotate_every_seconds: every,
        }));
        let end = policy.renewable_until;
        all.extend(end.map(|at| Why::RenewableUntil { at }));
        if let (Some(max), Some(since)) = (policy.max_overlap_seconds, replaced_at) {
            all.push(Why::Overlap {
                at: later(since, max),
                max_overlap_seconds: max,
            });
        }
    }
    all.retain(|why| why.at() <= until);
    all.sort_by_key(Why::at);
    all
}

/// Whether a rotation would change anything for one of these reasons: not for one that lives as
/// long as its policy lets any successor live, and not yet for one that is fresh. What lives
/// shorter than is looked ahead would otherwise be rotated by every run; it comes in the last
/// third of its life.
pub(super) fn is_helped(credential: &Credential, why: &[Why], now: Timestamp) -> bool {
    let policy = credential.rotation_policy.as_ref();
    let end = policy.and_then(|policy| policy.renewable_until);
    let spent = |at: Timestamp| {
        let life = at.unix().saturating_sub(credential.created_at.unix());
        at.unix().saturating_sub(now.unix()) <= life / 3
    };
    why.iter().any(|one| match one {
        Why::Expires { at } => end.is_none_or(|end| *at < end) && spent(*at),
        Why::RotateEvery { at, .. } => spent(*at),
        Why::RenewableUntil { .. } => false,
        Why::Overlap { .. } => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn credential(more: Value) -> Credential {
        let mut value = json!({
            "id": "cred_0123456789abcdefghij", "type": "api_key", "state": "active", "purpose": "x",
            "owner": "data-team", "project": "atlas", "environment": "staging",
            "permissions": [{"resource_type": "event", "selector": "*", "actions": ["read"]}],
            "permission_schema_digest": format!("sha256:{}", "0".repeat(64)), "key_id": "0123456789abcdef",
            "created_at": "2026-01-01T00:00:00Z", "created_by": "prin_0123456789abcdefghij",
            "created_via": {"kind": "direct"}, "labels": {}, "disclosed_to": []});
        for (name, new) in more.as_object().unwrap() {
            value[name] = new.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    fn names(credential: &Credential, replaced: Option<&str>, until: &str) -> Vec<&'static str> {
        let why = reasons(credential, replaced.map(at), at(until));
        why.iter()
            .map(|one| match one {
                Why::Expires { .. } => "expires",
                Why::RotateEvery { .. } => "rotate_every",
                Why::RenewableUntil { .. } => "renewable_until",
                Why::Overlap { .. } => "overlap",
            })
            .collect()
    }

    #[test]
    fn each_reason_begins_at_its_second() {
        let policy = json!({"rotate_every_seconds": 86400, "renewable_until": "2026-01-05T00:00:00Z",
                            "max_overlap_seconds": 60});
        let all = json!({"expires_at": "2026-01-03T00:00:00Z", "rotation_policy": policy});
        let one = credential(all.clone());
        let replaced = Some("2026-01-03T23:59:00Z");
        let none: [&str; 0] = [];
        for (until, expected) in [
            ("2026-01-01T23:59:59Z", &none[..]),
            ("2026-01-02T00:00:00Z", &["rotate_every"]),
            ("2026-01-03T00:00:00Z", &["rotate_every", "expires"]),
            (
                "2026-01-04T00:00:00Z",
                &["rotate_every", "expires", "overlap"],
            ),
            (
                "2026-01-05T00:00:00Z",
                &["rotate_every", "expires", "overlap", "renewable_until"],
            ),
        ] {
            assert_eq!(names(&one, replaced, until), expected, "{until}");
        }
        assert!(!names(&one, None, "2027-01-01T00:00:00Z").contains(&"overlap"));
        // What has ended, or nobody fetched, is not in use.
        for state in ["provisioned", "revoked", "expired"] {
            let mut all = all.clone();
            all["state"] = json!(state);
            assert_eq!(
                names(&credential(all), replaced, "2027-01-01T00:00:00Z"),
                none
            );
        }
        assert_eq!(
            names(&credential(json!({})), None, "2036-01-01T00:00:00Z"),
            none
        );
    }

    #[test]
    fn a_rotation_is_begun_where_it_helps_and_not_in_every_run() {
        let helped = |more: Value, now: &str| {
            let one = credential(more);
            let why = reasons(&one, None, at("2030-01-01T00:00:00Z"));
            is_helped(&one, &why, at(now))
        };
        let short = json!({"expires_at": "2026-01-01T03:00:00Z"});
        assert!(!helped(short.clone(), "2026-01-01T01:59:59Z"));
        assert!(helped(short, "2026-01-01T02:00:00Z"));
        // Its successor would end in the same second.
        let end = "2026-02-01T00:00:00Z";
        let last = json!({"expires_at": end, "rotation_policy": {"renewable_until": end}});
        assert!(!helped(last, "2026-01-31T00:00:00Z"));
        let old = json!({"rotation_policy": {"rotate_every_seconds": 86400}});
        assert!(!helped(old.clone(), "2026-01-01T06:00:00Z"));
        assert!(helped(old, "2026-01-02T06:00:00Z"));
    }

    #[test]
    fn lengths_of_time_read_well() {
        for (seconds, text) in [
            (0, "0s"),
            (90, "90s"),
            (3600, "1h"),
            (7200, "2h"),
            (1_209_600, "14d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
