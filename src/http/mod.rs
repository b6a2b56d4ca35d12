//! HTTP: the only floor that talks it. `routes.rs` is the contents list; each endpoint reads
//! extractor → `protocol` decision → one `store` operation → answer.
//!
//! Rooms: `oauth/` (machine endpoints and the authorization request), `account/` (sign-in and sign-out),
//! `well_known/` (documents), `extract/` (what a request says), `guard/` (what every answer carries).

pub mod account;
pub mod assets;
pub mod extract;
pub mod failure;
pub mod guard;
pub mod health;
pub mod oauth;
pub mod pages;
pub mod routes;
pub mod well_known;

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App, HttpServer, dev, middleware::from_fn, web};

use crate::server::{self, Server};

/// How long a caller may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves on a listener that is bound already, until the returned server's handle is told to stop.
pub fn serve(server: web::Data<Server>, listener: TcpListener, workers: usize) -> io::Result<dev::Server> {
    let running = HttpServer::new(move || {
        App::new()
            .app_data(server.clone())
            .configure(routes::routes)
            .wrap(from_fn(guard::headers::harden))
            .wrap(from_fn(guard::request_id::stamp))
    })
    .workers(workers)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(server::DRAIN.as_secs())
    // The command line decides when to stop, so that jobs and store are closed in order.
    .disable_signals()
    .server_hostname("")
    .listen(listener)?
    .run();
    Ok(running)
}
