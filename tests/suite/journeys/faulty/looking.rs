//! Looks at a server from outside, as a client would, and writes down what is not as it should be.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use consentry::clock::Clock;
use futures_util::future::join;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::visitor::{Answer, CALLBACK, Encoding, STATE, VERIFIER, Visitor, header, location, parameter};
use crate::harness::faulty::Faulty;

/// A check's name, and what was seen where something else should have been.
pub type Finding = (&'static str, String);

const ASSISTANT: &str = "openai-mcp/1.0.0 (ChatGPT)";

/// Everything that is wrong.
pub async fn findings(faulty: &Faulty) -> Vec<Finding> {
    let mut looking = Looking { visitor: Visitor::new(faulty), found: Vec::new() };
    looking.reach().await;
    looking.resource().await;
    let metadata = looking.metadata().await;
    looking.manifest().await;
    looking.registration().await;
    looking.authorization(&metadata).await;
    looking.tokens(&metadata).await;
    looking.found
}

struct Looking<'a> {
    visitor: Visitor<'a>,
    found: Vec<Finding>,
}

impl Looking<'_> {
    fn hold(&mut self, check: &'static str, is_right: bool, seen: impl Into<String>) {
        if !is_right {
            self.found.push((check, seen.into()));
        }
    }

    async fn reach(&mut self) {
        let logo = format!("{}/logo.png", self.visitor.faulty.url);
        let call = self.visitor.http.get(&logo).header("user-agent", ASSISTANT);
        let status = call.send().await.expect("an answer").status().as_u16();
        self.hold("reach.bot_filter", status == 200, format!("{status} to an assistant"));
        let nobody = reqwest::get(&logo).await.expect("an answer").status().as_u16();
        self.hold("reach.bot_filter", nobody == 200, format!("{nobody} to nobody"));
        let call = self.visitor.http.post(&self.visitor.faulty.resource).header("user-agent", ASSISTANT);
        let status = call.send().await.expect("an answer").status().as_u16();
        self.hold("reach.bot_filter", status == 401, format!("{status} of the API to an assistant"));
        let answer = self.visitor.get(&self.visitor.faulty.url).await;
        let date = header(&answer, "date").expect("a date");
        let date = DateTime::parse_from_rfc2822(&date).expect("a date").to_utc();
        let off = (Clock::system().now() - date).num_minutes();
        self.hold("reach.clock", off.abs() < 5, format!("{off} minutes off"));
    }

    async fn resource(&mut self) {
        let faulty = self.visitor.faulty;
        let answer = self.visitor.call_api(None).await;
        let document = format!("{}/.well-known/oauth-protected-resource/mcp", faulty.url);
        let challenge = header(&answer, "www-authenticate");
        let is_right = answer.status() == 401
            && challenge.as_ref().is_some_and(|it| it.contains(&format!("resource_metadata=\"{document}\"")));
        self.hold("discovery.challenge", is_right, format!("{} with {challenge:?}", answer.status().as_u16()));
        for tail in ["", "/mcp"] {
            let place = format!("{}/.well-known/oauth-protected-resource{tail}", faulty.url);
            let answer = self.visitor.get(&place).await;
            let allowed = header(&answer, "access-control-allow-origin");
            let seen = format!("access-control-allow-origin: {allowed:?}");
            self.hold("discovery.cors", allowed.as_deref() == Some("*"), seen);
            let document = Answer::of(answer).await;
            let resource = document.text("resource");
            let is_right =
                resource == faulty.resource && document.json["authorization_servers"] == json!([faulty.issuer]);
            let seen = format!("{} {resource} is not {}", document.status, faulty.resource);
            self.hold("discovery.resource_metadata", is_right, seen);
        }
    }

    /// The metadata, from wherever it stands; null if it stands nowhere.
    async fn metadata(&mut self) -> Value {
        let (faulty, well_known) = (self.visitor.faulty, "/.well-known/oauth-authorization-server");
        let path = Url::parse(&faulty.issuer).expect("a URL").path().trim_end_matches('/').to_owned();
        let inserted = self.visitor.get(&format!("{}{well_known}{path}", faulty.url)).await;
        let answer = match inserted.status().as_u16() {
            302 => {
                self.hold("discovery.redirects", false, format!("302 to {}", location(&inserted)));
                self.visitor.get(&format!("{}{}", faulty.url, location(&inserted))).await
            }
            404 => {
                let appended = self.visitor.get(&self.visitor.at(well_known)).await;
                if appended.status() == 404 {
                    self.hold("discovery.server_metadata", false, "404 everywhere");
                    return Value::Null;
                }
                self.hold("discovery.every_form", false, "404 where it is inserted");
                appended
            }
            _ => inserted,
        };
        let metadata = Answer::of(answer).await;
        self.hold("discovery.content_type", metadata.content_type == "application/json", &metadata.content_type);
        let kept = &metadata.cache_control;
        self.hold("discovery.cache", kept.is_some(), format!("cache-control: {kept:?}"));
        let endpoint = &metadata.json["token_endpoint"];
        self.hold("metadata.endpoints", endpoint.is_string(), format!("token_endpoint: {endpoint}"));
        let issuer = metadata.text("issuer");
        self.hold("discovery.issuer", issuer == faulty.issuer, format!("{issuer} is not {}", faulty.issuer));
        for (check, member, value) in [
            ("metadata.pkce", "code_challenge_methods_supported", "S256"),
            ("metadata.response_types", "response_types_supported", "code"),
            ("metadata.auth_methods", "token_endpoint_auth_methods_supported", "none"),
        ] {
            let values = &metadata.json[member];
            let is_right = values.as_array().is_some_and(|values| values.contains(&json!(value)));
            self.hold(check, is_right, format!("{member}: {values}"));
        }
        for endpoint in ["/token", "/register"] {
            let asking = self.visitor.http.request(Method::OPTIONS, self.visitor.at(endpoint));
            let answer = asking.header("origin", "https://a.example").send().await.expect("an answer");
            let allowed = header(&answer, "access-control-allow-origin");
            self.hold("metadata.cors", allowed.as_deref() == Some("*"), format!("{endpoint}: {allowed:?}"));
        }
        let keys = self.visitor.get(metadata.text("jwks_uri")).await.status().as_u16();
        self.hold("keys.fetch", keys == 200, keys.to_string());
        metadata.json
    }

    async fn manifest(&mut self) {
        let place = format!("{}/.well-known/ai-plugin.json", self.visitor.faulty.url);
        let manifest = Answer::of(self.visitor.get(&place).await).await.json;
        for (member, limit) in [("name_for_human", 20), ("name_for_model", 50), ("description_for_human", 100)] {
            let length = manifest[member].as_str().expect("text").chars().count();
            self.hold("manifest.rules", length <= limit, format!("{member} has {length} characters"));
        }
        for url in [&manifest["legal_info_url"], &manifest["api"]["url"], &manifest["auth"]["client_url"]] {
            let url = url.as_str().expect("a URL");
            self.hold("manifest.domains", url.starts_with(&self.visitor.faulty.url), url);
        }
        let token = manifest["auth"]["verification_tokens"]["openai"].as_str().expect("a token");
        self.hold("manifest.verification_token", token.bytes().all(|b| b.is_ascii_hexdigit()), token);
        let described = self.visitor.get(manifest["api"]["url"].as_str().expect("a URL")).await.status();
        self.hold("manifest.description", described == 200, described.as_str());
        let proof = format!("{}/.well-known/openai-apps-challenge", self.visitor.faulty.url);
        let proof = Answer::of(self.visitor.get(&proof).await).await.content_type;
        self.hold("challenge.file", proof.starts_with("text/plain"), proof);
    }

    async fn registration(&mut self) {
        let callbacks = json!([CALLBACK, "cursor://anysphere.cursor-mcp/oauth/callback", "https://a.example/callback"]);
        let mut client = json!({
            "client_name": "<Looking>",
            "redirect_uris": callbacks,
            "token_endpoint_auth_method": "none",
        });
        let place = self.visitor.at("/register");
        let post = |client: &Value| self.visitor.http.post(&place).json(client).send();
        let plain = Answer::of(post(&client).await.expect("an answer")).await;
        client["application_type"] = "native".into();
        let answer = Answer::of(post(&client).await.expect("an answer")).await;
        self.hold("registration.works", plain.status == 201 && answer.status == 201, answer.text("error_description"));
        let kept = plain.json["redirect_uris"].as_array().map_or(0, Vec::len);
        let is_right = plain.status != 201 || plain.json["redirect_uris"] == callbacks;
        self.hold("registration.redirect_uris", is_right, format!("{kept} of 3"));
        let end = plain.json["client_secret_expires_at"].as_i64().unwrap_or_default();
        self.hold("registration.lifetime", end == 0, format!("client_secret_expires_at: {end}"));
    }

    async fn authorization(&mut self, metadata: &Value) {
        let denied = self.visitor.decide(&self.visitor.request(&[]), "deny").await;
        let answer = self.visitor.get(&self.visitor.request(&[("response_type", "token")])).await;
        let refused = if answer.status() == 303 { Ok(location(&answer)) } else { Err(answer.status()) };
        let refused = refused.map(|place| Url::parse(&place).expect("a URL"));
        for (left, error) in [(denied, "access_denied"), (refused, "unsupported_response_type")] {
            match left {
                Err(status) => {
                    self.hold("authorize.error", false, format!("{} and no redirect", status.as_u16()));
                }
                Ok(left) => {
                    let is_right = parameter(&left, "error").as_deref() == Some(error);
                    self.hold("authorize.error", is_right, left.as_str());
                    self.returned(&left, metadata, "an error");
                }
            }
        }
        let resource = self.visitor.faulty.resource.clone();
        let unusual: [(&str, &[(&str, &str)]); 3] = [
            ("authorize.scope", &[("scope", "")]),
            ("authorize.code", &[("code_challenge", ""), ("code_challenge_method", "")]),
            ("authorize.code", &[("resource", &resource)]),
        ];
        for (check, changes) in unusual {
            let answer = self.visitor.get(&self.visitor.request(changes)).await;
            let error = header(&answer, "location").and_then(|place| parameter(&Url::parse(&place).ok()?, "error"));
            self.hold(check, error.is_none(), error.unwrap_or_default());
        }
        let allowed = self.visitor.decide(&self.visitor.request(&[]), "allow").await.expect("a redirect");
        self.returned(&allowed, metadata, "a code");
    }

    fn returned(&mut self, left: &Url, metadata: &Value, with: &str) {
        self.hold("authorize.redirect", left.as_str().starts_with(&format!("{CALLBACK}?")), left.as_str());
        let state = parameter(left, "state").unwrap_or_default();
        self.hold("authorize.state", state == STATE, format!("{state} came back"));
        // Without metadata nothing was promised, and what comes is compared with what was asked.
        let issuer = metadata["issuer"].as_str().unwrap_or(&self.visitor.faulty.issuer);
        let iss = parameter(left, "iss");
        self.hold("authorize.iss", iss.as_deref() == Some(issuer), format!("with {with}: {iss:?}"));
    }

    async fn tokens(&mut self, metadata: &Value) {
        let by_form = self.visitor.redeem(Encoding::Form, &self.visitor.code().await).await;
        self.hold("token.form", by_form.status == 200, by_form.text("error_description"));
        let by_json = self.visitor.redeem(Encoding::Json, &self.visitor.code().await).await;
        self.hold("token.json", by_json.status == 200, by_json.text("error_description"));
        let (encoding, answer) =
            if by_form.status == 200 { (Encoding::Form, by_form) } else { (Encoding::Json, by_json) };
        for (check, member) in
            [("token.type", "token_type"), ("token.refresh_token", "refresh_token"), ("token.expires_in", "expires_in")]
        {
            self.hold(check, !answer.json[member].is_null(), format!("{member}: {}", answer.json[member]));
        }
        let kept = &answer.cache_control;
        self.hold("token.cache", kept.as_deref() == Some("no-store"), format!("cache-control: {kept:?}"));
        let refused = self.visitor.redeem(encoding, "no-such-code").await;
        let is_right = refused.status == 400 && refused.text("error") == "invalid_grant";
        self.hold("token.errors", is_right, format!("{} {}", refused.status, refused.content_type));
        let offers_openid = metadata["scopes_supported"].as_array().is_some_and(|all| all.contains(&json!("openid")));
        let is_whole = !answer.json["id_token"].is_null() && !metadata["userinfo_endpoint"].is_null();
        self.hold("discovery.openid", !offers_openid || is_whole, "no id_token");
        let token = answer.text("access_token").to_owned();
        self.claims(&token, metadata, &answer).await;
        let status = self.visitor.call_api(Some(&token)).await.status().as_u16();
        self.hold("api.accepts", status == 200, format!("{status} to a fresh token"));
        let status = self.visitor.call_api(Some("made-up")).await.status().as_u16();
        self.hold("api.refuses", status == 401, format!("{status} to a token that is made up"));
        self.proofs(encoding).await;
        if answer.json["refresh_token"].is_string() {
            self.refreshing(encoding, answer.text("refresh_token")).await;
        }
    }

    /// What whoever has a code must prove, and that once.
    async fn proofs(&mut self, encoding: Encoding) {
        for (check, changed) in [("token.pkce", "code_verifier"), ("token.redirect_uri", "redirect_uri")] {
            let code = self.visitor.code().await;
            let value = |name, usual| if name == changed { "https://another.example/and-long-enough" } else { usual };
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", value("redirect_uri", CALLBACK)),
                ("code_verifier", value("code_verifier", VERIFIER)),
            ];
            let answer = self.visitor.token(encoding, &fields).await;
            self.hold(check, answer.json["access_token"].is_null(), answer.status.to_string());
        }
        let code = self.visitor.code().await;
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
        let answer = self.visitor.token(encoding, &fields).await;
        self.hold("token.pkce", answer.json["access_token"].is_null(), answer.status.to_string());
        let code = self.visitor.code().await;
        let _ = self.visitor.redeem(encoding, &code).await;
        let again = self.visitor.redeem(encoding, &code).await;
        self.hold("token.code_once", again.json["access_token"].is_null(), again.status.to_string());
    }

    async fn claims(&mut self, token: &str, metadata: &Value, answer: &Answer) {
        let body = token.split('.').nth(1).expect("a JWT");
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).expect("base64url")).expect("JSON");
        let is_for_us = claims["aud"] == json!(self.visitor.faulty.resource) || self.is_named(&claims["aud"]).await;
        self.hold("audience.token", is_for_us, claims["aud"].to_string());
        let now = answer.date.expect("a date");
        // Rounded: a server's `Date` may be half a second old, and thus tell the second before.
        let left = (claims["exp"].as_i64().expect("a time") - now.timestamp() + 30).div_euclid(60);
        self.hold("token.expiry", left > 0, format!("expired {} minutes ago", -left));
        let said = answer.json["expires_in"].as_i64().unwrap_or_default();
        self.hold("token.expiry", said <= 3600, format!("it is good for an hour, not {said} seconds"));
        let issuer = metadata["issuer"].as_str().unwrap_or(&self.visitor.faulty.issuer);
        self.hold("token.issuer", claims["iss"] == json!(issuer), claims["iss"].to_string());
        let keys = self.visitor.get(metadata["jwks_uri"].as_str().unwrap_or(&self.visitor.at("/jwks.json"))).await;
        let Ok(keys) = keys.json::<JwkSet>().await else { return };
        let mut validation = Validation::new(Algorithm::ES256);
        (validation.validate_aud, validation.validate_exp) = (false, false);
        let header = jsonwebtoken::decode_header(token).expect("a header");
        let Some(kid) = header.kid else { return self.hold("token.signature", false, "no kid") };
        let Some(key) = keys.find(&kid) else { return self.hold("token.signature", false, format!("no key {kid}")) };
        let verified = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).expect("a key"), &validation);
        let seen = verified.as_ref().map_or_else(|error| format!("{:?}", error.kind()), |_| String::new());
        self.hold("token.signature", verified.is_ok(), seen);
    }

    /// Whether the resource's own document calls it that.
    async fn is_named(&self, audience: &Value) -> bool {
        let place = format!("{}/.well-known/oauth-protected-resource", self.visitor.faulty.url);
        Answer::of(self.visitor.get(&place).await).await.json["resource"] == *audience
    }

    async fn refreshing(&mut self, encoding: Encoding, first: &str) {
        let next = self.visitor.refresh(encoding, first).await;
        self.hold("refresh.works", next.status == 200, format!("{} {}", next.status, next.text("error")));
        if next.status != 200 {
            return;
        }
        let again = self.visitor.refresh(encoding, first).await;
        let later = self.visitor.refresh(encoding, again.text("refresh_token")).await;
        let is_right = again.status == 200 && later.status == 200;
        self.hold("refresh.lost_answer", is_right, format!("the second time: {}", again.status));
        let other = self.visitor.redeem(encoding, &self.visitor.code().await).await;
        let token = other.text("refresh_token");
        let (one, two) = join(self.visitor.refresh(encoding, token), self.visitor.refresh(encoding, token)).await;
        let mut both = [one.status, two.status];
        both.sort_unstable();
        let winner = if one.status == 200 { one } else { two };
        let later = self.visitor.refresh(encoding, winner.text("refresh_token")).await;
        let is_right = both == [200, 200] && later.status == 200;
        self.hold("refresh.parallel", is_right, format!("side by side: {both:?}, then {}", later.status));
    }
}
