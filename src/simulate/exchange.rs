//! An exchange: one request and its answer as they are kept, without their secrets.

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
    /// A program's request.
    pub(super) fn of(request: &Request, agent: &str) -> Self {
        let content_type = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut request_headers = listed(&request.headers);
        request_headers.insert(0, format!("user-agent: {agent}"));
        Self {
            request: format!("{} {}", request.method, masked::address(request.url.as_str())),
            request_headers,
            request_body: masked::body(content_type, &request.body),
            answer: String::new(),
            answer_headers: Vec::new(),
            answer_body: String::new(),
        }
    }

    /// A person's request. What somebody types in is in fields of any name, so nothing of it is kept.
    pub(super) fn of_a_person(request: &Request, agent: &str) -> Self {
        let request_body = match request.body.len() {
            0 => String::new(),
            length => format!("({length} bytes that a person typed in)"),
        };
        Self { request_body, ..Self::of(request, agent) }
    }

    /// With what came of it.
    pub(super) fn answered(mut self, heard: &Heard) -> Self {
        match heard {
            Ok(answer) => {
                self.answer = answer.status.to_string();
                self.answer_headers = listed(&answer.headers);
                self.answer_body = masked::body(&answer.content_type(), &answer.body);
            }
            Err(silence) => self.answer = silence.to_string(),
        }
        self
    }

    /// Without what is known by now to be secret, and cut to a length that can be read. Cut first, the beginning of a
    /// secret could be left that nobody finds.
    pub(super) fn told(mut self, secrets: &Secrets) -> Self {
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

fn listed(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}", masked::header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())))
    };
    headers.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_behind_its_secrets() {
        let secrets = Secrets::default();
        let secret = "s3cret-s3cret-s3cret-s3cret-s3cret";
        secrets.learn(secret);
        let request = Request::get(&"https://a.example/".parse().unwrap());
        let mut exchange = Exchange::of(&request, "x");
        exchange.answer_body = format!("{}{secret}{}", "x".repeat(CHARACTERS_MAX - 10), "y".repeat(100));
        exchange.answer_headers = vec![format!("x-echo: {secret}")];
        let told = exchange.told(&secrets);
        assert!(!told.answer_body.contains("s3cret-s3"), "{}", told.answer_body);
        assert!(!told.answer_headers[0].contains("s3cret-s3"), "{told:?}");
        assert_eq!(told.answer_body.chars().count(), CHARACTERS_MAX + 1);
    }
}
