//! An API behind the gate, as plain as can be: it tells back what it was sent, and by its path it behaves as APIs do on
//! their bad days. Written by hand, byte by byte, because no HTTP library would do all of that.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub method: String,
    pub target: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    /// The only value of a header; panics where there are two.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice in {:?}", self.headers);
        value
    }
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    /// How many bytes of endless answers were taken.
    sent: AtomicUsize,
}

/// One that ends with the test.
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let to = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                to.connections.fetch_add(1, Ordering::SeqCst);
                let seen = Arc::clone(&to);
                tokio::spawn(async move { drop(serve(stream, &seen).await) });
            }
        });
        Self { address, seen, accepting }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// What came last.
    pub fn last(&self) -> Received {
        self.received().pop().expect("a request")
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub fn sent(&self) -> usize {
        self.seen.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: &Seen) -> std::io::Result<()> {
    let mut served = 0;
    loop {
        let received = read(&mut stream).await?;
        seen.requests.lock().unwrap().push(received.clone());
        served += 1;
        let path = received.target.split('?').next().unwrap_or_default().to_owned();
        match path.as_str() {
            "/hang" => std::future::pending().await,
            "/die" => return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this").await,
            "/die-in-a-chunk" => {
                return stream
                    .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nonly this")
                    .await;
            }
            "/slam" => return Ok(()),
            // A kept connection is closed just when it is used again.
            "/stale" if served > 1 => return Ok(()),
            "/garbage" => return stream.write_all(b"\0\xff not HTTP at all\r\n\r\n").await,
            "/two-lengths" => {
                return stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 8\r\n\r\nabcdefgh")
                    .await;
            }
            "/any/upgraded" => {
                return stream
                    .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
                    .await;
            }
            "/any/both-lengths" => {
                return stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n")
                    .await;
            }
            "/endless" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
                let chunk = [&b"4000\r\n"[..], &[b'x'; 0x4000], b"\r\n"].concat();
                loop {
                    stream.write_all(&chunk).await?;
                    seen.sent.fetch_add(chunk.len(), Ordering::SeqCst);
                }
            }
            "/events" => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(b"f\r\ndata: tick 123\n\r\n").await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            "/unauthorized" => {
                answer(&mut stream, "401 Unauthorized", "WWW-Authenticate: Basic realm=x\r\n", b"no").await?;
            }
            "/page" => {
                let page = b"<!doctype html><script>document.title = 'ran'</script><p>A page.</p>";
                let headers = "Content-Type: text/html\r\nSet-Cookie: sid=1; Path=/\r\nClear-Site-Data: \"*\"\r\n\
                               Service-Worker-Allowed: /\r\nX-Consentry-Subject: forged\r\nX-Mine: kept\r\n\
                               Connection: X-Hop\r\nX-Hop: no further\r\nContent-Security-Policy: default-src *\r\n";
                answer(&mut stream, "200 OK", headers, page).await?;
            }
            "/nothing" => answer(&mut stream, "204 No Content", "", b"").await?,
            "/moved" => answer(&mut stream, "302 Found", "Location: /elsewhere?x=1\r\n", b"").await?,
            _ => {
                let told = json!({
                    "method": received.method,
                    "target": received.target,
                    "headers": received.headers,
                    "bytes": received.body.len(),
                });
                answer(&mut stream, "200 OK", "Content-Type: application/json\r\n", told.to_string().as_bytes())
                    .await?;
            }
        }
    }
}

async fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = if status.starts_with("204") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("HTTP/1.1 {status}\r\n{headers}{length}\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.trim_end().lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut received = Received { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new() };
    if received.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let size = line(stream).await?;
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).await?;
            received.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = received.header("content-length") {
        let mut body = vec![0; length.parse().unwrap()];
        // `/early` answers before it has read anything.
        if !received.target.starts_with("/early") {
            stream.read_exact(&mut body).await?;
            received.body = body;
        }
    }
    Ok(received)
}

async fn line(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}
