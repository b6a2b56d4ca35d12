//! The audit log's chain: links are added behind the writes, read from the oldest, and forgotten by age. What a link
//! says is for `audit::chain` to work out; the store keeps bytes.

use serde_json::Value;
use uuid::Uuid;

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    digest::Digest,
    id::{AuditEventId, PluginId},
    key::Kid,
};

/// An event as it stands in the table, every column of it.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Row id.
    pub id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// The log's word for what happened.
    pub action: String,
    /// The word for who did it.
    pub actor: String,
    /// Which of them.
    pub actor_id: Option<Uuid>,
    /// The token by which a program did it.
    pub token_id: Option<Uuid>,
    /// What that was called.
    pub token_name: Option<String>,
    /// From which network address.
    pub address: Option<String>,
    /// Under which request.
    pub request_id: Option<String>,
    /// The account it is about.
    pub account_id: Option<Uuid>,
    /// The client it is about.
    pub client_id: Option<Uuid>,
    /// The plugin it is about.
    pub plugin_id: Option<Uuid>,
    /// What more is known.
    pub detail: Value,
}

/// Some events, in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub struct EventRange {
    /// Those of one plugin, or all.
    pub plugin: Option<PluginId>,
    /// Only after this one; none for all from the first.
    pub after: Option<AuditEventId>,
    /// And not after this one.
    pub until: AuditEventId,
    /// At most so many.
    pub rows_max: u32,
}

/// An event as a link names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its row id.
    pub event: AuditEventId,
    /// Of all that is written of it.
    pub digest: Digest,
}

impl Member {
    const LENGTH: usize = 48;

    /// Members as they stand in a row: the 16 bytes of the id and the 32 of the digest, one after the other.
    pub fn pack(members: &[Self]) -> Vec<u8> {
        members.iter().flat_map(|it| it.event.0.as_bytes().iter().chain(&it.digest.0).copied()).collect()
    }

    pub(super) fn unpack(column: &[u8]) -> Vec<Self> {
        let member = |bytes: &[u8]| {
            let (event, digest) = bytes.split_first_chunk::<16>()?;
            Some(Self { event: AuditEventId(Uuid::from_bytes(*event)), digest: Digest(digest.try_into().ok()?) })
        };
        column.chunks_exact(Self::LENGTH).filter_map(member).collect()
    }
}

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLink {
    /// Its place, from 1.
    pub number: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Which process made it.
    pub node: String,
    /// The greatest id of an event in this link and those before.
    pub reached: AuditEventId,
    /// Its events, by their ids.
    pub members: Vec<Member>,
    /// The digest of the link before; zeros for the first.
    pub previous: Digest,
    /// Of all of this.
    pub digest: Digest,
    /// The working key.
    pub kid: Kid,
    /// The digest under that key.
    pub mac: [u8; 32],
}

/// Where the log begins, said under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The last link that was forgotten by its age; 0 where none was.
    pub number: i64,
    /// Its digest.
    pub digest: Digest,
    /// The number and digest of the last link whose key was given up; none where others after it were forgotten too.
    pub unproven: Option<(i64, Digest)>,
    /// When this was said.
    pub forgotten_at: Timestamp,
    /// The working key.
    pub kid: Kid,
    /// All of this under that key.
    pub mac: [u8; 32],
}

/// What is said of the log's beginning from now on.
#[derive(Clone, Debug)]
pub struct NewBeginning {
    /// What was said when this was decided. Where it is another thing by now, nothing is written.
    pub before: Option<Forgotten>,
    /// What is said in its place.
    pub now: Forgotten,
}

impl Store {
    /// Events as they are stored.
    pub async fn stored_events(&self, range: &EventRange) -> StoreResult<Vec<StoredEvent>> {
        on_either_engine!(self, engine => engine.stored_events(range))
    }

    /// Ids alone, of whichever plugin.
    pub async fn stored_event_ids(&self, range: &EventRange) -> StoreResult<Vec<AuditEventId>> {
        on_either_engine!(self, engine => engine.stored_event_ids(range))
    }

    /// One event, if it is there.
    pub async fn stored_event(&self, id: AuditEventId) -> StoreResult<Option<StoredEvent>> {
        on_either_engine!(self, engine => engine.stored_event(id))
    }

    /// The newest link.
    pub async fn last_audit_link(&self) -> StoreResult<Option<AuditLink>> {
        on_either_engine!(self, engine => engine.last_audit_link())
    }

    /// Links after a number, in their order.
    pub async fn audit_links(&self, after: i64, rows_max: u32) -> StoreResult<Vec<AuditLink>> {
        on_either_engine!(self, engine => engine.audit_links(after, rows_max))
    }

    /// The number of the first link that reaches an event, or goes beyond it.
    pub async fn first_audit_link_reaching(&self, event: AuditEventId) -> StoreResult<Option<i64>> {
        on_either_engine!(self, engine => engine.first_audit_link_reaching(event))
    }

    /// The members of every link that can have an event after this one, in no order.
    pub async fn linked_after(&self, event: AuditEventId) -> StoreResult<Vec<Member>> {
        on_either_engine!(self, engine => engine.linked_after(event))
    }

    /// Whether anything is there that was made with a key.
    pub async fn is_chained_with(&self, kid: Kid) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.is_chained_with(kid))
    }

    /// Adds a link; `false` where another node has made the one with its number, or its key is gone.
    pub async fn add_audit_link(&self, link: &AuditLink) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_audit_link(link))
    }

    /// Where the log begins, if that is not its first link, or keys of links were given up.
    pub async fn audit_forgotten(&self) -> StoreResult<Option<Forgotten>> {
        on_either_engine!(self, engine => engine.audit_forgotten())
    }

    /// The newest link that was made with a key.
    pub async fn last_audit_link_of(&self, kid: Kid) -> StoreResult<Option<AuditLink>> {
        on_either_engine!(self, engine => engine.last_audit_link_of(kid))
    }

    /// Forgets these links, which are the oldest there are, with their events; `false` where somebody else was quicker.
    pub async fn forget_audit_links(&self, links: &[AuditLink], beginning: &NewBeginning) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.forget_audit_links(links, beginning))
    }
}
