//! The call as it goes on: without what the caller may not say, with whom it speaks for and the API's own keys.

use actix_web::{HttpRequest, HttpResponse, dev::Payload, http::StatusCode};
use reqwest::{
    Method,
    header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use super::{
    Stopped,
    admission::Passed,
    answer,
    body::{Broken, OnItsWay},
    failed, malformed,
    target::Target,
};
use crate::{
    http::{
        extract::peer,
        failure::{self, MachineError},
        guard::request_id,
    },
    model::audit::Origin,
    protocol::gate::headers,
    server::{
        Server,
        injection::{NotInjected, Route},
        upstreams::{Onward, UpstreamError},
    },
};

/// A call that is ready but for its body.
pub struct Prepared {
    onward: Onward,
    /// Whether a key of the API's own is in it.
    has_key: bool,
    /// Whether it came to the host on which people sign in.
    is_beside_pages: bool,
}

/// Writes the head of what goes on.
pub async fn prepare(
    server: &Server,
    request: &HttpRequest,
    target: &Target<'_>,
    Passed { admitted, as_method }: &Passed<'_>,
) -> Result<Prepared, Stopped> {
    let Some(url) = address(target) else { return Err(malformed(request, "the address cannot be read")) };
    let Ok(method) = Method::from_bytes(target.route.method.as_bytes()) else {
        return Err(malformed(request, "the method cannot be read"));
    };
    let mut headers = callers(request);
    let address = peer::of(request).map(|address| address.to_string());
    let (scheme, _) = server.settings.schemes_of(&target.host);
    for (name, value) in [
        ("x-forwarded-for", address.as_deref().unwrap_or_default()),
        ("x-forwarded-host", target.host.as_str()),
        ("x-forwarded-proto", scheme),
        ("x-request-id", &request_id::of(request)),
    ] {
        let _ = say(&mut headers, name, value);
    }
    if let Some(admitted) = admitted {
        for (name, value) in [
            ("x-consentry-subject", admitted.subject.as_str()),
            ("x-consentry-client", &admitted.client_id),
            ("x-consentry-scopes", &admitted.bearer.scopes.to_string()),
            ("x-consentry-identity", &admitted.assertion),
        ] {
            // Without it, the API would take the call for a stranger's.
            if !say(&mut headers, name, value) {
                let description = "who calls cannot be told to the API";
                return Err(failed(request, StatusCode::BAD_GATEWAY, "bad_gateway", description));
            }
        }
    }
    let origin = Origin { address, request: Some(request_id::of(request)) };
    let route = Route { method: as_method, ..target.route };
    let injected = server.inject(target.api.plugin, route, &mut headers, &origin).await;
    let injected = injected.map_err(|error| without_its_key(request, &error))?;
    Ok(Prepared {
        onward: Onward { plugin: target.api.plugin, method, url, headers, body: None, given: Box::pin(async {}) },
        has_key: !injected.is_empty(),
        // Cookies know no ports.
        is_beside_pages: target.host.name() == server.settings.host.name(),
    })
}

/// Sends it with its body, and hands the answer back as it comes.
pub async fn send(
    server: &Server,
    request: &HttpRequest,
    prepared: Prepared,
    payload: Payload,
) -> Result<HttpResponse, Stopped> {
    let Prepared { mut onward, has_key, is_beside_pages } = prepared;
    let mut coming = OnItsWay::begin(request, payload).map_err(|broken| told(request, broken))?;
    onward.body = coming.body.take();
    onward.given = std::mem::replace(&mut coming.given, Box::pin(async {}));
    if let Some(length) = coming.length.filter(|_| onward.body.is_some()) {
        onward.headers.insert(CONTENT_LENGTH, length.into());
    }
    match server.upstreams.send(onward).await {
        // The caller's body broke off, and the API's answer, if there is one, is about a part of it.
        _ if coming.broken().is_some() => Err(told(request, coming.broken().unwrap_or(Broken::Cut))),
        Ok(answering) if has_key && answering.response.status() == StatusCode::UNAUTHORIZED.as_u16() => {
            tracing::warn!(request.id = %request_id::of(request), "an API refuses the key that was put into a call to it");
            Err(failed(request, StatusCode::BAD_GATEWAY, "bad_gateway", "the API refuses the key that it was given"))
        }
        Ok(answering) => Ok(answer::hand_back(answering, is_beside_pages)),
        Err(error) => Err(unanswered(request, &error)),
    }
}

/// The API's address with the call's path and query. The path is plain, so nothing of it is read differently there.
fn address(target: &Target<'_>) -> Option<Url> {
    let base = target.api.upstream.as_str().trim_end_matches('/');
    let query = if target.query.is_empty() { String::new() } else { format!("?{}", target.query) };
    format!("{base}{}{query}", target.route.path).parse().ok()
}

/// What of the caller's headers goes on.
fn callers(request: &HttpRequest) -> HeaderMap {
    let connection: Vec<&str> =
        request.headers().get_all("connection").filter_map(|value| value.to_str().ok()).collect();
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        if headers::goes_on(name.as_str(), connection.iter().copied())
            && let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes())
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            headers.append(name, value);
        }
    }
    headers
}

/// Whether a header can hold it; what none can hold is not said.
fn say(headers: &mut HeaderMap, name: &'static str, value: &str) -> bool {
    let value = HeaderValue::from_str(value).ok();
    value.is_some_and(|value| headers.insert(name, value).is_none())
}

fn told(request: &HttpRequest, broken: Broken) -> Stopped {
    match broken {
        Broken::TooLarge => Stopped::Answered(MachineError::TooLarge.answer(request)),
        Broken::TooSlow => {
            failed(request, StatusCode::REQUEST_TIMEOUT, "invalid_request", "the body did not come in time")
        }
        Broken::Unasked => malformed(request, "this method has no body"),
        Broken::Cut => malformed(request, "the body ended before its end"),
    }
}

fn without_its_key(request: &HttpRequest, error: &NotInjected) -> Stopped {
    let id = request_id::of(request);
    tracing::warn!(request.id = %id, %error, "a call is not sent on: it would go without its key");
    match error {
        NotInjected::Path => malformed(request, "the path can be read in more than one way"),
        NotInjected::Store(_) | NotInjected::Keys(_) => Stopped::Answered(failure::for_now(request)),
        NotInjected::Ambiguous(..) | NotInjected::Unreadable(_) => {
            let description = "the API's key cannot be used; its owner can see why";
            failed(request, StatusCode::BAD_GATEWAY, "bad_gateway", description)
        }
    }
}

fn unanswered(request: &HttpRequest, error: &UpstreamError) -> Stopped {
    let id = request_id::of(request);
    tracing::warn!(request.id = %id, %error, "an API does not answer");
    match error {
        UpstreamError::Busy => Stopped::Answered(failure::for_now(request)),
        UpstreamError::TooSlow => {
            failed(request, StatusCode::GATEWAY_TIMEOUT, "gateway_timeout", "the API did not answer in time")
        }
        UpstreamError::Unreachable(_) => {
            failed(request, StatusCode::BAD_GATEWAY, "bad_gateway", "the API could not be reached, or broke off")
        }
    }
}
