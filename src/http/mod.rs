//! HTTP: the only floor that talks it. `routes.rs` is the contents list; each endpoint reads
//! extractor → `protocol` decision → one `store` operation → answer.
//!
//! Rooms: `oauth/` (machine endpoints and the authorization request), `account/` (sign-in and a person's own
//! pages), `console/` (plugin owners' pages), `api/` (the same for
//! their programs), `well_known/` (documents), `gateway/` (plugins' APIs), `extract/` (what a request says), `guard/`
//! (what every answer carries). `ops.rs` is a listener apart, for those who run the server.

mod absent;
pub mod account;
pub mod api;
pub mod assets;
pub mod console;
pub mod extract;
pub mod failure;
mod gateway;
pub mod guard;
pub mod health;
pub mod oauth;
pub mod ops;
mod owner;
pub mod pages;
pub mod routes;
pub mod trail;
pub mod well_known;

use std::{io, net::TcpListener, num::NonZeroUsize, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::{self, ServerHandle},
    middleware::from_fn,
    web,
};

use crate::server::{self, Server};

/// How long a caller may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Listening {
    server: dev::Server,
}

/// Stops a server that listens.
#[derive(Clone)]
pub struct Stop {
    handle: ServerHandle,
}

/// Serves on a listener that is bound already, with a worker for each core.
pub fn listen(server: Arc<Server>, listener: TcpListener) -> io::Result<Listening> {
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let data = web::Data::from(server);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .configure(|app| routes::routes(app, &data.settings.base))
            .wrap(from_fn(guard::language::keep))
            .wrap(from_fn(guard::headers::harden))
            .wrap(from_fn(guard::watched::watch))
            .wrap(from_fn(guard::request_id::stamp))
    })
    .workers(workers)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(server::DRAIN.as_secs())
    // The command line decides when to stop, so that jobs and store are closed in order.
    .disable_signals()
    // Whoever has gone waits for nothing: what was sent on for them ends, and holds no place.
    .h1_allow_half_closed(false)
    .listen(listener)?
    .run();
    Ok(Listening { server })
}

impl Listening {
    /// What stops it.
    pub fn stop(&self) -> Stop {
        Stop { handle: self.server.handle() }
    }

    /// Serves until it is stopped.
    pub async fn run(self) -> io::Result<()> {
        self.server.await
    }
}

impl Stop {
    /// Takes no more connections and waits for the answers under way.
    pub async fn gracefully(&self) {
        self.handle.stop(true).await;
    }

    /// Stops at once.
    pub async fn now(&self) {
        self.handle.stop(false).await;
    }
}
