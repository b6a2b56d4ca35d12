//! An exchange: one request and its answer as they are shown, without their secrets.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::{
    masked,
    secrets::Secrets,
    wire::{Heard, Request},
};

/// The longest body that is shown.
const CHARACTERS_MAX: usize = 4000;

/// What was said, secrets shortened.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// The request line.
    pub request: String,
    /// Its headers.
    pub request_headers: Vec<String>,
    /// Its body.
    pub request_body: String,
    /// The status, or why there is none.
    pub answer: String,
    /// Its headers.
    pub answer_headers: Vec<String>,
    /// Its body.
    pub answer_body: String,
}

impl Exchange {
    /// What was said, without what is known by now to be secret.
    pub(super) fn of(request: &Request, agent: &str, heard: &Heard, secrets: &Secrets) -> Self {
        let content_type = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut request_headers = listed(&request.headers, secrets);
        request_headers.insert(0, format!("user-agent: {agent}"));
        let (answer, answer_headers, answer_body) = match heard {
            Ok(answer) => (
                answer.status.to_string(),
                listed(&answer.headers, secrets),
                masked::body(answer.content_type(), &answer.body, secrets),
            ),
            Err(silence) => (silence.to_string(), Vec::new(), String::new()),
        };
        Self {
            request: format!("{} {}", request.method, masked::address(request.url.as_str(), secrets)),
            request_headers,
            request_body: masked::body(content_type, &request.body, secrets),
            answer,
            answer_headers,
            answer_body,
        }
        .told(secrets)
    }

    /// What somebody types in is in fields of any name, so nothing of it is shown.
    pub(super) fn of_a_person(request: &Request, agent: &str, heard: &Heard, secrets: &Secrets) -> Self {
        let request_body = match request.body.len() {
            0 => String::new(),
            length => format!("({length} bytes that a person typed in)"),
        };
        Self { request_body, ..Self::of(request, agent, heard, secrets) }
    }

    /// Once more without secrets, which may be in the names of members, and cut to a length that can be read. Cut
    /// first, the beginning of a secret could be left that nobody finds.
    fn told(mut self, secrets: &Secrets) -> Self {
        let texts = [&mut self.request, &mut self.request_body, &mut self.answer, &mut self.answer_body];
        let headers = self.request_headers.iter_mut().chain(&mut self.answer_headers);
        for text in texts.into_iter().chain(headers) {
            let clean = secrets.out_of(text);
            *text = match clean.char_indices().nth(CHARACTERS_MAX) {
                Some((end, _)) => format!("{}…", &clean[..end]),
                None => clean,
            };
        }
        self
    }
}

fn listed(headers: &HeaderMap, secrets: &Secrets) -> Vec<String> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}", masked::header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()), secrets))
    };
    headers.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::wire::Silence;

    #[test]
    fn a_long_body_is_cut_behind_its_secrets() {
        let secrets = Secrets::default();
        let secret = "s3cret-s3cret-s3cret-s3cret-s3cret";
        secrets.learn(secret);
        let request = Request::get(&"https://a.example/".parse().unwrap());
        let mut exchange = Exchange::of(&request, "x", &Err(Silence::TooLong), &secrets);
        exchange.answer_body = format!("{}{secret}{}", "x".repeat(CHARACTERS_MAX - 10), "y".repeat(100));
        exchange.answer_headers = vec![format!("x-echo: {secret}")];
        let told = exchange.told(&secrets);
        assert!(!told.answer_body.contains("s3cret-s3"), "{}", told.answer_body);
        assert!(!told.answer_headers[0].contains("s3cret-s3"), "{told:?}");
        assert_eq!(told.answer_body.chars().count(), CHARACTERS_MAX + 1);
    }
}
