//! How several rotations are seen at once: a live view on a terminal, plain lines elsewhere,
//! nothing where a program reads along.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::ops::Session;

/// Longest name in the live view, in letters.
const SHORT: usize = 28;
/// How often the view moves, though nothing happened.
const TICK: Duration = Duration::from_millis(120);

/// All of them.
pub(super) enum View<'a> {
    /// One line for each that is under way, and one for the whole.
    Live(MultiProgress, ProgressBar),
    /// A line for each thing that happens.
    Lines(&'a Session),
}

impl<'a> View<'a> {
    pub(super) fn new(count: usize, session: &'a Session) -> Self {
        if session.json || !std::io::stderr().is_terminal() {
            return Self::Lines(session);
        }
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX)));
        if let Ok(style) = ProgressStyle::with_template("{pos} of {len} ended  {elapsed}  {msg}") {
            whole.set_style(style);
        }
        whole.enable_steady_tick(TICK);
        Self::Live(all, whole)
    }

    /// One rotation begins. Where there is little room it goes by its purpose.
    pub(super) fn line(&self, name: String, purpose: &str) -> Line {
        let Self::Live(all, _) = self else {
            return Line {
                name,
                bar: None,
                silent: matches!(self, Self::Lines(session) if session.json),
            };
        };
        let bar = all.insert_from_back(1, ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}") {
            bar.set_style(style);
        }
        let short: String = purpose.chars().take(SHORT).collect();
        bar.set_prefix(short);
        bar.enable_steady_tick(TICK);
        Line {
            name,
            bar: Some(bar),
            silent: false,
        }
    }

    /// One has ended.
    pub(super) fn ended(&self, line: &Line, how: &str) {
        match (self, &line.bar) {
            (Self::Live(all, whole), bar) => {
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                }
                // A terminal that cannot be written to shows nothing.
                let _ = all.println(format!("{}: {how}", line.name));
                whole.inc(1);
            }
            (Self::Lines(_), _) => line.say(how),
        }
    }

    /// All have ended.
    pub(super) fn close(&self) {
        if let Self::Live(_, whole) = self {
            whole.finish_and_clear();
        }
    }
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Line {
    name: String,
    bar: Option<ProgressBar>,
    silent: bool,
}

impl Line {
    /// Says what was done, in one clean line.
    pub(in crate::ops::rotate) fn say(&self, line: &str) {
        use std::io::Write as _;
        match &self.bar {
            Some(bar) => bar.set_message(line.to_owned()),
            None if self.silent => {}
            None => {
                // Nobody is left to tell if standard error is gone.
                let _ = writeln!(std::io::stderr().lock(), "{}: {line}", self.name);
            }
        }
    }
}
