//! Walking the chain from its oldest link: whether every event is there, as it was, and no other.
//!
//! The ids that links reach divide the log into stretches. An event of a stretch is a member of its link; or it was
//! written late, and is a member of a later one; or it stands in none. So the walk goes once through both, in order,
//! and has to remember only those it has met before their link. A running server may go on meanwhile.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    str::FromStr,
};

use chrono::TimeDelta;

use super::{
    EVENTS, LINKS, canonical,
    chain::{self, BEGINNING, LATE},
};
use crate::{
    keys::ring::Ring,
    model::{digest::Digest, id::AuditEventId},
    store::{
        Store, StoreResult,
        audit_links::{AuditLink, EventRange, Forgotten, Member, StoredEvent},
    },
};

/// How many findings are named; all are counted.
pub const NAMED_MAX: usize = 1000;

/// An event's id is made of its time.
const DATED: TimeDelta = TimeDelta::seconds(1);

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// An event of a link is not there.
    Deleted,
    /// An event is another than its link was made of.
    Changed,
    /// An event says that it happened at another time than its id does, which says when it was written.
    Misdated,
    /// An event stands in no link, although those of its time have been made.
    Inserted,
    /// A link is not there.
    LinkMissing,
    /// A link is not what it was, or was not made with the key.
    LinkChanged,
    /// What says how much was forgotten was not written with the key.
    ForgottenWrongly,
    /// A link is not the one that was expected.
    NotExpected,
}

impl Wrong {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Changed => "changed",
            Self::Misdated => "misdated",
            Self::Inserted => "inserted",
            Self::LinkMissing => "link_missing",
            Self::LinkChanged => "link_changed",
            Self::ForgottenWrongly => "forgotten_wrongly",
            Self::NotExpected => "not_expected",
        }
    }
}

/// Something that is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub wrong: Wrong,
    /// The event concerned.
    pub event: Option<AuditEventId>,
    /// The link concerned.
    pub link: Option<i64>,
}

/// What a walk came to.
#[derive(Debug, Default)]
pub struct Report {
    /// How many links there are.
    pub links: u64,
    /// How many events stand in them.
    pub events: u64,
    /// How many are in none yet.
    pub waiting: u64,
    /// The newest link.
    pub head: Option<AuditLink>,
    /// Up to which link the log was forgotten by its age.
    pub forgotten: Option<i64>,
    /// Up to which link nothing is proved although it is there: the keys were lost, and the log began anew after it.
    pub unproven: Option<i64>,
    /// What is wrong, the first [`NAMED_MAX`] of it.
    pub findings: Vec<Finding>,
    /// How much is.
    pub found: u64,
}

/// A link as somebody kept it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its number.
    pub number: i64,
    /// Its digest.
    pub digest: Digest,
}

impl fmt::Display for Anchor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.number, self.digest.to_hex())
    }
}

impl FromStr for Anchor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let read = || {
            let (number, digest) = text.split_once(':')?;
            Some(Self { number: number.parse().ok()?, digest: Digest::from_hex(digest)? })
        };
        read().ok_or("it is not NUMBER:DIGEST, as the server's log has it")
    }
}

/// Walks the whole chain.
///
/// # Errors
///
/// The store's.
pub async fn verify(store: &Store, ring: &Ring, expected: Option<Anchor>) -> StoreResult<Report> {
    let forgotten = store.audit_forgotten().await?;
    let mut walk = Walk::begin(store, ring, forgotten.as_ref());
    if let Some(before) = &forgotten {
        walk.pass_over(before).await?;
    }
    walk.expected = expected.filter(|anchor| !walk.meets(*anchor));
    loop {
        let links = store.audit_links(walk.number, LINKS).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            walk.step(link).await?;
        }
    }
    walk.end(forgotten.as_ref()).await
}

/// Whether a link by itself is what it was when it was made.
pub fn holds(ring: &Ring, link: &AuditLink) -> bool {
    // It says itself when it was made; what it reaches cannot be earlier than that.
    let made_at = link.made_at.max(link.reached.time());
    let key = ring.chaining_of(link.kid, made_at);
    chain::digest(link) == link.digest && key.is_some_and(|key| chain::is_authentic(link, key))
}

/// Whether the log was forgotten so far by who has the key.
pub fn is_true(ring: &Ring, forgotten: &Forgotten) -> bool {
    let key = ring.chaining_of(forgotten.kid, forgotten.forgotten_at);
    key.is_some_and(|key| chain::is_truly_forgotten(forgotten, key))
}

/// What is looked at of an event.
struct Look {
    digest: Digest,
    is_dated: bool,
}

impl Look {
    fn at(event: &StoredEvent) -> Self {
        Self { digest: canonical::digest(event), is_dated: (event.at - event.id.time()).abs() < DATED }
    }
}

/// An event that was met before its link.
struct Stray {
    look: Look,
    /// Its link may be one that is missing: that was told already.
    is_excused: bool,
}

struct Walk<'a> {
    store: &'a Store,
    ring: &'a Ring,
    report: Report,
    expected: Option<Anchor>,
    /// The link before: its number, what its digest is and has to be, and what it reached.
    number: i64,
    digests: [Digest; 2],
    reached: Option<AuditEventId>,
    strays: BTreeMap<AuditEventId, Stray>,
    /// Members that were found beyond where their link says it reaches; only one that was altered has such.
    ahead: HashSet<AuditEventId>,
}

impl<'a> Walk<'a> {
    fn begin(store: &'a Store, ring: &'a Ring, forgotten: Option<&Forgotten>) -> Self {
        let mut walk = Self {
            store,
            ring,
            report: Report { forgotten: forgotten.map(|it| it.number), ..Report::default() },
            expected: None,
            number: forgotten.map_or(0, |it| it.number),
            digests: [forgotten.map_or(BEGINNING, |it| it.digest); 2],
            reached: None,
            strays: BTreeMap::new(),
            ahead: HashSet::new(),
        };
        if forgotten.is_some_and(|it| !is_true(ring, it)) {
            walk.find(Wrong::ForgottenWrongly, None, Some(walk.number));
        }
        walk
    }

    /// Where the keys of what is before were lost, that is there still: the walk begins behind it.
    async fn pass_over(&mut self, before: &Forgotten) -> StoreResult<()> {
        let links = self.store.audit_links(before.number - 1, 1).await?;
        let Some(last) = links.first().filter(|link| link.number == before.number) else { return Ok(()) };
        if last.digest == before.digest && chain::digest(last) == last.digest {
            self.reached = Some(last.reached);
        } else {
            self.find(Wrong::LinkChanged, None, Some(last.number));
        }
        (self.report.forgotten, self.report.unproven) = (None, Some(last.number));
        Ok(())
    }

    /// Whether the walk stands at a link that is as expected.
    fn meets(&self, anchor: Anchor) -> bool {
        self.number == anchor.number && self.digests[0] == anchor.digest
    }

    fn find(&mut self, wrong: Wrong, event: Option<AuditEventId>, link: Option<i64>) {
        self.report.found += 1;
        if self.report.findings.len() < NAMED_MAX {
            self.report.findings.push(Finding { wrong, event, link });
        }
    }

    async fn step(&mut self, link: AuditLink) -> StoreResult<()> {
        let gap = link.number.saturating_sub(self.number).saturating_sub(1);
        if gap > 0 {
            let missing = self.number + 1..link.number;
            self.report.found += u64::try_from(gap).unwrap_or(0);
            let room = NAMED_MAX.saturating_sub(self.report.findings.len());
            let finding = |number| Finding { wrong: Wrong::LinkMissing, event: None, link: Some(number) };
            self.report.findings.extend(missing.take(room).map(finding));
        }
        let follows = gap > 0 || self.digests.contains(&link.previous);
        if !follows || !holds(self.ring, &link) {
            self.find(Wrong::LinkChanged, None, Some(link.number));
        }
        let until = self.reached.map_or(link.reached, |reached| reached.max(link.reached));
        let met = self.walk_stretch(&link, until, gap > 0).await?;
        for member in link.members.iter().filter(|member| !met.contains(&member.event)) {
            self.look_for(*member, link.number).await?;
            if member.event > until {
                self.ahead.insert(member.event);
            }
        }
        (self.number, self.digests, self.reached) = (link.number, [link.digest, chain::digest(&link)], Some(until));
        self.expected = self.expected.filter(|anchor| !self.meets(*anchor));
        self.report.links += 1;
        self.report.events += link.members.len() as u64;
        self.report.head = Some(link);
        Ok(())
    }

    /// Goes through the events up to where a link reaches; which of its members are among them.
    async fn walk_stretch(
        &mut self,
        link: &AuditLink,
        until: AuditEventId,
        is_excused: bool,
    ) -> StoreResult<HashSet<AuditEventId>> {
        let mut met = HashSet::with_capacity(link.members.len());
        let mut after = self.reached;
        loop {
            let range = EventRange { plugin: None, after, until, rows_max: EVENTS };
            let events = self.store.stored_events(&range).await?;
            let Some(last) = events.last() else { return Ok(met) };
            after = Some(last.id);
            for event in &events {
                let look = Look::at(event);
                match link.members.binary_search_by_key(&event.id, |member| member.event) {
                    Err(_) if self.ahead.remove(&event.id) => {}
                    Err(_) => drop(self.strays.insert(event.id, Stray { look, is_excused })),
                    Ok(place) => {
                        met.insert(event.id);
                        self.compare(link.members[place], Some(look), link.number);
                    }
                }
            }
        }
    }

    /// Looks for a member that is not in its link's stretch: it was written late, perhaps since that was walked.
    async fn look_for(&mut self, member: Member, link: i64) -> StoreResult<()> {
        let look = match self.strays.remove(&member.event) {
            Some(stray) => Some(stray.look),
            None => self.store.stored_event(member.event).await?.as_ref().map(Look::at),
        };
        self.compare(member, look, link);
        Ok(())
    }

    /// Compares an event with what its link says.
    fn compare(&mut self, member: Member, look: Option<Look>, link: i64) {
        let wrong = match look {
            Some(look) if look.digest != member.digest => Wrong::Changed,
            Some(look) if !look.is_dated => Wrong::Misdated,
            Some(_) => return,
            None => Wrong::Deleted,
        };
        self.find(wrong, Some(member.event), Some(link));
    }

    async fn end(mut self, began: Option<&Forgotten>) -> StoreResult<Report> {
        let settled = self.reached.map(|reached| AuditEventId::last_of(reached.time() - LATE));
        for (event, stray) in std::mem::take(&mut self.strays) {
            match settled {
                _ if stray.is_excused => {}
                Some(settled) if event <= settled => self.find(Wrong::Inserted, Some(event), None),
                _ => self.report.waiting += 1,
            }
        }
        let mut after = self.reached;
        loop {
            let range = EventRange { plugin: None, after, until: AuditEventId(uuid::Uuid::max()), rows_max: EVENTS };
            let ids = self.store.stored_event_ids(&range).await?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            self.report.waiting += ids.len() as u64;
        }
        // What was forgotten while the chain was walked is missing rightly.
        let now = self.store.audit_forgotten().await?.filter(|now| Some(now) != began);
        if let Some(now) = now {
            let before = self.report.findings.len();
            self.report.findings.retain(|finding| finding.link.is_none_or(|link| link > now.number));
            self.report.found -= (before - self.report.findings.len()) as u64;
            self.report.forgotten = Some(now.number);
        }
        if let Some(anchor) = self.expected {
            self.find(Wrong::NotExpected, None, Some(anchor.number));
        }
        Ok(self.report)
    }
}
