//! Verification: what a look at a plugin's public address came to, and what is remembered of looks.
//!
//! `registry::verification` looks, `protocol` says what it means, the store remembers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Timestamp, account::UnknownWord};

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What stands there is what this server serves, with its verification token.
    Matches,
    /// What stands there is what this server serves, and that has no verification token yet.
    NoToken,
    /// A manifest stands there that has another token, differs, or would be refused.
    Differs,
    /// Something stands there that is no manifest, or nothing.
    NoManifest,
    /// The address leads to where no manifest is read.
    LeadsAway,
    /// The host has an address that the internet does not reach.
    PrivateAddress,
    /// Nobody answered, or only that it should be tried later.
    OutOfReach,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Matches,
        Self::NoToken,
        Self::Differs,
        Self::NoManifest,
        Self::LeadsAway,
        Self::PrivateAddress,
        Self::OutOfReach,
    ];

    /// The word the database and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::NoToken => "no_token",
            Self::Differs => "differs",
            Self::NoManifest => "no_manifest",
            Self::LeadsAway => "leads_away",
            Self::PrivateAddress => "private_address",
            Self::OutOfReach => "out_of_reach",
        }
    }
}

impl FromStr for Outcome {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| UnknownWord::new("outcome", word))
    }
}

/// Something about one member of the manifest, to be shown beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which member, as a path: `api.url`. Legible and short, whoever made it up.
    pub field: String,
    /// What is the matter with it: a sentence without its full stop.
    pub says: String,
    /// What this server serves, clipped; of a token only that there is one.
    pub served: Option<String>,
    /// What stands at the public address, clipped and legible; of a token only what kind of thing it is.
    pub found: Option<String>,
}

/// A look at the public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// The same in a sentence or two.
    pub says: String,
    /// Member by member; empty where nothing could be compared, or all is well.
    pub findings: Vec<Finding>,
}

/// What is remembered of looks at a plugin's public address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Raised by every look and by every change of what is published, so that a look at what stood there before decides
    /// nothing.
    pub revision: i64,
    /// The last look since what is published was changed.
    pub look: Option<Look>,
    /// How many looks in a row came to nothing good.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// When it last matched.
    pub verified_at: Option<Timestamp>,
    /// When a look last took `verified` away from it, until one gives it back.
    pub broken_at: Option<Timestamp>,
    /// When the server looks again by itself; never where there is nothing to verify.
    pub due_at: Option<Timestamp>,
}

/// What the owner should hear of a look nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The public answer no longer matches.
    Broken,
    /// It matches again.
    Mended,
}
