//! A browser whose cookies and headers are handled by hand: it can lose, steal and plant them, and speak to a server
//! at its own address under the public URL's name.

use std::{collections::BTreeMap, sync::Mutex};

use reqwest::{
    Client, RequestBuilder, Response,
    header::{HOST, HeaderMap, LOCATION, SET_COOKIE},
    redirect::Policy,
};

use crate::harness::{
    browser, minted,
    server::{Node, PASSWORD},
};

/// A browser without any memory but these cookies.
pub struct ByHand {
    http: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// An answer, read whole; redirects are not followed.
#[derive(Debug)]
pub struct Answer {
    /// How.
    pub status: u16,
    /// With which headers.
    pub headers: HeaderMap,
    /// What.
    pub body: String,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (status, headers, url) = (response.status().as_u16(), response.headers().clone(), response.url().clone());
        let answer = Self { status, headers, body: response.text().await.expect("a body") };
        minted::in_cookies(&answer.headers);
        minted::in_text(&answer.body);
        if let Some(Ok(next)) = answer.location().map(|location| url.join(location)) {
            minted::in_url(&next);
        }
        answer
    }

    /// Where it redirects to, if it does.
    pub fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION).map(|value| value.to_str().expect("a readable address"))
    }

    /// Where it redirects to, or the test fails.
    pub fn redirect(&self) -> &str {
        self.location().unwrap_or_else(|| panic!("no redirect but {}: {}", self.status, self.body))
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("readable")).unwrap_or_default()
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        self.page().hidden(name)
    }

    /// Where the page offers to lead out.
    pub fn offered(&self) -> String {
        self.page().offered()
    }

    fn page(&self) -> browser::Page {
        let url = "http://localhost/".parse().expect("a URL");
        browser::Page { url, status: self.status.try_into().expect("a status"), html: self.body.clone() }
    }
}

impl ByHand {
    /// A browser with nobody signed in.
    pub fn new() -> Self {
        let http = Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { http, cookies: Mutex::default() }
    }

    /// A browser in which somebody is signed in, with nothing in flight.
    pub async fn signed_in(node: &impl Node, email: &str) -> Self {
        let browser = Self::new();
        let page = browser.get(node, "/sign-in").await;
        assert_eq!(browser.sign_in(node, &page, email, PASSWORD).await.redirect(), "/");
        browser
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("cookies").get(name).cloned()
    }

    /// Plants a cookie.
    pub fn plant(&self, name: &str, value: &str) {
        minted::note("cookie", value);
        self.cookies.lock().expect("cookies").insert(name.into(), value.into());
    }

    /// Gets an address on a node, which may be written with the public URL.
    pub async fn get(&self, node: &impl Node, address: &str) -> Answer {
        self.send(node, self.http.get(Self::on(node, address))).await
    }

    /// Posts a form to a node.
    pub async fn post(&self, node: &impl Node, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(node, path, fields, &[]).await
    }

    /// Posts a form with further headers.
    pub async fn post_with(
        &self,
        node: &impl Node,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        minted::in_form(fields);
        let request = self.http.post(Self::on(node, path)).form(fields);
        self.send(node, headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Signs in from an answer with the form, or from the front door when there is none.
    pub async fn sign_in(&self, node: &impl Node, page: &Answer, email: &str, password: &str) -> Answer {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let fields = [("r", r.as_str()), ("csrf", &csrf), ("email", email), ("password", password)];
        self.post(node, "/sign-in", &fields).await
    }

    /// Presses a button of the consent page.
    pub async fn decide(&self, node: &impl Node, page: &Answer, decision: &str) -> Answer {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        self.post(node, "/consent", &[("r", &r), ("csrf", &csrf), ("decision", decision)]).await
    }

    /// A path is counted from the public URL, unless it begins with that one's own path, as in a redirect.
    fn on(node: &impl Node, address: &str) -> String {
        let public = Self::public(node);
        let base = public.path().trim_end_matches('/');
        let path = address.strip_prefix(&node.url()[..node.url().len() - base.len()]).unwrap_or(address);
        let is_whole = path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let missing = if is_whole { "" } else { base };
        format!("{}{missing}{path}", node.own())
    }

    fn public(node: &impl Node) -> url::Url {
        node.url().parse().expect("a public URL")
    }

    async fn send(&self, node: &impl Node, request: RequestBuilder) -> Answer {
        let cookies = {
            let kept = self.cookies.lock().expect("cookies");
            kept.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
        };
        let request = request.header(HOST, Self::public(node).authority()).header("cookie", cookies);
        let answer = Answer::read(request.send().await.expect("an answer")).await;
        let mut kept = self.cookies.lock().expect("cookies");
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a readable cookie");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() {
                kept.remove(name)
            } else {
                kept.insert(name.into(), value.into())
            };
        }
        drop(kept);
        answer
    }
}
