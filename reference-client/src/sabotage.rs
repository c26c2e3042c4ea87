//! Clients that break one requirement each, so that the conformance suite can show that it
//! notices. A saboteur is chosen where a client is made, by a program that embeds this library:
//! the command `clp` has no argument and no variable for it.
//!
//! A saboteur does as little as it can: it breaks its requirement, and what else can be seen of
//! it stays as it was.

/// Where a saboteur does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// A check is left out.
    Check,
    /// Something else is sent, or at another time.
    Sent,
    /// Something else is stored, or at another time.
    Stored,
    /// Something else is printed.
    Printed,
}

/// A client that breaks one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saboteur {
    /// The requirement, such as `CLP-DIS-008`.
    pub name: &'static str,
    /// What it does, as a sentence without its subject: `believes any identifier`.
    pub does: &'static str,
    /// Where.
    pub seam: Seam,
}

/// All of them, by requirement.
pub fn all() -> impl Iterator<Item = &'static Saboteur> {
    ALL.iter()
}

/// Whether a client breaks a requirement, and which. By default it breaks none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sabotage(Option<&'static Saboteur>);

impl Sabotage {
    /// The saboteur of this name; `None` where there is none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|one| one.name == name)?;
        Some(Self(Some(found)))
    }

    /// Whether this requirement is broken.
    pub(crate) fn breaks(self, requirement: &str) -> bool {
        self.0.is_some_and(|one| one.name == requirement)
    }
}

const fn row(name: &'static str, seam: Seam, does: &'static str) -> Saboteur {
    Saboteur { name, does, seam }
}

const ALL: &[Saboteur] = &[
    row(
        "CLP-APP-007",
        Seam::Check,
        "signs whatever digest and challenge the issuer states",
    ),
    row(
        "CLP-APP-021",
        Seam::Check,
        "shows what the document in force says",
    ),
    row(
        "CLP-APP-027",
        Seam::Check,
        "takes the issuer's word for what it makes of less",
    ),
    row(
        "CLP-APP-110",
        Seam::Check,
        "takes the digest and the challenge as they stand in a record",
    ),
    row(
        "CLP-APP-111",
        Seam::Check,
        "takes a record whose parts are of different decisions",
    ),
    row(
        "CLP-APP-112",
        Seam::Check,
        "takes evidence that does not verify",
    ),
    row(
        "CLP-APP-113",
        Seam::Check,
        "takes a key for hardware that is not shown to be",
    ),
    row(
        "CLP-APP-114",
        Seam::Printed,
        "does not say what of a decision rests on the issuer's word",
    ),
    row(
        "CLP-APP-115",
        Seam::Check,
        "takes a record with members that it does not know",
    ),
    row(
        "CLP-AUD-012",
        Seam::Check,
        "takes an entry that does not fit its leaf",
    ),
    row(
        "CLP-AUD-019",
        Seam::Check,
        "takes a checkpoint that its key did not sign",
    ),
    row(
        "CLP-AUD-020",
        Seam::Check,
        "takes a proof that leads to another root",
    ),
    row(
        "CLP-AUD-021",
        Seam::Check,
        "takes a file whose parts are of different entries",
    ),
    row(
        "CLP-AUD-022",
        Seam::Printed,
        "does not say what is redacted, nor what rests on the issuer's word",
    ),
    row("CLP-AUD-023", Seam::Stored, "keeps no checkpoint"),
    row(
        "CLP-CRE-025",
        Seam::Check,
        "takes a credential that opens more than was asked for",
    ),
    row(
        "CLP-DIS-007",
        Seam::Check,
        "guesses an endpoint that the manifest does not state",
    ),
    row("CLP-DIS-008", Seam::Check, "believes any identifier"),
    row(
        "CLP-DIS-009",
        Seam::Check,
        "takes a manifest that contradicts itself",
    ),
    row(
        "CLP-DIS-010",
        Seam::Check,
        "reads documents of any size, and the last of two equal members",
    ),
    row(
        "CLP-DIS-011",
        Seam::Sent,
        "follows a redirect to another origin",
    ),
    row("CLP-DIS-012", Seam::Check, "connects to any address"),
    row(
        "CLP-DIS-013",
        Seam::Check,
        "follows the manifest to an endpoint at another origin",
    ),
    row(
        "CLP-DIS-015",
        Seam::Check,
        "uses a test issuer without being told to",
    ),
    row(
        "CLP-DIS-016",
        Seam::Check,
        "takes an absent list of operations as an empty one",
    ),
    row(
        "CLP-DIS-019",
        Seam::Check,
        "takes another permission document than the one it asked for",
    ),
    row("CLP-DIS-021", Seam::Check, "goes back to an older manifest"),
    row(
        "CLP-DLV-012",
        Seam::Stored,
        "makes the first call before it has stored the secret",
    ),
    row("CLP-DLV-013", Seam::Printed, "prints the secret"),
    row(
        "CLP-DLV-014",
        Seam::Stored,
        "lets everybody read the file with the secret",
    ),
    row(
        "CLP-DLV-021",
        Seam::Sent,
        "acknowledges a secret before it is stored",
    ),
    row(
        "CLP-DLV-022",
        Seam::Check,
        "stores a secret that is of another credential",
    ),
    row("CLP-ERR-006", Seam::Sent, "goes by the title of a refusal"),
    row(
        "CLP-INJ-006",
        Seam::Sent,
        "changes the place before it says so",
    ),
    row(
        "CLP-INJ-007",
        Seam::Sent,
        "reports a place as verified that does not work",
    ),
    row(
        "CLP-INJ-008",
        Seam::Stored,
        "throws the comments of a file away",
    ),
    row(
        "CLP-INJ-009",
        Seam::Stored,
        "hands the secret over as an argument too",
    ),
    row(
        "CLP-INV-006",
        Seam::Printed,
        "does not tell which consumers nobody declared",
    ),
    row(
        "CLP-INV-007",
        Seam::Printed,
        "takes what is not on record for nothing",
    ),
    row(
        "CLP-INV-008",
        Seam::Printed,
        "takes a consumer for the first place that it fits",
    ),
    row(
        "CLP-INV-009",
        Seam::Printed,
        "passes on whatever stands in a purpose",
    ),
    row(
        "CLP-PRM-004",
        Seam::Check,
        "takes a permission document that no issuer is to serve",
    ),
    row(
        "CLP-PRM-013",
        Seam::Check,
        "takes a broader set as staying within",
    ),
    row(
        "CLP-PRM-014",
        Seam::Printed,
        "calls a set narrower that has no meaning",
    ),
    row("CLP-REQ-010", Seam::Sent, "asks ten times a second"),
    row(
        "CLP-REQ-011",
        Seam::Printed,
        "shows a justification as it came",
    ),
    row(
        "CLP-ROT-014",
        Seam::Sent,
        "revokes the predecessor before it has the successor",
    ),
    row(
        "CLP-ROT-034",
        Seam::Sent,
        "goes on after a failed health check",
    ),
    row(
        "CLP-ROT-035",
        Seam::Stored,
        "puts the probe value into the installation to try it",
    ),
    row(
        "CLP-ROT-053",
        Seam::Check,
        "believes whatever is signed, and whatever is not",
    ),
    row(
        "CLP-ROT-040",
        Seam::Check,
        "rotates what nobody knows a place of",
    ),
    row(
        "CLP-ROT-041",
        Seam::Check,
        "rotates where there is room for one key only, as anywhere else",
    ),
    row("CLP-ROT-042", Seam::Printed, "finds that nothing is due"),
    row(
        "CLP-SCO-014",
        Seam::Check,
        "replaces a credential by whatever is recommended",
    ),
    row("CLP-SEC-005", Seam::Check, "calls http anywhere"),
    row(
        "CLP-SEC-006",
        Seam::Sent,
        "takes its token wherever a link leads",
    ),
    row(
        "CLP-SEC-007",
        Seam::Check,
        "takes its token from the command line",
    ),
    row("CLP-TRN-003", Seam::Sent, "does not name the version"),
    row(
        "CLP-TRN-012",
        Seam::Check,
        "refuses an answer with a member of a later version",
    ),
    row(
        "CLP-TRN-026",
        Seam::Sent,
        "repeats a lost call with a fresh key",
    ),
    row(
        "CLP-TRN-033",
        Seam::Sent,
        "does not wait as long as it is asked to",
    ),
    row("CLP-TRN-038", Seam::Sent, "changes whatever is there"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_sound_unless_it_is_made_otherwise() {
        assert!(all().all(|one| !Sabotage::default().breaks(one.name)));
        assert!(Sabotage::by_name("CLP-DIS-008").is_some_and(|one| one.breaks("CLP-DIS-008")));
        assert!(Sabotage::by_name("nobody").is_none());
        let names: std::collections::BTreeSet<_> = all().map(|one| one.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
