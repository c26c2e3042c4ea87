//! The handoff of a project, for people: a page, or Markdown.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clp_schemas::handoff::{HandedCredential, HandedPlace, Handoff};
use clp_schemas::target::TakesUp;
use clp_schemas::usage::{ConsumerFacts, Match, Sight, UsageGraph};

use super::clean;
use super::usage::{Picture, mermaid, svg, uses};
use crate::error::{Error, LocalFault};

#[derive(Template)]
#[template(path = "handoff.html")]
struct Page<'a> {
    project: String,
    made_at: String,
    issuers: Vec<(String, &'static str)>,
    sections: Vec<Section<'a>>,
    unknown: Vec<String>,
    picture: String,
}

#[derive(Template)]
#[template(path = "handoff.md", escape = "none")]
struct Text<'a> {
    project: String,
    made_at: String,
    issuers: Vec<(String, &'static str)>,
    sections: Vec<Section<'a>>,
    unknown: Vec<String>,
    picture: String,
}

/// A credential, in lines.
struct Section<'a> {
    title: String,
    id: &'a str,
    facts: Vec<(&'static str, String)>,
    may: Vec<String>,
    places: Vec<Vec<String>>,
    unexplained: Vec<String>,
    steps: Vec<String>,
    command: String,
    call: String,
    revoke: String,
}

/// Columns of the places.
const COLUMNS: [&str; 6] = [
    "place",
    "kind",
    "state",
    "last seen",
    "stops with it",
    "after a rotation",
];

/// A page of its own: no script, no font, no picture from elsewhere.
///
/// # Errors
/// Only if the template cannot be filled.
pub(crate) fn html(handoff: &Handoff, graph: &UsageGraph) -> Result<String, Error> {
    let words = |text: &str| clean(text);
    let page = Page {
        project: words(&handoff.project),
        made_at: handoff.made_at.to_string(),
        issuers: issuers(handoff, &words),
        sections: sections(handoff, &words),
        unknown: unknown(handoff, &words),
        picture: STANDARD.encode(svg(&Picture::of(graph, false))?),
    };
    filled(&page)
}

/// The same as Markdown, with the picture as Mermaid.
///
/// # Errors
/// Only if the template cannot be filled.
pub(crate) fn markdown(handoff: &Handoff, graph: &UsageGraph) -> Result<String, Error> {
    let text = Text {
        project: plain(&handoff.project),
        made_at: handoff.made_at.to_string(),
        issuers: issuers(handoff, &plain),
        sections: sections(handoff, &plain),
        unknown: unknown(handoff, &plain),
        picture: mermaid(&Picture::of(graph, false)),
    };
    filled(&text)
}

fn filled(template: &impl Template) -> Result<String, Error> {
    template
        .render()
        .map_err(|_| LocalFault::System("the handoff cannot be written").into())
}

/// Words that Markdown and HTML take for nothing but words.
fn plain(text: &str) -> String {
    let mut safe = String::new();
    for letter in clean(text).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // Without these, what looks like an address does not become a link.
            '@' => safe.push_str("&#64;"),
            ':' => safe.push_str("&#58;"),
            _ if letter.is_ascii_punctuation() => {
                safe.push('\\');
                safe.push(letter);
            }
            _ => safe.push(letter),
        }
    }
    safe
}

fn issuers(handoff: &Handoff, words: &dyn Fn(&str) -> String) -> Vec<(String, &'static str)> {
    let said = handoff.issuers.iter().map(|asked| {
        let what = match (asked.answered, asked.inventory) {
            (false, _) => "could not be asked",
            (true, false) => "keeps no inventory",
            (true, true) => "answered",
        };
        (words(&asked.issuer), what)
    });
    said.collect()
}

fn unknown(handoff: &Handoff, words: &dyn Fn(&str) -> String) -> Vec<String> {
    let line = |one: &clp_schemas::usage::Unknown| match &one.issuer {
        Some(issuer) => words(&format!("{} ({issuer})", one.text)),
        None => words(&one.text),
    };
    handoff.unknown.iter().map(line).collect()
}

fn sections<'a>(handoff: &'a Handoff, words: &dyn Fn(&str) -> String) -> Vec<Section<'a>> {
    let all = handoff.credentials.iter();
    all.map(|credential| section(credential, words)).collect()
}

fn section<'a>(credential: &'a HandedCredential, words: &dyn Fn(&str) -> String) -> Section<'a> {
    let replacing = &credential.replacing;
    let row = |place: &HandedPlace| place_row(place).iter().map(|cell| words(cell)).collect();
    let facts = facts(credential).into_iter();
    Section {
        title: words(&credential.purpose),
        id: credential.credential_id.as_str(),
        facts: facts.map(|(name, value)| (name, words(&value))).collect(),
        may: credential.may.iter().map(|line| words(line)).collect(),
        places: credential.places.iter().map(row).collect(),
        unexplained: credential
            .unexplained
            .iter()
            .map(|one| words(&stranger(one)))
            .collect(),
        steps: steps(credential).iter().map(|step| words(step)).collect(),
        // These stand in a block of code, where nothing but a line's end could harm.
        command: clean(&replacing.command),
        call: clean(&format!("{} {}", replacing.method, replacing.url)),
        revoke: clean(&format!("POST {}", replacing.revoke_url)),
    }
}

fn facts(credential: &HandedCredential) -> Vec<(&'static str, String)> {
    let or = |time: Option<clp_schemas::time::Timestamp>, none: &str| {
        time.map_or_else(|| none.to_owned(), |time| time.to_string())
    };
    let seen = credential.disclosed_to.iter();
    let seen: Vec<String> = seen
        .map(|one| format!("{} at {}", one.principal, one.at))
        .collect();
    let kept = credential.kept_in.iter();
    let kept: Vec<String> = kept
        .map(|kept| {
            kept.name
                .clone()
                .unwrap_or_else(|| kept.store_id.to_string())
        })
        .collect();
    let subject = credential.subject.as_ref();
    let subject = subject.map(|subject| format!("{} {}", subject.kind, subject.id));
    let labels = credential.labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let every = credential.replacing.policy.as_ref();
    let every = every.and_then(|policy| policy.rotate_every_seconds);
    let all = [
        ("issuer", credential.issuer.clone()),
        ("type", format!("{}, {}", credential.kind, credential.state)),
        ("owner", credential.owner.clone()),
        ("environment", credential.environment.clone()),
        ("used by", subject.unwrap_or_default()),
        ("risk", format!("{:?}", credential.risk).to_lowercase()),
        (
            "minted",
            format!("{} by {}", credential.created_at, credential.created_by),
        ),
        ("last rotated", or(credential.last_rotated_at, "never")),
        ("ends by itself", or(credential.expires_at, "never")),
        (
            "rotate by",
            or(credential.replacing.rotate_by, "nobody said"),
        ),
        (
            "policy",
            every.map_or_else(String::new, |seconds| {
                format!("every {} days", seconds / 86_400)
            }),
        ),
        (
            "last used",
            or(credential.last_used_at, "not known to have been"),
        ),
        ("secret seen by", seen.join(", ")),
        ("kept in", kept.join(", ")),
        (
            "events go to",
            credential.webhook_origin.clone().unwrap_or_default(),
        ),
        ("labels", labels.join(", ")),
    ];
    let said = all.into_iter().filter(|(_, value)| !value.is_empty());
    said.collect()
}

fn place_row(place: &HandedPlace) -> [String; 6] {
    let seen = match (place.sight, place.last_seen_at) {
        (Sight::Seen, Some(at)) => at.to_string(),
        (Sight::Seen | Sight::Unknown, _) => "not known".to_owned(),
        (Sight::Never, _) => "never".to_owned(),
    };
    let takes_up = match place.takes_up {
        TakesUp::NextRun => "taken up with the next run",
        TakesUp::Redeploy => "deploy or start it again",
        TakesUp::Setting => "change its setting",
        TakesUp::Unknown => "ask whoever runs it",
    };
    let filled = match place.filled_from_here {
        true => "written by `clp rotate`",
        false => "put in by hand",
    };
    let locator = place.locator.as_ref();
    let name = match locator {
        Some(locator) => format!("{} ({locator})", place.name),
        None => place.name.clone(),
    };
    let required = if place.required { "" } else { ", optional" };
    [
        name,
        place.kind.to_string(),
        format!("{}{required}", place.state),
        seen,
        place.stops.join(", "),
        format!("{filled}; {takes_up}"),
    ]
}

fn stranger(facts: &ConsumerFacts) -> String {
    let what = match facts.matched {
        Match::Ambiguous => "fits several places",
        _ => "nobody declared it",
    };
    format!(
        "{} from {}: {}, last at {}; {what}",
        facts.user_agent.as_deref().unwrap_or("no user agent"),
        facts.address,
        uses(facts.uses),
        facts.last_seen_at
    )
}

/// What whoever replaces it has to do.
fn steps(credential: &HandedCredential) -> Vec<String> {
    let places = &credential.places;
    let names = |takes: &dyn Fn(&&HandedPlace) -> bool| {
        let names: Vec<&str> = places
            .iter()
            .filter(takes)
            .map(|place| &*place.name)
            .collect();
        names.join(", ")
    };
    let by_hand = names(&|place| !place.filled_from_here);
    let redeploy = names(&|place| place.takes_up == TakesUp::Redeploy);
    let mut steps = Vec::new();
    if !credential.unexplained.is_empty() {
        steps.push("Find out who else uses it: who was seen stands here too.".to_owned());
    }
    if !by_hand.is_empty() {
        steps.push(format!("Put the new secret by hand into: {by_hand}."));
    }
    if !redeploy.is_empty() {
        steps.push(format!("Deploy or start again: {redeploy}."));
    }
    if places.is_empty() {
        steps.push("No place is declared: find out where it is used first.".to_owned());
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_that_others_chose_means_anything_in_markdown() {
        assert_eq!(plain("a|b`c`"), "a\\|b\\`c\\`");
        assert_eq!(plain("# x\n<script>"), "\\# x &lt;script&gt;");
        assert_eq!(plain("[a](https://b)"), "\\[a\\]\\(https&#58;\\/\\/b\\)");
        assert_eq!(plain("\u{202e}a"), "a");
    }

    /// A handoff in which people chose the worst of words.
    fn hostile(words: &str) -> (Handoff, UsageGraph) {
        let at = "2026-11-24T19:39:13Z";
        let id = |prefix: &str| format!("{prefix}_00000000000000000001");
        let issuer = "https://api.example.com";
        let handoff = json!({
            "clp": "1.0", "project": words, "made_at": at,
            "issuers": [{"issuer": issuer, "answered": true, "inventory": true}],
            "credentials": [{
                "issuer": issuer, "credential_id": id("cred"), "type": "api_key", "state": "active",
                "purpose": words, "owner": words, "environment": words,
                "subject": {"kind": "workload", "id": words}, "may": [words], "risk": "low",
                "permissions": [], "permission_schema_digest": "sha256:0", "created_at": at,
                "created_by": id("prin"), "labels": {words: words}, "disclosed_to": [],
                "kept_in": [{"store_id": id("sto"), "name": words}],
                "places": [{
                    "installation_id": id("ins"), "kind": "other", "name": words, "locator": words,
                    "state": "installed", "required": true, "sight": "never", "stops": [words],
                    "takes_up": "unknown", "filled_from_here": false,
                }],
                "unexplained": [{
                    "user_agent": words, "address": words, "uses": 1, "first_seen_at": at,
                    "last_seen_at": at, "match": "undeclared",
                }],
                "replacing": {"method": "POST", "url": issuer, "command": "clp", "revoke_url": issuer},
            }],
            "unknown": [{"reason": "no_match", "text": words}],
        });
        let graph = json!({"clp": "1.0", "made_at": at, "issuers": [], "nodes": [], "edges": [], "unknown": []});
        (
            serde_json::from_value(handoff).unwrap(),
            serde_json::from_value(graph).unwrap(),
        )
    }

    #[test]
    fn words_of_others_are_words_on_a_page_and_in_markdown() {
        let words = "\"><script>a</script>|`x`\n# y ![z](javascript:1)\u{202e}w\u{1b}[2J{{ 7 }}";
        let (handoff, graph) = hostile(words);
        let page = html(&handoff, &graph).unwrap();
        let text = markdown(&handoff, &graph).unwrap();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.matches("&#60;script&#62;").count() > 10, "{page}");
        for line in text.lines() {
            assert!(
                !line.contains("<script") && !line.contains("![z]"),
                "{line}"
            );
            // A row of a table has the columns that it begins with, and no more.
            if line.contains("installed") {
                let bars = line.replace("\\|", "").matches('|').count();
                assert_eq!(bars, COLUMNS.len() + 1, "{line}");
            }
        }
        assert!(!text.contains("\n# y"), "{text}");
        for written in [&page, &text] {
            assert!(!written.contains(['\u{202e}', '\u{1b}']), "{written}");
        }
    }
}
