//! A proxy as companies have them between their servers and the world (`CONNECT`, RFC 9110 §9.3.6): it knows the hosts that
//! it was told, and nothing of the real world. So a program can be led to a stand-in under the name of the real thing,
//! however it resolves names.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One that ends with the test.
pub struct Proxy {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Leads these names' port 443 there.
    pub async fn start(names: &[(&str, SocketAddr)]) -> Self {
        let names: HashMap<_, _> = names.iter().map(|(name, address)| (format!("{name}:443"), *address)).collect();
        let names = Arc::new(names);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let names = Arc::clone(&names);
                tokio::spawn(async move { drop(lead(stream, &names).await) });
            }
        });
        Self { address, accepting }
    }

    /// How a program is told of it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("HTTPS_PROXY", format!("http://{}", self.address)), ("NO_PROXY", String::new())]
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn lead(mut from: TcpStream, names: &HashMap<String, SocketAddr>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let known = names.get(target).copied();
    let Some(mut to) = (match known {
        Some(address) => TcpStream::connect(address).await.ok(),
        None => None,
    }) else {
        return from.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    };
    from.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut from, &mut to).await.map(drop)
}
