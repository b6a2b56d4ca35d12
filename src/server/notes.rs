//! Notes about clients, gathered in passing and written down in the background: when a secret was last shown, and which
//! callbacks were asked for that are not registered and look like a client's own.
//!
//! No request waits for them, nothing is decided by them, and a process that is killed loses those of the last seconds.
//! Strangers can cause callbacks to be noted, so there is room for a few of each client and not for all clients.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::uses::{USE_AGE_MIN, Uses};
use crate::{
    model::{
        Timestamp,
        client::Client,
        digest::Digest,
        id::{ClientId, ClientSecretId},
        redirect_uri::RedirectUri,
    },
    store::{callback_offers::CallbackSeen, client_changes::SecretUse},
};

/// Most callbacks noted and offered of one client.
pub const OFFERS_MAX: usize = 10;
/// Most callbacks that wait to be written down.
const CALLBACKS_MAX: usize = 500;

/// What has been gathered since the last time.
#[derive(Debug, Default)]
pub struct Notes {
    secrets: Uses<ClientSecretId>,
    callbacks: Mutex<Vec<CallbackSeen>>,
}

impl Notes {
    /// A client has proven itself by a secret.
    pub fn secret_shown(&self, client: &Client, shown: Digest, at: Timestamp) {
        let Some(secret) = client.secrets.iter().find(|secret| secret.digest == shown) else { return };
        self.secrets.used(secret.id, secret.last_used_at, at);
    }

    /// A client asked to send somebody to a callback that looks like its own, and was refused.
    pub fn callback_refused(&self, client: ClientId, redirect_uri: &RedirectUri, at: Timestamp) {
        let mut callbacks = self.lock();
        let is_it = |seen: &&mut CallbackSeen| seen.client_id == client && seen.redirect_uri == *redirect_uri;
        if let Some(seen) = callbacks.iter_mut().find(is_it) {
            seen.last_at = at;
            seen.times = seen.times.saturating_add(1);
            return;
        }
        let of_client = || callbacks.iter().enumerate().filter(|(_, seen)| seen.client_id == client);
        if of_client().count() >= OFFERS_MAX {
            // The latest counts: whoever wants one approved tries it once more.
            let oldest = of_client().min_by_key(|(_, seen)| seen.last_at).map(|(place, _)| place);
            oldest.map(|place| callbacks.swap_remove(place));
        }
        if callbacks.len() < CALLBACKS_MAX {
            let (redirect_uri, client_id) = (redirect_uri.clone(), client);
            callbacks.push(CallbackSeen { client_id, redirect_uri, first_at: at, last_at: at, times: 1 });
        }
    }

    /// What was gathered, to be written down: it is gathered no more.
    pub fn take(&self) -> (Vec<SecretUse>, Vec<CallbackSeen>) {
        let used = |(id, at)| SecretUse { id, at, unless_after: at - USE_AGE_MIN };
        let noted = self.secrets.take().into_iter().map(used).collect();
        (noted, std::mem::take(&mut *self.lock()))
    }

    /// How much was gathered and not written down yet.
    pub fn waiting(&self) -> usize {
        self.secrets.waiting() + self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CallbackSeen>> {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::random;

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn uri(number: usize) -> RedirectUri {
        format!("https://a.example/{number}").parse().unwrap()
    }

    #[test]
    fn a_callback_is_counted_and_the_latest_few_of_a_client_are_kept() {
        let (notes, client, other) = (Notes::default(), ClientId(random::id(at(0))), ClientId(random::id(at(1))));
        notes.callback_refused(other, &uri(0), at(0));
        for second in 0..30 {
            notes.callback_refused(client, &uri(usize::try_from(second).unwrap() / 2), at(second));
        }
        let (_, callbacks) = notes.take();
        let mut kept: Vec<_> = callbacks.iter().filter(|seen| seen.client_id == client).collect();
        kept.sort_by_key(|seen| seen.last_at);
        assert_eq!((kept.len(), callbacks.len()), (OFFERS_MAX, OFFERS_MAX + 1));
        assert_eq!(
            (&kept[0].redirect_uri, kept[0].first_at, kept[0].last_at, kept[0].times),
            (&uri(5), at(10), at(11), 2)
        );
        assert_eq!(notes.take().1, [], "once");
    }

    #[test]
    fn however_many_clients_are_named_what_waits_is_bounded() {
        let notes = Notes::default();
        for number in 0..CALLBACKS_MAX + 50 {
            notes.callback_refused(ClientId(random::id(at(0))), &uri(number), at(0));
        }
        assert_eq!(notes.take().1.len(), CALLBACKS_MAX);
    }
}
