//! Walking the chain from its oldest link: whether every event is there, as it was, and no other.
//!
//! The ids that links reach divide the log into stretches. An event of a stretch is a member of its link; or it was
//! written late, and is a member of a later one; or it stands in none. So the walk goes once through both, in order,
//! and has to remember only those it has met before their link. A running server may go on meanwhile.
//!
//! Links whose key was given up are walked like the others. Nothing proves one of them by itself, but each holds the digest
//! of the one before, and the digest of the last was said under another key when the first was given up: what is altered
//! since then breaks that.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    str::FromStr,
};

use chrono::TimeDelta;

use super::{
    EVENTS, LINKS, canonical,
    chain::{self, BEGINNING, LATE},
    proof::Proof,
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
    /// Up to which link the log is proved only as it was when the keys of links were given up, and not as it was written.
    pub unproven: Option<i64>,
    /// What is wrong, the first [`NAMED_MAX`] of it.
    pub findings: Vec<Finding>,
    /// How much is.
    pub found: u64,
}

impl Report {
    fn note_beginning(&mut self, began: Option<&Forgotten>, proof: Proof<'_>) {
        self.forgotten = began.map(|it| it.number).filter(|number| *number > 0);
        let still_there = |number: &i64| self.forgotten.is_none_or(|forgotten| forgotten <= *number);
        self.unproven = proof.unproven().map(|(last, _)| last).filter(still_there);
    }
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
    let began = store.audit_forgotten().await?;
    let mut walk = Walk::begin(store, Proof::new(ring, began.as_ref()), began.as_ref());
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
    walk.end(began.as_ref()).await
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

/// How much can be told of the link before by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is proved.
    Proved,
    /// It is whole, and is what it was only if the one after it was made of it.
    Whole,
    /// What is wrong with it was told.
    Told,
}

struct Walk<'a> {
    store: &'a Store,
    proof: Proof<'a>,
    report: Report,
    expected: Option<Anchor>,
    /// The link before: its number, what its digest is and has to be, and what it reached.
    number: i64,
    digests: [Digest; 2],
    standing: Standing,
    reached: Option<AuditEventId>,
    strays: BTreeMap<AuditEventId, Stray>,
    /// Members that were found beyond where their link says it reaches; only one that was altered has such.
    ahead: HashSet<AuditEventId>,
}

impl<'a> Walk<'a> {
    fn begin(store: &'a Store, proof: Proof<'a>, began: Option<&Forgotten>) -> Self {
        let mut walk = Self {
            store,
            proof,
            report: Report::default(),
            expected: None,
            number: began.map_or(0, |it| it.number),
            digests: [began.map_or(BEGINNING, |it| it.digest); 2],
            standing: Standing::Proved,
            reached: None,
            strays: BTreeMap::new(),
            ahead: HashSet::new(),
        };
        if let Some(false_one) = began.filter(|it| !proof.is_of(it)) {
            let last = false_one.unproven.map_or(false_one.number, |(last, _)| last.max(false_one.number));
            walk.find(Wrong::ForgottenWrongly, None, Some(last));
        }
        walk.report.note_beginning(began, proof);
        walk
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
        let is_after_gap = self.miss_until(link.number);
        let standing = self.judge(&link, is_after_gap);
        let until = self.reached.map_or(link.reached, |reached| reached.max(link.reached));
        let met = self.walk_stretch(&link, until, is_after_gap).await?;
        for member in link.members.iter().filter(|member| !met.contains(&member.event)) {
            self.look_for(*member, link.number).await?;
            if member.event > until {
                self.ahead.insert(member.event);
            }
        }
        (self.number, self.digests, self.reached) = (link.number, [link.digest, chain::digest(&link)], Some(until));
        self.standing = standing;
        self.expected = self.expected.filter(|anchor| !self.meets(*anchor));
        self.report.links += 1;
        self.report.events += link.members.len() as u64;
        self.report.head = Some(link);
        Ok(())
    }

    /// Finds the links that are not there before this one, if any.
    fn miss_until(&mut self, number: i64) -> bool {
        let gap = number.saturating_sub(self.number).saturating_sub(1);
        if gap > 0 {
            let missing = self.number + 1..number;
            self.report.found += u64::try_from(gap).unwrap_or(0);
            let room = NAMED_MAX.saturating_sub(self.report.findings.len());
            let finding = |number| Finding { wrong: Wrong::LinkMissing, event: None, link: Some(number) };
            self.report.findings.extend(missing.take(room).map(finding));
        }
        gap > 0
    }

    /// Looks at a link by itself, and whether it was made of the one before. Where it was not, one of the two is another
    /// than it was: this one, if the one before is proved.
    fn judge(&mut self, link: &AuditLink, is_after_gap: bool) -> Standing {
        let follows = is_after_gap || self.digests.contains(&link.previous);
        let is_whole = self.proof.holds(link);
        if !is_whole || (!follows && self.standing == Standing::Proved) {
            self.find(Wrong::LinkChanged, None, Some(link.number));
            return Standing::Told;
        }
        if !follows && self.standing == Standing::Whole {
            self.find(Wrong::LinkChanged, None, Some(self.number));
        }
        if self.proof.rests_on_the_next(link) { Standing::Whole } else { Standing::Proved }
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
        if let Some((last, _)) = self.proof.unproven() {
            self.miss_until(last.saturating_add(1));
        }
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
        if let Some(now) = now.filter(|now| self.proof.is_of(now)) {
            let before = self.report.findings.len();
            self.report.findings.retain(|finding| finding.link.is_none_or(|link| link > now.number));
            self.report.found -= (before - self.report.findings.len()) as u64;
            self.report.note_beginning(Some(&now), self.proof);
        }
        if let Some(anchor) = self.expected {
            self.find(Wrong::NotExpected, None, Some(anchor.number));
        }
        Ok(self.report)
    }
}
