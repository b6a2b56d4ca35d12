//! The route table, on one page.
//!
//! Pages exist only on the public URL's host (`guard::host`); machine endpoints answer on every host, because GPT
//! Actions insist that they share a root domain with the API; documents belong to the host they are asked on.

use actix_cors::Cors;
use actix_web::{HttpRequest, guard as on, web};

use super::{account, assets, failure, guard, health, oauth, well_known};
use crate::server::Server;

/// Mounts everything.
pub fn routes(app: &mut web::ServiceConfig) {
    // Machine endpoints: JSON, readable from any web page (no cookie is ever looked at).
    app.service(web::resource("/token").wrap(cors()).post(oauth::token::token).default_service(machine("POST")))
        .service(web::resource("/revoke").wrap(cors()).post(oauth::revoke::revoke).default_service(machine("POST")))
        .service(web::resource("/introspect").post(oauth::introspect::introspect).default_service(machine("POST")));

    // Documents: readable from any web page.
    for (path, route) in [
        ("/.well-known/oauth-authorization-server", read().to(well_known::metadata::metadata)),
        ("/.well-known/jwks.json", read().to(well_known::jwks::jwks)),
        ("/.well-known/ai-plugin.json", read().to(well_known::plugin::manifest)),
        ("/openapi.json", read().to(well_known::plugin::openapi)),
        ("/openapi.yaml", read().to(well_known::plugin::openapi)),
        ("/logo.png", read().to(well_known::plugin::logo)),
    ] {
        app.service(web::resource(path).wrap(cors()).route(route).default_service(machine("GET, HEAD")));
    }

    // The authorization request: never readable from another page, and on other hosts only a pointer to this one.
    app.service(
        web::resource("/authorize")
            .guard(on::fn_guard(guard::host::is_foreign))
            .get(oauth::authorize::point_to_the_public_host)
            .default_service(only("GET")),
    )
    .service(page("/authorize").get(oauth::authorize::authorize).default_service(only("GET")))
    .service(page("/consent").get(oauth::consent::ask).post(oauth::consent::decide).default_service(only("GET, POST")))
    .service(
        page("/sign-in").get(account::sign_in::form).post(account::sign_in::sign_in).default_service(only("GET, POST")),
    )
    .service(page("/sign-out").post(account::sign_out::sign_out).default_service(only("POST")))
    .service(page("/signed-out").get(account::sign_out::signed_out).default_service(only("GET")))
    .service(page("/").get(account::home::home).default_service(only("GET")));

    // The rest.
    app.service(web::resource("/static/{file}").route(read().to(assets::asset)).default_service(only("GET, HEAD")))
        .service(web::resource("/health/live").route(read().to(health::live)).default_service(only("GET, HEAD")))
        .service(web::resource("/health/ready").route(read().to(health::ready)).default_service(only("GET, HEAD")))
        .default_service(web::to(failure::not_found));
}

fn cors() -> Cors {
    Cors::default().allow_any_origin().send_wildcard().allowed_methods(["GET", "POST"]).allow_any_header().max_age(3600)
}

/// GET, and HEAD for those who only look whether it is there.
fn read() -> actix_web::Route {
    web::route().guard(on::Any(on::Get()).or(on::Head()))
}

fn page(path: &str) -> actix_web::Resource {
    web::resource(path.to_owned()).guard(on::fn_guard(guard::host::is_public))
}

/// A machine is told in JSON, whatever it says it accepts.
fn machine(methods: &'static str) -> actix_web::Route {
    web::to(move |request: HttpRequest| std::future::ready(failure::machine_method_not_allowed(&request, methods)))
}

fn only(methods: &'static str) -> actix_web::Route {
    web::to(move |server: web::Data<Server>, request: HttpRequest| {
        std::future::ready(failure::method_not_allowed(&server, &request, methods))
    })
}
