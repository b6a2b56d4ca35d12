//! `/api/v1/openapi.json`: the owners' API described as OpenAPI 3.1, for whoever asks.
//!
//! Handlers say what each operation takes and answers when all is well. What any of them can answer otherwise stands
//! here once, and is added to each by what it has: names in its address, a query, a body.

use actix_web::{HttpResponse, http::header, web};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::{
    access, attempts, client_scopes, client_secrets, clients, findings, log, numbers, owners, people, plugins,
    problem::ProblemBody, redirect_uris, reviewer, secrets, verification, webhook,
};
use crate::{http::well_known::CACHE_CONTROL, model::owner_token::OwnerScope, server::Server};

/// The operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Owners' API",
        version = "1",
        description = "What the console changes and shows, for programs of plugin owners."
    ),
    paths(
        plugins::list,
        plugins::register,
        plugins::show,
        plugins::change,
        plugins::preview,
        plugins::describe,
        verification::show,
        verification::verify,
        verification::publish,
        verification::prove,
        clients::list,
        clients::register,
        clients::show,
        clients::rename,
        clients::delete,
        clients::disable,
        clients::enable,
        client_scopes::replace,
        redirect_uris::add,
        redirect_uris::remove,
        redirect_uris::offers,
        redirect_uris::approve,
        redirect_uris::dismiss,
        client_secrets::renew,
        client_secrets::end,
        attempts::list,
        attempts::show,
        findings::find,
        numbers::show,
        people::list,
        people::disconnect,
        people::disconnect_everybody,
        owners::list,
        owners::add,
        owners::remove,
        owners::invite,
        owners::withdraw,
        access::show,
        access::set,
        access::add,
        access::remove,
        reviewer::show,
        reviewer::make,
        reviewer::prolong,
        reviewer::end,
        webhook::show,
        webhook::set,
        webhook::renew_secret,
        webhook::end_old_secret,
        webhook::start,
        webhook::remove,
        webhook::send_test,
        webhook::send_again,
        secrets::list,
        secrets::put,
        secrets::show,
        secrets::change,
        secrets::remove,
        secrets::rotate,
        secrets::end_version,
        log::show,
    ),
    components(schemas(ProblemBody))
)]
struct Document;

/// What stands in the place of a name.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Id,
    Number,
}

/// The names in addresses.
const NAMES: [(&str, &str, Kind); 8] = [
    ("slug", "The plugin's short name.", Kind::Text),
    ("client_id", "The client, as the wire calls it.", Kind::Text),
    ("secret_id", "The secret.", Kind::Id),
    ("attempt_id", "The attempt.", Kind::Id),
    ("consent_id", "What somebody allows a client.", Kind::Id),
    ("account_id", "The owner's account.", Kind::Id),
    ("name", "The API key, as its owners call it.", Kind::Text),
    ("number", "The version of the API key.", Kind::Number),
];

/// Answers it.
pub async fn show(server: web::Data<Server>) -> HttpResponse {
    // It is the same as long as the server runs, and made for whoever asks first.
    if server.owners_api.get().is_none() {
        match describe(&server.settings.issuer) {
            Ok(document) => {
                server.owners_api.get_or_init(|| document.to_string());
            }
            Err(error) => {
                tracing::error!(%error, "the description of the owners' API cannot be written");
                return HttpResponse::InternalServerError().finish();
            }
        }
    }
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, CACHE_CONTROL))
        .content_type("application/json")
        .body(server.owners_api.get().cloned().unwrap_or_default())
}

/// The description of the API of a server with this public URL.
pub fn describe(issuer: &str) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(Document::openapi())?;
    document["servers"] = json!([{ "url": format!("{issuer}/api/v1") }]);
    let components = &mut document["components"];
    components["responses"] = problems();
    components["parameters"] =
        NAMES.iter().map(|(name, says, kind)| (name.to_string(), named(name, says, *kind))).collect();
    let scopes: Vec<String> =
        OwnerScope::ALL.iter().map(|scope| format!("`{}`: {}.", scope.as_str(), scope.says())).collect();
    components["securitySchemes"] = json!({
        "owner_token": {
            "type": "http",
            "scheme": "bearer",
            "description": format!("A token that an owner makes in the console. What it may be used for: {}", scopes.join(" ")),
        }
    });
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(operation, (path, method));
        }
    }
    Ok(document)
}

fn named(name: &str, says: &str, kind: Kind) -> Value {
    let schema = match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Id => json!({ "type": "string", "format": "uuid" }),
        Kind::Number => json!({ "type": "integer", "minimum": 1 }),
    };
    json!({ "name": name, "in": "path", "required": true, "description": says, "schema": schema })
}

/// Adds the names in an operation's address, and what it can answer beside what it says itself.
fn complete(operation: &mut Value, (path, method): (&str, &str)) {
    let names: Vec<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    let own = operation["parameters"].as_array().cloned().unwrap_or_default();
    let (has_names, has_query, has_body) = (!names.is_empty(), !own.is_empty(), !operation["requestBody"].is_null());
    let reference = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
    let parameters: Vec<Value> = names.into_iter().map(reference).chain(own).collect();
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    let changes = method != "get";
    // What sends requests to hosts that an owner names, and what hashes a password.
    let has_a_pace = match method {
        "post" => {
            path == "/plugins" || ["/verification", "/findings", "/reviewer"].iter().any(|end| path.ends_with(end))
        }
        method => method == "put" && path.ends_with("/listing"),
    };
    let answers = [
        ("400", has_query || has_body),
        ("401", true),
        ("403", true),
        // Who may not register a plugin is told so in the same way.
        ("404", has_names || changes),
        ("409", changes && has_names),
        ("413", has_body),
        ("415", has_body),
        ("422", changes),
        ("429", has_a_pace),
        ("500", true),
        ("503", true),
    ];
    for (status, _) in answers.iter().filter(|(_, can_be)| *can_be) {
        operation["responses"][status] = json!({ "$ref": format!("#/components/responses/{status}") });
    }
    let success = operation["responses"]["201"].as_object_mut();
    if let Some(made) = success {
        made.insert("headers".to_owned(), json!({ "Location": header("Where it stands.") }));
    }
}

/// What can be answered where all is not well.
fn problems() -> Value {
    let answers = [
        ("400", "What was sent cannot be read.", None),
        ("401", "No token was shown, or one that is not good.", Some(("WWW-Authenticate", "RFC 6750 §3."))),
        ("403", "The token is not good for this.", Some(("WWW-Authenticate", "RFC 6750 §3, with the scope it takes."))),
        ("404", "There is nothing of the token's owner at this address.", None),
        ("409", "Somebody else has changed it since it was read.", None),
        ("413", "The body is too large.", None),
        ("415", "The body is not JSON.", None),
        ("422", "What was sent is not good; `errors` says what of it.", None),
        ("429", "That is more than the rate allows.", Some(("Retry-After", "In so many seconds."))),
        ("500", "The server failed.", None),
        ("503", "The server cannot answer for now.", Some(("Retry-After", "In so many seconds."))),
    ];
    let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let answer = |(status, says, has): (&str, &str, Option<(&str, &str)>)| {
        let headers: Map<String, Value> = has.map(|(name, says)| (name.to_owned(), header(says))).into_iter().collect();
        (status.to_owned(), json!({ "description": says, "headers": headers, "content": content }))
    };
    answers.into_iter().map(answer).collect()
}

fn header(says: &str) -> Value {
    json!({ "description": says, "required": true, "schema": { "type": "string" } })
}
