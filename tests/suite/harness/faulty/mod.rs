//! Faulty: an authorization server, an MCP server and a classic plugin in one, with nothing wrong but one [`Fault`], or
//! nothing at all. It shares no line with the real server, so that neither can hide the other's mistakes, and is
//! spoken to by HTTP only.
//!
//! Anybody may sign in, with any password; the forms are the plainest there can be. Clients come by registration, by a
//! `client_id` that is a URL (believed without being fetched), or by hand: [`CLIENT_BY_HAND`].
//!
//! `discovery`, `manifest` and `keys` publish, `registration` and `clients` know clients, `authorize` and `pages` ask
//! the person, `token`, `refresh` and `grants` give tokens, `api` takes them, `wire` is what all answers share.

mod api;
mod authorize;
mod clients;
mod discovery;
mod fault;
mod grants;
mod keys;
mod manifest;
mod memory;
mod pages;
mod parameters;
mod refresh;
mod registration;
mod token;
mod wire;

use std::{
    net::TcpListener,
    sync::{Mutex, MutexGuard, mpsc},
    thread,
};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use chrono::TimeDelta;
use consentry::{clock::Clock, model::Timestamp};

pub use self::{
    clients::CLIENT_BY_HAND,
    fault::{FOLLOWING, Fault},
};
use self::{keys::Keys, memory::Memory};

/// How a fault stands for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The caller fails over it.
    Wrong,
    /// The caller does not, and others do.
    Warning,
    /// The caller never meets it.
    Unseen,
}

/// A server that runs until it is dropped.
pub struct Faulty {
    /// Its own address, without a slash at the end; the manifest stands here.
    pub url: String,
    /// The issuer, as the resource names it.
    pub issuer: String,
    /// The address of the MCP server, which is also what tokens are for.
    pub resource: String,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Faulty {
    /// One with nothing wrong, whose issuer is the root of its host.
    pub fn sound() -> Self {
        Self::start(None, "")
    }

    /// One with nothing wrong, whose issuer has a path.
    pub fn sound_under_a_path() -> Self {
        Self::start(None, "/auth")
    }

    /// One with this fault.
    pub fn with(fault: Fault) -> Self {
        let base = if fault == Fault::NotAtInsertedPath { "/auth" } else { "" };
        Self::start(Some(fault), base)
    }

    fn start(fault: Option<Fault>, base: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let inside = web::Data::new(Inside {
            fault,
            origin: origin.clone(),
            base,
            keys: Keys::new(fault),
            clock: Clock::system(),
            memory: Mutex::default(),
        });
        let (sender, receiver) = mpsc::channel();
        let (issuer, resource) = (inside.issuer(), inside.resource());
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let routes = |config: &mut web::ServiceConfig| inside.routes(config);
                    App::new().app_data(inside.clone()).wrap(from_fn(wire::dress)).configure(routes)
                };
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).expect("it listens");
                let running = server.run();
                sender.send(running.handle()).expect("the test waits");
                running.await.expect("it runs");
            });
        });
        let handle = receiver.recv().expect("it starts");
        Self { url: origin, issuer, resource, handle, thread: Some(thread) }
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        // The order goes out with the call; what it returns only waits. Not gracefully: a test that failed may have
        // left a connection open.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the endpoints share.
struct Inside {
    fault: Option<Fault>,
    origin: String,
    /// The path of the issuer: empty, or such as `/auth`.
    base: &'static str,
    keys: Keys,
    clock: Clock,
    memory: Mutex<Memory>,
}

/// What an endpoint is given.
type Server = web::Data<Inside>;

impl Inside {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn now(&self) -> Timestamp {
        self.clock.now() - if self.has(Fault::ClockWrong) { TimeDelta::hours(1) } else { TimeDelta::zero() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no endpoint has panicked")
    }

    /// The issuer, as the resource names it.
    fn issuer(&self) -> String {
        self.at("")
    }

    /// What the server calls itself: in its metadata, in `iss` and in tokens.
    fn own_name(&self) -> String {
        match self.fault {
            Some(Fault::IssuerWithSlash) => self.at("/"),
            Some(Fault::IssuerOther) => "http://auth.internal:8080".into(),
            _ => self.issuer(),
        }
    }

    fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// The resource as its document names it.
    fn named_resource(&self) -> String {
        if self.has(Fault::ResourceOther) { format!("{}/other", self.origin) } else { self.resource() }
    }

    /// The address of one of the authorization server's endpoints.
    fn at(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.base)
    }

    fn routes(&self, config: &mut web::ServiceConfig) {
        let own = |path: &str| format!("{}{path}", self.base);
        for place in discovery::places_of_metadata(self) {
            config.route(&place, web::get().to(discovery::metadata));
        }
        config
            .route("/moved/metadata.json", web::get().to(discovery::moved_metadata))
            .route("/.well-known/oauth-protected-resource", web::get().to(discovery::resource_metadata))
            .route("/.well-known/oauth-protected-resource/mcp", web::get().to(discovery::resource_metadata))
            .route("/.well-known/ai-plugin.json", web::get().to(manifest::manifest))
            .route("/.well-known/openai-apps-challenge", web::get().to(manifest::domain_proof))
            .route("/openapi.json", web::get().to(manifest::openapi))
            .route("/logo.png", web::get().to(manifest::logo))
            .route("/legal", web::get().to(pages::legal))
            .route(&own("/jwks.json"), web::get().to(keys::jwks))
            .route(&own("/register"), web::post().to(registration::register))
            .route(&own("/authorize"), web::get().to(authorize::authorize))
            .route(&own("/sign-in"), web::post().to(pages::sign_in))
            .route(&own("/consent"), web::get().to(pages::consent))
            .route(&own("/consent"), web::post().to(pages::decide))
            .route(&own("/token"), web::post().to(token::token))
            .route("/mcp", web::post().to(api::mcp))
            .route("/api/items", web::get().to(api::list))
            .route("/api/items", web::post().to(api::add));
    }
}
