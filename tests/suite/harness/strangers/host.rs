//! One stranger's host: a TLS server that answers each path as it was told last, and remembers who came. It speaks
//! HTTP/1.1 by hand, one request a connection, because half of what it is for is to speak it badly.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    runtime::Handle,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::answer::Answer;

/// A host, until it is dropped; then nobody listens there any more.
pub struct Host {
    name: String,
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

/// Decides by the head and the body of a request.
type Decide = dyn Fn(&str, &str) -> Answer + Send + Sync;

#[derive(Default)]
struct State {
    answers: Mutex<HashMap<String, Answer>>,
    /// Asked about all other paths.
    decides: Mutex<Option<Arc<Decide>>>,
    /// The heads of all requests, in the order they came.
    heads: Mutex<Vec<String>>,
    /// The heads and bodies of those that had one.
    messages: Mutex<Vec<(String, String)>>,
    stalls: AtomicBool,
    connections: AtomicUsize,
    open: AtomicUsize,
    open_most: AtomicUsize,
    sent: AtomicUsize,
}

impl Host {
    pub(super) fn start(name: &str, acceptor: Option<TlsAcceptor>, runtime: &Handle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let state = Arc::<State>::default();
        let accepting = runtime.spawn(accept(listener, acceptor, Arc::clone(&state)));
        Self { name: name.to_owned(), address, state, accepting }
    }

    /// Answers a path so from now on.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Answers every path that it was told nothing about as this decides, by the head and the body of the request.
    pub fn decide_by(&self, decide: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) {
        *self.state.decides.lock().unwrap() = Some(Arc::new(decide));
    }

    /// From now on takes connections and never says a word of TLS.
    pub fn stall(&self) {
        self.state.stalls.store(true, Ordering::SeqCst);
    }

    /// `https://NAME` and the path, for who resolves names as the strangers do.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("https://{}{path}", self.name)).unwrap()
    }

    /// `https://localhost:PORT` and the path, for who resolves names as the system does.
    pub fn local_url(&self, path: &str) -> Url {
        Url::parse(&format!("https://localhost:{}{path}", self.address.port())).unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made, whatever became of them.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// How many were open at once at most.
    pub fn open_most(&self) -> usize {
        self.state.open_most.load(Ordering::SeqCst)
    }

    /// How many bytes of bodies it has got rid of.
    pub fn sent(&self) -> usize {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.state.heads.lock().unwrap().len()
    }

    /// How many requests came for a path.
    pub fn requests_for(&self, path: &str) -> usize {
        self.state.heads.lock().unwrap().iter().filter(|head| path_of(head) == path).count()
    }

    /// The head of the last request.
    pub fn last_head(&self) -> String {
        self.state.heads.lock().unwrap().last().expect("a request").clone()
    }

    /// The requests that had a body: the head, and that.
    pub fn messages(&self) -> Vec<(String, String)> {
        self.state.messages.lock().unwrap().clone()
    }

    /// What the last caller called itself.
    pub fn last_user_agent(&self) -> Option<String> {
        let head = self.last_head();
        let named = head.lines().filter_map(|line| line.split_once(": "));
        named.filter(|(name, _)| name.eq_ignore_ascii_case("user-agent")).map(|(_, value)| value.to_owned()).next()
    }

    /// Stops listening, and waits until nobody can connect any more.
    pub async fn close(mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }

    /// Waits until all connections have ended, which a caller that has given up sees to soon.
    pub async fn until_left_alone(&self) {
        let left = async {
            while self.open() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), left).await.expect("all connections end");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Counts a connection out when it ends, however it ends.
struct Open(Arc<State>);

impl Open {
    fn count(state: &Arc<State>) -> Self {
        state.connections.fetch_add(1, Ordering::SeqCst);
        let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
        state.open_most.fetch_max(open, Ordering::SeqCst);
        Self(Arc::clone(state))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((mut stream, _)) = listener.accept().await {
        let open = Open::count(&state);
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let state = &open.0;
            if state.stalls.load(Ordering::SeqCst) {
                let mut heard = Vec::new();
                let _ = stream.read_to_end(&mut heard).await;
                return;
            }
            let Some(acceptor) = acceptor else { return drop(serve(stream, state).await) };
            // Whoever does not trust the certificate goes here.
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = serve(stream, state).await;
            }
        });
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &State) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let known = state.answers.lock().unwrap().get(path_of(&head)).cloned();
    let length = head.lines().filter_map(|line| line.split_once(": "));
    let length =
        length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).find_map(|(_, n)| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0_usize)];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let decide = state.decides.lock().unwrap().clone();
    let decided = known.or_else(|| decide.map(|decide| decide(&head, &body)));
    if !body.is_empty() {
        state.messages.lock().unwrap().push((head.clone(), body));
    }
    state.heads.lock().unwrap().push(head);
    let answer = decided.unwrap_or_else(|| Answer::status(404));
    let sent = |length| {
        state.sent.fetch_add(length, Ordering::SeqCst);
    };
    answer.send(&mut stream, sent).await?;
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await
}

/// Of `GET /path?query HTTP/1.1`.
fn path_of(head: &str) -> &str {
    let target = head.split(' ').nth(1).unwrap_or_default();
    target.split('?').next().unwrap_or_default()
}
