//! Where a secret is used: a method and a path of the plugin's API, as its description writes them (OpenAPI 3.1 §4.8.8).

use std::{fmt, str::FromStr};

/// The longest text, in bytes.
const LENGTH_MAX: usize = 512;

/// The most segments.
const SEGMENTS_MAX: usize = 32;

/// A method and a path in which a segment may stand for any, as `GET /items/{id}`, and the last for all that follows, as
/// `* /v1/*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretRoute {
    /// None for every method.
    method: Option<String>,
    path: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    /// This very text.
    Text(String),
    /// Any one segment; its name is the description's.
    Any(String),
    /// Whatever follows, at least one segment.
    Rest,
}

/// A text that is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a method and a path, such as \"GET /items/{{id}}\", \"POST /v1/*\" or \"* /v1/*\"")]
pub struct NotARoute;

impl SecretRoute {
    /// Whether a request is one of these; never where its path could be taken for another by whoever reads it next.
    pub fn matches(&self, method: &str, path: &str) -> bool {
        is_plain_path(path) && self.matches_plain(method, path)
    }

    /// The same for a path that is known to be plain.
    pub fn matches_plain(&self, method: &str, path: &str) -> bool {
        if self.method.as_deref().is_some_and(|of_this| of_this != method) {
            return false;
        }
        let mut asked = path[1..].split('/');
        for segment in &self.path {
            let asked = asked.next();
            match (segment, asked) {
                (Segment::Text(text), Some(asked)) if is_same(text, asked) => {}
                (Segment::Any(_), Some(asked)) if !asked.is_empty() => {}
                (Segment::Rest, Some(asked)) => return !asked.is_empty(),
                _ => return false,
            }
        }
        asked.next().is_none()
    }
}

impl SecretRoute {
    /// The method where a plain path is this one's: `*` for every method.
    pub fn method_at(&self, path: &str) -> Option<&str> {
        let method = self.method.as_deref().unwrap_or("*");
        self.matches_plain(method, path).then_some(method)
    }

    /// The less comes first where one request is of several routes: what stands as text before what stands for any segment,
    /// that before what stands for all that follows, and one method before all; the leftmost difference counts.
    pub fn precision(&self) -> (Vec<u8>, bool) {
        let place = |segment: &Segment| match segment {
            Segment::Text(_) => 0,
            Segment::Any(_) => 1,
            Segment::Rest => 2,
        };
        (self.path.iter().map(place).collect(), self.method.is_none())
    }

    /// What two routes have in common that are of the same requests: the method, and the path without names.
    pub fn shape(&self) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Text(text) => format!("/{:?}", decoded(text)),
            Segment::Any(_) => "/{}".to_owned(),
            Segment::Rest => "/*".to_owned(),
        };
        let path: String = self.path.iter().map(segment).collect();
        format!("{} {path}", self.method.as_deref().unwrap_or("*"))
    }

    /// Whether there is a request that is both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_one =
            |(one, other): (&Option<String>, &Option<String>)| one.is_none() || other.is_none() || one == other;
        if !is_one((&self.method, &other.method)) {
            return false;
        }
        for (one, other) in self.path.iter().zip(&other.path) {
            match (one, other) {
                // Neither stands for an empty segment.
                (Segment::Text(text), Segment::Any(_) | Segment::Rest)
                | (Segment::Any(_) | Segment::Rest, Segment::Text(text))
                    if text.is_empty() =>
                {
                    return false;
                }
                (Segment::Rest, _) | (_, Segment::Rest) => return true,
                (Segment::Text(one), Segment::Text(other)) if !is_same(one, other) => return false,
                _ => {}
            }
        }
        self.path.len() == other.path.len()
    }
}

/// Whether everybody who reads a path reads the same (RFC 3986 §3.3, §6.2.2): no segment is empty but the last, none leads
/// elsewhere or has parameters, and nothing is encoded that need not be or that would be a separator.
pub fn is_plain_path(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let count = segments.split('/').count();
    segments.split('/').enumerate().all(|(place, segment)| match segment {
        "" => place + 1 == count,
        segment => is_plain_segment(segment),
    })
}

fn is_plain_segment(segment: &str) -> bool {
    if segment.bytes().all(|byte| byte == b'.') {
        return false;
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let Some((pair, after)) = rest.split_at_checked(2) else { return false };
                let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|it| it.is_ascii_hexdigit()));
                let Some(byte) = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) else { return false };
                if is_unreserved(byte) || byte.is_ascii_control() || b"/\\%;".contains(&byte) {
                    return false;
                }
                decoded.push(byte);
                rest = after;
            }
            byte if is_unreserved(*byte) || b"!$&'()*+,=:@".contains(byte) => decoded.push(*byte),
            _ => return false,
        }
    }
    String::from_utf8(decoded).is_ok()
}

/// What means the same encoded or not, so that nobody who is honest encodes it (RFC 3986 §2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Whether two segments are the same to whoever decodes them: what may be written as it is may be encoded too, in small
/// letters or capitals.
fn is_same(one: &str, other: &str) -> bool {
    one == other || ((one.contains('%') || other.contains('%')) && decoded(one) == decoded(other))
}

fn decoded(segment: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *byte == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        let read = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(read.unwrap_or(*byte));
        rest = if read.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// Whether a path is another one, or below it, by whole segments; both are plain.
pub fn is_at_or_below(path: &str, above: &str) -> bool {
    let mut asked = path.split('/');
    above.split('/').all(|segment| asked.next().is_some_and(|asked| is_same(segment, asked)))
}

impl FromStr for SecretRoute {
    type Err = NotARoute;

    fn from_str(text: &str) -> Result<Self, NotARoute> {
        let (method, path) = text.trim().split_once(char::is_whitespace).ok_or(NotARoute)?;
        let path = path.trim();
        let method = match method {
            "*" => None,
            method if method.len() <= 16 && method.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Some(method.to_ascii_uppercase())
            }
            _ => return Err(NotARoute),
        };
        let segments: Vec<&str> = path.strip_prefix('/').ok_or(NotARoute)?.split('/').collect();
        if text.len() > LENGTH_MAX || segments.len() > SEGMENTS_MAX {
            return Err(NotARoute);
        }
        let last = segments.len() - 1;
        let is_one = |(place, text): (usize, &&str)| !text.is_empty() || place == last;
        if !segments.iter().enumerate().all(is_one) {
            return Err(NotARoute);
        }
        let path: Vec<Segment> = segments.into_iter().map(segment).collect::<Result<_, _>>()?;
        let rest = path.iter().position(|segment| *segment == Segment::Rest);
        match rest {
            Some(place) if place + 1 != path.len() => Err(NotARoute),
            _ => Ok(Self { method, path }),
        }
    }
}

fn segment(text: &str) -> Result<Segment, NotARoute> {
    let named = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    match (text, named) {
        ("*", _) => Ok(Segment::Rest),
        (_, Some(name)) if !name.is_empty() && !name.contains(['{', '}', '*']) => Ok(Segment::Any(name.to_owned())),
        _ if text.is_empty() || (is_plain_segment(text) && !text.contains('*')) => Ok(Segment::Text(text.to_owned())),
        _ => Err(NotARoute),
    }
}

impl fmt::Display for SecretRoute {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", self.method.as_deref().unwrap_or("*"))?;
        self.path.iter().try_for_each(|segment| match segment {
            Segment::Text(text) => write!(out, "/{text}"),
            Segment::Any(name) => write!(out, "/{{{name}}}"),
            Segment::Rest => out.write_str("/*"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(text: &str) -> SecretRoute {
        text.parse().unwrap()
    }

    #[test]
    fn routes_are_written_as_descriptions_write_them() {
        for (text, written) in [
            ("get /items/{id}", "GET /items/{id}"),
            ("  *   /v1/*  ", "* /v1/*"),
            ("POST /", "POST /"),
            ("DELETE /items/{id}/parts/{part}/", "DELETE /items/{id}/parts/{part}/"),
        ] {
            assert_eq!(route(text).to_string(), written);
            assert_eq!(route(written), route(text));
        }
        for text in [
            "",
            "GET",
            "/items",
            "GET items",
            "GET /a?b",
            "GET /a#b",
            "GET /*/a",
            "GET /a*",
            "GET /{}",
            "GET /{a}b",
            "GET /a//b",
            "GET /../a",
            "GET /a/%2e%2e/b",
            "GET /a%2Fb",
            "G T /a",
            "GET /ä",
            "GET:/a",
            "GET /a\\b",
        ] {
            assert_eq!(text.parse::<SecretRoute>(), Err(NotARoute), "{text}");
        }
        assert!(format!("GET /{}", "a".repeat(600)).parse::<SecretRoute>().is_err());
    }

    #[test]
    fn a_route_is_its_method_and_its_path_and_nothing_near() {
        let item = route("GET /items/{id}");
        assert!(item.matches("GET", "/items/5") && item.matches("GET", "/items/a%20b"));
        for (method, path) in [
            ("POST", "/items/5"),
            ("get", "/items/5"),
            ("GET", "/items"),
            ("GET", "/items/"),
            ("GET", "/items/5/"),
            ("GET", "/items/5/parts"),
            ("GET", "/Items/5"),
            ("GET", "items/5"),
            ("GET", ""),
        ] {
            assert!(!item.matches(method, path), "{method} {path}");
        }
        let all = route("* /v1/*");
        assert!(all.matches("PATCH", "/v1/a/b") && all.matches("GET", "/v1/a/"));
        assert!(!all.matches("GET", "/v1") && !all.matches("GET", "/v1/") && !all.matches("GET", "/v2/a"));
        assert!(route("GET /").matches("GET", "/") && !route("GET /").matches("GET", "/a"));
    }

    #[test]
    fn routes_overlap_where_one_request_is_both() {
        for (one, other, is_both) in [
            ("GET /a", "GET /a", true),
            ("GET /a", "POST /a", false),
            ("GET /a", "* /a", true),
            ("GET /a", "GET /b", false),
            ("GET /a/{id}", "GET /a/b", true),
            ("GET /a/{id}", "GET /a", false),
            ("* /v1/*", "GET /v1/a/b", true),
            ("* /v1/*", "GET /v1", false),
            ("* /v1/*", "GET /v2/a", false),
            ("* /*", "GET /a", true),
            ("* /*", "GET /", false),
            ("GET /items/{id}", "GET /items/", false),
            ("GET /a%c3%a9", "GET /a%C3%A9", true),
        ] {
            let (one, other) = (route(one), route(other));
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (is_both, is_both), "{one} and {other}");
        }
    }

    #[test]
    fn a_path_that_could_be_read_otherwise_is_no_route() {
        let all = route("* /v1/*");
        for path in [
            "/v1/../admin",
            "/v1/a/../../admin",
            "/v1/..;/admin",
            "/v1/./a",
            "/v1//admin",
            "/v1/%2e%2e/admin",
            "/v1/..%2fadmin",
            "/v1/a%2fb",
            "/v1/a%5cb",
            "/v1/a\\b",
            "/v1/%252e%252e/admin",
            "/v1/a%00b",
            "/v1/a b",
            "/v1/ä",
            "/v1/;x/admin",
            "/v1/a;v=1",
            "/v1/a%3bx",
            "/v1/%61dmin",
            "/v1/%c0%ae%c0%ae/admin",
            "/v1/%c0%afadmin",
            "/v1/%u002fadmin",
            "/v1/a%0d%0ab",
            "/v1/a%",
            "/v1/a%2",
            "/v1/a%+1",
            "/v1/a?b",
            "/v1/a#b",
            "/v1/.../a",
        ] {
            assert!(!all.matches("GET", path), "{path}");
        }
        for path in ["/v1/a.b", "/v1/..a", "/v1/a%20b", "/v1/%C3%A9", "/v1/a@b:c,d=(e)+f", "/v1/~a_b-c!"] {
            assert!(all.matches("GET", path), "{path}");
        }
        assert!(route("GET /%C3%A9/%7B").matches("GET", "/%c3%a9/%7b") && !route("GET /Ab").matches("GET", "/ab"));
    }
}
