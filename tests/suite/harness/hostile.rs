//! Hostile: a little connector's server that plays along as far as it has to, and misbehaves as a test tells it to. And
//! servers that never come to an end.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde_json::json;
use url::form_urlencoded;

/// What it gives away in a whole walk.
pub const GIVEN: [&str; 5] = [
    "code-4f7a0b61c2d94e8da3b5",
    "Access-91D3c7E05b2f46A88f10",
    "refresh-2c6e9f1470ab4d53b7d8",
    "secret-7be14a90d35f48c2a6e1",
    "registration-5ad2f8c3619047be",
];

/// What it is asked.
pub struct Asked {
    /// Its own address.
    pub origin: String,
    /// Another address, for what should not go there.
    pub elsewhere: String,
    /// How.
    pub method: String,
    /// Where.
    pub path: String,
    /// With what: the query, the credentials and the body.
    pub said: Vec<String>,
    query: Vec<(String, String)>,
    is_refresh: bool,
    has_token: bool,
}

/// How it answers; `None` for playing along.
pub type Manners = fn(&Asked) -> Option<HttpResponse>;

/// One that runs until it is dropped.
pub struct Hostile {
    /// Its own address.
    pub url: String,
    /// What it has been told: every value of every form, every header of credentials.
    pub heard: Arc<Mutex<Vec<String>>>,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Hostile {
    /// One of these manners.
    pub fn start(manners: Manners, elsewhere: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (origin, elsewhere, hearing) = (url.clone(), elsewhere.to_owned(), Arc::clone(&heard));
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let (origin, elsewhere, heard) = (origin.clone(), elsewhere.clone(), Arc::clone(&hearing));
                    App::new().default_service(web::to(move |request: HttpRequest, body: String| {
                        let asked = Asked::of(&origin, &elsewhere, &request, &body);
                        heard.lock().unwrap().extend(asked.said.iter().cloned());
                        let answer = manners(&asked).unwrap_or_else(|| asked.played_along());
                        async move { answer }
                    }))
                };
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { url, heard, handle: receiver.recv().unwrap(), thread: Some(thread) }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Asked {
    fn of(origin: &str, elsewhere: &str, request: &HttpRequest, body: &str) -> Self {
        let pairs = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.split_once(' ')).map(|(_, token)| token.to_owned());
        let fields = if body.starts_with('{') { Vec::new() } else { pairs(body) };
        Self {
            origin: origin.to_owned(),
            elsewhere: elsewhere.to_owned(),
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: pairs(request.query_string()),
            is_refresh: body.contains("grant_type=refresh_token"),
            has_token: token.as_deref() == Some(GIVEN[1]),
            said: fields.into_iter().map(|(_, value)| value).chain(token).collect(),
        }
    }

    fn asked_for(&self, name: &str) -> String {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Whether this is one of the calls at the token endpoint: the first, or a refresh.
    pub fn is_refresh(&self) -> bool {
        self.is_refresh
    }

    /// A page with a form that asks for everything; the body may hold more.
    pub fn form(&self, action: &str, more: &str) -> HttpResponse {
        HttpResponse::Ok().content_type("text/html").body(format!(
            "<form method=post action='{action}'><input type=hidden name=redirect_uri value='{}'>\
             <input type=hidden name=state value='{}'><input name=email><input type=password name=password>\
             {more}<button>Sign in</button></form>",
            self.asked_for("redirect_uri"),
            self.asked_for("state"),
        ))
    }

    /// The metadata of a server that takes secrets in this way.
    pub fn metadata(&self, method: &str) -> HttpResponse {
        let at = |path: &str| format!("{}{path}", self.origin);
        HttpResponse::Ok().json(json!({
            "issuer": self.origin,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "token_endpoint_auth_methods_supported": [method],
            "code_challenge_methods_supported": ["S256"],
        }))
    }

    fn played_along(&self) -> HttpResponse {
        let at = |path: &str| format!("{}{path}", self.origin);
        let challenge = format!("Bearer resource_metadata=\"{}\"", at("/.well-known/oauth-protected-resource/mcp"));
        match self.path.as_str() {
            "/mcp" if self.has_token => HttpResponse::Ok().json(json!({ "jsonrpc": "2.0", "id": 1, "result": {} })),
            "/mcp" => HttpResponse::Unauthorized().insert_header(("www-authenticate", challenge)).finish(),
            path if path.starts_with("/.well-known/oauth-protected-resource") => {
                HttpResponse::Ok().json(json!({ "resource": at("/mcp"), "authorization_servers": [self.origin] }))
            }
            "/.well-known/oauth-authorization-server" => self.metadata("client_secret_post"),
            "/register" => registered("client_secret_post"),
            "/authorize" => self.form("/sign-in", ""),
            "/sign-in" => {
                let [redirect_uri, state, ..] = self.said.as_slice() else {
                    return HttpResponse::BadRequest().finish();
                };
                let location = form_urlencoded::Serializer::new(format!("{redirect_uri}?"))
                    .append_pair("code", GIVEN[0])
                    .append_pair("state", state)
                    .finish();
                HttpResponse::SeeOther().insert_header(("location", location)).finish()
            }
            "/token" => HttpResponse::Ok().json(tokens()),
            _ => HttpResponse::NotFound().finish(),
        }
    }
}

/// A client that shows its secret in this way.
pub fn registered(method: &str) -> HttpResponse {
    HttpResponse::Created().json(json!({
        "client_id": "c1", "client_secret": GIVEN[3], "registration_access_token": GIVEN[4],
        "token_endpoint_auth_method": method,
    }))
}

/// An answer with tokens.
pub fn tokens() -> serde_json::Value {
    json!({ "access_token": GIVEN[1], "refresh_token": GIVEN[2], "token_type": "Bearer", "expires_in": 300 })
}

/// A server whose answers to anything do not end: a few bytes at a time, so long after each other.
pub fn endless(pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It goes with the process of the tests.
    thread::spawn(move || {
        for line in listener.incoming() {
            let Ok(mut line) = line else { continue };
            thread::spawn(move || {
                let _ = line.read(&mut [0; 4096]);
                let mut is_open = line.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").is_ok();
                while is_open {
                    is_open = line.write_all(&[b' '; 1000]).is_ok();
                    thread::sleep(pause);
                }
            });
        }
    });
    url
}
