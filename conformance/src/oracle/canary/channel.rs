//! Where a secret can come out.

use serde::{Deserialize, Serialize};

/// A place in which secrets are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A header field of an answer that holds no URL.
    ResponseHeader,
    /// The body of an answer.
    ResponseBody,
    /// A problem, or an OAuth error.
    Problem,
    /// An entry of the audit log: its leaf, decoded, and its disclosed members.
    AuditEntry,
    /// An event that was sent to a receiver: header fields and body.
    Event,
    /// A URL: `Location`, `Link`, and every member of an answer that is one.
    Url,
    /// The request log of test control.
    RequestLog,
    /// The state dump of test control.
    StateDump,
    /// What the program under test logs, or prints to its output or its error output.
    Output,
    /// The arguments of the program under test.
    Argument,
    /// The environment of the program under test.
    Environment,
    /// A file that the program under test wrote.
    File,
    /// A report that this suite writes.
    Report,
    /// What this suite prints.
    Screen,
}

impl Channel {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::ResponseHeader,
        Self::ResponseBody,
        Self::Problem,
        Self::AuditEntry,
        Self::Event,
        Self::Url,
        Self::RequestLog,
        Self::StateDump,
        Self::Output,
        Self::Argument,
        Self::Environment,
        Self::File,
        Self::Report,
        Self::Screen,
    ];

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ResponseHeader => "response header",
            Self::ResponseBody => "response body",
            Self::Problem => "problem",
            Self::AuditEntry => "audit entry",
            Self::Event => "event",
            Self::Url => "URL",
            Self::RequestLog => "request log",
            Self::StateDump => "state dump",
            Self::Output => "log and output",
            Self::Argument => "arguments",
            Self::Environment => "environment",
            Self::File => "files",
            Self::Report => "our reports",
            Self::Screen => "our output",
        }
    }

    /// The requirement that a secret of an issuer breaks by being there.
    #[must_use]
    pub fn requirement(self) -> &'static str {
        match self {
            Self::Problem | Self::AuditEntry | Self::Output | Self::File => "CLP-SEC-003",
            _ => "CLP-CRE-002",
        }
    }
}
