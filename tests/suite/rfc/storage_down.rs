//! The database is gone, or somebody holds it: everybody is told to come back, nothing is consumed, and the server
//! goes on as soon as the database does (RFC 9110 §15.6.4, RFC 6749 §4.1.2.1).

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use consentry::{
    jobs,
    model::{
        client::Dialect,
        flow::{Outcome, Step},
    },
    store::{OpenOptions, flows::FlowQuery},
};
use sqlx::{Connection, SqliteConnection};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::wire::{Answer, text};
use crate::harness::{
    browser::{Arrived, Browser, plugin_request},
    databases::{Database, Engine, without_postgres},
    server::{Options, Running, World},
};

/// How long the server under test waits for a lock that nobody gives up.
const PATIENCE_FOR_A_LOCK: Duration = Duration::from_millis(150);

/// How long it waits for a connection. Those to a cable that is pulled out end at once; one that is plugged in again has
/// to be made anew, also on a busy machine.
const PATIENCE_FOR_A_CONNECTION: Duration = Duration::from_secs(3);

/// A world whose server is told to open something else than the database itself, and is impatient.
async fn world(database: Database, url: String, patience: Duration) -> World {
    let open = OpenOptions { url, connections_max: 4, patience, ..database.options() };
    let running = Running::start(&database, Options { open: Some(open), ..Options::default() }).await;
    running.add_account("ada@example.com", "Ada Lovelace").await;
    let plugin = running.add_plugin("todo").await;
    World { running, database, plugin }
}

fn assert_come_back(answer: &Answer) {
    assert_eq!(answer.error(), (503, "temporarily_unavailable".into()));
    let seconds: u32 = answer.header("retry-after").expect("when to come back").parse().expect("seconds");
    assert!((1..=60).contains(&seconds));
    let words = text(&answer.json(), "error_description").to_lowercase();
    for detail in ["sqlite", "postgres", "pool", "lock", "127.0.0.1"] {
        assert!(!words.contains(detail), "what is inside stays inside: {words}");
    }
}

async fn assert_health(world: &World, ready: bool) {
    let live = world.running.look("/health/live").await;
    assert_eq!(live.status, 200, "the process itself is well: {live:?}");
    let answer = world.running.look("/health/ready").await;
    if ready {
        assert_eq!(answer.status, 200, "{answer:?}");
    } else {
        assert_come_back(&answer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_held_by_another_program() {
    let database = Database::migrated(Engine::Sqlite).await;
    let url = database.url.clone();
    let world = world(database, url, PATIENCE_FOR_A_LOCK).await;
    let client = world.client(Dialect::Plugin).await;
    let service = world.client(Dialect::Service).await;
    let tokens = world.running.tokens(&client).await;
    let code = world.running.code(&client).await;
    let asked = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    let sign_in = browser.get(&plugin_request(&asked)).await.page();
    let page = browser.sign_in(&sign_in, "ada@example.com").await.page();
    assert_health(&world, true).await;

    let mut holder = SqliteConnection::connect(&world.database.url).await.unwrap();
    sqlx::query("begin exclusive").execute(&mut holder).await.unwrap();
    assert_health(&world, false).await;
    assert_come_back(&redeem(&world, &client, &code).await);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", client.client_id.as_str()),
        ("client_secret", &client.client_secret),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    assert_come_back(&world.running.post("/token", &refresh).await);
    let revoke = [&refresh[1..3], &[("token", text(&tokens, "refresh_token"))]].concat();
    assert_come_back(&world.running.post("/revoke", &revoke).await);
    let Arrived::Page(later) = browser.decide(&page, "allow").await else { panic!("left without a consent") };
    assert_eq!(later.status, 503);
    assert!(later.html.contains("be right back"), "{}", later.html);
    // What only reads goes on: readers of a write-ahead log wait for nobody.
    let (_, active) = world.running.introspect(&service, text(&tokens, "access_token")).await;
    assert_eq!(active["active"], true);
    jobs::flows::keep(&world.running.server).await.unwrap_err();

    sqlx::query("rollback").execute(&mut holder).await.unwrap();
    assert_health(&world, true).await;
    assert_eq!(redeem(&world, &client, &code).await.status, 200, "the code was not consumed");
    assert_eq!(world.running.post("/token", &refresh).await.status, 200);
    browser.decide(&page, "allow").await.left();
    // What could not be recorded meanwhile is recorded now, with what failed.
    jobs::flows::keep(&world.running.server).await.unwrap();
    let all = FlowQuery { client_id: None, refused: true, flows_max: 100 };
    let told = world.running.server.store.flows(&all).await.unwrap();
    let failed = told.iter().filter(|event| event.outcome == Outcome::Failed).map(|event| event.step);
    let failed: HashSet<Step> = failed.collect();
    assert_eq!(failed, HashSet::from([Step::Token, Step::Refresh, Step::Revocation, Step::Consent]));
    assert!(told.iter().any(|event| event.step == Step::Code && event.outcome == Outcome::Done), "{told:#?}");
}

async fn redeem(world: &World, client: &crate::harness::server::Registered, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", client.client_id.as_str()),
        ("client_secret", &client.client_secret),
        ("code", code),
        ("redirect_uri", crate::harness::server::CALLBACK),
    ];
    world.running.post("/token", &fields).await
}

/// A proxy in front of Postgres that can be cut: connections under way end, and new ones are closed at once.
struct Cable {
    plugged_in: Arc<AtomicBool>,
    cut: watch::Sender<()>,
    port: u16,
}

impl Cable {
    async fn to(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plugged_in = Arc::new(AtomicBool::new(true));
        let (cut, watched) = watch::channel(());
        let accepts = Arc::clone(&plugged_in);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (accepts, address, mut cut) = (Arc::clone(&accepts), address.clone(), watched.clone());
                cut.mark_unchanged();
                tokio::spawn(async move {
                    if !accepts.load(Ordering::SeqCst) {
                        return;
                    }
                    let mut far = TcpStream::connect(address).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { plugged_in, cut, port }
    }

    fn pull_out(&self) {
        self.plugged_in.store(false, Ordering::SeqCst);
        self.cut.send(()).unwrap();
    }

    fn plug_in(&self) {
        self.plugged_in.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_out_of_reach() {
    if without_postgres() {
        return;
    }
    let database = Database::migrated(Engine::Postgres).await;
    let mut url: url::Url = database.url.parse().unwrap();
    let address = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let cable = Cable::to(address).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(cable.port)).unwrap();
    let world = world(database, url.into(), PATIENCE_FOR_A_CONNECTION).await;
    let client = world.client(Dialect::Plugin).await;
    let service = world.client(Dialect::Service).await;
    let tokens = world.running.tokens(&client).await;
    let access = text(&tokens, "access_token");
    let code = world.running.code(&client).await;
    let browser = Browser::new(&world.running);
    let sign_in = browser.get(&plugin_request(&client)).await.page();
    assert_health(&world, true).await;

    // Twice, because the first time finds connections that were good a moment ago.
    for _ in 0..2 {
        cable.pull_out();
        assert_health(&world, false).await;
        assert_come_back(&redeem(&world, &client, &code).await);
        let fields = [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret)];
        let fields = [fields.as_slice(), &[("token", access)]].concat();
        assert_come_back(&world.running.post("/introspect", &fields).await);
        assert_come_back(&world.running.post("/revoke", &fields).await);
        let answer = world.running.look(&plugin_request(&client)).await;
        answer.assert_page(reqwest::StatusCode::SERVICE_UNAVAILABLE, "/authorize");
        assert!(answer.header("retry-after").is_some());
        let later = browser.sign_in(&sign_in, "ada@example.com").await.page();
        assert_eq!(later.status, 503);
        assert_come_back(&world.running.look("/.well-known/ai-plugin.json").await);
        // What needs no database goes on.
        assert_eq!(world.running.look("/.well-known/jwks.json").await.status, 200);
        cable.plug_in();
        assert_health(&world, true).await;
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true);
    }
    assert_eq!(redeem(&world, &client, &code).await.status, 200, "the code was not consumed");
    browser.sign_in(&sign_in, "ada@example.com").await.left();
}
