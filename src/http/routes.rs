//! The route table, on one page.
//!
//! Pages exist only below the public URL (`guard::host` and `base`, its path); machine endpoints answer there, and at
//! the root of every host, because GPT Actions insist that they share a root domain with the API and other clients
//! guess their paths; documents belong to the host they are asked on.

use actix_cors::Cors;
use actix_web::{HttpRequest, guard as on, web};

use super::{
    absent, account, account::second_step::Why, api, assets, console, gateway, guard, health, oauth, well_known,
};
use crate::{
    model::link::LinkPurpose,
    protocol::{manifest, resource_metadata},
    server::Server,
};

/// Mounts everything; `base` is the path of the public URL, or empty.
pub fn routes(app: &mut web::ServiceConfig, base: &str) {
    // Pages first: at the root of other hosts, and beside the base, `/authorize` is something else.
    pages(app, base);
    console_pages(app, base);
    plugin_pages(app, base);
    key_pages(app, base);
    api::routes::routes(app, base);
    everywhere(app, base);
    if !base.is_empty() {
        everywhere(app, "");
    }
    at_the_root(app);
    // And what is nothing of ours is a call of a plugin's API, or nothing.
    app.default_service(web::to(gateway::serve));
}

/// Pages and what they show: on the public host, below its path.
fn pages(app: &mut web::ServiceConfig, base: &str) {
    let page = |path: &str| on_the_public_host(base, path);
    // The authorization request: never readable from another page.
    app.service(page("/authorize").get(oauth::authorize::authorize).default_service(only("GET")))
        .service(
            page("/consent").get(oauth::consent::ask).post(oauth::consent::decide).default_service(only("GET, POST")),
        )
        .service(
            page("/sign-in")
                .get(account::sign_in::form)
                .post(account::sign_in::sign_in)
                .default_service(only("GET, POST")),
        )
        .service(page("/sign-in/with/{provider}").get(account::through::leave).default_service(only("GET")))
        .service(
            page("/sign-in/with/{provider}/callback").get(account::through::come_back).default_service(only("GET")),
        )
        .service(page("/sign-in/own").get(account::own_login::leave).default_service(only("GET")))
        .service(page("/sign-in/own/callback").get(account::own_login::come_back).default_service(only("GET")))
        .service(
            page("/identities")
                .get(account::identities::list)
                .post(account::identities::unlink)
                .default_service(only("GET, POST")),
        )
        .service(
            page("/identities/confirm")
                .get(account::offer::ask)
                .post(account::offer::answer)
                .default_service(only("GET, POST")),
        )
        .service(page("/sign-out").post(account::sign_out::sign_out).default_service(only("POST")))
        .service(
            page("/connected-apps")
                .get(account::connected_apps::list)
                .post(account::connected_apps::disconnect)
                .default_service(only("GET, POST")),
        )
        .service(
            page("/sessions")
                .get(account::sessions::list)
                .post(account::sessions::end)
                .default_service(only("GET, POST")),
        )
        .service(
            page("/security")
                .get(account::security::show)
                .post(account::security::take)
                .default_service(only("GET, POST")),
        )
        .service(page("/passkey").post(account::passkey::sign_in).default_service(only("POST")))
        .service(page("/passkey-options").post(account::passkey::options).default_service(only("POST")))
        .service(
            page("/account")
                .get(account::settings::show)
                .post(account::settings::take)
                .default_service(only("GET, POST")),
        )
        .service(
            page("/account/delete")
                .get(account::leaving::show)
                .post(account::leaving::take)
                .default_service(only("GET, POST")),
        )
        .service(page("/account/deleted").get(account::leaving::gone_page).default_service(only("GET")))
        .service(page("/signed-out").get(account::sign_out::signed_out).default_service(only("GET")))
        .service(page("/").get(account::home::home).default_service(only("GET")));
    for why in [Why::SignIn, Why::Again] {
        let show = move |server, request| account::second_step::show(server, request, why);
        let take = move |server, request, payload| account::second_step::take(server, request, payload, why);
        app.service(page(why.path()).get(show).post(take).default_service(only("GET, POST")));
    }
    for purpose in LinkPurpose::ALL {
        let show = move |server, request| account::links::show(server, request, purpose);
        let take = move |server, request, payload| account::links::take(server, request, payload, purpose);
        let at = page(&format!("/{}", purpose.as_str()));
        app.service(at.get(show).post(take).default_service(only("GET, POST")));
    }
    if !base.is_empty() {
        // The public URL itself, as people type it.
        app.service(page("").get(account::home::home).default_service(only("GET")));
    }
    let logo = page("/logos/{host}").route(read().to(well_known::plugin::logo_for_pages));
    app.service(logo.default_service(only("GET, HEAD")));
    let file = web::resource(format!("{base}/static/{{file}}"));
    app.service(file.route(read().to(assets::asset)).default_service(only("GET, HEAD")));
}

/// The pages of plugin owners, in the same place: what they have, and what each of it is.
fn console_pages(app: &mut web::ServiceConfig, base: &str) {
    let page = |path: &str| on_the_public_host(base, path);
    app.service(page("/console").get(console::plugins::list).default_service(only("GET")))
        .service(page("/console/new").get(console::registering::kinds).default_service(only("GET")))
        .service(page("/console/plugins/{slug}").get(console::overview::show).default_service(only("GET")))
        .service(
            page("/console/new/{kind}")
                .get(console::registering::form)
                .post(console::registering::register)
                .default_service(only("GET, POST")),
        )
        .service(
            page("/console/invitations")
                .get(console::owners::invitations)
                .post(console::owners::decide)
                .default_service(only("GET, POST")),
        )
        .service(
            page("/console/tokens")
                .get(console::tokens::show)
                .post(console::tokens::change)
                .default_service(only("GET, POST")),
        );
}

/// What there is to see and change about a plugin.
fn plugin_pages(app: &mut web::ServiceConfig, base: &str) {
    let page = |path: &str| on_the_public_host(base, path);
    app.service(
        page("/console/plugins/{slug}/listing")
            .get(console::listing::show)
            .post(console::listing::save)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/scopes")
            .get(console::scopes::show)
            .post(console::scopes::save)
            .default_service(only("GET, POST")),
    )
    .service(page("/console/plugins/{slug}/clients").get(console::clients::list).default_service(only("GET")))
    .service(
        page("/console/plugins/{slug}/clients/new")
            .get(console::clients::form)
            .post(console::clients::register)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/clients/{client}")
            .get(console::client::show)
            .post(console::client::change)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/clients/{client}/delete")
            .get(console::client::ask_to_delete)
            .post(console::client::delete)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/verification")
            .get(console::verification::show)
            .post(console::verification::change)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/webhook")
            .get(console::webhook::show)
            .post(console::webhook::change)
            .default_service(only("GET, POST")),
    )
    .service(page("/console/plugins/{slug}/numbers").get(console::numbers::show).default_service(only("GET")))
    .service(
        page("/console/plugins/{slug}/working")
            .get(console::working::show)
            .post(console::working::examine)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/try")
            .get(console::try_out::show)
            .post(console::try_out::begin)
            .default_service(only("GET, POST")),
    )
    .service(page("/console/plugins/{slug}/try/return").get(console::try_out::come_back).default_service(only("GET")))
    .service(page("/console/plugins/{slug}/working/{flow}").get(console::working::attempt).default_service(only("GET")))
    .service(
        page("/console/plugins/{slug}/access")
            .get(console::access::show)
            .post(console::access::change)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/reviewer")
            .get(console::reviewer::show)
            .post(console::reviewer::change)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/owners")
            .get(console::owners::show)
            .post(console::owners::change)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/people")
            .get(console::people::list)
            .post(console::people::disconnect)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/people/everybody")
            .get(console::people::ask)
            .post(console::people::everybody)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/log")
            .get(console::log::show)
            .post(console::log::search)
            .default_service(only("GET, POST")),
    )
    .service(page("/console/plugins/{slug}/log.csv").get(console::log::file).default_service(only("GET")));
}

/// The keys that a plugin's API asks for.
fn key_pages(app: &mut web::ServiceConfig, base: &str) {
    let page = |path: &str| on_the_public_host(base, path);
    app.service(
        page("/console/plugins/{slug}/secrets")
            .get(console::secrets::list)
            .post(console::secrets::put)
            .default_service(only("GET, POST")),
    )
    .service(
        page("/console/plugins/{slug}/secrets/{name}")
            .get(console::secret::show)
            .post(console::secret::change)
            .default_service(only("GET, POST")),
    );
}

pub(super) fn on_the_public_host(base: &str, path: &str) -> actix_web::Resource {
    web::resource(format!("{base}{path}")).guard(on::fn_guard(guard::host::is_public))
}

/// What answers on every host, below the base and, for those who do not know of it, at the root.
fn everywhere(app: &mut web::ServiceConfig, base: &str) {
    let at = |path: &str| web::resource(format!("{base}{path}"));
    // Machine endpoints: JSON, readable from any web page (no cookie is ever looked at).
    app.service(at("/token").wrap(cors()).post(oauth::token::token).default_service(machine("POST")))
        .service(at("/revoke").wrap(cors()).post(oauth::revoke::revoke).default_service(machine("POST")))
        .service(at("/register").wrap(cors()).post(oauth::register::register).default_service(machine("POST")))
        .service(
            at("/register/{client_id}")
                .wrap(cors().allowed_methods(["GET", "PUT", "DELETE"]))
                .get(oauth::registered::look)
                .put(oauth::registered::change)
                .delete(oauth::registered::leave)
                .default_service(machine("GET, PUT, DELETE")),
        )
        .service(at("/introspect").post(oauth::introspect::introspect).default_service(machine("POST")))
        .service(at("/authorize").get(oauth::authorize::point_to_the_public_url).default_service(only("GET")));
    // Documents about the server: readable from any web page.
    let with_a_slash = format!("{}/", well_known::metadata::PLACE);
    for (path, route) in [
        (well_known::metadata::PLACE, read().to(well_known::metadata::metadata)),
        (with_a_slash.as_str(), read().to(well_known::metadata::metadata)),
        ("/.well-known/jwks.json", read().to(well_known::jwks::jwks)),
    ] {
        app.service(at(path).wrap(cors()).route(route).default_service(machine("GET, HEAD")));
    }
    app.service(at("/health/live").route(read().to(health::live)).default_service(only("GET, HEAD")))
        .service(at("/health/ready").route(read().to(health::ready)).default_service(only("GET, HEAD")));
}

/// Documents whose place is counted from the root of the host: a plugin's own, a resource's, and the server's before
/// its path.
fn at_the_root(app: &mut web::ServiceConfig) {
    let inserted = format!("{}/{{path:.*}}", well_known::metadata::PLACE);
    let of_a_resource = format!("{}/{{path:.*}}", resource_metadata::PLACE);
    for (path, route) in [
        (inserted.as_str(), read().to(well_known::metadata::inserted)),
        (resource_metadata::PLACE, read().to(well_known::protected_resource::metadata)),
        (of_a_resource.as_str(), read().to(well_known::protected_resource::metadata)),
        (manifest::PLACE, read().to(well_known::plugin::manifest)),
        (manifest::CHALLENGE_PLACE, read().to(well_known::plugin::challenge)),
        ("/openapi.json", read().to(well_known::plugin::openapi)),
        ("/openapi.yaml", read().to(well_known::plugin::openapi)),
        ("/logo.png", read().to(well_known::plugin::logo)),
    ] {
        app.service(web::resource(path).wrap(cors()).route(route).default_service(machine("GET, HEAD")));
    }
}

fn cors() -> Cors {
    Cors::default().allow_any_origin().send_wildcard().allowed_methods(["GET", "POST"]).allow_any_header().max_age(3600)
}

/// GET, and HEAD for those who only look whether it is there.
pub(super) fn read() -> actix_web::Route {
    web::route().guard(on::Any(on::Get()).or(on::Head()))
}

/// A machine is told in JSON, whatever it says it accepts.
pub(super) fn machine(methods: &'static str) -> actix_web::Route {
    web::to(move |request: HttpRequest| std::future::ready(absent::machine_method_not_allowed(&request, methods)))
}

fn only(methods: &'static str) -> actix_web::Route {
    web::to(move |server: web::Data<Server>, request: HttpRequest| {
        std::future::ready(absent::method_not_allowed(&server, &request, methods))
    })
}
