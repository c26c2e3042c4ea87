//! What is checked: how large the world of the model is, which times are set, and which rule
//! of the protocol is left out to see that it matters.

use super::table::words;

words! {
    /// A rule that can be left out.
    Rule {
        JudgedAgain = "judged-again",
        JudgedInPlace = "judged-in-place",
        PlacesFirst = "places-first",
        UpdatingHoldsBack = "updating-holds-back",
        NotTalkedAway = "not-talked-away",
        Journal = "journal",
        IfMatch = "if-match",
        Lock = "lock",
        ReportFirst = "report-first",
        KeptUntilStored = "kept-until-stored",
        Lapse = "lapse",
    }
}

impl Rule {
    /// The world in which leaving it out shows: as small as it can be, so that the trace is short.
    #[must_use]
    pub fn shows_in(self) -> Plan {
        let small = Plan {
            rotators: 1,
            places: 1,
            line: 2,
            name: self.name(),
            omitted: Some(self),
            ..PLAIN
        };
        match self {
            Self::JudgedAgain => Plan {
                places: 2,
                late: true,
                ..small
            },
            Self::NotTalkedAway => Plan {
                people: true,
                ..small
            },
            Self::Journal => Plan {
                own_key: true,
                ..small
            },
            Self::UpdatingHoldsBack | Self::PlacesFirst | Self::ReportFirst | Self::Lapse => small,
            Self::KeptUntilStored => Plan {
                compromise: true,
                ..small
            },
            Self::IfMatch => Plan {
                stray: true,
                ..small
            },
            Self::JudgedInPlace | Self::Lock => Plan {
                rotators: 2,
                ..small
            },
        }
    }

    /// What goes wrong without it, as a sentence without its subject.
    #[must_use]
    pub fn omission(self) -> &'static str {
        match self {
            Self::JudgedAgain => {
                "does not look at the places again that it looked at before it drained, nor at those declared since"
            }
            Self::JudgedInPlace => "ends a predecessor on what the caller read of the gates",
            Self::PlacesFirst => "rolls back under a place that has the successor",
            Self::UpdatingHoldsBack => {
                "rolls back while a place is between the two, and nobody knows which is there"
            }
            Self::NotTalkedAway => "lets a required place be talked away during a rotation",
            Self::Journal => "opens a rotation before anything is written down",
            Self::IfMatch => "takes what was decided on an old picture",
            Self::Lock => "changes a place while another process changes it",
            Self::ReportFirst => "changes a place before it reports `updating`",
            Self::KeptUntilStored => {
                "forgets a rotation that has ended though the secret of the successor is not stored"
            }
            Self::Lapse => "keeps a credential whose delivery nobody has read",
        }
    }
}

/// A world of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a dimension of its own of what is explored"
)]
pub struct Plan {
    /// What it is called.
    pub name: &'static str,
    /// Most credentials of the line, 2 or 3.
    pub line: usize,
    /// Places, 1 or 2.
    pub places: usize,
    /// Clients, 1 or 2.
    pub rotators: usize,
    /// Whether each client has a home of its own, with a journal and a store, and fills a place
    /// of its own. Otherwise they share one, and fill every place.
    pub apart: bool,
    /// Whether the last place is used and not declared yet.
    pub late: bool,
    /// `min_overlap_seconds`, in ticks.
    pub overlap: u8,
    /// Whether `quiet_period_seconds` asks for a tick without use.
    pub quiet: bool,
    /// `max_overlap_seconds`, in ticks.
    pub deadline: Option<u8>,
    /// How long a credential lives, in ticks.
    pub left: Option<u8>,
    /// Whether the successor's key is the requester's own, so that there is no delivery.
    pub own_key: bool,
    /// Whether rotations are opened for a compromise.
    pub compromise: bool,
    /// Whether people revoke, suspend, resume, declare, retire and make optional.
    pub people: bool,
    /// Whether a message can be late, or come twice.
    pub stray: bool,
    /// The rule that is left out.
    pub omitted: Option<Rule>,
}

/// The plainest world; the others are variations of it.
pub const PLAIN: Plan = Plan {
    name: "plain",
    line: 2,
    places: 1,
    rotators: 2,
    apart: false,
    late: false,
    overlap: 0,
    quiet: false,
    deadline: None,
    left: None,
    own_key: false,
    compromise: false,
    people: false,
    stray: false,
    omitted: None,
};

impl Plan {
    /// Whether a rule is followed here.
    #[must_use]
    pub fn follows(&self, rule: Rule) -> bool {
        self.omitted != Some(rule)
    }

    /// After how many ticks nothing is due any more.
    #[must_use]
    pub fn horizon(&self) -> u8 {
        self.overlap
            .max(self.deadline.unwrap_or(0))
            .max(self.left.unwrap_or(0))
            .max(2)
    }

    /// The home of a client.
    #[must_use]
    pub fn home(&self, rotator: usize) -> usize {
        if self.apart { rotator } else { 0 }
    }

    /// Whether a client can change a place.
    #[must_use]
    pub fn fills(&self, rotator: usize, place: usize) -> bool {
        place < self.places && (!self.apart || self.places == 1 || place == rotator)
    }
}
