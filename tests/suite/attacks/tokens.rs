//! Tokens in other hands or in another shape: another client's, another audience's, cut, padded or respelled.

use consentry::model::client::Dialect;
use serde_json::json;

use crate::{harness::server::World, on_both_engines};

/// Spellings that some reader might fold into the original.
fn respellings(token: &str) -> Vec<String> {
    let swapped: String = token
        .chars()
        .map(|c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
        .collect();
    let (head, last) = token.split_at(token.len() - 1);
    // The last character of base64 may carry bits that no byte needs: its neighbours decode alike in a lax reader.
    let neighbours = (b'0'..=b'9')
        .chain(b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(*b"-_")
        .map(char::from)
        .filter(|c| !last.starts_with(*c))
        .map(|c| format!("{head}{c}"));
    let mut all: Vec<String> = vec![
        head.to_owned(),
        token[..token.len() / 2].to_owned(),
        token[1..].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        format!("{token}=="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}\t"),
        format!("{token}\0"),
        format!("{token}."),
        format!("Bearer {token}"),
        format!("\"{token}\""),
        format!("{token}{token}"),
        format!("{head}\u{200b}{last}"),
        token.to_ascii_uppercase(),
        token.to_ascii_lowercase(),
        swapped,
        token.replace('-', "+").replace('_', "/") + "=",
    ];
    all.extend(neighbours);
    all
}

on_both_engines! {
    /// Row 25: another client neither learns about a token nor can end or use it.
    async fn another_clients_token_is_nobodys_business(engine) {
        let world = World::new(engine).await;
        let (client, other) = (world.client(Dialect::Plugin).await, world.client(Dialect::Plugin).await);
        let action = world.client(Dialect::Action).await;
        let service = world.client(Dialect::Service).await;
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let access = tokens["access_token"].as_str().unwrap();
        let refresh = tokens["refresh_token"].as_str().unwrap();
        for token in [access, refresh] {
            let (_, told) = world.running.introspect(&action, token).await;
            assert_eq!(told, json!({ "active": false }));
            let (status, refused) = world.running.form("/revoke", &[
                ("client_id", &other.client_id),
                ("client_secret", &other.client_secret),
                ("token", token),
            ]).await;
            assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_grant")));
        }
        let (_, told) = world.running.introspect(&service, refresh).await;
        assert_eq!(told, json!({ "active": false }), "the API has no use for a refresh token");
        let (_, stolen) = world.running.refresh(&other, refresh).await;
        assert_eq!(stolen["error"], "invalid_grant");
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true, "and it all still stands");
        assert_eq!(world.running.refresh(&client, refresh).await.0, 200);
    }

    /// Row 25: nobody asks without proving who they are.
    async fn a_client_without_a_secret_may_not_introspect(engine) {
        let world = World::new(engine).await;
        let public = world.client(Dialect::Connector).await;
        let fields = [("client_id", public.client_id.as_str()), ("token", "x")];
        assert_eq!(world.running.form("/introspect", &fields).await.0, 401);
        assert_eq!(world.running.form("/introspect", &[("token", "x")]).await.0, 401);
    }

    /// Row 26.
    async fn a_respelled_token_or_code_is_none(engine) {
        let world = World::new(engine).await;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let code = world.running.code(&client).await;
        let http = reqwest::Client::new();
        let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
        let token = |more: [(&'static str, String); 2]| {
            let form: Vec<(&str, String)> =
                own.iter().map(|(name, value)| (*name, (*value).to_owned())).chain(more).collect();
            let request = http.post(format!("{}/token", world.running.url)).form(&form);
            async move { request.send().await.unwrap().status().as_u16() }
        };
        for spelling in respellings(&code) {
            let form = [("grant_type", "authorization_code"), ("code", &spelling),
                ("redirect_uri", crate::harness::server::CALLBACK), own[0], own[1]];
            let (status, refused) = world.running.form("/token", &form).await;
            assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_grant")), "{spelling:?}");
        }
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "none of these was a replay: {tokens}");
        let access = tokens["access_token"].as_str().unwrap();
        let refresh = tokens["refresh_token"].as_str().unwrap();
        for spelling in respellings(access) {
            let form = [("token", spelling.as_str())];
            let request = http.post(format!("{}/introspect", world.running.url));
            let request = request.basic_auth(&service.client_id, Some(&service.client_secret)).form(&form);
            let told: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(told, json!({ "active": false }), "{spelling:?}");
        }
        for spelling in respellings(refresh) {
            let shown = [("grant_type", "refresh_token".to_owned()), ("refresh_token", spelling.clone())];
            assert_eq!(token(shown).await, 400, "{spelling:?}");
        }
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true);
        assert_eq!(world.running.refresh(&client, refresh).await.0, 200, "and none of these was a theft");
    }

    /// Row 33.
    async fn a_token_for_another_audience_is_inactive(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        // Another plugin needs a host of its own, and with it gets a resource of its own.
        let mut foreign = world.plugin.clone();
        let now = world.running.server.clock.now();
        foreign.id = consentry::model::id::PluginId(consentry::random::id(now));
        foreign.slug = "notes".into();
        foreign.host = "notes.example.com".parse().unwrap();
        foreign.resource = "https://notes.example.com".into();
        let import = consentry::store::plugins::PluginImport::of(foreign.clone(), vec![], now);
        world.running.server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
        let stranger = world.running.add_client(&foreign, Dialect::Service, &[]).await;
        let service = world.client(Dialect::Service).await;
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true);
        assert_eq!(world.running.introspect(&stranger, access).await.1, json!({ "active": false }));
        // Nor can a client have a token made for it.
        let (status, refused) = world.running.form("/token", &[
            ("grant_type", "client_credentials"),
            ("client_id", &service.client_id),
            ("client_secret", &service.client_secret),
            ("resource", "https://notes.example.com"),
        ]).await;
        assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_target")));
    }
}
