//! Nasty input on the way to documents: addresses of clients and of key sets, what stands there, and the well-known
//! paths of our own. Row 39; `nasty` has the values and what every answer must be.

use serde_json::json;

use super::nasty::{Asked, Attempt, all_are_answered, client, is_well, unhurried, values};
use crate::{
    harness::{
        browser::{Browser, parameter},
        connector::{Connector, Proof, VERIFIER, now},
        server::{Options, Running, World},
        signer::Signer,
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

const CALLBACK: &str = "https://client.example/cb";

/// A good authorization request of a client whose id is this.
fn request_of(running: &Running, client_id: &str) -> String {
    Connector { client_id, redirect_uri: CALLBACK, ..Connector::new(running, Proof::Nothing) }.request(&[])
}

on_both_engines! {
    /// Row 39: client ids that say they are addresses, at a page and where machines call.
    async fn nasty_addresses_of_documents_are_answered(engine) {
        let strangers = Strangers::new();
        let _host = strangers.host("client.example");
        let world = World::with(engine, Options { outbound: strangers.settings(), ..unhurried() }).await;
        let (http, values) = (client(), values());
        let (mut pages, mut machines) = (Vec::new(), Vec::new());
        for value in &values {
            for id in [
                format!("https://{value}"),
                format!("https://{value}/c.json"),
                format!("https://{value}@client.example/c.json"),
                format!("https://client.example{value}/c.json"),
                format!("https://client.example:{value}/c.json"),
                format!("https://client.example/{value}"),
                format!("https://client.example/c.json?{value}"),
                format!("https://client.example/c.json#{value}"),
            ] {
                let get = http.get(format!("{}{}", world.running.url, request_of(&world.running, &id)));
                pages.push(Attempt::new(&id, value, get.header("accept", "text/html")));
                let post = http.post(format!("{}/token", world.running.url));
                let post = post.form(&[("grant_type", "refresh_token"), ("client_id", &id), ("refresh_token", "x")]);
                machines.push(Attempt::new(id, value, post));
            }
        }
        let counted = all_are_answered(Asked::PageAndAHost, pages).await;
        assert!(counted.of(400) > 500 && counted.of(502) > 20, "{} and {}", counted.of(400), counted.of(502));
        all_are_answered(Asked::Machine, machines).await;
        is_well(&world).await;
    }

    /// Row 39: what stands at the address, each member in its turn; and what a page says about it.
    async fn nasty_documents_are_answered(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("client.example");
        let world = World::with(engine, Options { outbound: strangers.settings(), ..unhurried() }).await;
        let (http, mut attempts) = (client(), Vec::new());
        let texts =
            ["client_name", "client_uri", "logo_uri", "scope", "jwks_uri", "token_endpoint_auth_method", "client_id"];
        let lists = ["redirect_uris", "grant_types", "token_endpoint_auth_methods_supported"];
        let places = texts.len() + lists.len() + 2;
        // One member for each value, in turn, since each costs a connection; but markup in every one.
        let each = values().into_iter().filter(|value| value.len() < 2500).enumerate();
        let each = each.flat_map(|(number, value)| {
            let turns = if value.contains('<') { 0..places } else { number % places..number % places + 1 };
            turns.map(move |place| (place, value.clone()))
        });
        for (number, (place, value)) in each.enumerate() {
            let path = format!("/{number}.json");
            let id = host.url(&path).to_string();
            let mut document = json!({ "client_id": id, "redirect_uris": [CALLBACK] });
            if let Some(member) = texts.get(place) {
                document[member] = json!(value);
            } else if let Some(member) = lists.get(place - texts.len()) {
                document[member] = json!([value]);
            } else {
                document[&value] = json!({ &value: [value] });
            }
            let body = if place + 1 == places { format!("{{{value}") } else { document.to_string() };
            host.answer(&path, Answer::document("application/json", body));
            let get = http.get(format!("{}{}", world.running.url, request_of(&world.running, &id))).header("accept", "text/html");
            attempts.push(Attempt::new(format!("document {number}"), value, get));
        }
        let counted = all_are_answered(Asked::PageAndAHost, attempts).await;
        assert!(counted.of(303) > 20 && counted.of(400) > 50, "{} and {}", counted.of(303), counted.of(400));
        is_well(&world).await;
    }

    /// Row 39: addresses of key sets, as far as they can be registered, and what stands there. Each client has a code,
    /// so that its keys are worth asking for.
    async fn nasty_key_sets_are_answered(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("client.example");
        let world = World::with(engine, Options { outbound: strangers.settings(), ..unhurried() }).await;
        let (signer, browser, running) = (Signer::es256("key-1"), Browser::new(&world.running), &world.running);
        let (http, mut attempts) = (client(), Vec::new());
        for (number, value) in values().into_iter().enumerate() {
            let set = json!({ "keys": [{ "kty": value, "crv": value, "x": value, "y": value }] }).to_string();
            let places = [format!("/{number}/keys.json"), format!("/{number}/raw")];
            for (path, body) in places.iter().zip([&set, &value]) {
                host.answer(path, Answer::document("application/json", body.as_str()));
            }
            // One place for each value, in turn: each costs a registration, a consent and a connection.
            let [keys, raw] = places.map(|path| host.url(&path).to_string());
            let bare = [format!("https://client.example/{value}"), format!("https://{value}/")];
            let jwks_uri = [&keys, &raw, &bare[0], &bare[1]][number % 4];
            let body = json!({
                "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": jwks_uri,
            });
            let (status, told) = running.json("/register", &body).await;
            assert!(matches!(status.as_u16(), 201 | 400), "{jwks_uri:?}: {status}: {told}");
            let Some(client_id) = told["client_id"].as_str() else { continue };
            let connector = Connector { client_id, redirect_uri: CALLBACK, ..Connector::new(running, Proof::Nothing) };
            let left = browser.agree(&connector.request(&[]), "ada@example.com").await;
            let code = parameter(&left, "code").unwrap_or_else(|| panic!("no code in {left}"));
            let assertion = signer.assertion(client_id, &running.url, now(&running.server));
            let post = http.post(format!("{}/token", running.url)).form(&[
                ("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER), ("client_id", client_id), ("client_assertion", &assertion),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ]);
            attempts.push(Attempt::new(jwks_uri, &value, post));
        }
        assert!(attempts.len() > values().len() / 2, "most are addresses");
        let counted = all_are_answered(Asked::MachineAndAHost, attempts).await;
        assert!(counted.of(200) == 0 && host.connections() > values().len() / 3, "{}", host.connections());
        is_well(&world).await;
    }

    /// Row 39: the documents of our own, and everything else, with something behind their paths.
    async fn nasty_paths_are_answered(engine) {
        let world = World::new(engine).await;
        let own: url::Url = world.running.url.parse().unwrap();
        let (http, mut documents, mut others) = (client(), Vec::new(), Vec::new());
        for value in values() {
            for place in [
                "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource", "/.well-known",
                "/static", "/health", "",
            ] {
                let mut escaped = own.join(place).unwrap();
                escaped.path_segments_mut().unwrap().pop_if_empty().push(&value);
                let mut asked = own.join(place).unwrap();
                asked.set_query(Some(&value));
                let bare = own.join(&format!("{place}/{value}")).ok();
                let bare = bare.filter(|address| address.origin() == own.origin());
                for address in [Some(escaped), Some(asked), bare].into_iter().flatten() {
                    // Outside of it there are pages, for whoever asks.
                    if address.path().starts_with("/.well-known/") {
                        documents.push(Attempt::new(place, &value, http.get(address.clone())));
                    }
                    others.push(Attempt::new(place, &value, http.get(address).header("accept", "text/html")));
                }
            }
        }
        let counted = all_are_answered(Asked::Machine, documents).await;
        assert!(counted.of(200) > 100 && counted.of(404) > 500, "{} and {}", counted.of(200), counted.of(404));
        all_are_answered(Asked::Page, others).await;
        is_well(&world).await;
    }
}
