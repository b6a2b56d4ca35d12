//! Nasty heads: requests no HTTP library would send, written to the socket by hand.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{databases::Engine, server::World};

/// Row 39: heads of requests that no HTTP library would send; the answer's first line is what counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_heads_are_answered() {
    let world = World::new(Engine::Sqlite).await;
    let host = world.running.url.trim_start_matches("http://").to_owned();
    let head =
        |line: &str, more: &str| format!("{line}\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n").into_bytes();
    let many = (0..60).map(|n| format!("X-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
    let too_many = (0..1000).map(|n| format!("X-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
    let heads = [
        head("GET / HTTP/1.1", &format!("X-Long: {}\r\n", "a".repeat(60_000))),
        head("GET / HTTP/1.1", &format!("Cookie: {}\r\n", "a=b; ".repeat(5_000))),
        head("GET / HTTP/1.1", &format!("Authorization: Basic {}\r\n", "A".repeat(60_000))),
        head("GET / HTTP/1.1", &many),
        head("GET / HTTP/1.1", &too_many),
        head(&format!("GET /{} HTTP/1.1", "a".repeat(60_000)), ""),
        head("GET /%00 HTTP/1.1", ""),
        head("GET /%ff%fe HTTP/1.1", ""),
        head("GET //evil.example/ HTTP/1.1", ""),
        head("GET http://evil.example/ HTTP/1.1", ""),
        head("GET / HTTP/1.1", "Host: evil.example\r\n"),
        head("GET / HTTP/1.1", "Cookie: \u{80}\u{ff}\r\n"),
        head("POST /token HTTP/1.1", "Content-Length: 0\r\nContent-Type: application/json\r\n"),
        head("POST /token HTTP/1.1", "Content-Length: -1\r\n"),
        head("POST /token HTTP/1.1", "Content-Length: 99999999999999999999\r\n"),
        head("POST /register HTTP/1.1", "Content-Type: application/json\r\nTransfer-Encoding: chunked, identity\r\n"),
        head("GET /register/%00 HTTP/1.1", "Authorization: Bearer \u{80}\u{ff}\r\n"),
        head("DELETE /register/..%2f..%2f HTTP/1.1", "Authorization: Bearer a\tb\r\nAuthorization: Bearer c\r\n"),
        head("PUT /register/%ff%fe HTTP/1.1", "Content-Length: 0\r\nAuthorization: \r\n"),
        head("GET /.well-known/oauth-protected-resource/%00/../..//a?%ff HTTP/1.1", ""),
        head("GET /.well-known/oauth-authorization-server/%c0%ae%c0%ae/ HTTP/1.1", "Accept: \u{ff}\r\n"),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n".to_vec(),
        b"NONSENSE\r\n\r\n".to_vec(),
        b"\0\0\0\0\r\n\r\n".to_vec(),
    ];
    for head in heads {
        let shown = String::from_utf8_lossy(&head[..head.len().min(60)]).into_owned();
        let mut stream =
            TcpStream::connect(("127.0.0.1", host.rsplit(':').next().unwrap().parse().unwrap())).await.unwrap();
        stream.write_all(&head).await.unwrap();
        let mut line = [0; 12];
        let read = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_exact(&mut line)).await;
        read.expect("in time").unwrap_or_else(|error| panic!("{shown}: no answer: {error}"));
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(line.starts_with("HTTP/1.") && !line.ends_with('\0'), "{shown}: {line}");
        assert!(!line[9..].starts_with('5'), "{shown}: {line}");
    }
}
