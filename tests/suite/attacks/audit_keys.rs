//! The audit log in the hands of somebody who can write the database and has, or wants to be rid of, a key of it.

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta};
use consentry::{
    audit::{
        chain,
        verify::{Anchor, Report, Wrong, verify},
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
    registry::keys::{GivenUp, Means, compromised, give_up, rotate},
    server::{Server, keyring::Keyring},
    store::{
        audit::Telling,
        audit_links::{AuditLink, EventRange, NewBeginning, StoredEvent},
        keys::{GiveUp, GivingUp},
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
    tell_as(server, AuditEventId(random::id(server.clock.now())), at).await
}

async fn tell_as(server: &Server, id: AuditEventId, at: Timestamp) -> AuditEventId {
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
        let now = chain::begin_after((0, chain::BEGINNING), Some((last.number, last.digest)), clock.now(), &key);
        let log = Some(NewBeginning { before: None, now });
        let said = GivingUp { kids: vec![], successors: vec![], last_link: None, log };
        let audit = world.running.operator();
        assert_eq!(server.store.give_up_keys(&said, [&audit, &audit]).await.unwrap(), GiveUp::GivenUp);
        let verified = verify(&server.store, &ring, None).await.unwrap();
        assert_eq!(verified.findings[0].wrong, Wrong::ForgottenWrongly);
        let changed: Vec<_> = verified.findings[1..].iter().map(|it| (it.wrong, it.link)).collect();
        assert_eq!((changed, verified.unproven), (expected, None));
    }

    async fn a_log_whose_key_is_lost_can_be_proved_from_then_on(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        linked(server, &clock).await;
        lose_the_key(&world).await;
        server.keyring.follow(&server.store, clock.now()).await.unwrap();
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven, told.forgotten, told.links), (vec![], Some(2), None, 2));
        linked(server, &clock).await;
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven, told.links, told.waiting), (vec![], Some(2), 3, 0));
        // And once more, with the key that came in its place.
        lose_the_key(&world).await;
        linked(server, &clock).await;
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven, told.links), (vec![], Some(3), 4));
    }

    /// Row 58: whoever can write the database says under a lost key that links were forgotten. Nobody can tell that it is
    /// false any more, and giving the key up must not make it proved.
    async fn what_was_said_under_a_lost_key_is_said_anew_as_not_proved(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        linked(server, &clock).await;
        let old = server.keyring.current().chaining().unwrap().kid;
        let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
        let means = Means { master: &master, timetable: &timetable };
        rotate(&world.running.registry(), means, (Purpose::Audit, None)).await.unwrap();
        clock.advance(TimeDelta::minutes(1));
        linked(server, &clock).await;
        let made = links(server).await;
        assert_ne!(made[2].kid, old);

        let last = &made[1];
        for event in events(server, None).await.iter().filter(|event| event.id <= last.reached) {
            world.database.execute(&format!("delete from audit_events where {}", of_id(engine, event.id))).await;
        }
        world.database.execute("delete from audit_links where number <= 2").await;
        let key = MacKey { kid: old, key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]) };
        let now = chain::begin_after((last.number, last.digest), None, clock.now(), &key);
        let log = Some(NewBeginning { before: None, now });
        let said = GivingUp { kids: vec![], successors: vec![], last_link: None, log };
        let audit = world.running.operator();
        assert_eq!(server.store.give_up_keys(&said, [&audit, &audit]).await.unwrap(), GiveUp::GivenUp);
        assert_eq!(found(server).await, [(Wrong::ForgottenWrongly, Some(2))]);

        world.database.execute(&format!("update working_keys set master = 'ffffffff' where kid = {}", old.0)).await;
        let given_up = give_up(&world.running.registry(), &[MasterKey::new(MASTER)]).await.unwrap();
        assert_eq!(given_up, GivenUp { kids: vec![old], is_beginning_false: false });
        linked(server, &clock).await;
        let told = report(server).await;
        assert_eq!((told.findings, told.forgotten, told.unproven), (vec![], Some(2), Some(2)));
        // It is over with the next link that leaves by its age.
        clock.advance(server.settings.audit_age.unwrap() + TimeDelta::days(2));
        linked(server, &clock).await;
        assert!(audit_age::once(server).await.unwrap() > 0);
        let told = report(server).await;
        assert_eq!((told.findings, told.unproven), (vec![], None));
        assert!(told.forgotten > Some(2), "{:?}", told.forgotten);
    }

    /// Row 58: of what was there when its key was given up, and of what came after.
    async fn an_event_that_is_altered_after_its_key_was_given_up_is_found(engine) {
        let (world, clock) = given_up(engine).await;
        let server = &world.running.server;
        clock.advance(TimeDelta::hours(1));
        linked(server, &clock).await;
        let of_link = async |number: i64| links(server).await[usize::try_from(number - 1).unwrap()].members[0].event;
        let id = |event| of_id(engine, event);
        let (changed, deleted, later) = (of_link(2).await, of_link(4).await, of_link(5).await);
        for event in [changed, later] {
            world.database.execute(&format!("update audit_events set address = '192.0.2.9' where {}", id(event))).await;
        }
        world.database.execute(&format!("delete from audit_events where {}", id(deleted))).await;
        let expected = [(Wrong::Changed, Some(2)), (Wrong::Deleted, Some(4)), (Wrong::Changed, Some(5))];
        assert_eq!(found(server).await, expected);
        let at = changed.time() + TimeDelta::seconds(1);
        tell_as(server, AuditEventId(random::id(at)), at).await;
        assert_eq!(found(server).await, [&expected[..], &[(Wrong::Inserted, None)]].concat());
    }

    /// Row 58: whoever changes a link can make its digest anew, and those of all links after it up to the last.
    async fn a_link_that_is_changed_after_its_key_was_given_up_is_found(engine) {
        let (world, _) = given_up(engine).await;
        let server = &world.running.server;
        let made = links(server).await;
        for link in &made[..4] {
            replace(&world, &digested(AuditLink { node: "other".to_owned(), ..link.clone() })).await;
            assert_eq!(found(server).await, [(Wrong::LinkChanged, Some(link.number))]);
            replace(&world, link).await;
        }
        let mut previous = chain::BEGINNING;
        for link in &made[..4] {
            let anew = digested(AuditLink { node: "other".to_owned(), previous, ..link.clone() });
            previous = anew.digest;
            replace(&world, &anew).await;
        }
        assert_eq!(found(server).await, [(Wrong::LinkChanged, Some(4))]);
    }

    /// Row 58: nor is it said that it was forgotten by its age.
    async fn a_link_that_is_deleted_after_its_key_was_given_up_is_found(engine) {
        let (world, _) = given_up(engine).await;
        let server = &world.running.server;
        let made = links(server).await;
        for link in &made[..4] {
            world.database.execute(&format!("delete from audit_links where number = {}", link.number)).await;
            assert_eq!(found(server).await, [(Wrong::LinkMissing, Some(link.number))]);
            put_back(&world, link).await;
        }
        let all = |wrong: Wrong| (1..5).map(|number| (wrong, Some(number))).collect::<Vec<_>>();
        world.database.execute("delete from audit_links where number <= 4").await;
        assert_eq!(found(server).await, all(Wrong::LinkMissing));
        // With the end of the log, what is named under the key is still missed.
        world.database.execute("delete from audit_links").await;
        assert_eq!(found(server).await, all(Wrong::LinkMissing));
        world.database.execute("update audit_forgotten set number = 4, digest = unproven_digest").await;
        assert_eq!(found(server).await, [(Wrong::ForgottenWrongly, Some(4))]);
        // Without what is said of them, they are links whose key nobody has.
        world.database.execute("delete from audit_forgotten").await;
        for link in &made {
            put_back(&world, link).await;
        }
        assert_eq!(found(server).await, all(Wrong::LinkChanged));
    }

    /// Row 58: nothing here proves what was before, but a link that was kept elsewhere does.
    async fn what_was_made_anew_before_its_key_was_given_up_is_found_by_an_anchor(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        linked(server, &clock).await;
        let made = links(server).await;
        let kept = Some(Anchor { number: 2, digest: made[1].digest });
        let mut previous = chain::BEGINNING;
        for link in made {
            let anew = digested(AuditLink { node: "other".to_owned(), previous, ..link });
            previous = anew.digest;
            replace(&world, &anew).await;
        }
        lose_the_key(&world).await;
        linked(server, &clock).await;
        assert_eq!(found(server).await, []);
        let ring = server.keyring.current();
        let findings = verify(&server.store, &ring, kept).await.unwrap().findings;
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.wrong, finding.link), (Wrong::NotExpected, Some(2)));
        let as_it_is = Some(Anchor { number: 2, digest: previous });
        assert_eq!(verify(&server.store, &ring, as_it_is).await.unwrap().findings, []);
    }

    async fn what_was_made_with_a_key_that_was_given_up_leaves_by_its_age(engine) {
        let (world, clock) = world(engine).await;
        let server = &world.running.server;
        linked(server, &clock).await;
        clock.advance(TimeDelta::days(30));
        linked(server, &clock).await;
        lose_the_key(&world).await;
        linked(server, &clock).await;
        let made = links(server).await;
        let age = server.settings.audit_age.unwrap();
        clock.advance(age - TimeDelta::days(28));
        assert!(audit_age::once(server).await.unwrap() > 0);
        assert_eq!(links(server).await, made[1..]);
        let told = report(server).await;
        assert_eq!((told.findings, told.forgotten, told.unproven), (vec![], Some(1), Some(2)));
        // What the server did not forget is missed, although its key is lost.
        world.database.execute("delete from audit_links where number = 2").await;
        assert_eq!(found(server).await, [(Wrong::LinkMissing, Some(2))]);
        put_back(&world, &made[1]).await;

        clock.advance(TimeDelta::days(40));
        let newest = linked(server, &clock).await;
        assert!(audit_age::once(server).await.unwrap() > 0);
        let left = links(server).await;
        let [last] = left.as_slice() else { panic!("{left:?}") };
        assert!(last.members.iter().any(|member| member.event == newest));
        let told = report(server).await;
        assert_eq!((told.findings, told.forgotten, told.unproven), (vec![], Some(last.number - 1), None));
        // Once more, from a link that is proved.
        clock.advance(age + TimeDelta::days(2));
        linked(server, &clock).await;
        assert!(audit_age::once(server).await.unwrap() > 0);
        assert_eq!(found(server).await, []);
    }

    /// Row 58: a link that says by a false age that it may go is whole by itself, and it is the next that gives it away.
    async fn a_false_age_is_not_believed_of_a_link_whose_key_was_given_up(engine) {
        let (world, _) = given_up(engine).await;
        let server = &world.running.server;
        let first = links(server).await.remove(0);
        let old = AuditEventId::last_of(DateTime::from_timestamp(1_000_000_000, 0).unwrap());
        replace(&world, &digested(AuditLink { reached: old, ..first })).await;
        let before = events(server, None).await.len();
        let refused = audit_age::once(server).await.unwrap_err();
        assert!(refused.to_string().contains("at link 2"), "{refused}");
        assert_eq!(events(server, None).await.len(), before);
        assert_eq!(found(server).await, [(Wrong::LinkChanged, Some(1))]);
    }
}

/// A log of four links whose key was given up, and one more.
async fn given_up(engine: Engine) -> (World, Clock) {
    let (world, clock) = world(engine).await;
    let server = &world.running.server;
    for _ in 0..4 {
        linked(server, &clock).await;
    }
    lose_the_key(&world).await;
    linked(server, &clock).await;
    assert_eq!((links(server).await.len(), found(server).await), (5, vec![]));
    (world, clock)
}

fn of_id(engine: Engine, event: AuditEventId) -> String {
    match engine {
        Engine::Sqlite => format!("id = x'{}'", event.0.simple()),
        Engine::Postgres => format!("id = '{event}'"),
    }
}

/// The link as anybody can make it who has no key.
fn digested(link: AuditLink) -> AuditLink {
    AuditLink { digest: chain::digest(&link), ..link }
}

/// Puts a link in the place of the one with its number.
async fn replace(world: &World, link: &AuditLink) {
    world.database.execute(&format!("delete from audit_links where number = {}", link.number)).await;
    put_back(world, link).await;
}

/// Puts a link into the database, as whoever can write it does: the store takes none whose key is gone.
async fn put_back(world: &World, link: &AuditLink) {
    let server = &world.running.server;
    let kid = server.keyring.current().chaining().unwrap().kid;
    assert!(server.store.add_audit_link(&AuditLink { kid, ..link.clone() }).await.unwrap());
    let made_with = format!("update audit_links set kid = {} where number = {}", link.kid.0, link.number);
    world.database.execute(&made_with).await;
}

/// The key is lost with a master key, and given up by who has another one.
async fn lose_the_key(world: &World) {
    world.database.execute("update working_keys set master = 'ffffffff' where purpose = 'audit'").await;
    let given_up = give_up(&world.running.registry(), &[MasterKey::new(MASTER)]).await.unwrap();
    assert_eq!((given_up.kids.len(), given_up.is_beginning_false), (1, false));
}
