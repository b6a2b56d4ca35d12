//! Nasty values, and what every answer to one must be: an answer, never of our own failing, in the shape the endpoint
//! has, and without anything of the value where it could act. Row 39; `nasty_values`, `nasty_connectors` and
//! `nasty_documents` put them into every place there is.

use consentry::model::mechanisms::{Mechanisms, RegistrationPolicy};
use futures_util::{StreamExt, stream};
use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
    redirect::Policy,
};
use serde_json::Value;

use crate::harness::server::{Options, World};

/// Around two hundred values somebody might have forgotten about.
#[expect(clippy::too_many_lines, reason = "a list is read line by line")]
pub fn values() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "\0",
        "a\0b",
        "\0\0\0\0",
        "\u{1}",
        "\u{7f}",
        "\u{80}",
        "\u{feff}",
        "\u{fffd}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{202e}abc",
        "\u{200b}",
        "é",
        "e\u{301}",
        "ﬃ",
        "İ",
        "ß",
        "😀",
        "\r\n",
        "a\r\nSet-Cookie: a=b",
        "a\"\r\n\r\n<script>alert(1)</script>",
        "\n",
        "\t",
        "null",
        "undefined",
        "true",
        "false",
        "NaN",
        "0",
        "-0",
        "-1",
        "1e309",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "0x7fffffff",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "[]",
        "{}",
        "[object Object]",
        "{\"a\":1}",
        "'",
        "\"",
        "`",
        "\\",
        "\\0",
        "' or '1'='1",
        "'; drop table families; --",
        "1; select pg_sleep(9)",
        "%",
        "%%",
        "%00",
        "%0a",
        "%2e%2e%2f",
        "%u0000",
        "%c0%ae",
        "%ff",
        "&",
        "=",
        "&=&",
        "a=b",
        "+",
        ";",
        "../../../etc/passwd",
        "..\\..\\x",
        "file:///etc/passwd",
        "http://[::1",
        "http://[::ffff:127.0.0.1]/",
        "https://",
        "https:///",
        "https://a b/",
        "//",
        "http://0/",
        "*",
        "https://\u{202e}moc.live/",
        "javascript:1",
        "data:,",
        "<script>",
        "\"'><img src=x onerror=alert(1)>",
        "</bdi></title><svg/onload=alert(1)>",
        "<!--",
        "]]>",
        "${7*7}",
        "{{7*7}}",
        "#{1}",
        "%s%s%s%n",
        "$(id)",
        "|id",
        "a:b",
        ":",
        "a:",
        ":b",
        "Basic",
        "Bearer ",
        "cst_ac_",
        "cst_rt_",
        "cst_cs_",
        "cst_ss_",
        "cst_ac_A",
        "cst_rt_A",
        "cst_ac_AAAA",
        "cst_rt_====",
        "cst_ac_\0",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.e30.AAAA",
        "eyJraWQiOiIxIn0.e30.AAAA",
        "eyJraWQiOiItMSIsImFsZyI6IkVTMjU2In0.e30.AA",
        "code",
        "token",
        "S256",
        "plain",
        "none",
        "login",
        "consent",
        "openid offline_access",
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "ada@example.com",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a@\0",
        "a\0@b",
        "xn--a@b",
        "\u{0}ada@example.com",
        "a@b\r\nBcc: c@d",
        "COM1",
        "con",
        "__proto__",
        "constructor",
    ]
    .map(str::to_owned)
    .into();
    for length in [255, 256, 257, 512, 513, 2048, 2049, 4096, 4097, 16 * 1024 + 1] {
        all.push("a".repeat(length));
        all.push("é".repeat(length / 2));
    }
    for length in [1, 5, 9, 21, 44, 75, 76, 77, 300] {
        for (byte, prefix) in [('A', "cst_ac_"), ('_', "cst_ac_"), ('A', "cst_rt_"), ('_', "cst_rt_"), ('A', "")] {
            all.push(format!("{prefix}{}", byte.to_string().repeat(length * 4 / 3)));
        }
    }
    all.push("[".repeat(2000));
    all.push(" ".repeat(2000));
    all.push(".".repeat(2000));
    all
}

pub fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

/// A server that takes so many registrations that none is answered by the rate alone.
pub fn unhurried() -> Options {
    let per_minute = 1_000_000.try_into().expect("not zero");
    let registration = RegistrationPolicy { per_minute, ..RegistrationPolicy::default() };
    Options { mechanisms: Mechanisms { registration, ..Mechanisms::default() }, ..Options::default() }
}

/// One value in one place.
pub struct Attempt {
    place: String,
    value: String,
    request: RequestBuilder,
}

impl Attempt {
    pub fn new(place: impl Into<String>, value: impl Into<String>, request: RequestBuilder) -> Self {
        Self { place: place.into(), value: value.into(), request }
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A machine endpoint: JSON, whatever happens.
    Machine,
    /// A machine endpoint that may have to say that somebody else's host is out of reach (503).
    MachineAndAHost,
    /// A page, or JSON for who does not want one.
    Page,
    /// A page that may have to say so (502).
    PageAndAHost,
}

/// Sends all attempts, a few at a time, and holds every answer to what it must be. How many were answered with which
/// status, so that a test can tell whether its values came as far as they should.
pub async fn all_are_answered(asked: Asked, attempts: Vec<Attempt>) -> Counted {
    let mut counted = Counted::default();
    let sending = |Attempt { place, value, request }: Attempt| async move { (place, value, request.send().await) };
    let mut answers = stream::iter(attempts).map(sending).buffer_unordered(8);
    while let Some((place, value, answer)) = answers.next().await {
        let name: String = format!("{place}={value:?}").chars().take(300).collect();
        let answer = answer.unwrap_or_else(|error| panic!("{name}: no answer: {error}"));
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.unwrap_or_else(|error| panic!("{name}: half an answer: {error}"));
        let body = String::from_utf8(body.into()).unwrap_or_else(|_| panic!("{name}: not UTF-8"));
        let may_fail = match asked {
            Asked::MachineAndAHost => status == StatusCode::SERVICE_UNAVAILABLE,
            Asked::PageAndAHost => status == StatusCode::BAD_GATEWAY,
            Asked::Machine | Asked::Page => false,
        };
        assert!(status.as_u16() < 500 || may_fail, "{name}: {status}: {body}");
        assert_ne!(status, StatusCode::TOO_MANY_REQUESTS, "{name}: nothing was looked at");
        stays_out_of_the_headers(&name, &value, &headers);
        let media_type = headers.get(CONTENT_TYPE).map_or("", |line| line.to_str().unwrap());
        if body.is_empty() {
            assert!(!status.is_client_error() || name.starts_with("HEAD "), "{name}: {status} without a word");
        } else if media_type.starts_with("application/json") {
            is_json_for_machines(&name, status, &body);
        } else {
            let is_page = matches!(asked, Asked::Page | Asked::PageAndAHost);
            assert!(is_page && media_type.starts_with("text/html"), "{name}: {media_type}: {body}");
            is_a_page_of_ours(&name, &value, &body);
        }
        counted.0.push(status.as_u16());
    }
    counted
}

/// The statuses that came.
#[derive(Default)]
pub struct Counted(Vec<u16>);

impl Counted {
    /// How many answers had it.
    pub fn of(&self, status: u16) -> usize {
        self.0.iter().filter(|known| **known == status).count()
    }
}

/// A value that is more than a word is in no header, and none is there that we do not send.
fn stays_out_of_the_headers(name: &str, value: &str, headers: &HeaderMap) {
    let is_word = value.trim().bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b));
    for (header, line) in headers {
        let line = String::from_utf8_lossy(line.as_bytes());
        assert!(value.len() < 3 || is_word || !line.contains(value), "{name} is in {header}: {line}");
        let is_foreign = header == "set-cookie" && !line.starts_with("consentry_");
        assert!(!is_foreign, "{name} set a cookie: {line}");
    }
}

/// RFC 6749 §5.2, for every error of a machine endpoint.
fn is_json_for_machines(name: &str, status: StatusCode, body: &str) {
    let told: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{name}: {error}: {body}"));
    if !status.is_success() {
        let text = |member| told[member].as_str().unwrap_or_else(|| panic!("{name}: no {member} in {body}"));
        assert!(text("error").bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}: {body}");
        let allowed = |b| matches!(b, b' '..=b'~' if b != b'"' && b != b'\\');
        assert!(text("error_description").bytes().all(allowed), "{name}: {body}");
        assert_eq!(text("request_id").len(), 16, "{name}: {body}");
    }
}

/// No page of ours runs anything, and what a stranger wrote is never markup.
fn is_a_page_of_ours(name: &str, value: &str, body: &str) {
    assert!(body.starts_with("<!doctype html>") && body.trim_end().ends_with("</html>"), "{name}: {body}");
    // The one script of ours, on the page to sign in.
    let body = body.replace("<script src=\"/static/passkeys.js?", "");
    let is_markup = value.contains('<') && value.len() > 1;
    assert!(!is_markup || !body.contains(value), "{name}: {body}");
    for markup in ["<script", "<svg/", "onerror=alert(1)>", "<!--"] {
        assert!(!body.contains(markup), "{name}: {markup} in {body}");
    }
}

/// The server is still well: it answers what is honest.
pub async fn is_well(world: &World) {
    let answer = client().get(format!("{}/health/ready", world.running.url)).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}
