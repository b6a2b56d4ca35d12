//! Sending mail: what is due is taken a few at a time and handed to the mail server; what cannot be is tried again, later
//! and later, until it is worth nothing any more. A mail server that is dead or slow holds up nobody but its mail.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::task::JoinSet;

use crate::{
    mail::SendError,
    server::{Server, keyring::KeyringError},
    store::{
        StoreError,
        mails::{MailTaking, TakenMail},
    },
    telemetry::metrics,
};

/// How long after one look the next comes.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many are sent at once.
const BATCH: u32 = 8;

/// How long a node keeps what it took to itself: longer than sending may take (`mail::smtp`). One that is killed meanwhile
/// leaves it to others after that.
const TURN: TimeDelta = TimeDelta::minutes(3);

/// The wait after a first failure; it doubles with each.
const FIRST_WAIT_SECONDS: i64 = 5;

/// The longest wait.
const WAIT_MAX: TimeDelta = TimeDelta::minutes(10);

/// When the last try is, before what it says is worth nothing.
const LAST_TRY_BEFORE_END: TimeDelta = TimeDelta::minutes(1);

/// Why a turn broke off.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeyringError),
}

/// Sends for ever, where mail is sent at all.
pub async fn run(server: Arc<Server>) {
    if !server.mails.mailer().is_on() {
        return;
    }
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "mail could not be looked at; it is tried again in a second");
        }
    }
}

/// Sends all that is due now.
pub async fn once(server: &Arc<Server>) -> Result<(), StoreError> {
    loop {
        let now = server.clock.now();
        let mails = server.store.mails_waiting(now).await?;
        server.mails.note(mails.kept);
        metrics::mails_waiting(mails.waiting);
        if mails.due == 0 {
            return Ok(());
        }
        let taking = MailTaking { at: now, until: now + TURN, mails_max: BATCH };
        let taken = server.store.take_mails(&taking).await?;
        if taken.is_empty() {
            return Ok(());
        }
        let sending: JoinSet<()> = taken.into_iter().map(|mail| send(Arc::clone(server), mail)).collect();
        sending.join_all().await;
    }
}

async fn send(server: Arc<Server>, mail: TakenMail) {
    if let Err(error) = try_to_send(&server, &mail).await {
        tracing::warn!(%error, mail.id = %mail.id, "a mail waits for its next turn");
    }
}

async fn try_to_send(server: &Server, mail: &TakenMail) -> Result<(), TurnError> {
    let Some(letter) = server.open_mail(mail).await? else {
        tracing::error!(mail.id = %mail.id, "a mail does not open: its row or its key was changed; it is dropped");
        metrics::mail_failed();
        return Ok(server.store.remove_mail(mail.id).await?);
    };
    match server.mails.mailer().send(&letter, mail.id, mail.created_at).await {
        Ok(()) => {
            metrics::mail_sent();
            Ok(server.store.remove_mail(mail.id).await?)
        }
        Err(error) => put_back(server, mail, &error.without(&letter.to)).await,
    }
}

async fn put_back(server: &Server, mail: &TakenMail, error: &SendError) -> Result<(), TurnError> {
    let now = server.clock.now();
    let due_at = (now + wait_after(mail.attempts)).min(mail.expires_at - LAST_TRY_BEFORE_END);
    if matches!(error, SendError::Refused(_)) || due_at <= now {
        tracing::error!(%error, mail.id = %mail.id, mail.attempts = mail.attempts, "a mail was not sent, and never will be");
        metrics::mail_failed();
        return Ok(server.store.remove_mail(mail.id).await?);
    }
    tracing::warn!(%error, mail.id = %mail.id, mail.attempts = mail.attempts, "a mail was not sent; it is tried again");
    metrics::mail_put_back();
    Ok(server.store.put_back_mail(mail, due_at).await?)
}

fn wait_after(attempts: i64) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    TimeDelta::seconds(FIRST_WAIT_SECONDS << doublings).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits = [1, 2, 3, 8, 1000, 0].map(|attempts| wait_after(attempts).num_seconds());
        assert_eq!(waits, [5, 10, 20, 600, 600, 5]);
    }
}
