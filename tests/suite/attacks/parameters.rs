//! Repeated parameters and credentials: two readers must never be able to pick different copies.

use consentry::model::client::Dialect;
use reqwest::{Client, header::CONTENT_TYPE};
use serde_json::Value;

use crate::{
    harness::{
        browser::{Arrived, Browser, parameter, plugin_request, read},
        server::{CALLBACK, World},
    },
    on_both_engines,
};

on_both_engines! {
    /// Row 4, at the authorization endpoint.
    async fn a_repeated_parameter_of_an_authorization_request_is_refused(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = Browser::new(&world.running);
        browser.agree(&plugin_request(&client), "ada@example.com").await;
        let plain = plugin_request(&client);
        for (name, value) in [("client_id", client.client_id.as_str()), ("redirect_uri", CALLBACK)] {
            for value in [value, "x", ""] {
                for address in [format!("{plain}&{name}={value}"), plain.replace('?', &format!("?{name}={value}&"))] {
                    match browser.get(&address).await {
                        Arrived::Page(page) => assert_eq!(page.status, 400, "{address}"),
                        Arrived::Left(url) => panic!("{address} left for {url}"),
                    }
                }
            }
        }
        for name in ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "prompt",
            "response_mode", "request", "request_uri"] {
            let left = browser.get(&format!("{plain}&{name}=a&{name}=a")).await.left();
            assert_eq!(parameter(&left, "error").as_deref(), Some("invalid_request"), "{name}: {left}");
        }
        // RFC 8707 §2 lets this one stand several times; two that differ are still one too many.
        let own = world.plugin.resource.as_str();
        for (first, second) in [(own, "https://evil.example"), ("https://evil.example", own)] {
            let left = browser.get(&format!("{plain}&resource={first}&resource={second}")).await.left();
            assert_eq!(parameter(&left, "error").as_deref(), Some("invalid_target"), "{left}");
        }
        let left = browser.get(&format!("{plain}&resource={own}&resource={own}")).await.left();
        assert!(parameter(&left, "code").is_some(), "{left}");
    }

    /// Row 4, at the token endpoint, in a form and in JSON.
    async fn a_repeated_parameter_of_a_token_request_is_refused(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let code = world.running.code(&client).await;
        let own = [
            ("grant_type", "authorization_code"),
            ("client_id", client.client_id.as_str()),
            ("client_secret", client.client_secret.as_str()),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
        ];
        let http = Client::new();
        let url = format!("{}/token", world.running.url);
        for (name, value) in own {
            let form = [&own[..], &[(name, value)]].concat();
            let (status, refused) = read(http.post(&url).form(&form).send().await.unwrap()).await;
            assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_request")), "{name}");
            let members: Vec<String> = form.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
            let json = format!("{{{}}}", members.join(","));
            let request = http.post(&url).header(CONTENT_TYPE, "application/json").body(json);
            let (status, refused) = read(request.send().await.unwrap()).await;
            assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_request")), "{name}");
        }
        let resource = world.plugin.resource.as_str();
        for resources in [[resource, "https://evil.example"], ["https://evil.example", resource]] {
            let form = [&own[..], &resources.map(|resource| ("resource", resource))].concat();
            let (status, refused) = read(http.post(&url).form(&form).send().await.unwrap()).await;
            assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_target")), "{resources:?}");
        }
        assert_eq!(world.running.redeem(&client, &code).await.0, 200, "the code was never touched");
    }

    /// Row 4: what stands in the query of a token request is not read at all, and two credentials are one too many.
    async fn credentials_come_once_and_not_in_the_query(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Action).await;
        let other = world.client(Dialect::Action).await;
        let http = Client::new();
        let query = [
            ("grant_type", "refresh_token"),
            ("client_id", client.client_id.as_str()),
            ("client_secret", client.client_secret.as_str()),
        ];
        let url = url::Url::parse_with_params(&format!("{}/token", world.running.url), &query).unwrap();
        let (status, refused) = read(http.post(url).form(&[("refresh_token", "x")]).send().await.unwrap()).await;
        assert_eq!((status.as_u16(), refused["error"].as_str()), (401, Some("invalid_client")), "{refused}");
        let post = |basic: (&str, &str), body: &[(&str, &str)]| {
            let request = http.post(format!("{}/token", world.running.url)).basic_auth(basic.0, Some(basic.1));
            let request = request.form(&[&[("grant_type", "refresh_token"), ("refresh_token", "x")], body].concat());
            async move { read(request.send().await.unwrap()).await }
        };
        let proven = (client.client_id.as_str(), client.client_secret.as_str());
        let outcome = |(status, answer): (reqwest::StatusCode, Value)| {
            (status.as_u16(), answer["error"].as_str().unwrap_or_default().to_owned())
        };
        let both = [("client_id", proven.0), ("client_secret", proven.1)];
        assert_eq!(outcome(post(proven, &both).await).1, "invalid_request", "a header and a body");
        let another = [("client_secret", other.client_secret.as_str())];
        assert_eq!(outcome(post(proven, &another).await).1, "invalid_request");
        assert_eq!(outcome(post(proven, &[("client_id", other.client_id.as_str())]).await).1, "invalid_request");
        assert_eq!(outcome(post(proven, &[]).await).1, "invalid_grant", "one is enough");
    }
}
