//! A stand-in for whoever issues API keys: the administration API of one, in the shape of OpenAI's for the keys of a
//! project's service account, and `/used`, where exactly those keys are good that it has issued and not ended. It is no
//! issuer's own program, and nothing here was run against one.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::random;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
    sync::watch,
    task::JoinHandle,
    time::Instant,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use url::Url;

/// What its administration API lets people in by.
pub const ADMIN_KEY: &str = "sk-admin-Qk7mZ2v9Rt4x";

/// The project, and the account in it whose keys are made.
pub const PROJECT: &str = "proj_7Hq";
pub const SERVICE_ACCOUNT: &str = "user-svc_2Lm";

/// The most keys on one page of its list: few, so that there are pages.
const PAGE_MAX: usize = 3;

/// One, until it is dropped.
pub struct Issuer {
    name: String,
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

/// A key that it has issued.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it is called there.
    pub id: String,
    /// What it was labelled as.
    pub label: String,
    /// The key itself.
    pub value: String,
    /// Since when it is good no more.
    pub ended_at: Option<Instant>,
}

/// A use of a key, at `/used`.
#[derive(Clone, Debug)]
pub struct Use {
    /// What was shown.
    pub value: String,
    /// When.
    pub at: Instant,
    /// Whether it was good then.
    pub was_good: bool,
}

struct State {
    keys: Mutex<Vec<Key>>,
    uses: Mutex<Vec<Use>>,
    /// While it is true, keys are made and nobody is told of them.
    holds: watch::Sender<bool>,
    calls: AtomicUsize,
}

impl Issuer {
    pub(super) fn start(name: &str, acceptor: TlsAcceptor, runtime: &Handle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (holds, calls) = (watch::Sender::new(false), AtomicUsize::new(0));
        let state = Arc::new(State { keys: Mutex::default(), uses: Mutex::default(), holds, calls });
        let accepting = runtime.spawn(accept(listener, acceptor, Arc::clone(&state)));
        Self { name: name.to_owned(), address, state, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://NAME` and the path, for who resolves names as the strangers do.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("https://{}{path}", self.name)).unwrap()
    }

    /// `https://localhost:PORT` and the path, for who resolves names as the system does.
    pub fn local_url(&self, path: &str) -> Url {
        Url::parse(&format!("https://localhost:{}{path}", self.address.port())).unwrap()
    }

    /// Makes a key as people do it by hand: the key.
    pub fn issue(&self, label: &str) -> String {
        self.state.issue(label).value
    }

    /// All keys that were ever made.
    pub fn keys(&self) -> Vec<Key> {
        self.state.keys.lock().unwrap().clone()
    }

    /// The labels of those that are good.
    pub fn good(&self) -> Vec<String> {
        self.keys().into_iter().filter(|key| key.ended_at.is_none()).map(|key| key.label).collect()
    }

    /// Every use of a key so far.
    pub fn uses(&self) -> Vec<Use> {
        self.state.uses.lock().unwrap().clone()
    }

    /// How many requests came to its administration API.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// From now on makes keys and tells nobody of them, until it is asked to go on.
    pub fn hold(&self) {
        self.state.holds.send_replace(true);
    }

    /// Tells what it has held back.
    pub fn go_on(&self) {
        self.state.holds.send_replace(false);
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    fn issue(&self, label: &str) -> Key {
        let mut keys = self.keys.lock().unwrap();
        let key = Key {
            id: format!("key_{}", keys.len() + 1),
            label: label.to_owned(),
            value: format!("sk-svcacct-{}", URL_SAFE_NO_PAD.encode(random::bytes::<24>())),
            ended_at: None,
        };
        keys.push(key.clone());
        key
    }

    fn end(&self, id: &str) -> (u16, Value) {
        let mut keys = self.keys.lock().unwrap();
        match keys.iter_mut().find(|key| key.id == id && key.ended_at.is_none()) {
            Some(key) => {
                key.ended_at = Some(Instant::now());
                (200, json!({ "object": "organization.project.api_key.deleted", "id": id, "deleted": true }))
            }
            None => (404, json!({ "error": { "message": "No such key" } })),
        }
    }

    fn list(&self, query: &HashMap<String, String>) -> (u16, Value) {
        let keys = self.keys.lock().unwrap();
        let good: Vec<&Key> = keys.iter().filter(|key| key.ended_at.is_none()).collect();
        let after = query.get("after").and_then(|after| good.iter().position(|key| key.id == *after));
        let start = after.map_or(0, |position| position + 1);
        let asked = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE_MAX);
        let page: Vec<&Key> = good.iter().skip(start).take(asked.min(PAGE_MAX)).copied().collect();
        let entry = |key: &&Key| {
            json!({
                "object": "organization.project.api_key",
                "id": key.id,
                "name": key.label,
                "redacted_value": "sk-svcacct-…",
                "owner": { "type": "service_account", "service_account": { "id": SERVICE_ACCOUNT } },
            })
        };
        let more = good.len() > start + page.len();
        let ends = [page.first(), page.last()].map(|key| key.map(|key| key.id.clone()));
        let data: Vec<Value> = page.iter().map(entry).collect();
        (200, json!({ "object": "list", "data": data, "first_id": ends[0], "last_id": ends[1], "has_more": more }))
    }

    async fn make(&self, body: &str) -> (u16, Value) {
        let asked: Value = serde_json::from_str(body).unwrap();
        let key = self.issue(asked["name"].as_str().unwrap());
        let _ = self.holds.subscribe().wait_for(|holds| !holds).await;
        let object = "organization.project.service_account.api_key";
        (200, json!({ "object": object, "id": key.id, "name": key.label, "created_at": 1, "value": key.value }))
    }

    fn use_it(&self, value: &str) -> (u16, Value) {
        let was_good = self.keys.lock().unwrap().iter().any(|key| key.value == value && key.ended_at.is_none());
        self.uses.lock().unwrap().push(Use { value: value.to_owned(), at: Instant::now(), was_good });
        if was_good { (200, json!({ "used": true })) } else { (401, json!({ "error": "the key is not good" })) }
    }

    async fn answer(&self, head: &str, body: &str) -> (u16, Value) {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let bearer = head.lines().filter_map(|line| line.split_once(": "));
        let mut bearer = bearer.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value);
        let bearer = bearer.find_map(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let url = Url::parse("https://issuer.example").unwrap().join(target).unwrap();
        if url.path() == "/used" {
            return self.use_it(bearer);
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        if bearer != ADMIN_KEY {
            return (401, json!({ "error": { "message": format!("Incorrect API key provided: {bearer}") } }));
        }
        let project = format!("/v1/organization/projects/{PROJECT}");
        let Some(path) = url.path().strip_prefix(&project) else { return (404, json!({})) };
        match (method, path) {
            ("POST", path) if path == format!("/service_accounts/{SERVICE_ACCOUNT}/api_keys") => self.make(body).await,
            ("GET", "/api_keys") => self.list(&url.query_pairs().into_owned().collect()),
            ("DELETE", path) => path.strip_prefix("/api_keys/").map_or((404, json!({})), |id| self.end(id)),
            _ => (404, json!({})),
        }
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, state: Arc<State>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = serve(stream, &state).await;
            }
        });
    }
}

async fn serve(mut stream: TlsStream<TcpStream>, state: &State) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let lengths = head.lines().filter_map(|line| line.split_once(": "));
    let length =
        lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).find_map(|(_, n)| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let (status, answer) = state.answer(&head, &String::from_utf8_lossy(&body)).await;
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
