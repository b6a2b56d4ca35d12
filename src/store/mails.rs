//! Operations on mail that waits to be sent. It is written in the step that causes it, so no crash loses any.
//!
//! Any number of nodes share the work: each takes some by moving `due_at` to when somebody else may try. One that is
//! killed between sending and saying so has it sent again, with the same Message-ID: at least once, never not at all.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    id::{AccountId, MailId},
};

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// Row id; also in its Message-ID.
    pub id: MailId,
    /// Whose account it is about; it goes with that.
    pub account_id: Option<AccountId>,
    /// The whole message, sealed.
    pub sealed: Vec<u8>,
    /// When it was caused.
    pub at: Timestamp,
    /// From when on it is sent. One that is due when it expires is never sent, and costs what others do.
    pub due_at: Timestamp,
    /// When what it says is worth nothing any more.
    pub expires_at: Timestamp,
}

/// A mail this node is to send now.
#[derive(Clone, Debug)]
pub struct TakenMail {
    /// Row id.
    pub id: MailId,
    /// The whole message, sealed.
    pub sealed: Vec<u8>,
    /// How often it has been tried, this time included.
    pub attempts: i64,
    /// When it was caused.
    pub created_at: Timestamp,
    /// When what it says is worth nothing any more.
    pub expires_at: Timestamp,
}

/// How a node takes mail.
#[derive(Clone, Copy, Debug)]
pub struct MailTaking {
    /// Now.
    pub at: Timestamp,
    /// From when on others may try what is taken now.
    pub until: Timestamp,
    /// At most so many.
    pub mails_max: u32,
}

/// How much mail there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailsWaiting {
    /// All that is kept, with what is never sent.
    pub kept: u64,
    /// Of it, what somebody is to get.
    pub waiting: u64,
    /// Of them, those to be sent now.
    pub due: u64,
}

impl Store {
    /// Counts what waits, without asking for the writer.
    pub async fn mails_waiting(&self, now: Timestamp) -> StoreResult<MailsWaiting> {
        on_either_engine!(self, engine => engine.mails_waiting(now))
    }

    /// Takes mail that is due, the longest waiting first. No other node gets the same before its time.
    pub async fn take_mails(&self, taking: &MailTaking) -> StoreResult<Vec<TakenMail>> {
        on_either_engine!(self, engine => engine.take_mails(taking))
    }

    /// Puts a mail that could not be sent back until then, unless somebody else has taken it meanwhile.
    pub async fn put_back_mail(&self, mail: &TakenMail, due_at: Timestamp) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.put_back_mail(mail, due_at))
    }

    /// Removes a mail that was sent, or never can be.
    pub async fn remove_mail(&self, id: MailId) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.remove_mail(id))
    }
}
