//! Headers that proxies write and everybody can: which host, path or person a request is for is never read from them,
//! and which address it comes from only when a proxy of the operator's has said so.

use chrono::DateTime;
use consentry::{
    clock::Clock,
    model::{
        client::Dialect,
        mechanisms::{Mechanisms, RegistrationPolicy},
        proxies::TrustedProxies,
    },
};
use reqwest::{
    Client, RequestBuilder,
    header::{HOST, LOCATION},
    redirect::Policy,
};

use crate::{
    harness::{
        browser::plugin_request,
        databases::Engine,
        server::{Options, World},
    },
    on_both_engines,
    store::tables::Tables,
};

/// What an attacker sends along; where it is an address, it is nobody's here.
const STEERING: &[(&str, &str)] = &[
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-server", "evil.example"),
    ("x-forwarded-proto", "gopher"),
    ("x-forwarded-port", "1"),
    ("x-forwarded-prefix", "/evil"),
    ("x-forwarded-for", "203.0.113.66"),
    ("x-real-ip", "203.0.113.66"),
    ("forwarded", "for=203.0.113.66;host=evil.example;proto=gopher"),
    ("x-forwarded-uri", "/health/live"),
    ("x-original-uri", "/health/live"),
    ("x-original-url", "/health/live"),
    ("x-rewrite-url", "/health/live"),
    ("x-http-method-override", "DELETE"),
];

/// What a gate in front would say about who is there.
const CLAIMING: &[(&str, &str)] = &[
    ("x-forwarded-user", "ada@example.com"),
    ("x_forwarded_user", "ada@example.com"),
    ("x-forwarded-email", "ada@example.com"),
    ("x-forwarded-preferred-username", "ada@example.com"),
    ("remote-user", "ada@example.com"),
    ("x-remote-user", "ada@example.com"),
    ("x-auth-request-user", "ada@example.com"),
    ("connection", "close, host, cookie, x-request-id"),
];

fn with(request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// Status, target and text of an answer, without what differs each time.
async fn outcome(request: RequestBuilder) -> (u16, String, String) {
    let response = request.send().await.unwrap();
    let location = response.headers().get(LOCATION).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let location = location.split("r=").next().unwrap_or_default().to_owned();
    let random = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let (status, body) = (response.status().as_u16(), response.text().await.unwrap());
    let mut forms = body.split("name=\"csrf\" value=\"");
    let before = forms.next().unwrap_or_default().replace(&random, "");
    let after: String = forms.map(|form| form.split_once('"').unwrap().1).collect();
    (status, location, before + &after)
}

on_both_engines! {
    /// Rows 30 and 31, as far as there is no gate yet: pages, endpoints and documents answer as if they had not come.
    async fn no_forwarding_header_is_believed(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        let url = |path: &str| format!("{}{path}", world.running.url);
        let public = world.running.server.settings.host.to_string();
        let request = plugin_request(&client);
        for host in [public.as_str(), "todo.example"] {
            for path in [&request, "/", "/sign-in", "/consent?r=x", "/.well-known/oauth-authorization-server",
                "/.well-known/ai-plugin.json", "/openapi.json", "/nothing"] {
                let get = || http.get(url(path)).header(HOST, host);
                let plain = outcome(get()).await;
                for headers in [STEERING, CLAIMING, &[("x-forwarded-host", public.as_str())]] {
                    let steered = outcome(with(get(), headers)).await;
                    assert_eq!(steered, plain, "{path} on {host}");
                }
            }
        }
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let token = tokens["refresh_token"].as_str().unwrap();
        let secret = client.client_secret.as_str();
        let fields = [("client_id", client.client_id.as_str()), ("client_secret", secret), ("token", token)];
        let revoked = with(http.post(url("/revoke")).form(&fields), STEERING).send().await.unwrap();
        assert_eq!(revoked.status(), 200);
        let told = "select action || ' ' || coalesce(address, '-') from audit_events where action = 'family.ended'";
        assert_eq!(Tables::of(&world.database).await.lines(told).await, ["family.ended 127.0.0.1"]);
    }
}

/// A world that believes these, with four registrations for each address, and a clock that stands still.
async fn behind(proxies: &[&str]) -> World {
    let registration = RegistrationPolicy { per_minute: 16.try_into().unwrap(), ..RegistrationPolicy::default() };
    let options = Options {
        clock: Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap()),
        mechanisms: Mechanisms { registration, ..Mechanisms::default() },
        trusted_proxies: TrustedProxies(proxies.iter().map(|range| range.parse().unwrap()).collect()),
        ..Options::default()
    };
    World::with(Engine::Sqlite, options).await
}

/// Registers until it is refused, at most five times, with these lines of `X-Forwarded-For`; how often it was taken.
async fn taken<L: AsRef<[u8]>>(world: &World, lines: &[L]) -> usize {
    let body = serde_json::json!({ "redirect_uris": ["https://app.example/cb"] });
    for count in 0..5 {
        let request = Client::new().post(format!("{}/register", world.running.url)).json(&body);
        let request = lines.iter().fold(request, |request, line| request.header("x-forwarded-for", line.as_ref()));
        match request.send().await.unwrap().status().as_u16() {
            201 => {}
            429 => return count,
            other => panic!("{other}"),
        }
    }
    5
}

/// Row 35: behind a proxy of the operator's everybody has a share of their own, whatever they write themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_uses_up_the_share_of_others_behind_a_proxy() {
    let world = behind(&["127.0.0.1/32", "10.0.0.0/8"]).await;
    assert_eq!(taken(&world, &["203.0.113.7"]).await, 4);
    for escape in [
        &["192.0.2.1, 203.0.113.7"][..],
        &["127.0.0.1, 203.0.113.7"],
        &["192.0.2.2", "203.0.113.7"],
        &["192.0.2.3, 203.0.113.7, 10.0.0.2"],
        &["::ffff:203.0.113.7"],
        &["203.0.113.7:4711"],
    ] {
        assert_eq!(taken(&world, escape).await, 0, "{escape:?}");
    }
    assert_eq!(taken(&world, &[b"\xff, 203.0.113.7"]).await, 0, "what is no text spoils nothing to its right");
    assert_eq!(taken(&world, &["2001:db8:1:2::1"]).await, 4);
    assert_eq!(taken(&world, &["2001:db8:1:2:ffff::7"]).await, 0, "one /64");
    assert_eq!(taken(&world, &["2001:db8:1:3::1"]).await, 4, "another");
    assert_eq!(world.database.count("clients").await, 12);
}

/// Row 35: whoever is no proxy of the operator's has one address, whatever it writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_no_proxy_is_not_believed_about_its_address() {
    let world = behind(&["10.0.0.0/8", "203.0.113.0/24"]).await;
    assert_eq!(taken(&world, &["192.0.2.1"]).await, 4);
    for other in ["192.0.2.2", "10.0.0.9", "203.0.113.7", "127.0.0.1"] {
        assert_eq!(taken(&world, &[other]).await, 0, "{other}");
    }
    assert_eq!(taken::<&str>(&world, &[]).await, 0);
}

on_both_engines! {
    /// The audit log has the address of who called, as the proxy says, and not the proxy's.
    async fn the_audit_log_has_whom_a_proxy_calls_for(engine) {
        let trusted_proxies = TrustedProxies(vec!["127.0.0.1/32".parse().unwrap()]);
        let world = World::with(engine, Options { trusted_proxies, ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let token = tokens["refresh_token"].as_str().unwrap();
        let secret = client.client_secret.as_str();
        let fields = [("client_id", client.client_id.as_str()), ("client_secret", secret), ("token", token)];
        let request = Client::new().post(format!("{}/revoke", world.running.url)).form(&fields);
        let request = request.header("x-forwarded-for", "192.0.2.1, 203.0.113.7");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let told = "select action || ' ' || coalesce(address, '-') from audit_events
                     where action in ('family.ended', 'consent.granted') order by action";
        let lines = Tables::of(&world.database).await.lines(told).await;
        assert_eq!(lines, ["consent.granted 127.0.0.1", "family.ended 203.0.113.7"]);
    }
}
