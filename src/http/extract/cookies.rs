//! Our cookies: the browser's own mark, the session of who is signed in, the language chosen, for whom somebody has
//! signed in here, who is half way to that, and who could be linked with their account.
//!
//! Over https all have the `__Host-` prefix (RFC 6265bis §4.1.3): no other host, path or plain http can set them.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};

use crate::{
    languages::Language,
    model::Timestamp,
    server::Settings,
    tokens::{self, secret::SecretText},
};

/// How long a chosen language is kept.
const LANGUAGE_KEPT: Duration = Duration::days(365);

/// The longest cookie of an offer that is read: browsers keep no longer ones.
const OFFER_LENGTH_MAX: usize = 4096;

fn name(settings: &Settings, plain: &str) -> String {
    let prefix = if settings.is_https() { "__Host-" } else { "" };
    format!("{prefix}consentry_{plain}")
}

/// Reads the browser's mark; anything that is not of its shape counts as none.
pub fn browser(settings: &Settings, request: &HttpRequest) -> Option<String> {
    let value = request.cookie(&name(settings, "browser"))?.value().to_owned();
    let shaped = value.len() == 22 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    shaped.then_some(value)
}

/// Sets the browser's mark. It stays while the browser runs: requests in flight are bound to it.
pub fn set_browser(settings: &Settings, value: &str) -> Cookie<'static> {
    cookie(settings, "browser", value.to_owned())
}

/// Reads the session's text.
pub fn session(settings: &Settings, request: &HttpRequest) -> Option<SecretText> {
    SecretText::parse(crate::tokens::secret::SESSION, request.cookie(&name(settings, "session"))?.value())
}

/// Sets the session.
pub fn set_session(settings: &Settings, secret: &SecretText, now: Timestamp, expires_at: Timestamp) -> Cookie<'static> {
    let mut cookie = cookie(settings, "session", secret.reveal().to_owned());
    cookie.set_max_age(Duration::seconds((expires_at - now).num_seconds()));
    cookie
}

/// Takes the session away.
pub fn remove_session(settings: &Settings) -> Cookie<'static> {
    let mut cookie = cookie(settings, "session", String::new());
    cookie.make_removal();
    cookie
}

/// Reads the language that was chosen.
pub fn language(settings: &Settings, request: &HttpRequest) -> Option<Language> {
    request.cookie(&name(settings, "language"))?.value().parse().ok()
}

/// Keeps a language that was chosen.
pub fn set_language(settings: &Settings, language: Language) -> Cookie<'static> {
    let mut cookie = cookie(settings, "language", language.tag().to_owned());
    cookie.set_max_age(LANGUAGE_KEPT);
    cookie
}

/// Takes it away: the browser's own wish counts again.
pub fn remove_language(settings: &Settings) -> Cookie<'static> {
    let mut cookie = cookie(settings, "language", String::new());
    cookie.make_removal();
    cookie
}

/// Reads the marks of accounts that were signed in to with this browser; may be empty.
pub fn device(settings: &Settings, request: &HttpRequest) -> String {
    let value = request.cookie(&name(settings, "device")).map(|cookie| cookie.value().to_owned());
    value.filter(|value| value.len() <= tokens::device::LENGTH_MAX).unwrap_or_default()
}

/// Sets them. They outlive the session: they are for when the person has to sign in again.
pub fn set_device(settings: &Settings, value: String) -> Cookie<'static> {
    let mut cookie = cookie(settings, "device", value);
    cookie.set_max_age(Duration::days(400));
    cookie
}

/// Reads who has shown the first of two factors, as it was sealed.
pub fn second_step(settings: &Settings, request: &HttpRequest) -> Option<String> {
    let value = request.cookie(&name(settings, "second_step"))?.value().to_owned();
    (value.len() <= tokens::between::LENGTH_MAX).then_some(value)
}

/// Keeps it for as long as the second may take.
pub fn set_second_step(settings: &Settings, value: String, lasts: chrono::TimeDelta) -> Cookie<'static> {
    let mut cookie = cookie(settings, "second_step", value);
    cookie.set_max_age(Duration::seconds(lasts.num_seconds()));
    cookie
}

/// Takes it away.
pub fn remove_second_step(settings: &Settings) -> Cookie<'static> {
    let mut cookie = cookie(settings, "second_step", String::new());
    cookie.make_removal();
    cookie
}

/// Reads the identity that could be linked; what it is is said by who opens it.
pub fn offer(settings: &Settings, request: &HttpRequest) -> Option<String> {
    let value = request.cookie(&name(settings, "offer")).map(|cookie| cookie.value().to_owned());
    value.filter(|value| value.len() <= OFFER_LENGTH_MAX)
}

/// Keeps it while the person signs in.
pub fn set_offer(settings: &Settings, text: String) -> Cookie<'static> {
    cookie(settings, "offer", text)
}

/// Takes it away.
pub fn remove_offer(settings: &Settings) -> Cookie<'static> {
    let mut cookie = cookie(settings, "offer", String::new());
    cookie.make_removal();
    cookie
}

fn cookie(settings: &Settings, plain: &str, value: String) -> Cookie<'static> {
    Cookie::build(name(settings, plain), value)
        // Not the public URL's path: the prefix demands the root, and `Path` keeps no other site on the host out.
        .path("/")
        .http_only(true)
        .secure(settings.is_https())
        // Lax: the app sends people here by a top-level link, and they must still be signed in then.
        .same_site(SameSite::Lax)
        .finish()
}
