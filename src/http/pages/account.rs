//! The pages for who is signed in: connected apps, and sessions.

use askama::Template;

use super::{super::assets, ClientOrigin, Layout, SignedIn, initial};
use crate::{
    http::account::place::Place,
    languages::{Language, Said},
    model::{id::SessionId, session::OpenSession},
    store::connected::Happened,
};

/// What a person allowed, `GET /connected-apps`, and the answer to its forms.
#[derive(Debug, Clone, Template)]
#[template(path = "connected_apps.html")]
pub struct ConnectedAppsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf` of every form.
    pub csrf: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// The newest first.
    pub apps: Vec<AppCard>,
    /// What was just disconnected.
    pub disconnected: Option<Disconnected>,
    /// What happened lately, the newest first.
    pub history: Vec<HistoryLine>,
}

/// One app and what it may do.
#[derive(Debug, Clone)]
pub struct AppCard {
    /// Names it in forms, field `consent`.
    pub consent: String,
    /// The client's display name.
    pub client_name: String,
    /// Who stands behind that name.
    pub client_origin: ClientOrigin,
    /// The plugin's display name.
    pub plugin_name: String,
    /// What is allowed, each to be read after "can"; empty means the plugin as a whole.
    pub allows: Vec<String>,
    /// When it was allowed.
    pub granted_on: Said,
    /// Its installations.
    pub connections: Vec<ConnectionLine>,
}

impl AppCard {
    fn initial(&self) -> String {
        initial(&self.client_name)
    }

    fn count(&self) -> i64 {
        i64::try_from(self.connections.len()).unwrap_or(i64::MAX)
    }
}

/// One installation of an app.
#[derive(Debug, Clone)]
pub struct ConnectionLine {
    /// Names it in forms, field `connection`.
    pub id: String,
    /// When it was connected.
    pub connected_on: Said,
    /// When it last asked for a new token.
    pub refreshed_on: Option<Said>,
    /// From where it was connected.
    pub address: Option<String>,
}

impl ConnectionLine {
    fn says(&self, layout: &Layout) -> Said {
        match &self.address {
            Some(address) => {
                layout.say("apps-connected-from").said("date", self.connected_on.clone()).host("address", address)
            }
            None => layout.say("apps-connected").said("date", self.connected_on.clone()),
        }
    }

    fn says_when_used(&self, layout: &Layout) -> Said {
        match &self.refreshed_on {
            Some(date) => layout.say("apps-refreshed").said("date", date.clone()),
            None => layout.say("apps-not-refreshed"),
        }
    }
}

/// What was just disconnected.
#[derive(Debug, Clone)]
pub struct Disconnected {
    /// The client's display name.
    pub client_name: String,
    /// The plugin's display name.
    pub plugin_name: String,
    /// How many connections ended with the app; none when it was one installation alone.
    pub connections: Option<usize>,
}

impl Disconnected {
    fn says(&self, layout: &Layout) -> Said {
        match self.connections {
            Some(count) => layout
                .say("apps-disconnected")
                .name("client", &self.client_name)
                .name("plugin", &self.plugin_name)
                .number("count", i64::try_from(count).unwrap_or(i64::MAX)),
            None => layout.say("apps-disconnected-one").name("client", &self.client_name),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// When.
    pub on: Said,
    /// What.
    pub what: Said,
    /// From where.
    pub address: Option<String>,
}

impl HistoryLine {
    /// What there are words for.
    pub fn of(event: &Happened, language: Language) -> Option<Self> {
        let id = match event.action.as_str() {
            "account.added" => "event-account-added",
            "account.email_verified" => "event-email-verified",
            "account.email_changed" | "account.email_restored" => "event-email-changed",
            "account.password_changed" | "account.password_reset" => "event-password-changed",
            "account.passkey_added" => "event-passkey-added",
            "account.passkey_removed" => "event-passkey-removed",
            "account.authenticator_app_added" => "event-app-added",
            "account.authenticator_app_removed" => "event-app-removed",
            "account.recovery_codes_made" => "event-codes-made",
            "account.recovery_code_used" => "event-code-used",
            "account.devices_forgotten" => "event-devices-forgotten",
            "account.factors_removed" => "event-factors-removed",
            "account.sessions_ended" => "event-sessions-ended",
            "account.signed_out_everywhere" => "event-signed-out-everywhere",
            "account.api_token_made" => "event-token-made",
            "account.api_token_ended" => "event-token-ended",
            "identity.linked" => "event-identity-linked",
            "identity.unlinked" => "event-identity-unlinked",
            "consent.granted" => "event-consent-granted",
            "consent.revoked" => "event-consent-revoked",
            "family.born" => "event-connected",
            "family.ended" => "event-connection-ended",
            _ => return None,
        };
        let what = language.say(id).name("client", event.client_name.as_deref().unwrap_or("–"));
        Some(Self { on: language.date(event.at), what, address: event.address.clone() })
    }
}

/// Where a person is signed in, `GET /sessions`, and the answer to its forms.
#[derive(Debug, Clone, Template)]
#[template(path = "sessions.html")]
pub struct SessionsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf` of every form.
    pub csrf: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// The newest first.
    pub sessions: Vec<SessionLine>,
    /// How many were just ended.
    pub ended: Option<u64>,
}

impl SessionsPage {
    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_here)
    }

    fn says_ended(&self) -> Option<Said> {
        let count = i64::try_from(self.ended?).unwrap_or(i64::MAX);
        Some(self.layout.say("sessions-ended").number("count", count))
    }
}

/// One browser.
#[derive(Debug, Clone)]
pub struct SessionLine {
    /// Names it in forms, field `session`.
    pub id: String,
    /// Whether it is the browser the page is shown in.
    pub is_here: bool,
    /// Which browser, as far as it can be told.
    pub browser: Option<&'static str>,
    /// On what, as far as it can be told.
    pub system: Option<&'static str>,
    /// When the person signed in.
    pub since: Said,
    /// From where.
    pub address: Option<String>,
}

impl SessionLine {
    /// A session as its owner is to recognize it.
    pub fn of(open: OpenSession, here: SessionId, language: Language) -> Self {
        let named = open.user_agent.as_deref().unwrap_or_default();
        Self {
            id: open.id.0.to_string(),
            is_here: open.id == here,
            browser: first_of(BROWSERS, named),
            system: first_of(SYSTEMS, named),
            since: language.date(open.auth_time),
            address: open.address,
        }
    }

    fn says(&self, layout: &Layout) -> Said {
        says_browser(layout, (self.browser, self.system))
    }
}

/// Which browser it is that calls itself so, as far as it can be told, and on what.
pub(super) fn browser_named(user_agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    (first_of(BROWSERS, user_agent), first_of(SYSTEMS, user_agent))
}

/// The same in words.
pub(super) fn says_browser(layout: &Layout, named: (Option<&str>, Option<&str>)) -> Said {
    match named {
        (Some(browser), Some(system)) => layout.say("sessions-browser").name("browser", browser).name("system", system),
        (Some(name), None) | (None, Some(name)) => layout.say("sessions-some-browser").name("name", name),
        (None, None) => layout.say("sessions-unknown"),
    }
}

/// What is in a browser's name for itself, and what that is called; the first that is there counts, since many name
/// others beside themselves.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
];
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

fn first_of(known: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    known.iter().find(|(mark, _)| name.contains(mark)).map(|(_, called)| *called)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_the_name_that_only_it_has() {
        for (name, browser, system) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
              Safari/537.36 Edg/140.0.0.0",
                Some("Edge"),
                Some("Windows"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
              Version/18.0 Mobile/15E148 Safari/604.1",
                Some("Safari"),
                Some("iPhone"),
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", Some("Firefox"), Some("Linux")),
            ("curl/8", None, None),
            ("", None, None),
        ] {
            assert_eq!((first_of(BROWSERS, name), first_of(SYSTEMS, name)), (browser, system), "{name}");
        }
    }
}
