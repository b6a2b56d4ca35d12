//! What connectors show and are shown: one registers with the operator's token and manages its registration, one has a
//! document and signs, and both make every mistake on the way. Whoever looks for secrets afterwards (`log`, `secrets`)
//! is told all that there were.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::{
    model::{
        digest::Digest,
        mechanisms::{Mechanisms, Registrants, RegistrationPolicy},
    },
    random,
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    browser::read,
    connector::{CLIENT_ID, Connector, Proof, VERIFIER, now, publish, refresh_token, shapes},
    databases::Engine,
    server::{Options, Running, World},
    signer::Signer,
    strangers::{Strangers, host::Host},
};

const CALLBACK: &str = "https://app.example/cb";

/// A server at which one must show a token to register, and whose clients' documents are at hand.
pub struct Connecting {
    pub world: World,
    /// The operator's token.
    pub initial: String,
    /// Of the client with a document.
    pub signer: Signer,
    _host: Host,
    _strangers: Strangers,
}

/// A client that registered itself.
pub struct Registrant {
    pub client_id: String,
    pub client_secret: String,
    /// What manages it.
    pub token: String,
    uri: String,
}

/// What a secret is, and its text.
pub type Secret = (&'static str, String);

impl Connecting {
    pub async fn new(engine: Engine) -> Self {
        let initial = URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        let registrants = Registrants::Bearer(Digest::of(&initial).into());
        let registration = RegistrationPolicy { registrants, ..RegistrationPolicy::default() };
        let mechanisms = Mechanisms { registration, ..Mechanisms::default() };
        let strangers = Strangers::new();
        let (host, signer) = (strangers.host("chatgpt.com"), Signer::rs256("key-1"));
        publish(&host, &shapes()[1].1, &signer);
        let options = Options { mechanisms, outbound: strangers.settings(), ..Options::default() };
        let world = World::with(engine, options).await;
        Self { world, initial, signer, _host: host, _strangers: strangers }
    }

    /// Registers a client with a secret.
    pub async fn register(&self) -> Registrant {
        let url = format!("{}/register", self.running().url);
        let (status, told) = send(Method::POST, &url, &self.initial, &asked()).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{name}: {told}")).to_owned();
        Registrant {
            client_id: text("client_id"),
            client_secret: text("client_secret"),
            token: text("registration_access_token"),
            uri: text("registration_client_uri"),
        }
    }

    /// Both connect, with every mistake there is. Answers all that was secret.
    pub async fn with_every_mistake(&self) -> Vec<Secret> {
        let registrant = self.register().await;
        self.register_wrongly(&registrant).await;
        let mut secrets = self.connect_registered(&registrant).await;
        secrets.extend(self.connect_with_keys().await);
        registrant.leave(&self.initial).await;
        let Registrant { client_secret, token, .. } = registrant;
        secrets.extend([
            ("initial access token", self.initial.clone()),
            ("registration access token", token),
            ("secret of a registered client", client_secret),
            ("verifier", VERIFIER.to_owned()),
        ]);
        secrets
    }

    pub fn running(&self) -> &Running {
        &self.world.running
    }

    /// Registering where nobody looks for a token, with one that is not good, and with one in a body that is no JSON.
    async fn register_wrongly(&self, other: &Registrant) {
        let url = format!("{}/register", self.running().url);
        for (url, shown) in [
            (&url, ""),
            (&url, other.token.as_str()),
            (&url, &other.client_secret),
            (&url, &self.initial[1..]),
            (&format!("{url}?access_token={}", self.initial), ""),
        ] {
            let (status, told) = send(Method::POST, url, shown, &asked()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{told}");
        }
        let broken = format!("{{\"client_secret\":\"{}\",\"token\":\"{}\"", other.client_secret, self.initial);
        let request = Client::new().post(&url).bearer_auth(&self.initial).body(broken);
        let (status, told) = read(request.header("content-type", "application/json").send().await.unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
    }

    async fn connect_registered(&self, registrant: &Registrant) -> Vec<Secret> {
        registrant.manage(&self.initial).await;
        let Registrant { client_id, client_secret, token, .. } = registrant;
        let connector = Connector {
            client_id,
            redirect_uri: CALLBACK,
            ..Connector::new(self.running(), Proof::Basic(client_secret))
        };
        let code = connector.code(&[]).await;
        for wrong in [Proof::Secret(token), Proof::Basic(&self.initial), Proof::Nothing] {
            let (status, told) = connector.by(wrong).redeem(&code).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{told}");
        }
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        let longer = format!("{VERIFIER}x");
        let wrong = [fields.as_slice(), &[("code_verifier", &longer)]].concat();
        assert_eq!(connector.call("/token", &wrong).await.1["error"], "invalid_grant");
        let (status, tokens) = connector.redeem(&code).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        let refresh = refresh_token(&tokens);
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        connector.call("/introspect", &[("token", &access)]).await;
        connector.call("/introspect", &[("token", token)]).await;
        let (status, next) = connector.by(Proof::Secret(client_secret)).refresh(&refresh).await;
        assert_eq!(status, StatusCode::OK, "{next}");
        vec![
            ("code of a registered client", code),
            ("its access token", access),
            ("its refresh token", refresh),
            ("its next refresh token", refresh_token(&next)),
        ]
    }

    async fn connect_with_keys(&self) -> Vec<Secret> {
        let running = self.running();
        let assertion = || self.signer.assertion(CLIENT_ID, &running.url, now(&running.server));
        let (used, unused, late) = (assertion(), assertion(), assertion());
        let connector = Connector::new(running, Proof::Assertion(&used));
        let code = connector.code(&[]).await;
        let (status, tokens) = connector.redeem(&code).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        let refresh = refresh_token(&tokens);
        // Used twice, cut off, for somebody else, and where it does not belong.
        assert_eq!(connector.refresh(&refresh).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(connector.by(Proof::Assertion(&unused[..unused.len() - 8])).refresh(&refresh).await.0, 401);
        let other = Connector { client_id: "https://chatgpt.com/oauth/other.json", ..connector };
        assert_eq!(other.by(Proof::Assertion(&unused)).refresh(&refresh).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(connector.by(Proof::Secret(&unused)).refresh(&refresh).await.0, 401);
        assert_eq!(connector.by(Proof::Assertion(&late)).refresh(&unused).await.0, 400);
        let (status, next) = connector.by(Proof::Assertion(&unused)).refresh(&refresh).await;
        assert_eq!(status, StatusCode::OK, "{next}");
        let signature = |assertion: &str| assertion.rsplit_once('.').unwrap().1.to_owned();
        vec![
            ("signature of the assertion that was used", signature(&used)),
            ("signature of another assertion", signature(&unused)),
            ("assertion that was used", used),
            ("another assertion", unused),
            ("an assertion for nothing", late),
            ("code of a client with keys", code),
            ("refresh token of a client with keys", refresh),
        ]
    }
}

impl Registrant {
    /// Looks and changes, with tokens that are good and that are not.
    async fn manage(&self, initial: &str) {
        let own = json!({ "client_id": self.client_id, "client_secret": self.client_secret });
        let foreign = json!({ "client_id": self.client_id, "client_secret": self.token });
        for (method, shown, more, expected) in [
            (Method::GET, self.token.as_str(), json!({}), StatusCode::OK),
            (Method::GET, initial, json!({}), StatusCode::UNAUTHORIZED),
            (Method::GET, &self.client_secret, json!({}), StatusCode::UNAUTHORIZED),
            (Method::PUT, &self.client_secret, own.clone(), StatusCode::UNAUTHORIZED),
            (Method::PUT, &self.token, foreign, StatusCode::BAD_REQUEST),
            (Method::PUT, &self.token, own, StatusCode::OK),
            (Method::DELETE, &self.client_secret, json!({}), StatusCode::UNAUTHORIZED),
        ] {
            let mut body = asked();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let (status, told) = send(method.clone(), &self.uri, shown, &body).await;
            assert_eq!(status, expected, "{method}: {told}");
        }
    }

    async fn leave(&self, initial: &str) {
        for (method, shown, expected) in [
            (Method::DELETE, initial, StatusCode::UNAUTHORIZED),
            (Method::DELETE, &self.token, StatusCode::NO_CONTENT),
            (Method::GET, &self.token, StatusCode::UNAUTHORIZED),
        ] {
            assert_eq!(send(method, &self.uri, shown, &json!({})).await.0, expected);
        }
    }
}

fn asked() -> Value {
    json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic", "client_name": "App" })
}

/// Sends a body with a bearer token, or without one when it is empty.
async fn send(method: Method, url: &str, token: &str, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().request(method, url).json(body);
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    read(request.send().await.expect("an answer")).await
}
