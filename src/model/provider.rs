//! Providers: other people's servers that say who somebody is, as the operator has configured them, and what they say.

use url::Url;
use zeroize::Zeroizing;

use super::{
    Timestamp,
    account::Email,
    id::{AccountId, IdentityId},
    live::Live,
};

/// The longest `sub` (OpenID Connect Core §2), in bytes; other kinds of providers are held to it too.
pub const SUBJECT_LENGTH_MAX: usize = 255;

/// A provider people may sign in through.
#[derive(Clone)]
pub struct Provider {
    /// Its word in addresses.
    pub name: String,
    /// What people know it by.
    pub label: String,
    /// Who this server is to it.
    pub client_id: String,
    /// How this server proves that; shared with the provider alone.
    pub client_secret: Live<Zeroizing<String>>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Whether everybody it knows may have an account here, whoever else may.
    pub makes_accounts: bool,
    /// How it is spoken to.
    pub speaks: Speaks,
}

/// How a provider is spoken to.
#[derive(Clone, Debug)]
pub enum Speaks {
    /// OpenID Connect: all there is to know is found from the issuer.
    OpenId {
        /// The issuer, byte for byte as its tokens have it.
        issuer: String,
    },
    /// OAuth 2 alone, with an address at which a token is good for learning whose it is.
    OAuth(Box<Endpoints>),
}

/// A provider that speaks OAuth 2 alone.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Where people go.
    pub authorization: Url,
    /// Where codes are redeemed.
    pub token: Url,
    /// Whether the secret stands in the form there, and not in the head.
    pub secret_in_body: bool,
    /// Where a token is good for learning whose it is.
    pub userinfo: Url,
    /// The member of that answer that is the person's id, for ever.
    pub id: String,
    /// The member that is their name.
    pub name: String,
    /// How their address is learnt.
    pub email: EmailSource,
}

/// How a person's address is learnt, and whether it is theirs.
#[derive(Clone, Debug)]
pub enum EmailSource {
    /// From a list of all their addresses: `email`, `primary` and `verified` each.
    List(Url),
    /// From a member of the same answer; another member says whether it was verified.
    Member {
        /// The address.
        email: String,
        /// Whether it was verified.
        verified: String,
    },
    /// From a member of the same answer, of a provider that gives out no others than verified ones, by the operator's
    /// word.
    Trusted {
        /// The address.
        email: String,
    },
}

impl Provider {
    /// What its people are known under here, beside their id there. An issuer is for ever; other providers have nothing
    /// of the kind, so it is what the operator calls them and where they are: whoever calls another one so some day has
    /// none of this one's people taken for its own.
    pub fn key(&self) -> String {
        match &self.speaks {
            Speaks::OpenId { issuer } => issuer.clone(),
            Speaks::OAuth(endpoints) => {
                format!("{}@{}", self.name, endpoints.authorization.origin().ascii_serialization())
            }
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Provider").field("name", &self.name).field("speaks", &self.speaks).finish_non_exhaustive()
    }
}

/// What a provider has said of somebody who signed in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// [`Provider::key`].
    pub provider: String,
    /// The person's id there: never given to anybody else.
    pub subject: String,
    /// Their address, if there is one that could be an account's.
    pub email: Option<Email>,
    /// Whether the provider has verified it.
    pub email_verified: bool,
    /// What they are called, if it can be shown.
    pub name: Option<String>,
}

impl Shown {
    /// The address, if it was verified.
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }
}

/// Whether a text can be somebody's id at a provider.
pub fn is_subject(text: &str) -> bool {
    (1..=SUBJECT_LENGTH_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Somebody at a provider who is linked with an account here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Row id.
    pub id: IdentityId,
    /// Whose account.
    pub account_id: AccountId,
    /// [`Provider::key`].
    pub provider: String,
    /// The person's id there.
    pub subject: String,
    /// Their address there, as it was last told.
    pub email: Option<Email>,
    /// Since when.
    pub linked_at: Timestamp,
    /// When somebody last signed in by it.
    pub last_used_at: Option<Timestamp>,
}

/// The owner's own sign-in page, whose people need no account of their own here.
#[derive(Clone)]
pub struct OwnLogin {
    /// Where people are sent.
    pub url: Url,
    /// What people know it by.
    pub label: String,
    /// What answers are signed with; shared with that page alone.
    pub key: Live<Zeroizing<Vec<u8>>>,
    /// Whether it is the only way to sign in.
    pub is_only: bool,
}

impl std::fmt::Debug for OwnLogin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OwnLogin").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// What the owner's people are known under here, beside their id there.
pub const OWN: &str = "own";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_and_has_no_control_characters() {
        assert!(is_subject("248289761001") && is_subject(&"x".repeat(SUBJECT_LENGTH_MAX)) && is_subject("ü ö"));
        for text in ["", "a\0", "a\nb", &"x".repeat(SUBJECT_LENGTH_MAX + 1)] {
            assert!(!is_subject(text), "{text:?}");
        }
    }
}
