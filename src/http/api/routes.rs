//! The addresses of the owners' API, each with the methods it has. `document::Document` names the same handlers.

use actix_web::{HttpRequest, Route, web};

use super::{
    access, attempts, client_scopes, client_secrets, clients, document, findings, log, numbers, owners, people,
    plugins, problem::Problem, redirect_uris, reviewer, secrets, verification, webhook,
};
use crate::http::routes::on_the_public_host;

/// Mounts them below the public URL.
pub(in crate::http) fn routes(app: &mut web::ServiceConfig, base: &str) {
    // Before the address that is nobody's.
    of_its_api(app, base);
    let at = |path: &str| on_the_public_host(base, &format!("/api/v1{path}"));
    app.service(at("/openapi.json").get(document::show).default_service(only("GET")))
        .service(at("/plugins").get(plugins::list).post(plugins::register).default_service(only("GET, POST")))
        .service(at("/plugins/{slug}").get(plugins::show).default_service(only("GET")))
        .service(at("/plugins/{slug}/listing").put(plugins::change).default_service(only("PUT")))
        .service(at("/plugins/{slug}/listing/preview").post(plugins::preview).default_service(only("POST")))
        .service(at("/plugins/{slug}/scopes").put(plugins::describe).default_service(only("PUT")))
        .service(
            at("/plugins/{slug}/verification")
                .get(verification::show)
                .post(verification::verify)
                .default_service(only("GET, POST")),
        )
        .service(at("/plugins/{slug}/verification/token").put(verification::publish).default_service(only("PUT")))
        .service(at("/plugins/{slug}/verification/challenge").put(verification::prove).default_service(only("PUT")))
        .service(
            at("/plugins/{slug}/clients").get(clients::list).post(clients::register).default_service(only("GET, POST")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}")
                .get(clients::show)
                .patch(clients::rename)
                .delete(clients::delete)
                .default_service(only("GET, PATCH, DELETE")),
        )
        .service(at("/plugins/{slug}/clients/{client_id}/disable").post(clients::disable).default_service(only("POST")))
        .service(at("/plugins/{slug}/clients/{client_id}/enable").post(clients::enable).default_service(only("POST")))
        .service(
            at("/plugins/{slug}/clients/{client_id}/scopes").put(client_scopes::replace).default_service(only("PUT")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/redirect-uris")
                .post(redirect_uris::add)
                .default_service(only("POST")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/redirect-uris/remove")
                .post(redirect_uris::remove)
                .default_service(only("POST")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/offers").get(redirect_uris::offers).default_service(only("GET")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/offers/approve")
                .post(redirect_uris::approve)
                .default_service(only("POST")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/offers/dismiss")
                .post(redirect_uris::dismiss)
                .default_service(only("POST")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/secrets").post(client_secrets::renew).default_service(only("POST")),
        )
        .service(
            at("/plugins/{slug}/clients/{client_id}/secrets/{secret_id}")
                .delete(client_secrets::end)
                .default_service(only("DELETE")),
        )
        .service(at("/plugins/{slug}/attempts").get(attempts::list).default_service(only("GET")))
        .service(at("/plugins/{slug}/attempts/{attempt_id}").get(attempts::show).default_service(only("GET")))
        .service(at("/plugins/{slug}/findings").post(findings::find).default_service(only("POST")))
        .service(at("/plugins/{slug}/numbers").get(numbers::show).default_service(only("GET")))
        .service(at("/plugins/{slug}/people").get(people::list).default_service(only("GET")))
        .service(
            at("/plugins/{slug}/people/disconnect").post(people::disconnect_everybody).default_service(only("POST")),
        )
        .service(at("/plugins/{slug}/people/{consent_id}").delete(people::disconnect).default_service(only("DELETE")))
        .service(at("/plugins/{slug}/owners").get(owners::list).post(owners::add).default_service(only("GET, POST")))
        .service(at("/plugins/{slug}/owners/{account_id}").delete(owners::remove).default_service(only("DELETE")))
        .service(at("/plugins/{slug}/invitations").post(owners::invite).default_service(only("POST")))
        .service(at("/plugins/{slug}/invitations/withdraw").post(owners::withdraw).default_service(only("POST")))
        .service(at("/plugins/{slug}/access").get(access::show).put(access::set).default_service(only("GET, PUT")))
        .service(at("/plugins/{slug}/access/rules").post(access::add).default_service(only("POST")))
        .service(at("/plugins/{slug}/access/rules/remove").post(access::remove).default_service(only("POST")))
        .service(
            at("/plugins/{slug}/reviewer")
                .get(reviewer::show)
                .post(reviewer::make)
                .patch(reviewer::prolong)
                .delete(reviewer::end)
                .default_service(only("GET, POST, PATCH, DELETE")),
        )
        .service(at("/plugins/{slug}/log").get(log::show).default_service(only("GET")))
        .service(
            at("/{rest:.*}").default_service(web::to(|request: HttpRequest| {
                std::future::ready(Problem::NotThere.answer(&request))
            })),
        );
}

/// What concerns a plugin's own API: where it is told of its people, and the keys that it asks for.
fn of_its_api(app: &mut web::ServiceConfig, base: &str) {
    let at = |path: &str| on_the_public_host(base, &format!("/api/v1{path}"));
    app.service(at("/plugins/{slug}/webhook").get(webhook::show).put(webhook::set).default_service(only("GET, PUT")))
        .service(at("/plugins/{slug}/webhook/secret").post(webhook::renew_secret).default_service(only("POST")))
        .service(
            at("/plugins/{slug}/webhook/secret/end-old").post(webhook::end_old_secret).default_service(only("POST")),
        )
        .service(at("/plugins/{slug}/webhook/start").post(webhook::start).default_service(only("POST")))
        .service(at("/plugins/{slug}/webhook/remove").post(webhook::remove).default_service(only("POST")))
        .service(at("/plugins/{slug}/webhook/test").post(webhook::send_test).default_service(only("POST")))
        .service(at("/plugins/{slug}/webhook/send-again").post(webhook::send_again).default_service(only("POST")))
        .service(at("/plugins/{slug}/secrets").get(secrets::list).post(secrets::put).default_service(only("GET, POST")))
        .service(
            at("/plugins/{slug}/secrets/{name}")
                .get(secrets::show)
                .patch(secrets::change)
                .delete(secrets::remove)
                .default_service(only("GET, PATCH, DELETE")),
        )
        .service(at("/plugins/{slug}/secrets/{name}/versions").post(secrets::rotate).default_service(only("POST")))
        .service(
            at("/plugins/{slug}/secrets/{name}/versions/{number}")
                .delete(secrets::end_version)
                .default_service(only("DELETE")),
        );
}

/// A method that an address does not have.
fn only(methods: &'static str) -> Route {
    web::to(move |request: HttpRequest| std::future::ready(Problem::Method(methods).answer(&request)))
}
