//! `consentry simulate` and `consentry doctor` before servers that mean harm: whoever shows their output around gives
//! nothing away, nothing goes to anybody else, nothing reaches the terminal but text, and everything comes to an end.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    hostile::{Asked, GIVEN, Hostile, Manners, endless, registered, tokens},
    landing::Landing,
    process::write_private,
    server::PASSWORD,
    simulating::{json_with_account, outcome, with_account},
};

/// What the user has in the address that is typed.
const TYPED: &str = "typed-key-0b8f6c2d7e914a35";

/// What the user types in, with characters at which an address or a sentence would be taken apart.
const AWKWARD: &str = "correct horse b@ttery #staple? yes&no";

/// What the server keeps the user by.
const COOKIE: &str = "Cookie-3c81F0e7a25d49b6";

/// Everything both commands show of a server, for programs and for people.
fn shown(server: &Hostile) -> [String; 4] {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("ada.txt"), AWKWARD);
    let at = format!("{}/mcp?key={TYPED}", server.url);
    [("simulate", "--json"), ("simulate", ""), ("doctor", "--json"), ("doctor", "")].map(|(command, flag)| {
        let words = [command, &at, "--as", "connector", "--by", "registration", flag];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let output = with_account(folder.path(), &words);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

/// Says every secret it has heard of back in every place an answer has.
fn parrots(asked: &Asked) -> Option<HttpResponse> {
    let words = [&asked.said.join(" "), &GIVEN.join(" "), AWKWARD, COOKIE];
    let known = words.map(|words| words.replace(['\r', '\n'], " ")).join(" ");
    let echo = |mut answer: actix_web::HttpResponseBuilder| {
        answer.insert_header(("x-echo", known.clone())).insert_header(("set-cookie", format!("s={COOKIE}; Path=/")));
        answer.insert_header(("location", format!("https://a.example/#access_token={}", GIVEN[1])));
        answer
    };
    let resource = format!("{}/mcp?key={}", asked.origin, TYPED);
    match asked.path.as_str() {
        "/mcp" if !asked.said.is_empty() => {
            let challenge = format!("Bearer error=\"invalid_token\", error_description=\"not {known}\"");
            let mut answer = echo(HttpResponse::Unauthorized());
            answer.insert_header(("WWW-AUTHENTICATE", challenge)).content_type(format!("text/{}", GIVEN[1]));
            Some(answer.body(known))
        }
        path if path.starts_with("/.well-known/oauth-protected-resource") => {
            Some(HttpResponse::Ok().json(json!({ "resource": resource, "authorization_servers": [asked.origin] })))
        }
        "/token" if asked.is_refresh() => Some(echo(HttpResponse::BadRequest()).json(json!({
            "error": "invalid_grant", "error_description": known, "n": { "e": [[known]], "refresh_token": 31_415_926_535_u64 },
        }))),
        "/token" => {
            let mut answer = tokens();
            answer["nested"] = json!({ "more": [{ "text": known }] });
            Some(echo(HttpResponse::Ok()).json(answer))
        }
        _ => None,
    }
}

/// The same of one that has secrets in a header, where they look different.
fn parrots_by_header(asked: &Asked) -> Option<HttpResponse> {
    match asked.path.as_str() {
        "/.well-known/oauth-authorization-server" => Some(asked.metadata("client_secret_basic")),
        "/register" => Some(registered("client_secret_basic")),
        _ => parrots(asked),
    }
}

#[test]
fn a_server_that_says_every_secret_back_gives_none_away() {
    for manners in [parrots as Manners, parrots_by_header] {
        let server = Hostile::start(manners, "");
        for told in shown(&server) {
            gives_nothing_away(&server, &told);
        }
    }
}

fn gives_nothing_away(server: &Hostile, told: &str) {
    assert!(told.contains("refresh") && told.contains("invalid_grant"), "it goes all the way: {told}");
    let heard = server.heard.lock().unwrap().clone();
    // The verifier is in there, by which a stolen code could be redeemed.
    let long = heard.iter().filter(|value| value.len() >= 40 && !value.contains("://") && !value.contains("%2F"));
    assert!(long.clone().count() > 0 && heard.iter().any(|value| value == AWKWARD), "{heard:?}");
    let parts = ["horse", "ttery", "staple?", "31415926535"];
    let secrets = GIVEN.iter().chain(&[TYPED, AWKWARD, COOKIE]).chain(&parts).copied();
    let told = told.to_lowercase();
    for secret in secrets.chain(long.map(String::as_str)) {
        assert!(!told.contains(&secret.to_lowercase()), "{secret} is in {told}");
    }
}

#[test]
fn an_address_with_a_password_in_it_is_asked_for_without() {
    let server = Hostile::start(|_| None, "");
    let folder = tempfile::tempdir().unwrap();
    for command in ["simulate", "doctor"] {
        let at = server.url.replace("://", &format!("://ada:{TYPED}@"));
        let output = with_account(folder.path(), &[command, &at]);
        let told = format!("{output:?}");
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("without") && !told.contains(TYPED), "{told}");
    }
    assert!(server.heard.lock().unwrap().is_empty());
}

fn writes_to_the_terminal(asked: &Asked) -> Option<HttpResponse> {
    let words = "\u{1b}[2J\u{9b}31m\u{202e}no\n✓ refresh: all is well\r\n\u{7}";
    let answer = json!({ "error": "invalid_grant", "error_description": words, words: words });
    (asked.path == "/token").then(|| HttpResponse::BadRequest().insert_header(("x-a", "\u{9b}2J")).json(answer))
}

#[test]
fn nothing_of_a_server_s_moves_a_cursor_or_writes_a_line_of_its_own() {
    for told in shown(&Hostile::start(writes_to_the_terminal, "")) {
        assert!(told.contains("all is well"), "{told}");
        let moves = |c: &char| *c != '\n' && (c.is_control() || *c == '\u{202e}');
        assert_eq!(told.chars().find(moves), None, "{told}");
        assert!(!told.lines().any(|line| line.starts_with("✓ refresh")), "{told}");
    }
}

fn sends_on(asked: &Asked) -> Option<HttpResponse> {
    (asked.path == "/token")
        .then(|| HttpResponse::TemporaryRedirect().insert_header(("location", asked.elsewhere.clone())).finish())
}

fn sends_the_token_on(asked: &Asked) -> Option<HttpResponse> {
    let moves = asked.path == "/mcp" && asked.said.iter().any(|said| said == GIVEN[1]);
    moves.then(|| HttpResponse::PermanentRedirect().insert_header(("location", asked.elsewhere.clone())).finish())
}

fn posts_the_password_elsewhere(asked: &Asked) -> Option<HttpResponse> {
    (asked.path == "/authorize").then(|| asked.form(&asked.elsewhere, ""))
}

fn signs_in_elsewhere(asked: &Asked) -> Option<HttpResponse> {
    let on = || HttpResponse::Found().insert_header(("location", asked.elsewhere.clone())).finish();
    (asked.path == "/authorize").then(on)
}

fn asks_for_a_password_in_the_address(asked: &Asked) -> Option<HttpResponse> {
    let page = "<form action=/sign-in><input name=email><input type=password name=pw><button>Sign in</button></form>";
    (asked.path == "/authorize").then(|| HttpResponse::Ok().content_type("text/html").body(page))
}

#[test]
fn nothing_goes_to_another_origin() {
    let elsewhere = Landing::page();
    let folder = tempfile::tempdir().unwrap();
    let table: [(Manners, &str, &str); 5] = [
        (sends_on, "tokens", "answered 307"),
        (sends_the_token_on, "api", "answered 308"),
        (posts_the_password_elsewhere, "authorization", "a form leads to http://127.0.0.1:"),
        (signs_in_elsewhere, "authorization", "signing in goes on at http://127.0.0.1:"),
        (asks_for_a_password_in_the_address, "authorization", "without a form"),
    ];
    for (manners, step, words) in table {
        let server = Hostile::start(manners, &elsewhere.url("/stolen"));
        let at = format!("{}/mcp", server.url);
        let arguments = ["simulate", &at, "--as", "connector", "--by", "registration"];
        let (steps, is_good) = json_with_account(folder.path(), &arguments);
        assert!(!is_good && outcome(&steps, step).contains(words), "{step}: {steps:#}");
        let is_told = server.heard.lock().unwrap().iter().any(|said| said == PASSWORD);
        assert_eq!(is_told, step != "authorization", "{step}");
    }
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
}

fn describes_an_api_elsewhere(asked: &Asked) -> Option<HttpResponse> {
    let at = |path: &str| format!("{}{path}", asked.origin);
    match asked.path.as_str() {
        "/.well-known/ai-plugin.json" => Some(HttpResponse::Ok().json(json!({
            "auth": { "type": "oauth", "client_url": at("/authorize"), "authorization_url": at("/token"), "scope": "" },
            "api": { "url": at("/openapi.yaml") },
        }))),
        "/openapi.yaml" => Some(HttpResponse::Ok().content_type("text/yaml").body(format!(
            "openapi: 3.0.1\nservers:\n  - url: {}\npaths:\n  /todos:\n    get: {{}}\n",
            asked.elsewhere
        ))),
        _ => None,
    }
}

#[test]
fn no_token_goes_to_an_api_on_another_domain() {
    let folder = tempfile::tempdir().unwrap();
    let play = |server: &Hostile| {
        let caller = ["--as", "plugin", "--client-id", "c1", "--redirect-uri", "https://client.example/cb"];
        json_with_account(folder.path(), &[&["simulate", server.url.as_str()], &caller[..]].concat())
    };
    let elsewhere = Landing::page();
    // Another name of this computer is another domain.
    let other = elsewhere.url("").replace("127.0.0.1", "localhost");
    let (steps, is_good) = play(&Hostile::start(describes_an_api_elsewhere, &other));
    assert!(!is_good && outcome(&steps, "api").contains("no token was sent there"), "{steps:#}");
    assert_eq!(elsewhere.asked(), Vec::<String>::new());
    // On its own domain the description, YAML as it may be, is followed.
    let (steps, is_good) = play(&Hostile::start(describes_an_api_elsewhere, "/"));
    assert!(!is_good && outcome(&steps, "api").contains("answered 404"), "{steps:#}");
}

fn names_a_server_that_is_not_there_first(asked: &Asked) -> Option<HttpResponse> {
    let servers = [format!("{}/gone", asked.origin), asked.origin.clone()];
    let document = json!({ "resource": format!("{}/mcp", asked.origin), "authorization_servers": servers });
    asked.path.starts_with("/.well-known/oauth-protected-resource").then(|| HttpResponse::Ok().json(document))
}

fn lists_no_s256(asked: &Asked) -> Option<HttpResponse> {
    let document = json!({
        "issuer": asked.origin, "authorization_endpoint": format!("{}/authorize", asked.origin),
        "token_endpoint": format!("{}/token", asked.origin), "registration_endpoint": format!("{}/register", asked.origin),
    });
    (asked.path == "/.well-known/oauth-authorization-server").then(|| HttpResponse::Ok().json(document))
}

#[test]
fn a_server_is_looked_for_as_callers_do() {
    let folder = tempfile::tempdir().unwrap();
    let play = |manners: Manners| {
        let server = Hostile::start(manners, "");
        let at = format!("{}/mcp", server.url);
        json_with_account(folder.path(), &["simulate", &at, "--as", "connector", "--by", "registration"])
    };
    let (steps, is_good) = play(names_a_server_that_is_not_there_first);
    assert!(is_good, "{steps:#}");
    let (steps, is_good) = play(lists_no_s256);
    assert!(!is_good && outcome(&steps, "discovery").contains("S256"), "{steps:#}");
    assert_eq!(steps.as_array().unwrap().len(), 1, "it goes no further");
}

/// How often something was asked in the test below, which alone asks it.
static SIGNED_IN: AtomicUsize = AtomicUsize::new(0);
static CALLED: AtomicUsize = AtomicUsize::new(0);

/// After the first person and some calls it has had enough of everybody.
fn grows_tired(asked: &Asked) -> Option<HttpResponse> {
    let (count, enough, status) = match asked.path.as_str() {
        "/sign-in" => (&SIGNED_IN, 1, StatusCode::SERVICE_UNAVAILABLE),
        "/mcp" if asked.said.is_empty() => (&CALLED, 3, StatusCode::FORBIDDEN),
        _ => return None,
    };
    (count.fetch_add(1, Ordering::Relaxed) >= enough).then(|| HttpResponse::build(status).finish())
}

#[test]
fn a_server_that_grows_tired_is_neither_right_nor_wrong() {
    let server = Hostile::start(grows_tired, "");
    let folder = tempfile::tempdir().unwrap();
    let at = format!("{}/mcp", server.url);
    let doctor = ["doctor", &at, "--as", "connector", "--by", "registration", "--json"];
    let output = with_account(folder.path(), &doctor);
    let checks: Value = serde_json::from_slice(&output.stdout).unwrap();
    let not_looked_at = String::from_utf8(output.stderr).unwrap();
    let state = |name: &str| checks.as_array().unwrap().iter().find(|it| it["name"] == name).map(|it| &it["state"]);
    assert!(CALLED.load(Ordering::Relaxed) > 4 && SIGNED_IN.load(Ordering::Relaxed) > 3, "{checks:#}");
    assert_eq!(state("reach.bot_filter").unwrap(), "ok", "it is not the names: {checks:#}");
    for name in ["refresh.parallel", "token.pkce", "token.code_once"] {
        assert_eq!(state(name), None, "{name}: {checks:#}");
        assert!(not_looked_at.contains(&format!("not looked at: {name}: ")), "{not_looked_at}");
    }
}

fn shows_a_huge_form(asked: &Asked) -> Option<HttpResponse> {
    let more = "<input type=hidden name=x value=y><button>no</button>".repeat(1800);
    (asked.path == "/authorize").then(|| asked.form("/sign-in", &more))
}

fn never_signs_in(asked: &Asked) -> Option<HttpResponse> {
    let page = "<form method=post action=/authorize><input name=email><button>Next</button></form>";
    (asked.path == "/authorize").then(|| HttpResponse::Ok().content_type("text/html").body(page))
}

fn moves_in_a_circle(asked: &Asked) -> Option<HttpResponse> {
    (asked.path == "/authorize").then(|| HttpResponse::Found().insert_header(("location", "/authorize")).finish())
}

#[test]
fn forms_and_redirects_come_to_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let table: [(Manners, &str); 3] = [
        (shows_a_huge_form, "came back with a code"),
        (never_signs_in, "did not end within 12 pages"),
        (moves_in_a_circle, "did not end within 12 pages"),
    ];
    for (manners, words) in table {
        let server = Hostile::start(manners, "");
        let at = format!("{}/mcp", server.url);
        let arguments = ["simulate", &at, "--as", "connector", "--by", "registration"];
        let (steps, _) = json_with_account(folder.path(), &arguments);
        assert!(outcome(&steps, "authorization").contains(words), "{steps:#}");
    }
}

#[test]
fn bodies_without_end_and_slow_ones_come_to_an_end() {
    let folder = tempfile::tempdir().unwrap();
    for (pause, words) in [
        (Duration::ZERO, "the answer is longer than 100000 bytes"),
        (Duration::from_secs(1), "the answer did not end within 15 seconds"),
    ] {
        let at = format!("{}/mcp", endless(pause));
        let (steps, is_good) = json_with_account(folder.path(), &["simulate", &at, "--as", "connector"]);
        assert!(!is_good && steps.to_string().contains(words), "{steps:#}");
        // Two waits of a quarter of a minute, and not one for each place where a document may stand.
        let waits = steps.to_string().matches("did not end within").count();
        assert_eq!(waits, if pause.is_zero() { 0 } else { 2 }, "{steps:#}");
    }
}
