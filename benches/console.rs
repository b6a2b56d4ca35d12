//! Every page of the console over few rows and over very many: how often the database is asked, how many rows are looked
//! at for it, and by which plans.
//!
//! `CONSENTRY_BENCH_POSTGRES_URL=postgres://… cargo bench --bench console`. The database is empty, its user a superuser,
//! and the server has `pg_stat_statements` loaded, with the extension in its database `postgres`. It fills the database
//! with 1,000 plugins, 10,000 clients and 1,000,000 families (`console/rows.rs`), starts `consentry serve` on a free
//! loopback port, and visits each page of the route table as an administrator and as an owner. It fails where a page asks
//! more than eight times, or looks at more rows when there are more. SQLite counts no statements, so there it prints how
//! long the pages took.

#![expect(clippy::print_stdout, reason = "a load program prints what it measured")]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use consentry::{
    model::{
        account::Role,
        audit::{Actor, Origin},
        counts::{Counted, Grain},
    },
    random,
    store::counts::Happened,
};
use sqlx::{Connection, PgConnection};

use crate::{
    plans::{Plan, Plans},
    prepared::{CALLBACK, Prepared, account, prepare},
    process::Place,
    route_table::{CLIENT, FLOW, SLUG, pages},
    rows::{Rows, Size},
};

#[path = "console/plans.rs"]
mod plans;
#[path = "served/prepared.rs"]
#[expect(dead_code, reason = "the load has a second client")]
mod prepared;
#[path = "served/process.rs"]
mod process;
#[path = "../tests/suite/harness/route_table.rs"]
#[expect(
    dead_code,
    clippy::expect_used,
    reason = "the tests post forms, too, and stop where they cannot read the table"
)]
mod route_table;
#[path = "console/rows.rs"]
mod rows;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Nothing but what the server was started with.
const NONE: Size = Size { plugins: 0, clients: 0, families: 0 };
/// More than a page of each.
const FEW: Size = Size { plugins: 200, clients: 2_000, families: 10_000 };
/// What a page must not notice.
const MANY: Size = Size { plugins: 1_000, clients: 10_000, families: 1_000_000 };

/// As many statements as a page may need.
const STATEMENTS_MAX: i64 = 8;
/// How often each page is visited; what all visits have in common is the page's own and no background job's.
const VISITS: usize = 3;

const PASSWORD: &str = "a password of some length";
const ADMIN: &str = "admin@example.com";
const OWNER: &str = "owner@example.com";

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("consentry-console-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let sqlite = format!("sqlite://{}", folder.join("console.db").display());
    let mut measured = Ok(());
    if let Ok(url) = std::env::var("CONSENTRY_BENCH_POSTGRES_URL") {
        measured = Box::pin(measure("Postgres", &url, &folder)).await;
    } else {
        println!("Postgres was not measured: CONSENTRY_BENCH_POSTGRES_URL is not set.");
    }
    if measured.is_ok() {
        measured = Box::pin(measure("SQLite", &sqlite, &folder)).await;
    }
    fs::remove_dir_all(&folder)?;
    measured
}

/// What one visit of a page took.
#[derive(Clone, Debug)]
struct Visit {
    /// How often the database was asked; none where the engine does not count.
    statements: Option<i64>,
    plans: BTreeSet<Plan>,
    took: Duration,
}

impl Visit {
    fn rows(&self) -> u64 {
        self.plans.iter().map(|plan| plan.rows).sum()
    }
}

/// One who looks, and a page.
type Looked = (&'static str, String);

async fn measure(engine: &str, url: &str, folder: &Path) -> Outcome<()> {
    let place = Place::new(url, folder, random::bytes())?;
    let Prepared { client, codes, server, .. } = prepare(&place, SLUG, 1).await?;
    let password_hash = server.passwords.hash(PASSWORD).await?;
    account(&server, ADMIN, Role::Admin, &password_hash).await?;
    let owner = account(&server, OWNER, Role::Owner, &password_hash).await?;
    let plugin = server.store.plugin_by_slug(SLUG).await?.ok_or("the plugin is not there")?;
    server.store.add_owner(plugin.id, owner, &server.audit(Actor::Operator, Origin::default())).await?;
    let hour = Grain::Hour.start(server.clock.now());
    let happened = Happened { plugin_id: plugin.id, what: Counted::TokenRequest, hour, count: 1 };
    server.store.add_counts(&[happened]).await?;
    server.store.close().await;
    let mut rows = Rows::open(url).await?;
    if let Rows::Postgres(_) = rows {
        rows.run(plans::EXPLAIN).await?;
    }
    let mut process = place.serve("error,sqlx::postgres::notice=info", Stdio::piped()).await?;
    let plans = Plans::follow(process.0.stderr.take().ok_or("the server has no log")?);
    redeem(&place, &client.id, &client.secret, codes.first().ok_or("there is no code")?).await?;
    let few = grown(&mut rows, &place, &plans, &client.id, (NONE, FEW)).await?;
    let many = grown(&mut rows, &place, &plans, &client.id, (FEW, MANY)).await?;
    report(engine, &few, &many)
}

/// One connection through the server itself, for the rows that are copied.
async fn redeem(place: &Place, client_id: &str, secret: &str, code: &str) -> Outcome<()> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", client_id),
        ("client_secret", secret),
    ];
    let address = format!("{}/token", place.public_url);
    reqwest::Client::new().post(address).form(&form).send().await?.error_for_status()?;
    // What happened is written down within a second or two.
    tokio::time::sleep(Duration::from_secs(3)).await;
    Ok(())
}

/// Adds rows and visits every page.
#[expect(clippy::disallowed_methods, reason = "a load program measures real time")]
async fn grown(
    rows: &mut Rows,
    place: &Place,
    plans: &Plans,
    client_id: &str,
    (from, to): (Size, Size),
) -> Outcome<BTreeMap<Looked, Visit>> {
    rows.grow(from, to).await?;
    let mut visited = BTreeMap::new();
    for who in [ADMIN, OWNER] {
        let browser = signed_in(&place.public_url, who).await?;
        let is_console = |path: &str| path == "/console" || path.starts_with("/console/");
        for route in pages().into_iter().filter(|route| is_console(&route.path)) {
            // The first of the flows is in the middle of the list.
            let path = route.path.replace(CLIENT, client_id).replace(FLOW, "01ff0000-0005-7000-8000-000000000000");
            let address = format!("{}{path}", place.public_url);
            let mut visits = Vec::with_capacity(VISITS);
            browser.get(&address).send().await?.error_for_status().map_err(|error| format!("{path}: {error}"))?;
            for _ in 0..VISITS {
                plans.take();
                let before = calls(&place.database_url).await?;
                let begun = Instant::now();
                browser.get(&address).send().await?.error_for_status()?.bytes().await?;
                let took = begun.elapsed();
                // The log comes through a pipe.
                tokio::time::sleep(Duration::from_millis(30)).await;
                let after = calls(&place.database_url).await?;
                let statements = after.zip(before).map(|(after, before)| after - before);
                visits.push(Visit { statements, plans: plans.take(), took });
            }
            visited.insert((who, route.path), in_common(visits));
        }
    }
    Ok(visited)
}

/// The least of what all visits took.
fn in_common(visits: Vec<Visit>) -> Visit {
    let least = |one: Visit, other: Visit| Visit {
        statements: one.statements.min(other.statements),
        plans: one.plans.into_iter().filter(|plan| other.plans.iter().any(|same| same.query == plan.query)).collect(),
        took: one.took.min(other.took),
    };
    visits.into_iter().reduce(least).unwrap_or(Visit { statements: None, plans: BTreeSet::new(), took: Duration::ZERO })
}

/// How often the server was asked anything in this database.
async fn calls(database_url: &str) -> Outcome<Option<i64>> {
    if !database_url.starts_with("postgres") {
        return Ok(None);
    }
    let mut server = reqwest::Url::parse(database_url)?;
    let name = server.path().trim_start_matches('/').to_owned();
    server.set_path("postgres");
    let mut connection = PgConnection::connect(server.as_str()).await?;
    let sum = "select coalesce(cast(sum(s.calls) as bigint), 0)
                 from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = $1";
    let calls = sqlx::query_scalar(sum).bind(name).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(Some(calls))
}

async fn signed_in(public_url: &str, email: &str) -> Outcome<reqwest::Client> {
    let browser = reqwest::Client::builder().cookie_store(true).build()?;
    let address = format!("{public_url}/sign-in");
    let page = browser.get(&address).send().await?.text().await?;
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").ok_or("a page without its form")?;
    let csrf = rest.split('"').next().unwrap_or_default();
    let form = [("email", email), ("password", PASSWORD), ("csrf", csrf)];
    browser.post(&address).form(&form).send().await?.error_for_status()?;
    Ok(browser)
}

/// Prints what was found, with the plans, and fails where a page asks or reads too much.
fn report(engine: &str, few: &BTreeMap<Looked, Visit>, many: &BTreeMap<Looked, Visit>) -> Outcome<()> {
    println!("\n{engine}: each figure over {FEW_SAID}, then over {MANY_SAID}\n");
    println!("| who | page | statements | rows looked at | ms |\n| --- | --- | ---: | ---: | ---: |");
    let (mut wrong, mut plans) = (Vec::new(), BTreeMap::new());
    for (looked @ (who, path), visit) in many {
        let before = few.get(looked).ok_or("a page came meanwhile")?;
        let statements = [before, visit].map(|visit| visit.statements.map_or("–".into(), |count| count.to_string()));
        let [then, now] = [before, visit].map(|visit| visit.took.as_secs_f64() * 1e3);
        let (read_then, read_now) = (before.rows(), visit.rows());
        let asked = statements.join(" → ");
        println!("| {who} | {path} | {asked} | {read_then} → {read_now} | {then:.1} → {now:.1} |");
        if visit.statements > Some(STATEMENTS_MAX) {
            wrong.push(format!("{who} {path} asks too often"));
        }
        if read_now > read_then + read_then / 2 + 20 {
            wrong.push(format!("{who} {path} looks at more rows when there are more"));
        }
        plans.extend(visit.plans.iter().map(|plan| (plan.query.clone(), plan)));
    }
    for (query, plan) in plans {
        println!("\n{query}\n{}", plan.steps);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
}

const FEW_SAID: &str = "200 plugins, 2,000 clients and 10,000 families";
const MANY_SAID: &str = "1,000, 10,000 and 1,000,000";
