//! A little browser: keeps cookies, follows redirects on this server only, fills in forms. And the steps a client
//! takes, in the words of the protocol.

use reqwest::{Client, Response, StatusCode, header::LOCATION, redirect::Policy};
use serde_json::Value;
use url::Url;

use super::{
    minted,
    server::{CALLBACK, PASSWORD, Registered, Running},
};

/// A browser with nobody signed in.
pub struct Browser {
    /// Sends requests as they are; redirects are followed by hand.
    pub http: Client,
    issuer: Url,
}

/// A page with its status and where it was found.
#[derive(Debug)]
pub struct Page {
    /// Where.
    pub url: Url,
    /// How.
    pub status: StatusCode,
    /// What.
    pub html: String,
}

/// Where a walk ended.
#[derive(Debug)]
pub enum Arrived {
    /// At a page of ours.
    Page(Page),
    /// On the way to somebody else: the redirect was not followed.
    Left(Url),
}

impl Arrived {
    /// The page, or the test fails.
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Left(url) => panic!("left for {url}"),
        }
    }

    /// The redirect's target, or the test fails.
    pub fn left(self) -> Url {
        match self {
            Self::Left(url) => url,
            Self::Page(page) => panic!("stayed at {} ({}): {}", page.url, page.status, page.html),
        }
    }
}

impl Page {
    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\" value=\"");
        let start =
            self.html.find(&marker).unwrap_or_else(|| panic!("no field {name} in {}", self.html)) + marker.len();
        let end = self.html[start..].find('"').expect("a closed attribute");
        let value = &self.html[start..start + end];
        minted::in_form(&[(name, value)]);
        value.to_owned()
    }

    /// Where the page offers to lead out, with a person's own click.
    pub fn offered(&self) -> String {
        let marker = "<a class=\"button secondary wide\" href=\"";
        let start = self.html.find(marker).unwrap_or_else(|| panic!("no way out of {}", self.html)) + marker.len();
        let end = self.html[start..].find('"').expect("a closed attribute");
        let href = self.html[start..start + end].replace("&#38;", "&");
        assert!(!href.contains("&#"), "{href}");
        href
    }
}

impl Browser {
    /// A new browser.
    pub fn new(running: &Running) -> Self {
        Self::at(&running.url)
    }

    /// A new browser for the server at an address.
    pub fn at(url: &str) -> Self {
        let http = Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client");
        Self { http, issuer: url.parse().expect("a URL") }
    }

    /// An address on the server: a path is counted from the public URL, whatever path that has itself.
    fn on(&self, address: &str) -> Url {
        let below = self.issuer.as_str().trim_end_matches('/');
        let whole = if address.starts_with('/') { format!("{below}{address}") } else { address.to_owned() };
        whole.parse().expect("an address")
    }

    /// The path of a page, counted from the public URL.
    fn place<'a>(&self, page: &'a Page) -> &'a str {
        let path = page.url.path();
        path.strip_prefix(self.issuer.path().trim_end_matches('/')).unwrap_or(path)
    }

    /// Goes to an address and follows redirects as long as they stay on this server.
    pub async fn get(&self, address: &str) -> Arrived {
        let response = self.http.get(self.on(address)).send().await.expect("an answer");
        self.follow(response).await
    }

    /// Sends a form and follows redirects.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Arrived {
        minted::in_form(fields);
        let response = self.http.post(self.on(path)).form(fields).send().await.expect("an answer");
        self.follow(response).await
    }

    async fn follow(&self, mut response: Response) -> Arrived {
        for _ in 0..10 {
            minted::in_cookies(response.headers());
            let Some(location) = response.headers().get(LOCATION) else {
                let (url, status) = (response.url().clone(), response.status());
                let html = response.text().await.expect("a body");
                minted::in_text(&html);
                return Arrived::Page(Page { url, status, html });
            };
            let location = location.to_str().expect("a readable address");
            let next = response.url().join(location).expect("an address");
            minted::in_url(&next);
            if next.origin() != self.issuer.origin() {
                return Arrived::Left(next);
            }
            response = self.http.get(next).send().await.expect("an answer");
        }
        panic!("redirects without end");
    }

    /// Fills in the sign-in form.
    pub async fn sign_in(&self, page: &Page, email: &str) -> Arrived {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        self.post("/sign-in", &[("r", &r), ("csrf", &csrf), ("email", email), ("password", PASSWORD)]).await
    }

    /// Answers the consent form.
    pub async fn decide(&self, page: &Page, decision: &str) -> Arrived {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        self.post("/consent", &[("r", &r), ("csrf", &csrf), ("decision", decision)]).await
    }

    /// Walks the whole way as a person who agrees: the redirect back to the client.
    pub async fn agree(&self, authorize: &str, email: &str) -> Url {
        let mut arrived = self.get(authorize).await;
        for _ in 0..3 {
            arrived = match arrived {
                Arrived::Page(page) if self.place(&page) == "/sign-in" => self.sign_in(&page, email).await,
                Arrived::Page(page) if self.place(&page) == "/consent" => self.decide(&page, "allow").await,
                other => return other.left(),
            };
        }
        arrived.left()
    }
}

/// A parameter of a redirect.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The authorization request of a plugin: no PKCE, an empty scope.
pub fn plugin_request(client: &Registered) -> String {
    authorize(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", CALLBACK),
        ("scope", ""),
        ("state", "15014bf5-a%2Bb"),
    ])
}

/// An authorization request.
pub fn authorize(parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/authorize?{query}")
}

impl Running {
    /// Posts a form to an endpoint: status and JSON.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        minted::in_form(fields);
        let response = Client::new().post(format!("{}{path}", self.url)).form(fields).send().await.expect("an answer");
        read(response).await
    }

    /// Posts JSON to an endpoint: status and JSON.
    pub async fn json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        minted::in_json(body);
        let response = Client::new().post(format!("{}{path}", self.url)).json(body).send().await.expect("an answer");
        read(response).await
    }

    /// A code for a plugin, agreed to by Ada in a browser of her own.
    pub async fn code(&self, client: &Registered) -> String {
        let left = Browser::new(self).agree(&plugin_request(client), "ada@example.com").await;
        parameter(&left, "code").unwrap_or_else(|| panic!("no code in {left}"))
    }

    /// Redeems a code with the secret in a form body.
    pub async fn redeem(&self, client: &Registered, code: &str) -> (StatusCode, Value) {
        self.redeem_at(client, code, CALLBACK).await
    }

    /// The same for a code that was sent to another callback.
    pub async fn redeem_at(&self, client: &Registered, code: &str, callback: &str) -> (StatusCode, Value) {
        self.form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", &client.client_id),
                ("client_secret", &client.client_secret),
                ("code", code),
                ("redirect_uri", callback),
            ],
        )
        .await
    }

    /// Presents a refresh token with the secret in a form body.
    pub async fn refresh(&self, client: &Registered, refresh_token: &str) -> (StatusCode, Value) {
        self.form(
            "/token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &client.client_id),
                ("client_secret", &client.client_secret),
                ("refresh_token", refresh_token),
            ],
        )
        .await
    }

    /// Asks about a token as the given client, by HTTP Basic.
    pub async fn introspect(&self, client: &Registered, token: &str) -> (StatusCode, Value) {
        let response = Client::new()
            .post(format!("{}/introspect", self.url))
            .basic_auth(&client.client_id, Some(&client.client_secret))
            .form(&[("token", token)])
            .send()
            .await
            .expect("an answer");
        read(response).await
    }
}

/// Status and JSON of an answer; an empty body is `null`.
pub async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.expect("a body");
    let json = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
    minted::in_json(&json);
    (status, json)
}
