//! Upgrades: a database that an older program made and filled keeps everything, with the references between its rows.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};
use consentry::{
    model::{
        client::{AuthenticationMethod, Registration},
        id::{FamilyId, ResourceId},
    },
    store::SchemaState,
};
use sqlx::{Connection, PgConnection, SqliteConnection, migrate::Migrator};
use uuid::Uuid;

use super::{
    facts::{at, audit},
    tables::Tables,
};
use crate::{
    harness::databases::{Database, Engine},
    on_both_engines,
};

/// The folder of an engine's migrations.
fn folder(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}

/// Applies the first migrations, as a program did that had no more.
async fn migrated_by_an_older_program(engine: Engine, count: usize) -> Database {
    let database = Database::empty(engine).await;
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder(engine));
    let some = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = fs::read_dir(all).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in &files[..count] {
        fs::copy(file, some.path().join(file.file_name().unwrap())).unwrap();
    }
    let migrator = Migrator::new(some.path()).await.unwrap();
    match engine {
        // The store makes the file, with the settings every connection of its has.
        Engine::Sqlite => {
            database.open().await.close().await;
            migrator.run(&mut SqliteConnection::connect(&database.url).await.unwrap()).await.unwrap();
        }
        Engine::Postgres => migrator.run(&mut PgConnection::connect(&database.url).await.unwrap()).await.unwrap(),
    }
    database
}

/// An id that can be written in a statement.
fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

/// Rows of the first schema, with everything a row can have.
fn rows(engine: Engine) -> Vec<String> {
    let bytes = |hex: String| match engine {
        Engine::Sqlite => format!("x'{hex}'"),
        Engine::Postgres => format!("'\\x{hex}'"),
    };
    let key = |number| match engine {
        Engine::Sqlite => format!("x'{}'", id(number).simple()),
        Engine::Postgres => format!("'{}'", id(number)),
    };
    let digest = |byte: &str| bytes(byte.repeat(32));
    let time = |milliseconds| {
        let time: DateTime<Utc> = at(milliseconds);
        format!("'{}'", time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).replace('Z', "+00:00"))
    };
    let catalogue = r#"'[{"name":"todo.read","words":"See"}]'"#;
    let (past, now, later) = (time(-1000), time(0), time(999_999));
    let [account, plugin, moved, client, public, secret, old_secret, consent, withdrawn] =
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map(key);
    let family = key(10);
    vec![
        format!(
            "insert into accounts (id, email, name, role, password_hash, created_at)
             values ({account}, 'ada@example.com', 'Ada', 'person', 'x', {now})"
        ),
        format!(
            "insert into plugins (id, slug, host, owner_id, state, resource, subject_salt, scopes, manifest, created_at,
                                  updated_at)
             values ({plugin}, 'todo', 'todo.example', {account}, 'draft', 'https://todo.example', {salt}, {catalogue},
                     '{{}}', {past}, {now}),
                    ({moved}, 'mail', 'mail.example', null, 'draft', 'https://mail.example', {salt}, '[]', '{{}}', {now},
                     {now})",
            salt = digest("5a"),
        ),
        format!(
            "insert into plugin_documents (plugin_id, kind, content_type, body)
             values ({plugin}, 'logo', 'image/png', {})",
            bytes("00ff".into())
        ),
        format!(
            "insert into clients (id, client_id, plugin_id, name, dialect, authentication_method, redirect_uris, scopes,
                                  generation, enabled, created_at)
             values ({client}, 'first', {plugin}, 'Chat', 'plugin', 'client_secret', '[\"https://chat.example/cb\"]',
                     'todo.read', 3, true, {past}),
                    ({public}, 'second', {moved}, 'Tool', 'connector', 'none', '[]', '', 1, false, {now})"
        ),
        format!(
            "insert into client_secrets (id, client_id, digest, created_at, expires_at)
             values ({secret}, {client}, {}, {now}, null), ({old_secret}, {client}, {}, {past}, {later})",
            digest("11"),
            digest("22"),
        ),
        format!(
            "insert into consents (id, account_id, client_id, resource, scopes, generation, granted_at, revoked_at)
             values ({consent}, {account}, {client}, 'https://todo.example', 'todo.read', 2, {now}, null),
                    ({withdrawn}, {account}, {public}, 'https://mail.example', '', 4, {past}, {now})"
        ),
        format!(
            "insert into families (id, redemption, account_id, client_id, consent_id, account_generation,
                                   client_generation, consent_generation, authentication_method, resource, scopes,
                                   secret_digest, counter, auth_time, created_at, idle_until, expires_at)
             values ({family}, {redemption}, {account}, {client}, {consent}, 1, 3, 2, 'client_secret',
                     'https://todo.example', 'todo.read', {}, 7, {now}, {now}, {later}, {later})",
            digest("33"),
            redemption = bytes("44".repeat(16)),
        ),
        format!(
            "insert into sessions (id, digest, account_id, account_generation, auth_time, expires_at)
             values ({}, {}, {account}, 1, {now}, {later})",
            key(11),
            digest("55"),
        ),
        format!(
            "insert into audit_events (id, at, action, actor, client_id, detail)
             values ({}, {now}, 'client.added', 'operator', {client}, '{{}}')",
            key(12),
        ),
    ]
}

const WITHOUT_TABLES: &str = "
    select 'clients ' || count(*) from clients union all
    select 'client_secrets ' || count(*) from client_secrets union all
    select 'consents ' || count(*) from consents union all
    select 'families ' || count(*) from families union all
    select 'plugins ' || count(*) from plugins union all
    select 'plugin_documents ' || count(*) from plugin_documents union all
    select 'sessions ' || count(*) from sessions union all
    select 'audit_events ' || count(*) from audit_events";

on_both_engines! {
    async fn connectors_come_to_a_database_that_is_in_use(engine) {
        let database = migrated_by_an_older_program(engine, 1).await;
        for statement in rows(engine) {
            database.execute(&statement).await;
        }
        let mut tables = Tables::of(&database).await;
        let mut before = tables.lines(WITHOUT_TABLES).await;
        let store = database.open().await;
        assert!(matches!(store.schema_state().await.unwrap(), SchemaState::Behind(1..)));
        store.migrate().await.unwrap();
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
        // A connection of before has the old tables' statements prepared.
        let mut tables = Tables::of(&database).await;
        let mut after = tables.lines(WITHOUT_TABLES).await;
        before.sort();
        after.sort();
        assert_eq!(after, before, "no row was lost");

        // Each plugin's resource is its default now.
        let seen: Vec<_> = store.resources().await.unwrap();
        let seen: Vec<_> = seen.iter().map(|one| (one.id, one.identifier.as_str(), one.is_default)).collect();
        let expected = [(2, "https://todo.example"), (3, "https://mail.example")];
        assert_eq!(seen, expected.map(|(number, identifier)| (ResourceId(id(number)), identifier, true)));
        let plugin = store.plugin_by_slug("todo").await.unwrap().unwrap();
        assert_eq!((plugin.id.0, plugin.resource.as_str()), (id(2), "https://todo.example"));

        let client = store.client("first", at(1)).await.unwrap().unwrap();
        assert_eq!((client.id.0, client.name.as_str(), client.generation, client.enabled), (id(4), "Chat", 3, true));
        assert_eq!(client.registration, Registration::ByHand);
        assert_eq!(client.authentication_methods, AuthenticationMethod::ClientSecret.into());
        assert_eq!(client.redirect_uris.len(), 1);
        assert_eq!(client.scopes.clone().unwrap().to_string(), "todo.read");
        assert_eq!(client.created_at, at(-1000));
        assert_eq!(client.home.unwrap().identifier.as_str(), "https://todo.example");
        assert_eq!(client.secrets.iter().map(|secret| secret.id.0).collect::<Vec<_>>(), [id(7), id(6)]);
        let other = store.client("second", at(1)).await.unwrap().unwrap();
        assert_eq!((other.id.0, other.enabled, other.scopes.unwrap().is_empty()), (id(5), false, true));

        // What stood still does, and can be taken back as before.
        let family = store.standing_family(FamilyId(id(10)), at(1)).await.unwrap().unwrap();
        assert_eq!((family.consent_id.0, family.counter, family.plugin_id.0), (id(8), 7, id(2)));
        let withdrawn = tables.lines("select scopes || '|' || generation || '|' || (revoked_at is not null) from consents order by id").await;
        let withdrawn: Vec<_> = withdrawn.iter().map(|line| line.replace("true", "1").replace("false", "0")).collect();
        assert_eq!(withdrawn, ["todo.read|2|0", "|4|1"]);
        store.disable_client("first", &audit(at(2))).await.unwrap();
        assert!(store.standing_family(FamilyId(id(10)), at(3)).await.unwrap().is_none());
    }

    async fn connections_of_a_plugin_that_had_moved_go_on(engine) {
        let database = migrated_by_an_older_program(engine, 1).await;
        for statement in rows(engine) {
            database.execute(&statement).await;
        }
        database.execute("update families set resource = 'https://old.example'").await;
        let store = database.open().await;
        store.migrate().await.unwrap();
        let family = store.standing_family(FamilyId(id(10)), at(1)).await.unwrap().unwrap();
        assert_eq!((family.resource.as_str(), family.plugin_id.0), ("https://old.example", id(2)));
        assert!(!store.resource("https://old.example").await.unwrap().unwrap().is_default);
    }

    async fn keys_of_before_have_the_same_lives_by_their_times(engine) {
        let database = migrated_by_an_older_program(engine, 23).await;
        let bytes = if engine == Engine::Sqlite { "x'00'" } else { "'\\x00'" };
        for (kid, purpose, state, active, retired) in [
            (1, "mac", "gone", "1", "2"),
            (2, "mac", "retired", "2", "3"),
            (3, "mac", "active", "3", ""),
            (4, "sign", "active", "1", ""),
        ] {
            let time = |second: &str| match second {
                "" => "null".to_owned(),
                second => format!("'2027-01-15T08:00:0{second}+00:00'"),
            };
            database
                .execute(&format!(
                    "insert into working_keys
                         (kid, purpose, algorithm, state, master, wrapped, created_at, active_at, retired_at)
                     values ({kid}, '{purpose}', 'HS256', '{state}', 'm', {bytes}, {}, {}, {})",
                    time("1"),
                    time(active),
                    time(retired)
                ))
                .await;
        }
        let store = database.open().await;
        store.migrate().await.unwrap();
        let keys = store.working_keys_ever().await.unwrap();
        let now = DateTime::from_timestamp(1_800_000_100, 0).unwrap();
        let told: Vec<_> = keys.iter().map(|key| format!("{} {}", key.kid.0, key.state(now).as_str())).collect();
        assert_eq!(told, ["1 gone", "2 retired", "3 active", "4 active"]);
        assert!(keys.iter().all(|key| key.needed_until.is_none()), "nobody had said so");
        assert_eq!(store.working_keys().await.unwrap().len(), 3);
    }

    async fn references_hold_after_the_upgrade(engine) {
        let database = migrated_by_an_older_program(engine, 1).await;
        for statement in rows(engine) {
            database.execute(&statement).await;
        }
        let store = database.open().await;
        store.migrate().await.unwrap();
        if engine == Engine::Sqlite {
            let mut tables = Tables::of(&database).await;
            assert!(tables.lines("select \"table\" from pragma_foreign_key_check").await.is_empty());
            let referring = tables
                .lines("select m.name || ' to ' || f.\"table\" from sqlite_schema m, pragma_foreign_key_list(m.name) f where m.type = 'table' order by 1")
                .await;
            assert_eq!(
                referring,
                [
                    "access_rules to people_groups", "access_rules to plugins", "accounts to plugins", "authenticator_apps to accounts", "callback_offers to clients", "client_secrets to clients",
                    "clients to plugins", "consents to accounts", "consents to clients", "identities to accounts",
                    "links to accounts", "outgoing_mails to accounts", "owner_invitations to plugins", "owner_tokens to accounts",
                    "passkeys to accounts", "people_group_members to accounts", "people_group_members to people_groups",
                    "plugin_connections to plugins", "plugin_counts to plugins", "plugin_documents to plugins",
                    "plugin_owners to accounts", "plugin_owners to plugins", "plugin_secret_versions to plugin_secrets",
                    "plugin_secrets to plugins", "plugin_verifications to plugins",
                    "plugin_webhooks to plugins",
                    "recovery_codes to accounts", "remembered_devices to accounts", "resources to plugins",
                    "sessions to accounts", "webhook_deliveries to plugin_webhooks",
                ]
            );
            assert!(tables.lines("select name from sqlite_schema where name like '%anew%'").await.is_empty());
        }
        // On both: what is referred to cannot be deleted.
        let mut tables = Tables::of(&database).await;
        for referred in ["clients", "plugins", "accounts"] {
            assert!(!tables.deletes(referred).await, "{referred}");
        }
    }
}
