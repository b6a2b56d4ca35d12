//! The chain of the audit log at the store, and how it is made: by several nodes at once, and behind what is written
//! late.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta};
use consentry::{
    audit::{chain, verify::verify},
    clock::Clock,
    jobs::{self, audit_age, audit_links},
    keys::master::MasterKey,
    model::{
        audit::{Actor, Audit, AuditAction, Origin, Subjects},
        id::AuditEventId,
        key::Purpose,
        key_timetable::KeyTimetable,
    },
    random,
    registry::{
        RegistryError,
        keys::{Means, give_up, rotate},
    },
    server::Server,
    store::{
        audit::Telling,
        audit_links::{AuditLink, EventRange, NewBeginning},
        keys::{GiveUp, GivingUp},
    },
};
use futures_util::future::{join, join_all};
use serde_json::json;

use super::{facts::at, tables::Tables};
use crate::{
    harness::{
        databases::Engine,
        server::{MASTER, Options, World},
    },
    on_both_engines,
};

/// Nobody says any more where the log begins.
const REFUSES: [&[&str]; 2] = [
    &["create trigger refuse before insert on audit_forgotten begin select raise(abort, 'refused'); end"],
    &[
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$",
        "create trigger refuse before insert on audit_forgotten for each row execute function refuse()",
    ],
];

/// A server whose clock stands still.
async fn world(engine: Engine) -> (World, Clock) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    (World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await, clock)
}

/// Writes an event whose step began so long ago.
async fn tell(server: &Server, ago: TimeDelta) -> AuditEventId {
    let at = server.clock.now() - ago;
    let audit = Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Server, origin: Origin::default() };
    let telling = Telling {
        action: AuditAction::KeyResealed,
        subjects: Subjects::default(),
        detail: json!({ "zebra": 1, "ant": ["ä", null, { "b": true, "a": -7 }] }),
    };
    server.store.tell(telling, &audit).await.unwrap();
    audit.id
}

async fn links(server: &Server) -> Vec<AuditLink> {
    server.store.audit_links(0, 1000).await.unwrap()
}

/// Everything is in exactly one link, and as it was.
async fn is_whole(server: &Server) -> u64 {
    let report = verify(&server.store, &server.keyring.current(), None).await.unwrap();
    assert_eq!((report.findings, report.found), (vec![], 0));
    let members: Vec<_> = links(server).await.into_iter().flat_map(|link| link.members).collect();
    let distinct: HashSet<_> = members.iter().map(|member| member.event).collect();
    assert_eq!((distinct.len() as u64, members.len() as u64), (report.events, report.events));
    report.waiting
}

on_both_engines! {
    async fn what_has_settled_is_linked_and_the_rest_waits(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        clock.advance(TimeDelta::seconds(10));
        tell(server, TimeDelta::seconds(1)).await;
        let settled = tell(server, TimeDelta::seconds(3)).await;
        assert_eq!(audit_links::link(server).await.unwrap(), 1);
        let made = links(server).await;
        let [first] = made.as_slice() else { panic!("{made:?}") };
        assert_eq!((first.number, first.previous, first.reached), (1, chain::BEGINNING, settled));
        assert_eq!((first.node.as_str(), first.made_at), (server.node.as_str(), clock.now()));
        assert_eq!(is_whole(server).await, 1);
        assert_eq!(audit_links::link(server).await.unwrap(), 0, "there is nothing new");

        clock.advance(TimeDelta::seconds(3));
        assert_eq!(audit_links::link(server).await.unwrap(), 1);
        assert_eq!(is_whole(server).await, 0);
        let made = links(server).await;
        assert_eq!((made[1].number, made[1].previous), (2, made[0].digest));
        assert_eq!(server.store.last_audit_link().await.unwrap().as_ref(), made.last());
    }

    async fn more_than_a_link_can_hold_becomes_several(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        audit_links::link(server).await.unwrap();
        clock.advance(TimeDelta::minutes(1));
        for _ in 0..=chain::MEMBERS_MAX {
            tell(server, TimeDelta::seconds(30)).await;
        }
        audit_links::link(server).await.unwrap();
        let sizes: Vec<_> = links(server).await.iter().map(|link| link.members.len()).collect();
        let (last, before) = sizes.split_last().unwrap();
        assert!(before.contains(&500) && *last > 0, "{sizes:?}");
        assert_eq!(is_whole(server).await, 0);
    }

    /// Fifty that make the same link, as many nodes would.
    async fn of_several_that_make_a_link_one_wins(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        for _ in 0..5 {
            clock.advance(TimeDelta::seconds(10));
            tell(server, TimeDelta::seconds(5)).await;
            let before = links(server).await.len();
            let made: u64 = join_all((0..50).map(|_| audit_links::link(server))).await.into_iter().map(Result::unwrap).sum();
            assert_eq!((made, links(server).await.len()), (1, before + 1));
            let late = tell(server, TimeDelta::minutes(1)).await;
            let made: u64 = join_all((0..50).map(|_| audit_links::link_late(server))).await.into_iter().map(Result::unwrap).sum();
            assert_eq!((made, links(server).await.len()), (1, before + 2), "{late}");
        }
        assert_eq!(is_whole(server).await, 0);
    }

    async fn what_was_written_late_is_linked_once(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        clock.advance(TimeDelta::hours(1));
        tell(server, TimeDelta::seconds(5)).await;
        audit_links::link(server).await.unwrap();
        assert_eq!(audit_links::link_late(server).await.unwrap(), 0);
        let late = [tell(server, TimeDelta::minutes(9)).await, tell(server, TimeDelta::seconds(6)).await];
        assert_eq!(audit_links::link(server).await.unwrap(), 0);
        assert_eq!(is_whole(server).await, 2, "they wait: nothing is wrong yet");
        assert_eq!(audit_links::link_late(server).await.unwrap(), 1);
        assert_eq!(audit_links::link_late(server).await.unwrap(), 0);
        let last = links(server).await.pop().unwrap();
        assert_eq!(last.members.iter().map(|member| member.event).collect::<Vec<_>>(), late);
        assert!(last.reached > late[1], "it goes no way back");
        assert_eq!(is_whole(server).await, 0);
    }

    /// Written late while the database was there for the last moment, or while no server ran.
    async fn what_was_late_before_a_day_without_a_server_is_linked_too(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        clock.advance(TimeDelta::hours(1));
        tell(server, TimeDelta::seconds(3)).await;
        audit_links::link(server).await.unwrap();
        let late = tell(server, TimeDelta::minutes(1)).await;
        clock.advance(TimeDelta::days(1));
        tell(server, TimeDelta::seconds(5)).await;
        audit_links::end(server).await.unwrap();
        assert_eq!(is_whole(server).await, 0, "{late}");
    }

    /// A process that is killed loses nothing: what it has not linked, another one does, however long it takes.
    async fn after_a_day_without_a_server_the_chain_goes_on(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        clock.advance(TimeDelta::seconds(5));
        audit_links::link(server).await.unwrap();
        tell(server, TimeDelta::zero()).await;
        clock.advance(TimeDelta::days(1));
        tell(server, TimeDelta::hours(12)).await;
        audit_links::link(server).await.unwrap();
        assert_eq!(is_whole(server).await, 0);
    }

    async fn a_number_is_given_once_and_only_the_oldest_are_forgotten(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        for _ in 0..3 {
            clock.advance(TimeDelta::seconds(10));
            tell(server, TimeDelta::seconds(5)).await;
            audit_links::link(server).await.unwrap();
        }
        let made = links(server).await;
        assert!(!server.store.add_audit_link(&AuditLink { node: "other".to_owned(), ..made[2].clone() }).await.unwrap());
        assert_eq!(links(server).await, made);
        assert_eq!(server.store.audit_links(1, 1).await.unwrap(), made[1..2]);

        let ring = server.keyring.current();
        let after = |link: &AuditLink, at| {
            chain::begin_after((link.number, link.digest), None, at, ring.chaining().unwrap())
        };
        let forgotten = after(&made[1], at(7));
        let beginning = NewBeginning { before: None, now: forgotten.clone() };
        assert_eq!(server.store.audit_forgotten().await.unwrap(), None);
        let both = [0; 2].map(|_| server.store.forget_audit_links(&made[..2], &beginning));
        let [one, other] = <[_; 2]>::try_from(join_all(both).await).unwrap().map(Result::unwrap);
        assert_ne!(one, other, "one of two");
        assert_eq!(links(server).await, made[2..]);
        assert_eq!(server.store.audit_forgotten().await.unwrap(), Some(forgotten));
        let everything = EventRange { plugin: None, after: None, until: AuditEventId(uuid::Uuid::max()), rows_max: 1000 };
        let left = server.store.stored_event_ids(&everything).await.unwrap();
        assert_eq!(left, made[2].members.iter().map(|member| member.event).collect::<Vec<_>>());
        for gone in made[..2].iter().flat_map(|link| &link.members) {
            assert!(server.store.stored_event(gone.event).await.unwrap().is_none());
        }
        // Whoever knows of another beginning forgets nothing.
        let stale = NewBeginning { before: None, now: after(&made[2], at(8)) };
        assert!(!server.store.forget_audit_links(&made[2..], &stale).await.unwrap());
        assert_eq!(links(server).await, made[2..]);
        assert_eq!(Tables::of(&world.database).await.lines("select cast(number as text) from audit_forgotten").await, ["2"]);
    }

    /// Whoever is cut off in between, or finds that the log begins elsewhere by then, has given nothing up.
    async fn keys_are_given_up_in_one_step_or_not_at_all(engine) {
        let (world, clock) = world(engine).await;
        let (server, registry, masters) = (&world.running.server, world.running.registry(), [MasterKey::new(MASTER)]);
        clock.advance(TimeDelta::seconds(10));
        audit_links::link(server).await.unwrap();
        let made = links(server).await;
        world.database.execute("update working_keys set master = 'ffffffff' where purpose in ('audit', 'mac')").await;
        let now = async || {
            let keys = server.store.working_keys_ever().await.unwrap();
            let events = world.database.count("audit_events").await;
            format!("{keys:?} {events} {:?}", server.store.audit_forgotten().await.unwrap())
        };
        let before = now().await;
        for statement in REFUSES[usize::from(engine == Engine::Postgres)] {
            world.database.execute(statement).await;
        }
        assert!(give_up(&registry, &masters).await.is_err(), "the last thing that it writes is refused");
        assert_eq!(now().await, before);
        let table = if engine == Engine::Postgres { " on audit_forgotten" } else { "" };
        world.database.execute(&format!("drop trigger refuse{table}")).await;

        let ring = server.keyring.current();
        let begins = |after| chain::begin_after(after, None, clock.now(), ring.chaining().unwrap());
        let other = begins((1, made[0].digest));
        let log = Some(NewBeginning { before: Some(other.clone()), now: begins((0, chain::BEGINNING)) });
        let kids = vec![ring.chaining().unwrap().kid];
        let stale = GivingUp { kids, successors: vec![], last_link: Some(1), log };
        let [ending, adding] = [0; 2].map(|_| world.running.operator());
        let given_up = server.store.give_up_keys(&stale, [&ending, &adding]).await.unwrap();
        assert_eq!((given_up, now().await), (GiveUp::ChangedMeanwhile, before));

        assert_eq!(give_up(&registry, &masters).await.unwrap().kids.len(), 2);
        let said = server.store.audit_forgotten().await.unwrap().unwrap();
        assert_eq!((said.number, said.unproven), (0, Some((1, made[0].digest))));
        server.keyring.follow(&server.store, clock.now()).await.unwrap();
        assert!(server.keyring.current().lacking().is_empty());
    }

    /// Two who have lost a master key, at once.
    async fn of_two_that_give_keys_up_one_does(engine) {
        let (world, clock) = world(engine).await;
        let (server, registry, masters) = (&world.running.server, world.running.registry(), [MasterKey::new(MASTER)]);
        clock.advance(TimeDelta::seconds(10));
        audit_links::link(server).await.unwrap();
        world.database.execute("update working_keys set master = 'ffffffff' where purpose in ('audit', 'mac')").await;
        let outcomes = join_all([0; 2].map(|_| give_up(&registry, &masters))).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|outcome| outcome.as_ref().is_ok_and(|given_up| given_up.kids.len() == 2));
        assert_eq!(won.len(), 1, "{lost:?}");
        // Who comes when it is done has nothing to give up.
        let gave_nothing_up = match &lost[0] {
            Ok(given_up) => given_up.kids.is_empty(),
            Err(error) => matches!(error, RegistryError::ChangedMeanwhile),
        };
        assert!(gave_nothing_up, "{lost:?}");
        let keys = server.store.working_keys_ever().await.unwrap();
        assert_eq!(keys.iter().filter(|key| key.gone_at.is_some()).count(), 2);
        assert_eq!(keys.iter().filter(|key| key.is_newest()).count(), Purpose::ALL.len());
        server.keyring.follow(&server.store, clock.now()).await.unwrap();
        assert_eq!(is_whole(server).await, 2, "one for the keys that are gone and one for those that came");
    }

    /// A server that runs while its key is given up has it in hand still, for a second.
    async fn no_link_is_made_with_a_key_that_is_given_up(engine) {
        let (world, clock) = world(engine).await;
        let (server, registry, masters) = (&world.running.server, world.running.registry(), [MasterKey::new(MASTER)]);
        clock.advance(TimeDelta::seconds(10));
        audit_links::link(server).await.unwrap();
        let in_hand = server.keyring.current();
        let old = in_hand.chaining().unwrap();
        let next = async || {
            let last = server.store.last_audit_link().await.unwrap();
            let after = last.as_ref().map(|last| last.reached);
            tell(server, TimeDelta::seconds(5)).await;
            clock.advance(TimeDelta::seconds(10));
            let range = EventRange { plugin: None, after, until: AuditEventId(uuid::Uuid::max()), rows_max: 1000 };
            let events = server.store.stored_events(&range).await.unwrap();
            chain::link(last.as_ref(), &events, (clock.now(), "running"), old).unwrap()
        };

        // It was decided before the second link was made.
        assert!(server.store.add_audit_link(&next().await).await.unwrap());
        let stale = GivingUp { kids: vec![old.kid], successors: vec![], last_link: Some(1), log: None };
        let [ending, adding] = [0; 2].map(|_| world.running.operator());
        let outcome = server.store.give_up_keys(&stale, [&ending, &adding]).await.unwrap();
        assert_eq!(outcome, GiveUp::ChangedMeanwhile);
        assert!(server.store.working_keys().await.unwrap().iter().any(|key| key.kid == old.kid));

        // Both at once: whoever is first, the link is one that is told of.
        world.database.execute("update working_keys set master = 'ffffffff' where purpose = 'audit'").await;
        let third = next().await;
        let (given_up, added) = join(give_up(&registry, &masters), server.store.add_audit_link(&third)).await;
        let given_up = match given_up {
            Err(RegistryError::ChangedMeanwhile) => give_up(&registry, &masters).await,
            first => first,
        };
        assert_eq!(given_up.unwrap().kids.len(), 1);
        let said = server.store.audit_forgotten().await.unwrap().unwrap();
        assert_eq!(said.unproven.map(|(number, _)| number), Some(if added.unwrap() { 3 } else { 2 }));

        assert!(!server.store.add_audit_link(&next().await).await.unwrap());
        server.keyring.follow(&server.store, clock.now()).await.unwrap();
        audit_links::link(server).await.unwrap();
        assert_eq!(is_whole(server).await, 0);
    }

    /// Links stay verifiable for as long as they are there, and no longer is the key that made them.
    async fn a_key_goes_with_the_last_link_that_was_made_with_it(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        let old = server.keyring.current().chaining().unwrap().kid;
        clock.advance(TimeDelta::seconds(10));
        audit_links::link(server).await.unwrap();
        let means = Means { master: &MasterKey::new(MASTER), timetable: &KeyTimetable::default() };
        assert_eq!(rotate(&world.running.registry(), means, (Purpose::Audit, None)).await.unwrap().len(), 1);
        clock.advance(TimeDelta::minutes(1));
        server.keyring.follow(&server.store, clock.now()).await.unwrap();
        let told = tell(server, TimeDelta::seconds(5)).await;
        audit_links::link(server).await.unwrap();
        let kids: Vec<_> = links(server).await.iter().map(|link| link.kid).collect();
        assert_eq!((kids[0], kids.len()), (old, 2));
        assert_ne!(kids[1], old, "{told}");
        assert_eq!(is_whole(server).await, 0);

        let gone = async || {
            jobs::keys::once(server).await.unwrap();
            !server.keyring.follow(&server.store, clock.now()).await.unwrap().knows(old)
        };
        clock.advance(TimeDelta::days(300));
        audit_age::once(server).await.unwrap();
        assert!(!gone().await, "a link needs it");
        clock.advance(server.settings.audit_age.unwrap());
        assert!(audit_age::once(server).await.unwrap() > 0);
        assert!(gone().await);
        let report = verify(&server.store, &server.keyring.current(), None).await.unwrap();
        assert_eq!((report.findings, report.links), (vec![], 1));
    }
}
