//! The audit log in the hands of somebody who can write the database and has, or wants to be rid of, a key of it.

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta};
use consentry::{
    audit::{
        chain,
        verify::{Report, Wrong, verify},
    },
    clock::Clock,
    jobs::{audit_age, audit_links},
    keys::{master::MasterKey, ring::MacKey},
    model::{
        Timestamp,
        audit::{Actor, Audit, AuditAction, Origin, Subjects},
        id::AuditEventId,
        key::Purpose,
        key_timetable::KeyTimetable,
    },
    random,
    registry::keys::{Means, compromised, give_up},
    server::{Server, keyring::Keyring},
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

    /// Row 58: whoever is rid of the key that proves something has not changed it unseen.
    async fn who_has_no_key_gives_none_up(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        linked(server, &clock).await;
        let gone = "update working_keys set gone_at = created_at, retired_at = created_at where purpose = 'audit'";
        world.database.execute(gone).await;
        // A server that starts makes a new one, and goes on.
        let master = || vec![MasterKey::new(MASTER)];
        let keyring = Keyring::open(master(), &server.store, clock.now()).await.unwrap();
        let ring = keyring.current();
        assert!(ring.chaining().is_ok());
        let made = links(server).await;
        let expected: Vec<_> = made.iter().map(|link| (Wrong::LinkChanged, Some(link.number))).collect();
        let verified = verify(&server.store, &ring, None).await.unwrap();
        assert_eq!(verified.findings.iter().map(|it| (it.wrong, it.link)).collect::<Vec<_>>(), expected);
        // Nor does it help to say that it was forgotten up to there.
        let last = made.last().unwrap();
        let key = MacKey { kid: ring.chaining().unwrap().kid, key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]) };
        server.store.keep_audit_forgotten(&chain::forget(last, clock.now(), &key)).await.unwrap();
        let verified = verify(&server.store, &ring, None).await.unwrap();
        assert_eq!(verified.findings[0].wrong, Wrong::ForgottenWrongly);
    }

    async fn a_log_whose_key_is_lost_can_be_proved_from_then_on(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        linked(server, &clock).await;
        lose_the_key(&world).await;
        let last = links(server).await.pop().unwrap().number;
        server.keyring.follow(&server.store, clock.now()).await.unwrap();
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven, told.forgotten, told.links), (vec![], Some(last), None, 0));
        let event = linked(server, &clock).await;
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven, told.links, told.waiting), (vec![], Some(last), 1, 0));

        world.database.execute(&format!("delete from audit_links where number < {last}")).await;
        assert_eq!(found(server).await, [], "nothing is proved of these");
        let of_all = events(server, None).await;
        assert_eq!(of_all.last().unwrap().id, event);
        world.database.execute("update audit_events set address = '192.0.2.9' where request_id is null").await;
        assert!(found(server).await.contains(&(Wrong::Changed, Some(last + 1))));
    }

    async fn what_is_not_proved_any_more_leaves_by_its_age(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        lose_the_key(&world).await;
        let second = linked(server, &clock).await;
        let age = server.settings.audit_age.unwrap();
        clock.advance(age + TimeDelta::days(2));
        let third = linked(server, &clock).await;
        let before = links(server).await.len();
        assert!(before >= 3);
        assert!(audit_age::once(server).await.unwrap() > 0);
        let left: Vec<_> = links(server).await.into_iter().flat_map(|link| link.members).map(|it| it.event).collect();
        assert!(left.contains(&third) && !left.contains(&second), "{left:?}");
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven), (vec![], None));
        assert_eq!(told.forgotten, Some(links(server).await[0].number - 1));
        // Once more, from a link that is proved.
        clock.advance(age + TimeDelta::days(2));
        linked(server, &clock).await;
        assert!(audit_age::once(server).await.unwrap() > 0);
        assert_eq!(found(server).await, []);
    }
}

/// The key is lost with a master key, and given up by who has another one.
async fn lose_the_key(world: &World) {
    world.database.execute("update working_keys set master = 'ffffffff' where purpose = 'audit'").await;
    let given_up = give_up(&world.running.registry(), &[MasterKey::new(MASTER)]).await.unwrap();
    assert_eq!(given_up.len(), 1);
}
