//! The route table, on one page.
//!
//! Pages exist only on the public URL's host (`guard::host`); machine endpoints answer on every host, because GPT
//! Actions insist that they share a root domain with the API; documents belong to the host they are asked on.

use std::future::ready;

use actix_cors::Cors;
use actix_web::{HttpRequest, guard as on, web};

use super::{account, assets, failure, guard, health, oauth, well_known};
use crate::server::Server;

/// Mounts everything.
pub fn routes(app: &mut web::ServiceConfig) {
    // Machine endpoints: JSON, readable from any web page (no cookie is ever looked at).
    app.service(web::resource("/token").wrap(cors()).post(oauth::token::token).default_service(only("POST")))
        .service(web::resource("/revoke").wrap(cors()).post(oauth::revoke::revoke).default_service(only("POST")))
        .service(web::resource("/introspect").post(oauth::introspect::introspect).default_service(only("POST")))
        .service(
            web::resource("/.well-known/oauth-authorization-server")
                .wrap(cors())
                .get(well_known::metadata::metadata)
                .default_service(only("GET")),
        )
        .service(
            web::resource("/.well-known/jwks.json")
                .wrap(cors())
                .get(well_known::jwks::jwks)
                .default_service(only("GET")),
        )
        .service(
            web::resource("/.well-known/ai-plugin.json")
                .wrap(cors())
                .get(well_known::plugin::manifest)
                .default_service(only("GET")),
        )
        .service(
            web::resource("/openapi.json").wrap(cors()).get(well_known::plugin::openapi).default_service(only("GET")),
        )
        .service(
            web::resource("/openapi.yaml").wrap(cors()).get(well_known::plugin::openapi).default_service(only("GET")),
        )
        .service(web::resource("/logo.png").wrap(cors()).get(well_known::plugin::logo).default_service(only("GET")));

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
    app.service(web::resource("/static/{file}").get(assets::asset).default_service(only("GET")))
        .service(web::resource("/health/live").get(health::live).default_service(only("GET")))
        .service(web::resource("/health/ready").get(health::ready).default_service(only("GET")))
        .default_service(web::to(failure::not_found));
}

fn cors() -> Cors {
    Cors::default().allow_any_origin().send_wildcard().allowed_methods(["GET", "POST"]).allow_any_header().max_age(3600)
}

fn page(path: &str) -> actix_web::Resource {
    web::resource(path.to_owned()).guard(on::fn_guard(guard::host::is_public))
}

fn only(methods: &'static str) -> actix_web::Route {
    web::to(move |server: web::Data<Server>, request: HttpRequest| {
        ready(failure::method_not_allowed(&server, &request, methods))
    })
}
