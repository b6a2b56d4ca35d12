//! How often each step makes the disk work, counted on the engines themselves: it is what the design promises.
//!
//! On SQLite every commit is a frame of the write-ahead log that carries the database's size. On Postgres the server
//! counts, for each statement, the records it put into its log.

use std::{collections::HashMap, path::Path};

use chrono::TimeDelta;
use consentry::{
    model::{
        client::AuthenticationMethod::{ClientSecret, None as Public},
        digest::Digest,
        id::{ConsentId, SessionId},
    },
    random,
    store::{
        consents::ConsentGrant,
        families::{Redemption, Rotation},
        sessions::NewSession,
    },
};
use sqlx::{Connection, PgConnection};

use super::{
    answers::{
        Answer::{Repeated, Rotated},
        present,
    },
    assertions::using,
    facts::{World, at, audit, scopes, start},
};
use crate::{
    harness::databases::{Database, Engine},
    on_both_engines,
};

/// The statements of one database that are not plain reads: calls, and records written to the log. The extension
/// stands in the server's first database and sees all of them.
const STATEMENTS: &str = "
    select s.queryid, s.calls, cast(s.wal_records as bigint)
      from pg_stat_statements s
      join pg_database d on d.oid = s.dbid
     where d.datname = $1
       and s.query not like 'select%'";

/// The server remembers a few thousand statements and forgets the rarest when it has no room, which would be ours:
/// what is kept of databases that are gone makes room first.
const MAKE_ROOM: &str = "
    select count(pg_stat_statements_reset(0, gone.dbid, 0))
      from (select distinct dbid from pg_stat_statements
             where dbid not in (select oid from pg_database)) gone";

/// How often the server forgot.
const FORGOTTEN: &str = "select dealloc from pg_stat_statements_info";

/// What has been written so far.
enum Log {
    Sqlite(usize),
    Postgres { statements: HashMap<i64, (i64, i64)>, forgotten: i64 },
}

/// Commits in a write-ahead log. What the salts of its header do not fit is left over from before a checkpoint.
fn commits(log: &Path) -> usize {
    let bytes = std::fs::read(log).unwrap();
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let page = usize::try_from(word(8)).unwrap();
    let salts = &bytes[16..24];
    let frames = (32..bytes.len()).step_by(24 + page).take_while(|frame| &bytes[frame + 8..frame + 16] == salts);
    frames.filter(|frame| word(frame + 4) != 0).count()
}

impl Log {
    async fn of(database: &Database) -> Self {
        match database.engine {
            Engine::Sqlite => Self::Sqlite(commits(&database.folder().join("consentry.db-wal"))),
            Engine::Postgres => {
                let mut server = url::Url::parse(&database.url).unwrap();
                let name = server.path().trim_start_matches('/').to_owned();
                server.set_path("postgres");
                let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
                sqlx::query(MAKE_ROOM).execute(&mut connection).await.unwrap();
                let forgotten = sqlx::query_scalar(FORGOTTEN).fetch_one(&mut connection).await.unwrap();
                let rows: Vec<(i64, i64, i64)> =
                    sqlx::query_as(STATEMENTS).bind(name).fetch_all(&mut connection).await.unwrap();
                let statements = rows.into_iter().map(|(id, calls, records)| (id, (calls, records))).collect();
                Self::Postgres { statements, forgotten }
            }
        }
    }

    /// Writes since an earlier look.
    fn since(&self, earlier: &Self) -> i64 {
        match (self, earlier) {
            (Self::Sqlite(now), Self::Sqlite(before)) => i64::try_from(now - before).unwrap(),
            (
                Self::Postgres { statements, forgotten },
                Self::Postgres { statements: before, forgotten: forgotten_before },
            ) => {
                assert_eq!(forgotten, forgotten_before, "the server forgot statements, so nothing can be said");
                let written = statements.iter().map(|(id, (calls, records))| {
                    let (calls_before, records_before) = before.get(id).copied().unwrap_or_default();
                    if *records > records_before { calls - calls_before } else { 0 }
                });
                written.sum()
            }
            _ => panic!("two engines"),
        }
    }
}

/// Counts what a step writes.
macro_rules! writes {
    ($world:expr, $step:expr) => {{
        let before = Log::of(&$world.database).await;
        let outcome = $step;
        (outcome, Log::of(&$world.database).await.since(&before))
    }};
}

on_both_engines! {
    async fn a_code_and_its_refreshes(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        let (_, redeemed) = writes!(world, world.store.redeem(&redemption, &audit(at(0))).await.unwrap());
        assert_eq!(redeemed, 1, "the family and its audit event are one write");
        assert_eq!(writes!(world, world.present(redemption.id, 0, 0).await), (Rotated(1), 1));
        assert_eq!(writes!(world, world.present(redemption.id, 0, 1).await), (Repeated(1), 0));
        assert_eq!(writes!(world, world.present(redemption.id, 1, 2).await), (Repeated(1), 0));
        assert_eq!(writes!(world, world.present(redemption.id, 1, 120_000).await), (Rotated(2), 1));
    }

    async fn a_code_and_its_refreshes_with_assertions(engine) {
        let world = World::new(engine).await;
        let redemption = Redemption { assertion: Some(using("code")), ..world.redemption() };
        let (_, redeemed) = writes!(world, world.store.redeem(&redemption, &audit(at(0))).await.unwrap());
        assert_eq!(redeemed, 1, "the assertion is used in the same write");
        let with = |jti, presented, milliseconds| Rotation {
            assertion: Some(using(jti)),
            ..world.rotation(redemption.id, presented, milliseconds)
        };
        for (jti, presented, milliseconds, answer) in
            [("a", 0, 0, Rotated(1)), ("b", 0, 1, Repeated(1)), ("c", 1, 2, Repeated(1)), ("d", 1, 120_000, Rotated(2))]
        {
            let rotation = with(jti, presented, milliseconds);
            assert_eq!(writes!(world, present(&world.store, &rotation).await), (answer, 1), "{jti}");
        }
        let (outcome, written) = writes!(world, world.store.use_assertion(&using("alone")).await.unwrap());
        assert!(outcome && written == 1);
    }

    async fn a_repeat_by_a_stronger_method(engine) {
        let world = World::new(engine).await;
        let redemption = Redemption { authentication_method: Public, ..world.redemption() };
        world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
        let by = |method| Rotation {
            authentication_method: method,
            formerly: [Public; 2],
            ..world.rotation(redemption.id, 0, 1)
        };
        assert_eq!(writes!(world, present(&world.store, &by(Public)).await), (Rotated(1), 1));
        assert_eq!(writes!(world, present(&world.store, &by(Public)).await), (Repeated(1), 0));
        assert_eq!(writes!(world, present(&world.store, &by(ClientSecret)).await), (Repeated(1), 1), "the method");
        assert_eq!(writes!(world, present(&world.store, &by(ClientSecret)).await), (Repeated(1), 0), "once");
    }

    async fn looking(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let (family, written) = writes!(world, world.store.standing_family(id, at(1)).await.unwrap());
        assert!(family.is_some() && written == 0);
        let (client, written) = writes!(world, world.store.client(&world.client_id, at(1)).await.unwrap());
        assert!(client.is_some() && written == 0);
    }

    async fn a_consent_that_was_given(engine) {
        let world = World::new(engine).await;
        let grant = ConsentGrant {
            id: ConsentId(random::id(start())),
            key: world.consent_key(),
            scopes: scopes("todo.read"),
            document: None,
        };
        let (consent, written) = writes!(world, world.store.grant_consent(&grant, &audit(at(1))).await.unwrap());
        assert_eq!((consent.id, written), (world.consent.id, 0));
    }

    async fn signing_in(engine) {
        let world = World::new(engine).await;
        let session = NewSession {
            id: SessionId(random::id(start())),
            digest: Digest::of("cookie"),
            account_id: world.account,
            account_generation: 1,
            at: start(),
            expires_at: start() + TimeDelta::hours(1),
            replaces: None,
        };
        assert_eq!(writes!(world, world.store.start_session(&session).await.unwrap()), (true, 1));
        let (found, written) = writes!(world, world.store.session(session.digest, at(1)).await.unwrap());
        assert!(found.is_some() && written == 0);
    }
}
