//! The audit log in the hands of somebody who can write the database and has, or wants to be rid of, a key of it.

use chrono::{DateTime, TimeDelta};
use consentry::{
    audit::{
        chain,
        verify::{Report, Wrong, verify},
    },
    clock::Clock,
    jobs::audit_links,
    keys::master::MasterKey,
    model::{
        Timestamp,
        audit::{Actor, Audit, AuditAction, Origin, Subjects},
        id::AuditEventId,
        key::Purpose,
        key_timetable::KeyTimetable,
    },
    random,
    registry::keys::{Means, compromised},
    server::Server,
    store::{
        audit::Telling,
        audit_links::{AuditLink, EventRange, StoredEvent},
    },
};
use serde_json::json;

use crate::{
    harness::{
        databases::Engine,
        server::{MASTER, Options, World},
    },
    on_both_engines,
};

async fn world(engine: Engine) -> (World, Clock) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    (World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await, clock)
}

/// Writes an event now that says it happened then.
async fn tell(server: &Server, at: Timestamp) -> AuditEventId {
    let id = AuditEventId(random::id(server.clock.now()));
    let audit = Audit { id, at, actor: Actor::Server, origin: Origin::default() };
    let telling = Telling { action: AuditAction::KeyResealed, subjects: Subjects::default(), detail: json!({}) };
    server.store.tell(telling, &audit).await.unwrap();
    id
}

/// Writes an event, and has it linked.
async fn linked(server: &Server, clock: &Clock) -> AuditEventId {
    clock.advance(TimeDelta::seconds(5));
    let id = tell(server, clock.now()).await;
    clock.advance(TimeDelta::seconds(5));
    server.keyring.follow(&server.store, clock.now()).await.unwrap();
    audit_links::link(server).await.unwrap();
    id
}

async fn links(server: &Server) -> Vec<AuditLink> {
    server.store.audit_links(0, 1000).await.unwrap()
}

async fn events(server: &Server, after: Option<AuditEventId>) -> Vec<StoredEvent> {
    let until = AuditEventId(uuid::Uuid::max());
    server.store.stored_events(&EventRange { plugin: None, after, until, rows_max: 1000 }).await.unwrap()
}

async fn report(server: &Server) -> Report {
    verify(&server.store, &server.keyring.current(), None).await.unwrap()
}

async fn found(server: &Server) -> Vec<(Wrong, Option<i64>)> {
    report(server).await.findings.iter().map(|finding| (finding.wrong, finding.link)).collect()
}

on_both_engines! {
    /// Row 58: who has a key that was ended links what they like with it, and says that it was before.
    async fn a_key_that_was_ended_makes_no_link_that_is_believed(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        let stolen = server.keyring.current();
        let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
        let means = Means { master: &master, timetable: &timetable };
        compromised(&world.running.registry(), means, Purpose::Audit).await.unwrap();
        let ended = clock.now() + TimeDelta::seconds(3);
        clock.advance(TimeDelta::hours(2));
        linked(server, &clock).await;
        assert_eq!(found(server).await, [], "what it made before is whole");

        let last = links(server).await.pop().unwrap();
        tell(server, clock.now()).await;
        let new = events(server, Some(last.reached)).await;
        for made_at in [clock.now(), ended] {
            let forged = chain::link(Some(&last), &new, (made_at, "thief"), stolen.chaining().unwrap()).unwrap();
            assert!(server.store.add_audit_link(&forged).await.unwrap());
            assert_eq!(found(server).await, [(Wrong::LinkChanged, Some(forged.number))], "{made_at}");
            world.database.execute(&format!("delete from audit_links where number = {}", forged.number)).await;
        }
    }

    /// Row 58: it is linked like any other, and its time is not the one of the others.
    async fn an_event_that_says_it_was_long_ago_is_found(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        let false_one = tell(server, clock.now() - TimeDelta::days(300)).await;
        linked(server, &clock).await;
        let findings = report(server).await.findings;
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.wrong, finding.event), (Wrong::Misdated, Some(false_one)));
    }
}
