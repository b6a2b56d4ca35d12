//! Mail as the server knows it: who takes it away, and how much waits. Rows are written by the steps that cause them and
//! sent by `jobs::mail`; this seals them before and opens them after.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;

use super::{Server, keyring::KeyringError};
use crate::{
    keys::{KeyError, place::Place},
    mail::{Letter, Mailer},
    model::{
        Timestamp,
        id::{AccountId, MailId},
    },
    random,
    store::mails::{NewMail, TakenMail},
};

/// How many may be kept before strangers can cause no more. What is caused by who has signed in is always taken.
const KEPT_MAX: u64 = 10_000;

/// How long it is worth telling somebody what happened.
pub const NEWS_LIFETIME: TimeDelta = TimeDelta::days(3);

/// Who takes mail away, and how much is kept.
pub struct Mails {
    mailer: Mailer,
    kept: AtomicU64,
}

impl Mails {
    /// With whoever takes it away.
    pub fn new(mailer: Mailer) -> Self {
        Self { mailer, kept: AtomicU64::new(0) }
    }

    /// Who takes it away.
    pub fn mailer(&self) -> &Mailer {
        &self.mailer
    }

    /// How much is kept, as of a moment ago: what waits to be sent, and what is for nobody.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Whether a stranger may cause one more.
    pub fn has_room(&self) -> bool {
        self.kept() < KEPT_MAX
    }

    /// Notes how much is kept.
    pub fn note(&self, kept: u64) {
        self.kept.store(kept, Ordering::Relaxed);
    }
}

impl Server {
    /// Seals a letter as a mail that is due now; none where no mail is sent.
    pub fn mail(
        &self,
        letter: &Letter,
        account_id: Option<AccountId>,
        expires_at: Timestamp,
    ) -> Result<Option<NewMail>, KeyError> {
        if !self.mails.mailer().is_on() {
            return Ok(None);
        }
        let at = self.clock.now();
        let id = MailId(random::id(at));
        let plain = letter.to_bytes().ok_or(KeyError::Refused)?;
        let sealed = Place::Mail(id).seal(&self.keyring.current(), &plain, at, random::bytes())?;
        Ok(Some(NewMail { id, account_id, sealed, at, due_at: at, expires_at }))
    }

    /// Opens a mail; none when it was sealed by nobody here, or stood in another row.
    pub async fn open_mail(&self, mail: &TakenMail) -> Result<Option<Letter>, KeyringError> {
        let plain = self.open_kept(Place::Mail(mail.id), &mail.sealed).await?;
        Ok(plain.and_then(|plain| Letter::from_bytes(&plain)))
    }
}
