//! What a command says: for people as text, for programs as JSON. Nothing here prints.

pub(crate) mod handoff;
mod objects;
mod rotation;
pub(crate) mod usage;
mod words;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::{Error, Exit, LocalFault};

pub(crate) use objects::{
    credential, credentials, key_and_address, request, requester_words, statements,
};
pub(crate) use rotation::{gates, rotation};
pub(crate) use words::clean;
pub(crate) use words::json_text;
use words::quoted_block;

/// What a command says when it succeeds.
pub(crate) enum Outcome {
    /// The same twice: for people, and for programs.
    Report {
        /// For people; ends in a line feed.
        text: String,
        /// For programs.
        json: Value,
    },
    /// The same, of a run that ends otherwise than done.
    Judged {
        /// For people; ends in a line feed.
        text: String,
        /// For programs.
        json: Value,
        /// How the run ends.
        exit: Exit,
    },
    /// A secret, to standard output and nowhere else.
    Secret(Zeroizing<String>),
    /// Text for a file or a pipe, whole.
    Plain(Vec<u8>),
}

impl Outcome {
    pub(crate) fn new<T: Serialize>(value: &T, text: String) -> Result<Self, Error> {
        let json = serde_json::to_value(value)
            .map_err(|_| LocalFault::System("the result cannot be written as JSON"))?;
        Ok(Self::Report { text, json })
    }

    /// The same, of a run that ends like this.
    pub(crate) fn ending(self, exit: Exit) -> Self {
        match self {
            Self::Report { text, json } if exit != Exit::Done => Self::Judged { text, json, exit },
            other => other,
        }
    }

    /// How the run ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Judged { exit, .. } => *exit,
            _ => Exit::Done,
        }
    }
}

/// Rows of name and value, for one object.
#[derive(Default)]
pub(crate) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    pub(crate) fn add(&mut self, name: &'static str, value: impl AsRef<str>) -> &mut Self {
        self.0.push((name, clean(value.as_ref())));
        self
    }

    pub(crate) fn add_some<T: ToString>(
        &mut self,
        name: &'static str,
        value: Option<T>,
    ) -> &mut Self {
        match value {
            Some(value) => self.add(name, value.to_string()),
            None => self,
        }
    }

    pub(crate) fn text(&self) -> String {
        let width = self
            .0
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or_default();
        self.0
            .iter()
            .map(|(name, value)| format!("{name:width$}  {value}\n"))
            .collect()
    }
}

/// A table of objects, or a sentence if there is none.
pub(crate) fn table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    empty: &str,
) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().map(|name| name.to_uppercase()));
    let mut any = false;
    for row in rows {
        any = true;
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    if !any {
        return format!("{empty}\n");
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_facts_cannot_move_the_cursor() {
        let text = table(&["a"], [vec!["x\u{1b}[2Jy".to_owned()]], "nothing");
        assert!(!text.contains('\u{1b}'));
        let mut facts = Facts::default();
        facts
            .add("purpose", "x\ny")
            .add_some("absent", None::<String>);
        assert_eq!(facts.text(), "purpose  x y\n");
        assert_eq!(table(&["a"], [], "nothing"), "nothing\n");
    }
}
