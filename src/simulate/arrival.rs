//! Arrival: this computer's end of a loopback redirect (RFC 8252 §7.3). It listens where the browser will be sent back
//! to, takes the one answer that was asked for, and nothing else.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::{KeepAlive, Method, StatusCode, header},
    web,
};
use tokio::{sync::mpsc, time::timeout};
use url::{Host, Url, form_urlencoded};

use crate::model::redirect_uri::has_loopback_host;

/// How long somebody may take to sign in and to read.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// From here on ports are nobody's (RFC 6335 §6).
const PORTS_FREE_FROM: u16 = 0xC000;

/// How often a port is looked for that is free in both families of addresses.
const TRIES: usize = 20;

/// Somebody listens here for a browser.
#[derive(Debug)]
pub struct Arrival {
    listeners: Vec<TcpListener>,
    path: String,
    redirect_uri: String,
}

impl Arrival {
    /// Listens at a redirect URI, at a free port where it names none. There is nothing to listen at for one that is not
    /// plain http to this computer.
    pub fn at(redirect_uri: &str) -> Option<Result<Self, String>> {
        let url = loopback(redirect_uri)?;
        let addresses = match url.host()? {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            // Browsers try both.
            Host::Domain(_) => vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        };
        let named = port_of(redirect_uri, &url);
        let listening = match named {
            Some(port) => listen(&addresses, port),
            None => {
                (0..TRIES).map(|_| listen(&addresses, 0)).find_map(Result::ok).ok_or(io::ErrorKind::AddrInUse.into())
            }
        };
        let listening = listening.and_then(|listeners| {
            let own = listeners.first().map(TcpListener::local_addr).transpose()?.map(|address| address.port());
            // What names its port is registered by these very bytes.
            let open = own.filter(|_| named.is_none());
            let redirect_uri = open.map_or_else(|| redirect_uri.to_owned(), |port| with_port(redirect_uri, port));
            Ok(Self { listeners, path: url.path().to_owned(), redirect_uri })
        });
        let told = |error| {
            format!("nobody can listen at {redirect_uri}: {error}; end what does, or name another --redirect-uri")
        };
        Some(listening.map_err(told))
    }

    /// Where it listens, in full.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the browser: the address at which it arrived, with that state.
    pub async fn answer(self, state: &str, patience: Duration) -> Result<String, String> {
        let (sender, mut receiver) = mpsc::channel(1);
        let door = web::Data::new(Door {
            path: self.path.clone(),
            state: state.to_owned(),
            sender,
            has_strayed: AtomicBool::new(false),
        });
        let at_door = door.clone();
        let app = move || App::new().app_data(at_door.clone()).default_service(web::to(take));
        let mut server = HttpServer::new(app).workers(1).keep_alive(KeepAlive::Disabled).disable_signals();
        for listener in self.listeners {
            server = server.listen(listener).map_err(|error| error.to_string())?;
        }
        let server = server.shutdown_timeout(1).run();
        let handle = server.handle();
        let waiting = async {
            let came = timeout(patience, receiver.recv()).await;
            // Not at once: the browser is still to be told that it has arrived.
            handle.stop(true).await;
            came.ok().flatten()
        };
        let (_, came) = tokio::join!(server, waiting);
        came.ok_or_else(|| {
            let strayed = if door.has_strayed.load(Ordering::Relaxed) { "; what came had another state" } else { "" };
            format!("it did not arrive within {} seconds{strayed}", patience.as_secs())
        })
    }
}

/// A callback with some port, where it is one of this computer that names none: nobody is sent to one without.
pub fn with_a_port(redirect_uri: &str) -> Option<String> {
    let url = loopback(redirect_uri)?;
    let port = PORTS_FREE_FROM | u16::from_be_bytes(crate::random::bytes::<2>());
    port_of(redirect_uri, &url).is_none().then(|| with_port(redirect_uri, port))
}

fn loopback(redirect_uri: &str) -> Option<Url> {
    Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http" && has_loopback_host(url))
}

/// The port that a text names. The parser passes over the usual one.
fn port_of(redirect_uri: &str, url: &Url) -> Option<u16> {
    url.port().or_else(|| redirect_uri[..host_end(redirect_uri)].ends_with(":80").then_some(80))
}

fn with_port(redirect_uri: &str, port: u16) -> String {
    let (host, rest) = redirect_uri.split_at(host_end(redirect_uri));
    format!("{host}:{port}{rest}")
}

fn host_end(redirect_uri: &str) -> usize {
    let begin = redirect_uri.find("://").map_or(0, |scheme| scheme + "://".len());
    redirect_uri[begin..].find(['/', '?', '#']).map_or(redirect_uri.len(), |end| begin + end)
}

fn listen(addresses: &[IpAddr], port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    for address in addresses {
        let port = listeners.first().map_or(Ok(port), |first| first.local_addr().map(|own| own.port()))?;
        match TcpListener::bind((*address, port)) {
            Ok(listener) => listeners.push(listener),
            // Some computers have one family only. A port that is somebody else's is another matter: browsers may go
            // there.
            Err(error) if listeners.is_empty() || error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {}
        }
    }
    Ok(listeners)
}

struct Door {
    path: String,
    state: String,
    sender: mpsc::Sender<String>,
    has_strayed: AtomicBool,
}

async fn take(request: HttpRequest, door: web::Data<Door>) -> HttpResponse {
    let uri = request.uri();
    if request.method() != Method::GET || uri.path() != door.path {
        return page(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    let query = uri.query().unwrap_or_default();
    let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
    if state.is_none_or(|(_, state)| state != door.state) {
        door.has_strayed.store(true, Ordering::Relaxed);
        return page(StatusCode::BAD_REQUEST, "This is not the answer that is waited for: its state is another.");
    }
    // As the browser has it: whoever compares must see if it was sent to another name of this computer.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match door.sender.try_send(format!("http://{host}{uri}")) {
        Ok(()) => page(StatusCode::OK, "You can close this page and go back to where you began."),
        Err(_) => page(StatusCode::BAD_REQUEST, "The answer has been taken already."),
    }
}

fn page(status: StatusCode, words: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .body(format!("<!doctype html><html lang=\"en\"><title>consentry simulate</title><p>{words}</p></html>\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(url: &str) -> u16 {
        reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_the_answer_that_was_asked_for_is_taken() {
        let arrival = Arrival::at("http://localhost/callback").unwrap().unwrap();
        let at = arrival.redirect_uri().to_owned();
        assert!(at.starts_with("http://localhost:") && at.ends_with("/callback"), "{at}");
        let asking = async {
            assert_eq!(status(&at.replace("/callback", "/?code=x&state=s1")).await, 404);
            assert_eq!(status(&format!("{at}/?code=x&state=s1")).await, 404);
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            assert_eq!(http.post(format!("{at}?code=x&state=s1")).send().await.unwrap().status(), 404);
            for wrong in ["", "?code=x", "?code=x&state=s2", "?code=x&state=s2&state=s1"] {
                assert_eq!(status(&format!("{at}{wrong}")).await, 400, "{wrong}");
            }
            assert_eq!(status(&format!("{at}?code=x%20y&state=s1")).await, 200);
        };
        let (came, ()) = tokio::join!(arrival.answer("s1", PATIENCE), asking);
        assert_eq!(came, Ok(format!("{at}?code=x%20y&state=s1")));
        assert!(reqwest::get(&at).await.is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn nobody_is_waited_for_without_end() {
        let arrival = Arrival::at("http://127.0.0.1/").unwrap().unwrap();
        let stray = format!("{}?code=x&state=other", arrival.redirect_uri());
        let (came, code) = tokio::join!(arrival.answer("s1", Duration::from_secs(1)), status(&stray));
        assert_eq!(
            (came.unwrap_err().as_str(), code),
            ("it did not arrive within 1 seconds; what came had another state", 400)
        );
    }

    #[test]
    fn a_callback_that_names_its_port_stays_as_it_was_typed() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for typed in [format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/a?b")] {
            assert_eq!(Arrival::at(&typed).unwrap().unwrap().redirect_uri(), typed);
            assert_eq!(with_a_port(&typed), None);
        }
        // Whether one may listen there or not, it is there that somebody would have to.
        let usual = Arrival::at("http://127.0.0.1:80/cb").unwrap();
        assert!(usual.is_err() || usual.is_ok_and(|here| here.redirect_uri() == "http://127.0.0.1:80/cb"));
        assert_eq!(with_a_port("http://127.0.0.1:80/cb"), None);
        for (open, begin, end) in
            [("http://localhost", "http://localhost:", ""), ("http://[::1]/a?b", "http://[::1]:", "/a?b")]
        {
            let port = with_a_port(open).unwrap();
            let port = port.strip_prefix(begin).unwrap().strip_suffix(end).unwrap();
            assert!(port.parse::<u16>().unwrap() >= PORTS_FREE_FROM, "{port}");
        }
        assert_eq!(with_a_port("https://client.example/cb"), None);
    }

    #[test]
    fn it_listens_on_this_computer_alone_and_at_no_port_of_somebody_else() {
        for elsewhere in
            ["https://localhost/cb", "http://a.example/cb", "app://localhost/cb", "http://192.0.2.1/cb", "x"]
        {
            assert!(Arrival::at(elsewhere).is_none(), "{elsewhere}");
        }
        let first = Arrival::at("http://localhost/cb").unwrap().unwrap();
        let taken = Arrival::at(first.redirect_uri()).unwrap().unwrap_err();
        assert!(taken.contains(first.redirect_uri()) && taken.contains("--redirect-uri"), "{taken}");
    }
}
