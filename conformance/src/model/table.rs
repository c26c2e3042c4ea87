//! The moves that a credential, a rotation and an installation can make, as this model has them.
//! They are written down here a second time, from the chapters alone; a test compares the two.

/// An enum with the names that the chapters use.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As the chapters spell it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one that is spelled so.
            #[must_use]
            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
}
pub(super) use words;

words! {
    /// The state of a credential.
    Life {
        Absent = "absent",
        Provisioned = "provisioned",
        Active = "active",
        Retiring = "retiring",
        Suspended = "suspended",
        Revoked = "revoked",
        Expired = "expired",
    }
}

impl Life {
    /// Whether it has begun and not ended.
    #[must_use]
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Absent | Self::Revoked | Self::Expired)
    }

    /// Whether it opens anything.
    #[must_use]
    pub fn opens(self) -> bool {
        matches!(self, Self::Active | Self::Retiring)
    }
}

words! {
    /// What happens to a credential.
    Turn {
        Deliver = "deliver",
        Retire = "retire",
        Restore = "restore",
        Suspend = "suspend",
        Resume = "resume",
        ResumeRetiring = "resume_retiring",
        Revoke = "revoke",
        Expire = "expire",
    }
}

words! {
    /// The state of a rotation.
    Stage {
        Created = "created",
        Distributing = "distributing",
        Draining = "draining",
        Blocked = "blocked",
        Completed = "completed",
        RolledBack = "rolled_back",
    }
}

impl Stage {
    /// Whether it has not ended.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Completed | Self::RolledBack)
    }
}

words! {
    /// What happens to a rotation.
    Push {
        Deliver = "deliver",
        Advance = "advance",
        Block = "block",
        Rollback = "rollback",
        PredecessorEnded = "predecessor_ended",
        SuccessorEnded = "successor_ended",
    }
}

words! {
    /// The state of an installation.
    Report {
        Declared = "declared",
        Updating = "updating",
        Installed = "installed",
        Verified = "verified",
        Retired = "retired",
    }
}

words! {
    /// What is reported of an installation.
    Word {
        Update = "update",
        Install = "install",
        Verify = "verify",
        Retire = "retire",
    }
}

const CREDENTIAL: [(Life, Turn, Life); 16] = [
    (Life::Provisioned, Turn::Deliver, Life::Active),
    (Life::Provisioned, Turn::Revoke, Life::Revoked),
    (Life::Provisioned, Turn::Expire, Life::Expired),
    (Life::Active, Turn::Retire, Life::Retiring),
    (Life::Active, Turn::Revoke, Life::Revoked),
    (Life::Active, Turn::Expire, Life::Expired),
    (Life::Retiring, Turn::Restore, Life::Active),
    (Life::Retiring, Turn::Revoke, Life::Revoked),
    (Life::Retiring, Turn::Expire, Life::Expired),
    (Life::Active, Turn::Suspend, Life::Suspended),
    (Life::Retiring, Turn::Suspend, Life::Suspended),
    (Life::Suspended, Turn::Resume, Life::Active),
    (Life::Suspended, Turn::ResumeRetiring, Life::Retiring),
    (Life::Suspended, Turn::Restore, Life::Suspended),
    (Life::Suspended, Turn::Revoke, Life::Revoked),
    (Life::Suspended, Turn::Expire, Life::Expired),
];

const ROTATION: [(Stage, Push, Stage); 19] = [
    (Stage::Created, Push::Deliver, Stage::Distributing),
    (Stage::Created, Push::Block, Stage::Blocked),
    (Stage::Created, Push::Rollback, Stage::RolledBack),
    (Stage::Created, Push::PredecessorEnded, Stage::Completed),
    (Stage::Created, Push::SuccessorEnded, Stage::RolledBack),
    (Stage::Distributing, Push::Advance, Stage::Draining),
    (Stage::Distributing, Push::Block, Stage::Blocked),
    (Stage::Distributing, Push::Rollback, Stage::RolledBack),
    (
        Stage::Distributing,
        Push::PredecessorEnded,
        Stage::Completed,
    ),
    (Stage::Distributing, Push::SuccessorEnded, Stage::RolledBack),
    (Stage::Draining, Push::Advance, Stage::Completed),
    (Stage::Draining, Push::Block, Stage::Blocked),
    (Stage::Draining, Push::Rollback, Stage::RolledBack),
    (Stage::Draining, Push::PredecessorEnded, Stage::Completed),
    (Stage::Draining, Push::SuccessorEnded, Stage::RolledBack),
    (Stage::Blocked, Push::Deliver, Stage::Blocked),
    (Stage::Blocked, Push::Rollback, Stage::RolledBack),
    (Stage::Blocked, Push::PredecessorEnded, Stage::Completed),
    (Stage::Blocked, Push::SuccessorEnded, Stage::RolledBack),
];

const INSTALLATION: [(Report, Word, Report); 11] = [
    (Report::Declared, Word::Update, Report::Updating),
    (Report::Declared, Word::Install, Report::Installed),
    (Report::Declared, Word::Retire, Report::Retired),
    (Report::Updating, Word::Install, Report::Installed),
    (Report::Updating, Word::Retire, Report::Retired),
    (Report::Installed, Word::Update, Report::Updating),
    (Report::Installed, Word::Verify, Report::Verified),
    (Report::Installed, Word::Retire, Report::Retired),
    (Report::Verified, Word::Update, Report::Updating),
    (Report::Verified, Word::Install, Report::Installed),
    (Report::Verified, Word::Retire, Report::Retired),
];

/// How many moves the three tables have.
pub const MOVES: usize = CREDENTIAL.len() + ROTATION.len() + INSTALLATION.len();

/// Which moves were made: a bit for each row of the three tables, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves(u64);

impl Moves {
    fn mark(&mut self, row: usize) {
        self.0 |= 1 << row;
    }

    /// The rows, by number.
    pub fn rows(self) -> impl Iterator<Item = usize> {
        (0..MOVES).filter(move |row| self.0 & (1 << row) != 0)
    }

    /// Adds those of another.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Where a credential goes from there, if it goes at all.
    pub(super) fn credential(&mut self, from: Life, turn: Turn) -> Option<Life> {
        let row = CREDENTIAL
            .iter()
            .position(|row| row.0 == from && row.1 == turn)?;
        self.mark(row);
        Some(CREDENTIAL[row].2)
    }

    /// Where a rotation goes from there, if it goes at all.
    pub(super) fn rotation(&mut self, from: Stage, push: Push) -> Option<Stage> {
        let row = ROTATION
            .iter()
            .position(|row| row.0 == from && row.1 == push)?;
        self.mark(CREDENTIAL.len() + row);
        Some(ROTATION[row].2)
    }

    /// Whether a report leads from there to there. One of the same state moves nothing.
    pub(super) fn installation(&mut self, from: Report, to: Report) -> bool {
        if from == to {
            return true;
        }
        let row = INSTALLATION
            .iter()
            .position(|row| row.0 == from && row.2 == to);
        if let Some(row) = row {
            self.mark(CREDENTIAL.len() + ROTATION.len() + row);
        }
        row.is_some()
    }
}

/// Every move of the three tables as four words: machine, from, what happens, to.
#[must_use]
pub fn rows() -> Vec<[&'static str; 4]> {
    let credential = CREDENTIAL
        .iter()
        .map(|row| ["credential", row.0.name(), row.1.name(), row.2.name()]);
    let rotation = ROTATION
        .iter()
        .map(|row| ["rotation", row.0.name(), row.1.name(), row.2.name()]);
    let installation = INSTALLATION
        .iter()
        .map(|row| ["installation", row.0.name(), row.1.name(), row.2.name()]);
    credential.chain(rotation).chain(installation).collect()
}

/// The rows of the chapters' own tables, which `cargo gen` writes.
///
/// # Errors
/// Where a chapter has no such table, or a row of it is not three names.
pub fn normative() -> Result<Vec<[String; 4]>, String> {
    const CHAPTERS: [(&str, &str); 3] = [
        (
            "credential",
            include_str!("../../../spec/01-roles-and-model.md"),
        ),
        (
            "rotation",
            include_str!("../../../spec/01-roles-and-model.md"),
        ),
        ("installation", include_str!("../../../spec/16-inject.md")),
    ];
    let mut rows = Vec::new();
    for (machine, chapter) in CHAPTERS {
        let begin = format!("<!-- generated:states/{machine} -->");
        let (_, rest) = chapter
            .split_once(&begin)
            .ok_or_else(|| format!("no chapter has the table of `{machine}`"))?;
        let (block, _) = rest
            .split_once("<!-- /generated -->")
            .ok_or_else(|| format!("the table of `{machine}` is never closed"))?;
        for line in block.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
            let [from, event, to] = cells.as_slice() else {
                return Err(format!("`{line}` is not three names"));
            };
            rows.push([machine, *from, *event, *to].map(str::to_owned));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_moves_as_the_chapters_say_and_no_other_way() {
        let chapters = normative().unwrap();
        let own: Vec<[String; 4]> = rows()
            .into_iter()
            .map(|row| row.map(str::to_owned))
            .collect();
        assert_eq!(own, chapters);
        assert_eq!(own.len(), MOVES);
    }
}
