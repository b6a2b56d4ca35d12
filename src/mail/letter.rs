//! A letter: what is said, whatever it will look like. Kept sealed until it is sent.

use serde::{Deserialize, Serialize};

/// A letter to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Whose.
    pub to: String,
    /// The tag of the language it is written in.
    pub language: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// What can be done, if anything: words for the button, and where it leads.
    pub link: Option<(String, String)>,
    /// What it says after that.
    pub closing: Vec<String>,
}

impl Letter {
    /// As bytes, to be sealed.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(self).ok()
    }

    /// From bytes that were sealed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
