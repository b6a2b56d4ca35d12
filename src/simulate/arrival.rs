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

/// How often a port is looked for that is free in both families of addresses.
const TRIES: usize = 20;

/// Somebody listens here for a browser.
#[derive(Debug)]
pub struct Arrival {
    listeners: Vec<TcpListener>,
    redirect_uri: Url,
}

impl Arrival {
    /// Listens at a redirect URI, at a free port where it names none. There is nothing to listen at for one that is not
    /// plain http to this computer.
    pub fn at(redirect_uri: &str) -> Option<Result<Self, String>> {
        let mut url = Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http" && has_loopback_host(url))?;
        let addresses = match url.host()? {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            // Browsers try both.
            Host::Domain(_) => vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        };
        let listening = match url.port() {
            Some(port) => listen(&addresses, port),
            None => {
                (0..TRIES).map(|_| listen(&addresses, 0)).find_map(Result::ok).ok_or(io::ErrorKind::AddrInUse.into())
            }
        };
        let listening = listening.and_then(|listeners| {
            let port = listeners.first().map(TcpListener::local_addr).transpose()?.map(|address| address.port());
            // A URL with a host takes any port.
            let _ = url.set_port(port);
            Ok(Self { listeners, redirect_uri: url })
        });
        let told = |error| {
            format!("nobody can listen at {redirect_uri}: {error}; end what does, or name another --redirect-uri")
        };
        Some(listening.map_err(told))
    }

    /// Where it listens, in full.
    pub fn redirect_uri(&self) -> &str {
        self.redirect_uri.as_str()
    }

    /// Waits for the browser: the address at which it arrived, with that state.
    pub async fn answer(self, state: &str, patience: Duration) -> Result<String, String> {
        let (sender, mut receiver) = mpsc::channel(1);
        let door = web::Data::new(Door {
            path: self.redirect_uri.path().to_owned(),
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
