//! Where people are sent back to: a little web server of a client's own. Neighbour: `chromium`.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A client's web server. Whatever is asked for, it answers with a page, or sends on.
pub struct Landing {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Landing {
    /// A server that keeps whoever arrives.
    pub fn page() -> Self {
        Self::start("127.0.0.1:0", None)
    }

    /// A server that keeps whoever arrives, on the loopback address of IPv6.
    pub fn page_on_ipv6() -> Self {
        Self::start("[::1]:0", None)
    }

    /// A server that sends everybody on.
    pub fn sending_on_to(url: &str) -> Self {
        Self::start("127.0.0.1:0", Some(url.to_owned()))
    }

    fn start(address: &str, onward: Option<String>) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (asked, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (heard, ended) = (Arc::clone(&asked), Arc::clone(&over));
        thread::spawn(move || {
            for line in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(line), heard, onward) = (line, Arc::clone(&heard), onward.clone()) else { continue };
                // Browsers open connections ahead of need; one that stays silent must not keep the next one waiting.
                thread::spawn(move || serve(line, &heard, onward.as_deref()));
            }
        });
        Self { address, asked, over }
    }

    /// The address of a path here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What browsers have asked for, path and query.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a list").clone()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The server waits for a connection; this is the last one.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut line: TcpStream, heard: &Mutex<Vec<String>>, onward: Option<&str>) {
    let _ = line.set_read_timeout(Some(Duration::from_secs(10)));
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        match line.read(&mut part) {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&part[..length]),
        }
    }
    let request = String::from_utf8_lossy(&request);
    let target = request.split_whitespace().nth(1).unwrap_or_default();
    let page = "<!doctype html><html lang=en><title>The client</title><p>You have arrived.";
    let answer = match onward {
        _ if target == "/favicon.ico" => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(),
        Some(url) => format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        None => format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{page}",
            page.len()
        ),
    };
    if target != "/favicon.ico" {
        heard.lock().expect("a list").push(target.to_owned());
    }
    let _ = line.write_all(answer.as_bytes());
}
