//! The audit log in the hands of somebody who can write the database, and has no key: whatever they do to what stands
//! in the chain is found.

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta};
use consentry::{
    audit::{
        chain,
        verify::{Anchor, Finding, Report, Wrong, verify},
    },
    clock::Clock,
    jobs::{audit_age, audit_links},
    keys::ring::MacKey,
    model::id::AuditEventId,
    server::Server,
    store::audit_links::{AuditLink, EventRange, StoredEvent},
};
use uuid::Uuid;

use crate::{
    harness::{
        databases::Engine,
        server::{Options, World},
    },
    on_both_engines,
};

/// How many events the log has, beside those of making the world.
const EVENTS: i64 = 10_000;

/// How many seconds lie between two of them: ten minutes, so that they are of ten weeks.
const APART: i64 = 600;

/// A log of ten thousand events, all of them in links.
struct Log {
    engine: Engine,
    world: World,
    clock: Clock,
}

impl Log {
    async fn new(engine: Engine) -> Self {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Clock::standing_at(start);
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let log = Self { engine, world, clock };
        let first = start.timestamp_millis();
        let columns = "id, at, action, actor, address, request_id, account_id, client_id, plugin_id, detail";
        log.execute(&match engine {
            Engine::Sqlite => format!(
                "with recursive n(n) as (select 1 union all select n + 1 from n where n < {EVENTS})
                 insert into audit_events ({columns})
                 select unhex(printf('%012x7000800000000000%04x', {first} + n * {APART} * 1000, n)),
                        strftime('%Y-%m-%dT%H:%M:%S+00:00', {first} / 1000 + n * {APART}, 'unixepoch'), 'client.renamed', 'operator',
                        '192.0.2.1', 'r' || n, randomblob(16), randomblob(16), randomblob(16), '{{\"n\":' || n || ',\"a\":\"b\"}}'
                   from n"
            ),
            Engine::Postgres => format!(
                "insert into audit_events ({columns})
                 select (lpad(to_hex({first} + n * {APART} * 1000), 12, '0') || '7000800000000000' || lpad(to_hex(n), 4, '0'))::uuid,
                        to_timestamp({first} / 1000 + n * {APART}), 'client.renamed', 'operator',
                        '192.0.2.1', 'r' || n, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                        jsonb_build_object('n', n, 'a', 'b')
                   from generate_series(1, {EVENTS}::bigint) n"
            ),
        })
        .await;
        log.clock.advance(TimeDelta::seconds(EVENTS * APART + 10));
        audit_links::link(log.server()).await.unwrap();
        assert!(log.links().await.len() > 20);
        assert_eq!(log.found().await, []);
        log
    }

    fn server(&self) -> &Server {
        &self.world.running.server
    }

    async fn execute(&self, sql: &str) {
        self.world.database.execute(sql).await;
    }

    async fn links(&self) -> Vec<AuditLink> {
        self.server().store.audit_links(0, 1000).await.unwrap()
    }

    async fn verified(&self, expected: Option<Anchor>) -> Report {
        let server = self.server();
        verify(&server.store, &server.keyring.current(), expected).await.unwrap()
    }

    async fn found(&self) -> Vec<Finding> {
        let report = self.verified(None).await;
        assert_eq!(report.found, report.findings.len() as u64);
        report.findings
    }

    /// The event with this number.
    async fn event(&self, number: i64) -> StoredEvent {
        let at = DateTime::from_timestamp(1_800_000_000 + number * APART, 0).unwrap();
        let before = AuditEventId::last_of(at - TimeDelta::milliseconds(1));
        let range = EventRange { plugin: None, after: Some(before), until: AuditEventId::last_of(at), rows_max: 1 };
        let event = self.server().store.stored_events(&range).await.unwrap().remove(0);
        assert_eq!(event.detail["n"], number);
        event
    }

    async fn id(&self, number: i64) -> AuditEventId {
        self.event(number).await.id
    }

    /// An id as the engine's SQL has it.
    fn sql(&self, id: AuditEventId) -> String {
        match self.engine {
            Engine::Sqlite => format!("x'{}'", id.0.simple()),
            Engine::Postgres => format!("'{id}'::uuid"),
        }
    }

    /// The link that an event stands in.
    async fn link_of(&self, event: AuditEventId) -> i64 {
        let links = self.links().await;
        links.iter().find(|link| link.members.iter().any(|member| member.event == event)).unwrap().number
    }
}

fn of_event(wrong: Wrong, event: AuditEventId, link: i64) -> Finding {
    Finding { wrong, event: Some(event), link: Some(link) }
}

fn of_link(wrong: Wrong, link: i64) -> Finding {
    Finding { wrong, event: None, link: Some(link) }
}

on_both_engines! {
    /// Row 58.
    async fn a_deleted_event_is_found(engine) {
        let log = Log::new(engine).await;
        let mut expected = Vec::new();
        for number in [1, 4711, EVENTS] {
            let id = log.id(number).await;
            expected.push(of_event(Wrong::Deleted, id, log.link_of(id).await));
            log.execute(&format!("delete from audit_events where id = {}", log.sql(id))).await;
        }
        assert_eq!(log.found().await, expected);
    }

    /// Row 58, each column by itself.
    async fn a_changed_event_is_found(engine) {
        let log = Log::new(engine).await;
        let other = log.sql(AuditEventId(Uuid::from_u128(7)));
        let at = match engine {
            Engine::Sqlite => "replace(at, '+00:00', '.001+00:00')",
            Engine::Postgres => "at + interval '1 microsecond'",
        };
        let changes = [
            format!("at = {at}"), "action = 'client.deleted'".to_owned(), "actor = 'server'".to_owned(),
            format!("actor_id = {other}"), format!("token_id = {other}"), "token_name = ''".to_owned(),
            "address = '192.0.2.2'".to_owned(), "address = null".to_owned(), "request_id = 'r'".to_owned(),
            format!("account_id = {other}"), format!("client_id = {other}"), format!("plugin_id = {other}"),
            "plugin_id = null".to_owned(), "account_id = client_id, client_id = account_id".to_owned(),
            "detail = '{\"n\":1}'".to_owned(),
        ];
        let mut expected = Vec::new();
        for (change, number) in changes.iter().zip(100..) {
            let id = log.id(number * 7).await;
            expected.push(of_event(Wrong::Changed, id, log.link_of(id).await));
            log.execute(&format!("update audit_events set {change} where id = {}", log.sql(id))).await;
        }
        assert_eq!(log.found().await, expected);
    }

    /// Row 58. What is the same JSON, written in another way, is the same event.
    async fn two_swapped_events_are_found(engine) {
        let log = Log::new(engine).await;
        let (one, other, aside) = (log.id(70).await, log.id(7000).await, AuditEventId(Uuid::from_u128(7)));
        for (from, to) in [(one, aside), (other, one), (aside, other)] {
            log.execute(&format!("update audit_events set id = {} where id = {}", log.sql(to), log.sql(from))).await;
        }
        let expected = [
            of_event(Wrong::Changed, one, log.link_of(one).await),
            of_event(Wrong::Changed, other, log.link_of(other).await),
        ];
        assert_eq!(log.found().await, expected);
    }

    async fn the_same_json_in_another_order_is_the_same_event(engine) {
        let log = Log::new(engine).await;
        let id = log.sql(log.id(70).await);
        log.execute(&format!("update audit_events set detail = '{{ \"a\": \"b\", \"n\": 70 }}' where id = {id}")).await;
        assert_eq!(log.found().await, []);
    }

    /// Row 58, among the others and before all of them.
    async fn an_inserted_event_is_found(engine) {
        let log = Log::new(engine).await;
        let events = [4711, 1].map(|number| DateTime::from_timestamp(1_800_000_000 + number * APART + 7, 0).unwrap());
        let mut ids: Vec<_> = events.map(|at| AuditEventId(consentry::random::id(at))).into();
        ids.push(AuditEventId(Uuid::from_u128(7)));
        for id in &ids {
            let like = log.sql(log.id(4711).await);
            log.execute(&format!(
                "insert into audit_events (id, at, action, actor, detail)
                 select {}, at, action, actor, detail from audit_events where id = {like}",
                log.sql(*id)
            )).await;
        }
        ids.sort();
        let expected: Vec<_> = ids.iter().map(|id| Finding { wrong: Wrong::Inserted, event: Some(*id), link: None }).collect();
        assert_eq!(log.found().await, expected);
        // Whoever links what is late does not take them in.
        audit_links::link_late(log.server()).await.unwrap();
        assert_eq!(log.found().await, expected);
    }

    /// Row 58, with its events and without them.
    async fn a_link_that_is_cut_out_is_found(engine) {
        let log = Log::new(engine).await;
        let links = log.links().await;
        log.execute("delete from audit_links where number = 7").await;
        assert_eq!(log.found().await, [of_link(Wrong::LinkMissing, 7)]);
        for member in &links[6].members {
            log.execute(&format!("delete from audit_events where id = {}", log.sql(member.event))).await;
        }
        assert_eq!(log.found().await, [of_link(Wrong::LinkMissing, 7)]);
        log.execute("delete from audit_links where number <= 3").await;
        assert_eq!(log.found().await, [1, 2, 3, 7].map(|number| of_link(Wrong::LinkMissing, number)));
        // The place is taken by another one that is honestly made.
        log.execute("update audit_links set number = 7 where number = 8").await;
        let found = log.found().await;
        assert!(found.contains(&of_link(Wrong::LinkChanged, 7)) && found.contains(&of_link(Wrong::LinkMissing, 8)), "{found:?}");
    }

    /// Row 58: every column of a link.
    async fn a_changed_link_is_found(engine) {
        let log = Log::new(engine).await;
        let at = match engine {
            Engine::Sqlite => "replace(made_at, '+00:00', '.001+00:00')",
            Engine::Postgres => "made_at + interval '1 microsecond'",
        };
        let (bytes, far) = match engine {
            Engine::Sqlite => ("zeroblob(32)", "x'ffffffffffffffffffffffffffffffff'"),
            Engine::Postgres => ("decode(repeat('00', 32), 'hex')", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
        };
        let changes = [
            format!("made_at = {at}"), "node = 'other'".to_owned(), format!("reached = {far}"), "members = substr(members, 49)".to_owned(),
            format!("previous = {bytes}"), format!("digest = {bytes}"), "kid = 7".to_owned(), format!("mac = {bytes}"),
        ];
        for (change, number) in changes.iter().zip(2..) {
            log.execute(&format!("update audit_links set {change} where number = {number}")).await;
        }
        let found = log.found().await;
        let of_links: Vec<_> = found.iter().filter(|finding| finding.wrong == Wrong::LinkChanged).map(|finding| finding.link.unwrap()).collect();
        assert_eq!(of_links, (2..10).collect::<Vec<i64>>());
        // The event that was cut out of the members stands in no link any more; nothing else is wrong.
        let rest: Vec<_> = found.iter().filter(|finding| finding.wrong != Wrong::LinkChanged).map(|finding| finding.wrong).collect();
        assert_eq!(rest, [Wrong::Inserted]);
    }

    /// Row 58: the chain is made anew as the server makes it, but with a key of the attacker's own.
    async fn a_chain_made_anew_without_the_key_is_found(engine) {
        let log = Log::new(engine).await;
        let links = log.links().await;
        let gone = log.id(4711).await;
        log.execute(&format!("delete from audit_events where id = {}", log.sql(gone))).await;
        log.execute("delete from audit_links").await;
        let key = MacKey { kid: links[0].kid, key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]) };
        let mut last: Option<AuditLink> = None;
        for link in &links {
            let mut events = Vec::new();
            for member in &link.members {
                events.extend(log.server().store.stored_event(member.event).await.unwrap());
            }
            let made = chain::link(last.as_ref(), &events, (link.made_at, &link.node), &key).unwrap();
            assert!(log.server().store.add_audit_link(&made).await.unwrap());
            last = Some(made);
        }
        let expected: Vec<_> = links.iter().map(|link| of_link(Wrong::LinkChanged, link.number)).collect();
        assert_eq!(log.found().await, expected);
    }

    /// Row 58: with its end the chain loses what would show that it is gone, but for a link that was kept elsewhere.
    async fn an_end_that_is_cut_off_is_found_by_an_anchor(engine) {
        let log = Log::new(engine).await;
        let kept = log.links().await.pop().unwrap();
        let anchor: Anchor = Anchor { number: kept.number, digest: kept.digest }.to_string().parse().unwrap();
        assert_eq!(log.verified(Some(anchor)).await.findings, []);
        log.execute(&format!("delete from audit_links where number = {}", kept.number)).await;
        for member in &kept.members {
            log.execute(&format!("delete from audit_events where id = {}", log.sql(member.event))).await;
        }
        assert_eq!(log.found().await, []);
        assert_eq!(log.verified(Some(anchor)).await.findings, [of_link(Wrong::NotExpected, kept.number)]);
        // Also when another link has taken its place.
        log.clock.advance(TimeDelta::seconds(10));
        log.server().store.tell(telling(), &log.world.running.operator()).await.unwrap();
        log.clock.advance(TimeDelta::seconds(10));
        audit_links::link(log.server()).await.unwrap();
        assert_eq!(log.links().await.pop().unwrap().number, kept.number);
        assert_eq!(log.verified(Some(anchor)).await.findings, [of_link(Wrong::NotExpected, kept.number)]);
    }

    /// Row 58: what the server forgets by its age is missing rightly, and nobody else can say that it was forgotten.
    async fn only_the_server_forgets(engine) {
        let log = Log::new(engine).await;
        let age = log.server().settings.audit_age.unwrap();
        let links = log.links().await;
        let span = TimeDelta::seconds(EVENTS * APART);
        log.clock.advance(age - span + TimeDelta::hours(12));
        assert_eq!(audit_age::once(log.server()).await.unwrap(), 0, "the oldest may become a day older before");
        log.clock.advance(span / 2);
        let forgotten = audit_age::once(log.server()).await.unwrap();
        assert!(forgotten > 0);
        let left = log.links().await;
        assert_eq!(left, links[links.len() - left.len()..]);
        assert!(left.len() > 1 && left.len() < links.len());
        let report = log.verified(None).await;
        assert_eq!((report.findings, report.forgotten), (vec![], Some(left[0].number - 1)));
        assert_eq!(log.world.database.count("audit_events where action = 'audit.forgotten'").await, 1);
        assert_eq!(audit_age::once(log.server()).await.unwrap(), 0, "once a day");

        // A link more, with its events, as if the server had forgotten it.
        for member in &left[0].members {
            log.execute(&format!("delete from audit_events where id = {}", log.sql(member.event))).await;
        }
        log.execute(&format!("delete from audit_links where number = {}", left[0].number)).await;
        assert_eq!(log.found().await, [of_link(Wrong::LinkMissing, left[0].number)]);
        let digest = match engine {
            Engine::Sqlite => format!("x'{}'", left[0].digest.to_hex()),
            Engine::Postgres => format!("decode('{}', 'hex')", left[0].digest.to_hex()),
        };
        log.execute(&format!("update audit_forgotten set number = {}, digest = {digest}", left[0].number)).await;
        assert_eq!(log.found().await, [of_link(Wrong::ForgottenWrongly, left[0].number)]);
        // And the server does not go on from there, which would make it true.
        log.clock.advance(age);
        let refused = audit_age::once(log.server()).await.unwrap_err();
        assert!(refused.to_string().contains("audit verify"), "{refused}");
        assert_eq!(log.found().await, [of_link(Wrong::ForgottenWrongly, left[0].number)]);
    }

    /// Row 58: the server would delete what says that it is old, and vouch for that.
    async fn a_false_age_is_not_believed(engine) {
        let log = Log::new(engine).await;
        let before = log.world.database.count("audit_events").await;
        let old = log.sql(AuditEventId::last_of(DateTime::from_timestamp(1_000_000_000, 0).unwrap()));
        log.execute(&format!("update audit_links set reached = {old} where number <= 9")).await;
        assert!(audit_age::once(log.server()).await.is_err());
        assert_eq!(log.world.database.count("audit_events").await, before);
        assert_eq!(log.found().await, (1..10).map(|number| of_link(Wrong::LinkChanged, number)).collect::<Vec<_>>());
    }
}

fn telling() -> consentry::store::audit::Telling {
    consentry::store::audit::Telling {
        action: consentry::model::audit::AuditAction::KeyResealed,
        subjects: consentry::model::audit::Subjects::default(),
        detail: serde_json::json!({}),
    }
}
