//! Other services that people sign in at, as real programs that speak TLS on this computer; and a person's browser there.

use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use consentry::model::{
    account::SignUps,
    provider::{EmailSource, Endpoints, Provider, Speaks},
};
use reqwest::{Client, Response, header::LOCATION, redirect::Policy, tls::Certificate};
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::{
    browser::{Arrived, Browser},
    chromium::setting,
    databases::Engine,
    process::free_port,
    server::{Options, World},
    strangers::Strangers,
};

/// Who a server under test is to them.
const CLIENT: (&str, &str) = ("consentry", "a secret that is long enough for this one");

/// How long one may take to begin, on a small machine that is busy.
const SECONDS_MAX: u32 = 60;

/// A service, until it is dropped.
pub struct Elsewhere {
    /// Its origin, which is its issuer.
    pub origin: String,
    /// Its name at the server under test.
    pub name: &'static str,
    kind: &'static str,
    program: Child,
    authority: Vec<u8>,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Elsewhere {
    /// One of a kind (`openid`, `direct`, whose ID tokens say all there is, or `oauth`), for a server at that address, with these people.
    pub async fn start(
        strangers: &Strangers,
        (name, kind): (&'static str, &'static str),
        server: &str,
        people: &Value,
    ) -> Self {
        let port = free_port();
        let origin = format!("https://localhost:{port}");
        let (certificate, key) = strangers.certificate("localhost");
        let script = setting("CONSENTRY_TEST_OIDC_PROVIDER");
        let script = Path::new(&script).with_file_name("sign_in_provider.mjs");
        let mut command = Command::new(setting("CONSENTRY_TEST_NODE_22"));
        command.arg(script).env("ISSUER", &origin).env("KIND", kind).env("PEOPLE", people.to_string());
        command.env("CLIENT_ID", CLIENT.0).env("CLIENT_SECRET", CLIENT.1);
        command.env("REDIRECT_URI", format!("{server}/sign-in/with/{name}/callback"));
        command.env("TLS_CERT", certificate).env("TLS_KEY", key);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = command.spawn().unwrap();
        let mut elsewhere = Self { origin, name, kind, program, authority: strangers.authority_der() };
        for _ in 0..SECONDS_MAX * 10 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return elsewhere;
            }
            assert!(elsewhere.program.try_wait().unwrap().is_none(), "{name} ended");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{name} did not begin within {SECONDS_MAX} s");
    }

    /// As an operator would configure it.
    pub fn provider(&self) -> Provider {
        let at = |path: &str| format!("{}{path}", self.origin).parse::<Url>().unwrap();
        let speaks = match self.kind {
            "oauth" => Speaks::OAuth(Box::new(Endpoints {
                authorization: at("/authorize"),
                token: at("/token"),
                secret_in_body: true,
                userinfo: at("/user"),
                id: "id".to_owned(),
                name: "name".to_owned(),
                email: EmailSource::List(at("/user/emails")),
            })),
            _ => Speaks::OpenId { issuer: self.origin.clone() },
        };
        Provider {
            name: self.name.to_owned(),
            label: format!("The {}", self.name),
            client_id: CLIENT.0.to_owned(),
            client_secret: Zeroizing::new(CLIENT.1.to_owned()).into(),
            scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
            makes_accounts: false,
            speaks,
        }
    }

    /// What a person does there, in a browser nobody has used: signs in and agrees. Answers where that leads.
    pub async fn sign_in(&self, url: &Url, login: &str) -> Url {
        let authority = Certificate::from_der(&self.authority).unwrap();
        let browser = Client::builder().cookie_store(true).redirect(Policy::none()).tls_certs_merge([authority]);
        let browser = browser.build().unwrap();
        let mut url = url.clone();
        if self.kind == "oauth" {
            url.query_pairs_mut().append_pair("login", login);
        }
        let mut response = browser.get(url).send().await.unwrap();
        for _ in 0..12 {
            if let Some(location) = response.headers().get(LOCATION) {
                let next = response.url().join(location.to_str().unwrap()).unwrap();
                if next.origin() != self.origin.parse::<Url>().unwrap().origin() {
                    return next;
                }
                response = browser.get(next).send().await.unwrap();
                continue;
            }
            response = self.answer(&browser, response, login).await;
        }
        panic!("{} does not let go", self.name);
    }

    async fn answer(&self, browser: &Client, response: Response, login: &str) -> Response {
        let (url, status) = (response.url().clone(), response.status());
        let html = response.text().await.unwrap();
        let action = html.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
        let action = url.join(action.unwrap_or_else(|| panic!("{url}: {status}: {html}"))).unwrap();
        let prompt = if html.contains("name=\"login\"") { "login" } else { "consent" };
        let form = [("prompt", prompt), ("login", login), ("password", "any")];
        browser.post(action).form(&form).send().await.unwrap()
    }
}

/// A server under test, and the services people come to it from.
pub struct Neighbours {
    /// The server, with Ada and Grace, who have passwords.
    pub world: World,
    /// The services, in the order in which they were asked for.
    pub elsewhere: Vec<Elsewhere>,
    _strangers: Strangers,
}

/// Who has an account at each of the services, by what they type there as their login.
fn people() -> Value {
    let person = |id: u32, email: &str, verified: bool, name: &str| {
        json!({
            "id": id, "name": name, "email": email, "email_verified": verified,
            "emails": [
                { "email": "old@elsewhere.example", "primary": false, "verified": true },
                { "email": email, "primary": true, "verified": verified },
            ],
        })
    };
    json!({
        "ada": person(7, "ada@example.com", true, "Ada Lovelace"),
        "grace": person(8, "grace@example.com", true, "Grace Hopper"),
        "joan": person(9, "joan@example.com", true, "Joan Clarke"),
        "mallory": person(10, "ada@example.com", false, "Ada Lovelace"),
        "eve": person(11, "eve@example.com", false, "Eve"),
    })
}

impl Neighbours {
    /// Starts them all; `kinds` are the services, a name and a kind each.
    pub async fn new(engine: Engine, kinds: &[(&'static str, &'static str)], sign_ups: SignUps) -> Self {
        let strangers = Strangers::new();
        // Any port of it: the services have theirs in their addresses.
        strangers.lead("localhost", &["127.0.0.1:0".parse().unwrap()]);
        let port = free_port();
        let url = format!("http://localhost:{port}");
        let mut elsewhere = Vec::new();
        for kind in kinds {
            elsewhere.push(Elsewhere::start(&strangers, *kind, &url, &people()).await);
        }
        let providers = elsewhere.iter().map(Elsewhere::provider).collect();
        let outbound = strangers.settings();
        let options = Options { outbound, port, providers, sign_ups, ..Options::default() };
        let world = World::with(engine, options).await;
        Self { world, elsewhere, _strangers: strangers }
    }

    /// Where a browser is sent that wants to sign in at a service; the query says what for.
    pub async fn leave(&self, browser: &Browser, number: usize, query: &str) -> Url {
        browser.get(&format!("/sign-in/with/{}?{query}", self.elsewhere[number].name)).await.left()
    }

    /// Signs in at a service, and comes back.
    pub async fn through(&self, browser: &Browser, number: usize, query: &str, login: &str) -> Arrived {
        let left = self.leave(browser, number, query).await;
        let back = self.elsewhere[number].sign_in(&left, login).await;
        browser.get(back.as_str()).await
    }
}
