//! Very many people with authenticator apps, written past the store in a few statements.

use consentry::{
    keys::place::Place,
    model::{digest::Digest, id::AccountId},
    random,
};
use uuid::Uuid;

use super::server::World;
use crate::store::tables::Tables;

/// How many are written in one statement.
const BATCH: u64 = 10_000;

/// Somebody who can sign in as everybody else does.
#[derive(Clone, Debug)]
pub struct Person {
    /// What they sign in with.
    pub email: String,
    /// What their app and the server share.
    pub key: [u8; 20],
}

/// The key of anybody's app, so that nobody has to remember a million of them.
pub fn key_of(account: AccountId) -> [u8; 20] {
    let digest = Digest::of(account.0.as_bytes()).0;
    std::array::from_fn(|place| digest[place])
}

/// Somebody as they are written.
struct Row {
    id: Uuid,
    email: String,
    sealed: Vec<u8>,
}

/// Makes so many people with Ada's password, each with an app whose key is sealed with the key that seals now; answers
/// some of them.
pub async fn people_with_apps(world: &World, count: u64, known: usize) -> Vec<Person> {
    let (mut people, mut tables) = (Vec::new(), Tables::of(&world.database).await);
    let mut left = count;
    while left > 0 {
        let rows = made(world, left.min(BATCH), count - left);
        let wanted = known - people.len();
        people.extend(
            rows.iter().take(wanted).map(|row| Person { email: row.email.clone(), key: key_of(AccountId(row.id)) }),
        );
        left -= rows.len() as u64;
        write(&mut tables, rows).await;
    }
    people
}

fn made(world: &World, count: u64, first: u64) -> Vec<Row> {
    let server = &world.running.server;
    let (ring, now) = (server.keyring.current(), server.clock.now());
    let row = |number: u64| {
        let account = AccountId(random::id(now));
        let sealed = Place::AuthenticatorApp(account).seal(&ring, &key_of(account), now, random::bytes()).unwrap();
        Row { id: account.0, email: format!("person-{number}@example.com"), sealed }
    };
    (first..first + count).map(row).collect()
}

async fn write(tables: &mut Tables, rows: Vec<Row>) {
    match tables {
        Tables::Sqlite(connection) => {
            const ACCOUNT: &str = "
                insert into accounts (id, email, name, role, password_hash, created_at, email_verified_at)
                select $1, $2, name, role, password_hash, created_at, email_verified_at
                  from accounts where email = 'ada@example.com'";
            const APP: &str = "
                insert into authenticator_apps (account_id, sealed, step, created_at)
                select id, $2, 0, created_at from accounts where id = $1";
            sqlx::query("begin immediate").execute(&mut *connection).await.unwrap();
            for Row { id, email, sealed } in rows {
                sqlx::query(ACCOUNT).bind(id).bind(email).execute(&mut *connection).await.unwrap();
                sqlx::query(APP).bind(id).bind(sealed).execute(&mut *connection).await.unwrap();
            }
            sqlx::query("commit").execute(&mut *connection).await.unwrap();
        }
        Tables::Postgres(connection) => {
            const ACCOUNTS: &str = "
                insert into accounts (id, email, name, role, password_hash, created_at, email_verified_at)
                select made.id, made.email, a.name, a.role, a.password_hash, a.created_at, a.email_verified_at
                  from unnest($1::uuid[], $2::text[]) as made (id, email), accounts a
                 where a.email = 'ada@example.com'";
            const APPS: &str = "
                insert into authenticator_apps (account_id, sealed, step, created_at)
                select made.id, made.sealed, 0, now() from unnest($1::uuid[], $2::bytea[]) as made (id, sealed)";
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let (emails, sealed): (Vec<String>, Vec<Vec<u8>>) =
                rows.into_iter().map(|row| (row.email, row.sealed)).unzip();
            sqlx::query(ACCOUNTS).bind(&ids).bind(emails).execute(&mut *connection).await.unwrap();
            sqlx::query(APPS).bind(ids).bind(sealed).execute(connection).await.unwrap();
        }
    }
}
