//! One-time links: whoever has one may do one thing, once. The text is `tokens::secret`'s, the row the store's.

use std::str::FromStr;

use super::{
    Timestamp,
    account::{Email, Role, UnknownWord},
    id::{AccountId, LinkId},
};

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkPurpose {
    /// Make an account with the address it was sent to. Until then there is none: nobody squats on an address that is
    /// not theirs, and whoever chooses the password has read the mail.
    SignUp,
    /// The same, because somebody who may do so has invited the address.
    Invitation,
    /// Prove that an account's own address is its owner's.
    VerifyEmail,
    /// Choose a new password.
    ResetPassword,
    /// Make the address it was sent to the account's.
    ChangeEmail,
    /// Go back to an address that was the account's until somebody changed it, and choose a new password.
    RestoreEmail,
}

impl LinkPurpose {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::SignUp, Self::Invitation, Self::VerifyEmail, Self::ResetPassword, Self::ChangeEmail, Self::RestoreEmail];

    /// The word the database and the link's path use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::Invitation => "invitation",
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::ChangeEmail => "change-email",
            Self::RestoreEmail => "restore-email",
        }
    }
}

impl FromStr for LinkPurpose {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|purpose| purpose.as_str() == word);
        known.ok_or_else(|| UnknownWord::new("purpose of a link", word))
    }
}

/// A link that can be used.
#[derive(Clone, Debug)]
pub struct Link {
    /// Row id.
    pub id: LinkId,
    /// What for.
    pub purpose: LinkPurpose,
    /// Whose account; none where there is to be one.
    pub account_id: Option<AccountId>,
    /// The address it was sent to.
    pub email: Email,
    /// What an invited account may do.
    pub role: Option<Role>,
    /// The tag of the language it was asked for in.
    pub language: Option<String>,
    /// The sealed authorization request that is to go on afterwards; it is bound to its browser by itself.
    pub request: Option<String>,
    /// The end.
    pub expires_at: Timestamp,
}

/// What there is to say of a link to whoever has it.
#[derive(Clone, Debug)]
pub enum LinkState {
    /// It can be used.
    Standing(Box<Link>),
    /// It was.
    Used,
    /// There is none, it has expired, or something else made it worthless.
    Gone,
}
