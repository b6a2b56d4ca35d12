//! The person: an authorization request (RFC 6749 §4.1.1), and whoever signs in and consents.
//!
//! A test account is played by filling in the server's own forms, and its password is typed at the server's own origin
//! alone; everybody else uses a browser and gives back the address at which it ended.

use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, basic::BasicClient,
};
use url::{Position, Url};

use super::{
    exchange::Exchange,
    forms::Page,
    registration::Client,
    wire::{Answer, Request, Wire},
};
use crate::model::redirect_uri::has_loopback_host;

/// A person has to press no more often than this.
const HOPS_MAX: usize = 12;

/// Somebody with a browser.
pub trait Person {
    /// Is told where to go, and where this computer waits for the browser to come back.
    fn goes(&mut self, url: &Url, waiting_at: &str);
    /// Is told where to go, and tells where the browser ended.
    fn goes_and_tells(&mut self, url: &Url) -> Result<String, String>;
}

/// A test account. It does not print.
#[derive(Clone)]
pub struct Account {
    /// Its e-mail address.
    pub email: String,
    /// Its password.
    pub password: oauth2::ResourceOwnerPassword,
}

/// What is asked for, beside who asks.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The authorization endpoint.
    pub endpoint: String,
    /// The scopes; an empty text is sent as an empty parameter, nothing as none.
    pub scope: Option<String>,
    /// What tokens are to be for (RFC 8707).
    pub resource: Option<String>,
    /// Whether with PKCE.
    pub with_challenge: bool,
}

/// An authorization request, and what has to be remembered until its answer.
#[derive(Debug)]
pub struct Authorization {
    /// Where the browser goes.
    pub url: Url,
    /// What has to come back unchanged.
    pub state: String,
    /// What proves who asked.
    pub verifier: Option<PkceCodeVerifier>,
}

/// Where a browser ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// It left the server with an answer, for this address, as it was written.
    Left(String),
    /// It stayed, and why.
    Stayed(String),
    /// It came to where only a real browser gets on, and why. That is no mistake of the server's: people have browsers.
    Beyond(String),
}

impl Authorization {
    /// The same with another text that has to come back unchanged.
    #[must_use]
    pub fn with_state(mut self, state: String) -> Self {
        let pairs: Vec<(String, String)> = self.url.query_pairs().into_owned().collect();
        let pairs = pairs.iter().map(|(name, value)| (name, if name == "state" { &state } else { value }));
        self.url.query_pairs_mut().clear().extend_pairs(pairs);
        Self { state, ..self }
    }
}

/// Writes a request. `state` has characters that are easily lost on the way.
pub fn ask(client: &Client, asked: &Asked) -> Result<Authorization, String> {
    let wrong = |what: &'static str| move |error: url::ParseError| format!("{what} is no address: {error}");
    let endpoint = AuthUrl::new(asked.endpoint.clone()).map_err(wrong("the authorization endpoint"))?;
    let callback = RedirectUrl::new(client.redirect_uri.clone()).map_err(wrong("the redirect URI"))?;
    let oauth = BasicClient::new(ClientId::new(client.id.clone())).set_auth_uri(endpoint).set_redirect_uri(callback);
    let fresh = || crate::random::bytes::<12>().map(|byte| format!("{byte:02x}")).concat();
    let state = format!("{}%2F_-~", fresh());
    let own = state.clone();
    let mut request = oauth.authorize_url(move || CsrfToken::new(own));
    match asked.scope.as_deref() {
        Some("") => request = request.add_extra_param("scope", ""),
        Some(scope) => request = request.add_scope(Scope::new(scope.to_owned())),
        None => {}
    }
    // Whether callers send one nobody has said. Some servers want it (OpenID Connect Core §3.1.2.1), which is no mistake.
    if asked.scope.iter().flat_map(|scope| scope.split_whitespace()).any(|scope| scope == "openid") {
        request = request.add_extra_param("nonce", fresh());
    }
    if let Some(resource) = &asked.resource {
        request = request.add_extra_param("resource", resource.clone());
    }
    let mut verifier = None;
    if asked.with_challenge {
        let (challenge, proof) = PkceCodeChallenge::new_random_sha256();
        request = request.set_pkce_challenge(challenge);
        verifier = Some(proof);
    }
    let url = request.url().0;
    // Somebody will open it in a browser, which would do as it is told by any scheme.
    if url.scheme() != "https" && !(url.scheme() == "http" && has_loopback_host(&url)) {
        return Err(format!(
            "the authorization endpoint is neither https nor plain http to this computer: {}:",
            url.scheme()
        ));
    }
    Ok(Authorization { url, state, verifier })
}

/// Signs the test account in and consents, until it is sent to the redirect URI. Every walk has a browser of its own.
pub async fn walk(wire: &Wire, start: &Url, redirect_uri: &str, account: &Account) -> (Ended, Vec<Exchange>) {
    wire.learn(account.password.secret());
    let browser = match wire.browsing() {
        Ok(browser) => browser,
        Err(error) => return (Ended::Stayed(error.to_string()), Vec::new()),
    };
    let ended = walk_in(&browser, start, redirect_uri, account).await;
    if let Ended::Left(location) = &ended {
        learn_code(wire, location);
    }
    (ended, browser.said())
}

/// Hides the code that came back.
pub fn learn_code(wire: &Wire, location: &str) {
    if let Some(code) = parameter(location, "code") {
        wire.learn(&code);
    }
}

async fn walk_in(browser: &Wire, start: &Url, redirect_uri: &str, account: &Account) -> Ended {
    let (mut at, mut request) = (start.clone(), Request::get(start));
    let mut has_signed_in = false;
    for _ in 0..HOPS_MAX {
        let answer = match browser.send(request).await {
            Ok(answer) => answer,
            Err(silence) => return Ended::Stayed(silence.to_string()),
        };
        if let Some(location) = answer.redirect() {
            at = match step(start, &at, location, redirect_uri) {
                Ok(next) => next,
                Err(ended) => return ended,
            };
            request = Request::get(&at);
            continue;
        }
        let page = Page::read(&answer.body);
        if !answer.is_success() {
            return Ended::Stayed(stayed(&answer));
        }
        let filled = match page.sign_in(&at, &account.email, account.password.secret()) {
            Some(filled) if filled.has_password && has_signed_in => {
                return Ended::Stayed("the form to sign in came again".to_owned());
            }
            Some(filled) => {
                has_signed_in |= filled.has_password;
                Some(filled)
            }
            None => page.allowing(&at),
        };
        if filled.is_none() && page.is_made_by_scripts() {
            let place = &at[..Position::AfterPath];
            return Ended::Beyond(format!("{place} makes its page by scripts, which are not run here"));
        }
        let Some(filled) = filled else {
            return Ended::Stayed("it showed a page without a form that signs in or allows".to_owned());
        };
        if filled.url.origin() != start.origin() {
            let place = filled.url.origin().ascii_serialization();
            return Ended::Beyond(format!("a form leads to {place}, where no password is typed"));
        }
        at = filled.url;
        request = match filled.body {
            Some(body) => Request::post(&at, "application/x-www-form-urlencoded", body)
                .with(reqwest::header::ORIGIN, &at.origin().ascii_serialization()),
            None => Request::get(&at),
        };
    }
    Ended::Stayed(format!("it did not end within {HOPS_MAX} pages"))
}

/// Where a redirect leads: on within the server, or back to who asked. Another server may sign people in, and where an
/// answer went astray it still is one.
fn step(start: &Url, at: &Url, location: &str, redirect_uri: &str) -> Result<Url, Ended> {
    let Ok(next) = at.join(location) else {
        return Err(Ended::Stayed(format!("it was sent to {location:?}, which is no address")));
    };
    // As it was written, to compare every byte.
    let left = || if Url::parse(location).is_ok() { location.to_owned() } else { next.to_string() };
    let is_answer = || ["code", "error"].iter().any(|name| told(next.as_str(), name).is_some());
    if arrives(next.as_str(), redirect_uri) {
        return Err(Ended::Left(left()));
    }
    if next.origin() == start.origin() {
        return Ok(next);
    }
    if is_answer() {
        return Err(Ended::Left(left()));
    }
    let place = if next.has_host() { next.origin().ascii_serialization() } else { format!("{}:", next.scheme()) };
    Err(Ended::Beyond(format!("signing in goes on at {place}, where no password is typed")))
}

/// Whether a browser that was sent to an address arrives where the client waits, whatever is in the query.
pub fn arrives(location: &str, redirect_uri: &str) -> bool {
    match (Url::parse(location), Url::parse(redirect_uri)) {
        (Ok(location), Ok(wanted)) => location[..Position::AfterPath] == wanted[..Position::AfterPath],
        _ => false,
    }
}

fn stayed(answer: &Answer) -> String {
    format!("it answered {} with {}", answer.status, answer.content_type())
}

/// A parameter of the address at which a browser ended.
pub fn parameter(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).ok()?;
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// The same of an error's address: one for an unknown `response_type` may stand behind a `#`.
pub fn told(location: &str, name: &str) -> Option<String> {
    let behind = || {
        let url = Url::parse(location).ok()?;
        let mut pairs = url::form_urlencoded::parse(url.fragment()?.as_bytes());
        pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    };
    parameter(location, name).or_else(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_an_answer_only_where_one_is_waited_for_or_it_has_one() {
        let at: Url = "https://a.example/authorize".parse().unwrap();
        let said = |location: &str| match step(&at, &at, location, "https://a.example/own/cb") {
            Ok(next) => format!("on {next}"),
            Err(Ended::Left(location)) => format!("left {location}"),
            Err(Ended::Stayed(why) | Ended::Beyond(why)) => why,
        };
        assert_eq!(said("/login?error=again"), "on https://a.example/login?error=again");
        assert_eq!(said("/own/cb?code=1"), "left https://a.example/own/cb?code=1");
        assert_eq!(said("https://b.example/cb?code=1"), "left https://b.example/cb?code=1");
        assert_eq!(said("app://cb#error=x"), "left app://cb#error=x");
        let elsewhere = said("https://login.example/start?response_type=code");
        assert_eq!(elsewhere, "signing in goes on at https://login.example, where no password is typed");
    }

    #[test]
    fn a_browser_arrives_at_the_very_place() {
        for (location, redirect_uri, is_there) in [
            ("https://c.example/cb?code=1", "https://c.example/cb", true),
            ("https://c.example/cb#error=1", "https://c.example/cb?x=1", true),
            ("https://c.example/cb.evil?code=1", "https://c.example/cb", false),
            ("https://c.example.evil.example/cb?code=1", "https://c.example/cb", false),
            ("https://c.example:8443/cb", "https://c.example/cb", false),
            // As a browser gives it back.
            ("http://localhost:3000/?code=1", "http://localhost:3000", true),
            ("http://localhost/cb?code=1", "http://localhost:80/cb", true),
            ("cursor://a.b/cb?code=1", "cursor://a.b/cb", true),
        ] {
            assert_eq!(arrives(location, redirect_uri), is_there, "{location}");
        }
    }

    #[test]
    fn nobody_is_told_to_open_what_is_no_website() {
        let redirect_uri = "https://client.example/cb".to_owned();
        let client = Client { id: "x".to_owned(), secret: None, by_header: false, redirect_uri };
        let asked = |endpoint: &str| ask(&client, &Asked { endpoint: endpoint.to_owned(), ..Asked::default() });
        assert!(asked("https://a.example/authorize").is_ok() && asked("http://localhost:1/authorize").is_ok());
        for other in ["javascript:alert(1)", "file:///etc/passwd", "http://a.example/authorize", "app://a.example/"] {
            let why = asked(other).unwrap_err();
            assert!(why.contains("neither https nor plain http"), "{other}: {why}");
        }
    }
}
