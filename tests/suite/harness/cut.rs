//! A wire to Postgres that breaks at the worst moment: after the server has carried a statement out, and before its
//! answer arrives. Stands between a store, or a whole server, and the database.
//!
//! It reads just enough of the frontend protocol (PostgreSQL, chapter "Message Formats") to know which statement is
//! being run: a statement's text passes only once, when it is prepared; later runs name it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// The wire.
pub struct Cut {
    url: String,
    state: Arc<State>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// Lower-case text of the statement to be cut; taken by the first connection that runs it.
    marker: Mutex<Option<String>>,
    cuts: AtomicUsize,
}

impl Cut {
    /// Puts a wire before the Postgres the URL names (a host and a port on loopback).
    pub async fn before(url: &str) -> Self {
        let mut url = url::Url::parse(url).expect("a URL");
        let host = url.host_str().expect("a host").to_owned();
        let server = tokio::net::lookup_host((host, url.port().unwrap_or(5432))).await.unwrap().next().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(here.port())).unwrap();
        let state = Arc::<State>::default();
        let accepting = tokio::spawn(accept(listener, server, Arc::clone(&state)));
        Self { url: url.into(), state, accepting }
    }

    /// What is to be told to whoever shall use the wire.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts the connection on which a statement with this text is run next, once the server has answered it.
    pub fn arm(&self, marker: &str) {
        *self.state.marker.lock().unwrap() = Some(marker.to_lowercase());
    }

    /// How often it has cut.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else { return };
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let (cut, is_cut) = watch::channel(false);
            // Whichever way ends first ends both; dropping the halves closes the sockets.
            tokio::select! {
                () = forth(from_client, to_server, &state, &cut) => {}
                () = back(from_server, to_client, is_cut, &state) => {}
            }
        });
    }
}

/// From the client to the server, reading along.
async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, cut: &watch::Sender<bool>) {
    let mut reader = Reader::default();
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if reader.runs_marked(&bytes[..length], &state.marker) {
            // Before the bytes leave, so that the answer cannot slip through.
            cut.send_replace(true);
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// From the server to the client, until the wire is cut and the answer is complete.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_cut: watch::Receiver<bool>, state: &State) {
    let mut dropped = Vec::new();
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if *is_cut.borrow() {
            dropped.extend_from_slice(&bytes[..length]);
            // ReadyForQuery, and idle: outside a transaction it comes after the commit.
            if dropped.ends_with(b"Z\0\0\0\x05I") {
                state.cuts.fetch_add(1, Ordering::SeqCst);
                return;
            }
        } else if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Splits what the client says into messages and remembers prepared statements.
#[derive(Default)]
struct Reader {
    pending: Vec<u8>,
    started: bool,
    statements: HashMap<Vec<u8>, String>,
}

impl Reader {
    /// Whether these bytes run the marked statement; if so, the marker is taken.
    fn runs_marked(&mut self, bytes: &[u8], marker: &Mutex<Option<String>>) -> bool {
        self.pending.extend_from_slice(bytes);
        let mut runs = false;
        while let Some((kind, body)) = self.message() {
            let mut parts = body.split(|byte| *byte == 0);
            let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let text = match kind {
                b'P' => {
                    self.statements.insert(first.to_vec(), String::from_utf8_lossy(second).to_lowercase());
                    continue;
                }
                b'B' => self.statements.get(second).cloned(),
                b'Q' => Some(String::from_utf8_lossy(first).to_lowercase()),
                _ => continue,
            };
            let mut marker = marker.lock().unwrap();
            if marker.as_ref().is_some_and(|wanted| text.is_some_and(|text| text.contains(wanted))) {
                *marker = None;
                runs = true;
            }
        }
        runs
    }

    /// The next complete message. Those before and including the startup message have no kind.
    fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = usize::from(self.started);
        let length = self.pending.get(head..head + 4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
        if self.pending.len() < head + length {
            return None;
        }
        let message: Vec<u8> = self.pending.drain(..head + length).collect();
        if self.started {
            return Some((message[0], message[5..].to_vec()));
        }
        // A request for TLS is eight bytes; what follows its refusal is the startup message.
        self.started = length != 8;
        Some((0, Vec::new()))
    }
}
