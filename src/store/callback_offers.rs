//! Operations on callbacks that clients asked for without having them registered, though they look like their own. Notes,
//! a bounded number for some days; nothing is decided by them, and nobody is ever sent there.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{Timestamp, audit::Audit, client::Client, id::ClientId, redirect_uri::RedirectUri};

/// A callback that was asked for, some times over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackSeen {
    /// By which client.
    pub client_id: ClientId,
    /// Which.
    pub redirect_uri: RedirectUri,
    /// For the first time since the last note.
    pub first_at: Timestamp,
    /// And for the last time.
    pub last_at: Timestamp,
    /// How often.
    pub times: u32,
}

/// A callback that is offered to a client's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackOffer {
    /// Which.
    pub redirect_uri: RedirectUri,
    /// When it was first asked for.
    pub first_seen_at: Timestamp,
    /// When it was last.
    pub last_seen_at: Timestamp,
    /// How often, about.
    pub seen: i64,
}

impl Store {
    /// Notes callbacks that were asked for; of each client the ones asked for last stay, at most so many. A client that
    /// is disabled, or gone, is offered nothing.
    pub async fn note_callbacks(&self, seen: &[CallbackSeen], per_client_max: u32) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.note_callbacks(seen, per_client_max))
    }

    /// What is offered to a client, the one asked for last in front; without those last asked for before then.
    pub async fn callback_offers(&self, client: ClientId, since: Timestamp) -> StoreResult<Vec<CallbackOffer>> {
        on_either_engine!(self, engine => engine.callback_offers(client, since))
    }

    /// Takes offers away, until they are asked for again; whether there were any.
    pub async fn dismiss_callbacks(
        &self,
        client: &Client,
        redirect_uris: &[RedirectUri],
        audit: &Audit,
    ) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.dismiss_callbacks(client, redirect_uris, audit))
    }
}
