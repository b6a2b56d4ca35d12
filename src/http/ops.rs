//! The operations listener: what only those who run the server may ask, on an address of its own, so that no proxy
//! rule stands between the world and the numbers.
//!
//! `telemetry::metrics` counts; `health` answers here as it does on the public listener. No page, no cookie, no CORS.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::{StatusCode, header},
    middleware::{DefaultHeaders, from_fn},
    web,
};

use super::{HEAD_TIMEOUT, Listening, failure, guard::request_id, health, routes};
use crate::{
    server::{self, Server},
    telemetry::metrics::Exposition,
};

/// A monitoring system asks a few times a minute.
const WORKERS: usize = 1;

/// Serves on a listener that is bound already.
pub fn listen(server: Arc<Server>, exposition: Exposition, listener: TcpListener) -> io::Result<Listening> {
    let (server, exposition) = (web::Data::from(server), web::Data::new(exposition));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(server.clone())
            .app_data(exposition.clone())
            .configure(mount)
            .wrap(
                DefaultHeaders::new()
                    .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                    .add((header::CACHE_CONTROL, "no-store")),
            )
            .wrap(from_fn(request_id::stamp))
    })
    .workers(WORKERS)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(server::DRAIN.as_secs())
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(Listening { server })
}

fn mount(app: &mut web::ServiceConfig) {
    for (path, route) in [
        ("/metrics", routes::read().to(metrics)),
        ("/health/live", routes::read().to(health::live)),
        ("/health/ready", routes::read().to(health::ready)),
    ] {
        app.service(web::resource(path).route(route).default_service(routes::machine("GET, HEAD")));
    }
    app.default_service(web::to(not_found));
}

/// `/metrics`, in the text exposition format.
async fn metrics(exposition: web::Data<Exposition>) -> HttpResponse {
    HttpResponse::Ok().content_type(Exposition::CONTENT_TYPE).body(exposition.text())
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    failure::json(&request, StatusCode::NOT_FOUND, "not_found", "there are /metrics, /health/live and /health/ready")
}
