//! Accounts: the people who sign in, consent, own plugins or administer.

use std::{fmt, str::FromStr};

use serde::Serialize;

use super::{
    Generation, Timestamp,
    id::{AccountId, PluginId},
};

/// An e-mail address, trimmed and in lower case, as accounts are looked up by.
///
/// Not a full RFC 5322 parser: one `@`, something on both sides, no white space or control characters, at most 254
/// bytes (RFC 5321 §4.5.3.1.3). Whether mail arrives is found out by sending some.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// Why a text is not an e-mail address.
#[derive(Debug, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnEmail;

impl Email {
    /// The address as stored and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let email = text.trim().to_lowercase();
        let unprintable = |c: char| c.is_whitespace() || c.is_control();
        match email.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && email.len() <= 254
                    && !email.chars().any(unprintable) =>
            {
                Ok(Self(email))
            }
            _ => Err(NotAnEmail),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What an account may do beyond consenting for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs in and consents.
    Person,
    /// Also registers plugins and their clients.
    Owner,
    /// Also sees and changes everything.
    Admin,
}

impl Role {
    /// The word the database and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Owner => "owner",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "person" => Ok(Self::Person),
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            _ => Err(UnknownWord::new("role", word)),
        }
    }
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUps {
    /// Anybody, by a link that is mailed to their address.
    Open,
    /// Whoever was invited.
    #[default]
    Invited,
    /// Nobody but those the operator adds.
    Off,
}

/// A word that belongs to none of a closed list of words.
#[derive(Debug, thiserror::Error)]
#[error("unknown {what} \"{word}\"")]
pub struct UnknownWord {
    /// What kind of word was expected.
    pub what: &'static str,
    /// The word that came.
    pub word: String,
}

impl UnknownWord {
    /// Names the expected kind and the word that came.
    pub fn new(what: &'static str, word: &str) -> Self {
        Self { what, word: word.to_owned() }
    }
}

/// An account as every part of the house sees it; the password hash stays between the store and `passwords`.
#[derive(Clone, Debug)]
pub struct Account {
    /// Row id.
    pub id: AccountId,
    /// Unique address.
    pub email: Email,
    /// What the person is called on pages.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Raised by "sign out everywhere" and a password reset.
    pub generation: Generation,
    /// Raised when the password is changed: browser sessions end, connections go on.
    pub session_generation: Generation,
    /// A disabled account cannot sign in and nothing of its stands.
    pub enabled: bool,
    /// When it was shown that the address is the person's; none while it was only claimed.
    pub email_verified_at: Option<Timestamp>,
    /// The tag of the language that was chosen (BCP 47); none for the browser's.
    pub language: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whose work it is for, where it is a reviewer's and no person's.
    pub reviews: Option<Reviews>,
}

/// What makes an account a reviewer's: it has a password and no more, connects to one plugin, and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reviews {
    /// The plugin.
    pub plugin_id: PluginId,
    /// The end.
    pub ends_at: Timestamp,
}
