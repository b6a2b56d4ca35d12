//! The whole log, or a part of it, oldest first and a page at a time, each event with the link it stands in.

use std::collections::HashMap;

use super::{EVENTS, LINKS, chain::LATE};
use crate::{
    model::{
        Timestamp,
        id::{AuditEventId, PluginId},
    },
    store::{
        Store, StoreResult,
        audit_links::{EventRange, StoredEvent},
    },
};

/// An event and its link; none while it waits for one.
#[derive(Clone, Debug)]
pub struct Exported {
    /// As it is stored.
    pub event: StoredEvent,
    /// The link's number.
    pub link: Option<i64>,
}

/// What is to be exported.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Of one plugin, or of all.
    pub plugin: Option<PluginId>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before that.
    pub until: Option<Timestamp>,
}

/// A reading of the log.
pub struct Export<'a> {
    store: &'a Store,
    range: EventRange,
    /// Links are read as far as the events are that may stand in them.
    link: Option<i64>,
    reached: Option<AuditEventId>,
    numbers: HashMap<AuditEventId, i64>,
}

impl<'a> Export<'a> {
    /// Begins one.
    pub fn of(store: &'a Store, part: Part) -> Self {
        let before = |at: Timestamp| AuditEventId::last_of(at - chrono::TimeDelta::milliseconds(1));
        let range = EventRange {
            plugin: part.plugin,
            after: part.since.map(before),
            until: part.until.map_or(AuditEventId(uuid::Uuid::max()), before),
            rows_max: EVENTS,
        };
        Self { store, range, link: None, reached: None, numbers: HashMap::new() }
    }

    /// The next page; an empty one is the end.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn page(&mut self) -> StoreResult<Vec<Exported>> {
        let events = self.store.stored_events(&self.range).await?;
        let Some(last) = events.last().map(|last| last.id) else { return Ok(Vec::new()) };
        self.range.after = Some(last);
        self.read_links(&events).await?;
        let exported = |event: StoredEvent| Exported { link: self.numbers.get(&event.id).copied(), event };
        let page = events.into_iter().map(exported).collect();
        self.numbers.retain(|event, _| *event > last);
        Ok(page)
    }

    /// Reads the links that events up to this one can stand in: what was written late may be in one that was made for
    /// others of a while later.
    async fn read_links(&mut self, page: &[StoredEvent]) -> StoreResult<()> {
        let (Some(first), Some(last)) = (page.first().map(|it| it.id), page.last().map(|it| it.id)) else {
            return Ok(());
        };
        // Between two events of one plugin there may be a million of others.
        let is_wanted = |event: AuditEventId| event > last || page.binary_search_by_key(&event, |it| it.id).is_ok();
        let end = AuditEventId::last_of(last.time() + LATE);
        let mut number = match self.link {
            Some(number) => number,
            None => self.store.first_audit_link_reaching(first).await?.map_or(0, |number| number - 1),
        };
        while self.reached.is_none_or(|reached| reached <= end) {
            let links = self.store.audit_links(number, LINKS).await?;
            if links.is_empty() {
                break;
            }
            for link in links {
                let members = link.members.iter().filter(|member| is_wanted(member.event));
                self.numbers.extend(members.map(|member| (member.event, link.number)));
                (number, self.reached) = (link.number, Some(link.reached));
            }
        }
        self.link = Some(number);
        Ok(())
    }
}
