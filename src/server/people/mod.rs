//! What people ask for and do with their own accounts: one function per step, for a page or a command to call.
//!
//! `asking` makes links and lets them be mailed; `inviting` asks somebody to own a plugin; `following` is what happens when somebody comes with one; `settings` is
//! what who has signed in does, and `proving` how they show once more who they are. `letters` is what is said in which case. The store's `people` and `links` are the steps
//! themselves. Whoever asks is told the same and waits as long whether an address has an account or not.

mod asking;
mod following;
mod inviting;
pub mod letters;
mod proving;
mod settings;

pub use asking::{ask_for_reset, ask_to_sign_up, invitation, may_ask};
pub use following::{confirm_email, look, reset_password, sign_up, verify_email};
pub use inviting::{Invited, invite_owner};
pub use proving::Unproven;
pub use settings::{Change, ask_for_password, ask_to_change_email, ask_to_verify, change_password, delete, export};

use chrono::TimeDelta;

use super::{Server, keyring::KeyringError};
use crate::{
    keys::KeyError,
    model::{
        account::Email,
        audit::Origin,
        digest::Digest,
        id::{AccountId, LinkId},
        link::LinkPurpose,
    },
    passwords::PasswordError,
    random,
    store::{StoreError, links::NewLink},
    tokens::secret::{LINK, SecretText},
};

/// Who asks, as far as that is known.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The tag of the language to answer in.
    pub language: Option<String>,
    /// The sealed authorization request to go on with; bound to its browser by itself.
    pub request: Option<String>,
}

/// Who has signed in and is at work on their own account.
#[derive(Clone, Debug)]
pub struct Person {
    /// Whose it is.
    pub id: AccountId,
    /// SHA-256 of the session they do it in.
    pub session: Digest,
    /// From where, for the audit log.
    pub origin: Origin,
}

/// What becomes of asking for a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A mail is on its way, if there is anything to say to that address. There is no more to tell.
    Taken,
    /// Nobody may ask for this here: it is switched off, or no mail is sent.
    NotOffered,
}

/// Why a step came to no outcome.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The password cannot be taken, or too many are being checked.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Too much mail waits to be sent.
    #[error("too much mail waits to be sent")]
    MailIsBehind,
}

/// A result of a step.
pub type PeopleResult<T> = Result<T, PeopleError>;

/// How many links for one purpose an address can be sent within the life of one.
const UNEXPIRED_MAX: u32 = 5;

/// How long a link is good for. NIST SP 800-63B-4 §3.1.3.3 gives what is mailed to an address a day; what gives an
/// account away gets less, and what may be the only way back more.
fn lifetime(purpose: LinkPurpose) -> TimeDelta {
    match purpose {
        LinkPurpose::SignUp | LinkPurpose::VerifyEmail | LinkPurpose::ChangeEmail => TimeDelta::days(1),
        LinkPurpose::ResetPassword => TimeDelta::hours(1),
        LinkPurpose::Invitation | LinkPurpose::RestoreEmail => TimeDelta::days(7),
    }
}

/// A link, and the address it is opened by.
struct Written {
    link: NewLink,
    url: String,
}

/// Writes a link; nothing is stored yet.
fn write(server: &Server, purpose: LinkPurpose, account_id: Option<AccountId>, email: &Email) -> Written {
    let secret = SecretText::new(LINK, random::bytes());
    let at = server.clock.now();
    let url = url(&server.settings.issuer, purpose, &secret);
    let link = NewLink {
        id: LinkId(random::id(at)),
        digest: secret.digest(),
        purpose,
        account_id,
        email: email.clone(),
        role: None,
        language: None,
        request: None,
        at,
        expires_at: at + lifetime(purpose),
        unexpired_max: UNEXPIRED_MAX,
    };
    Written { link, url }
}

/// The address a link is opened by: of the public URL, never of the host that a request named.
fn url(issuer: &str, purpose: LinkPurpose, secret: &SecretText) -> String {
    format!("{issuer}/{}?link={}", purpose.as_str(), secret.reveal())
}
