//! Every kind of key replaced, one after the other, while three nodes with clocks apart are at work and learn of it at
//! different times: nothing honest is refused. Then the same with three processes, whose master key changes as well.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    keys::master::MasterKey,
    model::{client::Dialect, key::Purpose, key_timetable::KeyTimetable},
    registry::keys::{Means, rotate},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::{Client, StatusCode, header::HOST};
use serde_json::Value;

use crate::{
    attacks::by_hand::{Answer, ByHand},
    harness::{
        browser::{parameter, plugin_request, read},
        databases::{Engine, without_postgres},
        process::{Consentry, Serving, free_port, write_private},
        server::{CALLBACK, MASTER, Node, Options, PASSWORD, Registered, Running, World},
    },
};

/// How far the nodes' clocks are apart.
const OFFSETS: [i64; 3] = [0, 2, -2];

/// Posts a form to a machine endpoint of a node, as a client.
async fn post(node: &impl Node, path: &str, client: &Registered, more: &[(&str, &str)]) -> (StatusCode, Value) {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = Client::new().post(format!("{}{path}", node.own())).form(&[&own, more].concat());
    read(request.header(HOST, node.url().trim_start_matches("http://")).send().await.expect("an answer")).await
}

async fn refresh(node: &impl Node, client: &Registered, token: &str) -> Value {
    let (status, tokens) =
        post(node, "/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
    assert_eq!(status, 200, "a refresh token is refused: {tokens}");
    tokens
}

async fn redeem(node: &impl Node, client: &Registered, code: &str) -> Value {
    let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    let (status, tokens) = post(node, "/token", client, &fields).await;
    assert_eq!(status, 200, "a code is refused: {tokens}");
    tokens
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
}

/// The place in its line that a refresh token says it has.
fn counter(token: &str) -> i64 {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("cst_rt_").expect("a refresh token")).expect("base64url");
    i64::from_be_bytes(bytes[20..28].try_into().expect("eight bytes"))
}

fn code_of(answer: &Answer) -> String {
    let left: url::Url = answer.redirect().parse().expect("a URL");
    assert!(left.as_str().starts_with(CALLBACK), "{left}");
    parameter(&left, "code").expect("a code")
}

/// An API that verifies for itself: it keeps the key set for as long as it may, and never asks for it sooner.
#[derive(Default)]
struct Verifier {
    keys: HashMap<String, DecodingKey>,
    kept_until: Duration,
    fetched: usize,
}

impl Verifier {
    async fn verify(&mut self, node: &impl Node, now: Duration, token: &str) {
        if now >= self.kept_until {
            let request = Client::new().get(format!("{}/.well-known/jwks.json", node.own()));
            let host = node.url().trim_start_matches("http://");
            let answer = request.header(HOST, host).send().await.expect("an answer");
            let kept = answer.headers()["cache-control"].to_str().unwrap().to_owned();
            let seconds = kept.strip_prefix("public, max-age=").unwrap_or_else(|| panic!("{kept}")).parse().unwrap();
            self.kept_until = now + Duration::from_secs(seconds);
            self.fetched += 1;
            let set: Value = answer.json().await.unwrap();
            self.keys.clear();
            for key in set["keys"].as_array().unwrap() {
                let decoding = DecodingKey::from_ec_components(&text(key, "x"), &text(key, "y")).unwrap();
                self.keys.insert(text(key, "kid"), decoding);
            }
        }
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let key = self.keys.get(&kid).unwrap_or_else(|| panic!("{kid} is not in the set that is kept"));
        let mut validation = Validation::new(Algorithm::ES256);
        (validation.validate_exp, validation.validate_aud) = (false, false);
        jsonwebtoken::decode::<Value>(token, key, &validation).expect("a signature that verifies");
    }
}

/// A connection that is refreshed all the time, and each time answered once more by another node.
struct Connection {
    refresh_token: String,
    access_token: String,
}

impl Connection {
    async fn go_on(&mut self, client: &Registered, (one, other): (&impl Node, &impl Node)) {
        let tokens = refresh(one, client, &self.refresh_token).await;
        let again = refresh(other, client, &self.refresh_token).await;
        let [first, second] = [&tokens, &again].map(|tokens| text(tokens, "refresh_token"));
        // The second node's clock may stand where the window is over: then it has gone on, and both are good.
        if counter(&first) == counter(&second) {
            assert_eq!(first, second, "an answer that was lost is answered the same");
        }
        self.refresh_token = second;
        self.access_token = text(&again, "access_token");
    }
}

/// Three nodes on one Postgres, with their clocks.
struct Three {
    world: World,
    others: [Running; 2],
    clocks: Vec<Clock>,
    timetable: KeyTimetable,
}

impl Three {
    async fn new() -> Self {
        let timetable = KeyTimetable { jwks_max_age: TimeDelta::seconds(30), ..KeyTimetable::default() };
        let begin = Clock::system().now();
        let clocks: Vec<Clock> =
            OFFSETS.iter().map(|offset| Clock::standing_at(begin + TimeDelta::seconds(*offset))).collect();
        let options = |number: usize, public_url| Options {
            clock: clocks[number].clone(),
            public_url,
            keys: timetable,
            refresh_grace: TimeDelta::seconds(10),
            ..Options::default()
        };
        let world = World::with(Engine::Postgres, options(0, None)).await;
        let url = Some(world.running.url.clone());
        let others = [
            Running::start(&world.database, options(1, url.clone())).await,
            Running::start(&world.database, options(2, url)).await,
        ];
        Self { world, others, clocks, timetable }
    }

    fn node(&self, number: usize) -> &Running {
        match number % 3 {
            0 => &self.world.running,
            number => &self.others[number - 1],
        }
    }

    /// Half a second goes by. Each node reads the table at its own pace, one of them late.
    async fn go_on(&self, step: usize) {
        self.clocks.iter().for_each(|clock| clock.advance(TimeDelta::milliseconds(500)));
        for (number, turn) in [(0, step.is_multiple_of(2)), (1, step % 2 == 1), (2, step.is_multiple_of(4))] {
            if turn {
                let server = &self.node(number).server;
                server.keyring.follow(&server.store, server.clock.now()).await.expect("the table is read");
            }
        }
    }

    async fn replace(&self, purpose: Purpose, node: &Running) {
        let master = MasterKey::new(MASTER);
        let means = Means { master: &master, timetable: &self.timetable };
        assert_eq!(rotate(&node.registry(), means, (purpose, None)).await.expect("a new key").len(), 1);
    }
}

/// Somebody in the middle of signing in: the page was shown, and the form comes back later to another node.
struct SigningIn {
    browser: ByHand,
    page: Answer,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_honest_token_is_refused_while_every_key_changes_on_three_nodes() {
    if without_postgres() {
        return;
    }
    let three = Three::new().await;
    let client = three.world.client(Dialect::Plugin).await;
    let service = three.world.client(Dialect::Service).await;
    let connected = ByHand::signed_in(three.node(0), "ada@example.com").await;
    let mark = connected.cookie("consentry_device").expect("a mark of the browser");
    let consent = connected.get(three.node(0), &plugin_request(&client)).await;
    let consent = connected.get(three.node(1), consent.redirect()).await;
    let mut code = code_of(&connected.decide(three.node(2), &consent, "allow").await);
    let mut connections = Vec::new();
    for number in 0..3 {
        let tokens = redeem(three.node(number), &client, &code).await;
        connections.push(Connection {
            refresh_token: text(&tokens, "refresh_token"),
            access_token: text(&tokens, "access_token"),
        });
        code = code_of(&connected.get(three.node(number), &plugin_request(&client)).await);
    }
    let untouched = redeem(three.node(0), &client, &code).await;

    let purposes = [Purpose::Sign, Purpose::Mac, Purpose::SealCode, Purpose::SealRequest, Purpose::SealData];
    let mut verifiers: [Verifier; 3] = std::array::from_fn(|_| Verifier::default());
    let (mut codes, mut signing_in) = (VecDeque::new(), VecDeque::new());
    let replaced_at = |step: usize| purposes.get(step.checked_sub(10)? / 40).filter(|_| (step - 10).is_multiple_of(40));
    for step in 0..10 + 40 * purposes.len() + 90 {
        if let Some(purpose) = replaced_at(step) {
            // The set is fetched the moment before, from a node that does not know yet: the worst that can happen.
            verifiers[0] = Verifier::default();
            let token = connections[0].access_token.clone();
            verifiers[0].verify(three.node(2), three.clocks[0].elapsed(), &token).await;
            three.replace(*purpose, three.node(step)).await;
        }
        three.go_on(step).await;
        let now = three.clocks[0].elapsed();
        for (number, connection) in connections.iter_mut().enumerate() {
            connection.go_on(&client, (three.node(step + number), three.node(step + number + 1))).await;
            verifiers[number].verify(three.node(step + number + 2), now, &connection.access_token).await;
            if step % 3 == number {
                let fields = [("token", connection.access_token.as_str())];
                let told = post(three.node(step + 2), "/introspect", &service, &fields).await.1;
                assert_eq!(told["active"], true, "an access token is refused at step {step}: {told}");
            }
        }
        // A code waits for eight seconds, and comes to another node than the one that made it.
        codes.push_back(code_of(&connected.get(three.node(step), &plugin_request(&client)).await));
        if codes.len() > 16 {
            redeem(three.node(step), &client, &codes.pop_front().expect("a code")).await;
        }
        // So do a form and the request behind it, for as long.
        if step.is_multiple_of(4) {
            let browser = ByHand::new();
            browser.plant("consentry_device", &mark);
            let to_sign_in = browser.get(three.node(step), &plugin_request(&client)).await;
            let page = browser.get(three.node(step), to_sign_in.redirect()).await;
            signing_in.push_back(SigningIn { browser, page });
            if signing_in.len() > 4 {
                let SigningIn { browser, page } = signing_in.pop_front().expect("a page");
                let answer = browser.sign_in(three.node(step + 1), &page, "ada@example.com", PASSWORD).await;
                assert!(answer.status == 303, "a form is refused at step {step}: {} {}", answer.status, answer.body);
                assert_eq!(browser.cookie("consentry_device").as_ref(), Some(&mark), "a browser is still known");
            }
        }
    }
    // What nobody has touched since before the first change.
    let access = text(&untouched, "access_token");
    for (number, verifier) in verifiers.iter_mut().enumerate() {
        verifier.verify(three.node(number), three.clocks[0].elapsed(), &access).await;
        let told = post(three.node(number), "/introspect", &service, &[("token", &access)]).await.1;
        assert_eq!(told["active"], true, "{told}");
        assert!(verifier.fetched <= 6, "the set was kept: {}", verifier.fetched);
    }
    refresh(three.node(2), &client, &text(&untouched, "refresh_token")).await;
    assert!(connections.iter().all(|connection| counter(&connection.refresh_token) > 5), "they went on");
    // All of them changed.
    let keys = three.node(0).server.store.working_keys().await.unwrap();
    for purpose in purposes {
        let retired = keys.iter().filter(|key| key.purpose == purpose && !key.is_newest()).count();
        assert_eq!(retired, 1, "{purpose:?}");
    }
}

/// Three processes; any of them may be down for a restart, and is not called then.
struct Processes {
    serving: Mutex<[Option<Arc<Serving>>; 3]>,
    calls: AtomicUsize,
    is_over: AtomicBool,
}

impl Processes {
    /// The next one that is up.
    fn next(&self) -> Arc<Serving> {
        let serving = self.serving.lock().expect("processes");
        let turn = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut up = (0..3).filter_map(|number| serving[(turn + number) % 3].clone());
        up.next().expect("one of them is up")
    }

    async fn load(&self, client: &Registered, service: &Registered, mut code: String, browser: &ByHand) {
        let clock = Clock::system();
        let tokens = redeem(&*self.next(), client, &code).await;
        let mut connection =
            Connection { refresh_token: text(&tokens, "refresh_token"), access_token: text(&tokens, "access_token") };
        let mut verifier = Verifier::default();
        code = code_of(&browser.get(&*self.next(), &plugin_request(client)).await);
        while !self.is_over.load(Ordering::Relaxed) {
            let (one, other) = (self.next(), self.next());
            connection.go_on(client, (&*one, &*other)).await;
            drop((one, other));
            verifier.verify(&*self.next(), clock.elapsed(), &connection.access_token).await;
            let fields = [("token", connection.access_token.as_str())];
            let told = post(&*self.next(), "/introspect", service, &fields).await.1;
            assert_eq!(told["active"], true, "{told}");
            let next = code_of(&browser.get(&*self.next(), &plugin_request(client)).await);
            redeem(&*self.next(), client, &code).await;
            code = next;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(verifier.fetched > 2, "the set was fetched again: {}", verifier.fetched);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_honest_token_is_refused_while_three_processes_change_every_key_and_the_master_key() {
    if without_postgres() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = ["master.key", "second.key"].map(|name| folder.path().join(name));
    write_private(&first, &STANDARD.encode(MASTER));
    write_private(&second, &STANDARD.encode(consentry::random::bytes::<32>()));
    let [first, second] = [first, second].map(|path| format!("file:{}", path.display()));
    let ports = [free_port(), free_port(), free_port()];
    let node = |number: usize| Consentry {
        folder: folder.path(),
        database: &world.database,
        port: ports[number],
        public_url: format!("http://localhost:{}", ports[0]),
    };
    let serve = async |number: usize, masters: &str| {
        let [age, grace] = [("CONSENTRY_JWKS_MAX_AGE", "2"), ("CONSENTRY_REFRESH_GRACE", "3")];
        let more = [("CONSENTRY_MASTER_KEYS", masters), age, grace];
        Some(Arc::new(node(number).serve_with(&more).await))
    };
    let all = [serve(0, &first).await, serve(1, &first).await, serve(2, &first).await];
    let processes =
        Arc::new(Processes { serving: Mutex::new(all), calls: AtomicUsize::new(0), is_over: AtomicBool::new(false) });

    let mut loads = Vec::new();
    for _ in 0..3 {
        let browser = ByHand::signed_in(&*processes.next(), "ada@example.com").await;
        let mut answer = browser.get(&*processes.next(), &plugin_request(&client)).await;
        if !answer.redirect().starts_with(CALLBACK) {
            let consent = browser.get(&*processes.next(), answer.redirect()).await;
            answer = browser.decide(&*processes.next(), &consent, "allow").await;
        }
        let (processes, code) = (Arc::clone(&processes), code_of(&answer));
        let (client, service) = (client.clone(), service.clone());
        loads.push(tokio::spawn(async move { processes.load(&client, &service, code, &browser).await }));
    }

    // Signing keys first, which take longest; then all others; each takes over while the load goes on.
    for purposes in [&["--purpose", "sign"][..], &[]] {
        let made = node(0).answer(&[&["key", "rotate", "--json", "--set", "jwks_max_age=2"], purposes].concat());
        assert!(!made.as_array().unwrap().is_empty(), "{made}");
        tokio::time::sleep(Duration::from_secs(13)).await;
    }
    // The new master key second on every node, then first, then alone.
    for masters in [format!("{first},{second}"), format!("{second},{first}"), second.clone()] {
        for number in 0..3 {
            let leaving = processes.serving.lock().expect("processes")[number].take().expect("it is up");
            // What it was asked before is answered first.
            while Arc::strong_count(&leaving) > 1 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let mut leaving = Arc::into_inner(leaving).expect("nobody else has it");
            tokio::task::block_in_place(|| leaving.stop());
            let log = leaving.log();
            assert!(!log.contains("ERROR"), "{log}");
            let again = serve(number, &masters).await;
            processes.serving.lock().expect("processes")[number] = again;
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    processes.is_over.store(true, Ordering::Relaxed);
    for load in loads {
        load.await.expect("nothing was refused");
    }
    let keys = world.running.server.store.working_keys().await.unwrap();
    let old = MasterKey::new(MASTER);
    assert!(keys.iter().all(|key| key.master != old.id()), "the old master key wraps nothing any more");
    for purpose in Purpose::ALL {
        assert!(keys.iter().filter(|key| key.purpose == *purpose).count() > 1, "{purpose:?} was changed");
    }
}
