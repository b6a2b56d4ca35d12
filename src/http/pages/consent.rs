//! Who asks for what, and the yes or the no to it.

use askama::Template;
use chrono::TimeDelta;

use super::{super::assets, Layout, initial};
use crate::{model::redirect_uri::RedirectUri, server::Settings};

/// Where a person says yes or no: `GET /consent`.
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html", blocks = ["main"])]
pub struct ConsentPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request, field `r` of both forms.
    pub request: String,
    /// The form token, field `csrf` of both forms.
    pub csrf: String,
    /// The client's display name.
    pub client_name: String,
    /// Who stands behind that name.
    pub client_origin: ClientOrigin,
    /// The plugin's display name.
    pub plugin_name: String,
    /// The plugin's description for people; may be empty.
    pub plugin_description: String,
    /// A whole path on this server: the pages' content policy loads images from nowhere else.
    pub logo: Option<String>,
    /// Where the answer goes.
    pub destination: Destination,
    /// What is asked for, in the order it is to be read; empty means the plugin as a whole.
    pub scopes: Vec<ScopeLine>,
    /// What is asked for as well, and is not theirs to allow.
    pub withheld: Vec<String>,
    /// Whether "allow" was pressed with nothing left to be allowed.
    pub nothing_ticked: bool,
    /// How long the connection can last.
    pub lasts: Lasts,
    /// Name of the account that is signed in.
    pub account_name: String,
    /// Address of the account that is signed in.
    pub account_email: String,
    /// The plugin owner's address from the manifest.
    pub contact_email: String,
    /// The legal page from the manifest; shown only when it is a web address.
    pub legal_info_url: String,
    /// Which of the plugin's APIs it is: its host, and its path if it has one.
    pub api_address: String,
    /// The whole path of the page on which connections are ended, once this server has one.
    pub connected_apps: Option<String>,
}

impl ConsentPage {
    fn client_initial(&self) -> String {
        initial(&self.client_name)
    }

    fn plugin_initial(&self) -> String {
        initial(&self.plugin_name)
    }

    fn account_initial(&self) -> String {
        initial(&self.account_name)
    }

    /// On a first consent everything is new, and a badge on every line would tell nothing.
    fn only_some_are_new(&self) -> bool {
        self.scopes.iter().any(|scope| !scope.is_new)
    }

    /// Whether something may be left out.
    fn offers_a_choice(&self) -> bool {
        self.scopes.iter().any(|scope| scope.choice.is_some())
    }

    /// The legal page as a link, unless its scheme could do something else than open a web page.
    fn legal_link(&self) -> Option<String> {
        let url = url::Url::parse(&self.legal_info_url).ok()?;
        matches!(url.scheme(), "https" | "http").then(|| url.to_string())
    }
}

/// Where a person reads that the plugin does not let them connect: `GET /consent`, too.
#[derive(Debug, Clone, Template)]
#[template(path = "closed.html")]
pub struct ClosedPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request, field `r` of both forms.
    pub request: String,
    /// The form token, field `csrf` of both forms.
    pub csrf: String,
    /// The client's display name.
    pub client_name: String,
    /// The plugin's display name.
    pub plugin_name: String,
    /// Where going back leads.
    pub destination: Destination,
    /// Name of the account that is signed in.
    pub account_name: String,
    /// Address of the account that is signed in.
    pub account_email: String,
    /// Whether that was shown to be theirs.
    pub is_verified: bool,
    /// The plugin owner's address from the manifest.
    pub contact_email: String,
}

impl ClosedPage {
    fn account_initial(&self) -> String {
        initial(&self.account_name)
    }
}

/// Who stands behind a client's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientOrigin {
    /// Its metadata document, whose host is the name shown; this is what it calls itself there.
    Stranger(String),
    /// The plugin's owner registered it.
    Owner,
    /// This host published its metadata document, and we fetched it from there.
    Host(String),
    /// It registered itself; its name is its own claim.
    Unproven,
}

/// Where the answer to an authorization request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A website; its host, in its ASCII form.
    Site(String),
    /// A loopback address, with its port if it has one: some program on the person's own machine.
    ThisComputer(String),
    /// A scheme of an app's own: whatever app has claimed it.
    App(String),
}

impl Destination {
    /// Its name in a sentence.
    pub(super) fn name(&self) -> &str {
        let (Self::Site(name) | Self::ThisComputer(name) | Self::App(name)) = self;
        name
    }

    /// What a proven redirect URI is to a person.
    pub fn of(uri: &RedirectUri) -> Self {
        if uri.is_loopback() {
            Self::ThisComputer(uri.display_host())
        } else if uri.is_website() {
            Self::Site(uri.display_host())
        } else {
            Self::App(uri.url().scheme().to_owned())
        }
    }
}

/// One permission on the consent page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeLine {
    /// The scope as it stands in the request.
    pub name: String,
    /// What it allows, to be read after "can": "Read your to-do items".
    pub words: String,
    /// Whether the person has not allowed it to this client yet.
    pub is_new: bool,
    /// Whether it is ticked, where it may be left out.
    pub choice: Option<bool>,
}

/// How long a connection can last, in days, begun ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasts {
    /// At most.
    pub most: i64,
    /// Without being used.
    pub unused: i64,
}

impl Lasts {
    /// What a server gives.
    pub fn of(settings: &Settings) -> Self {
        let days = |time: TimeDelta| (time + TimeDelta::days(1) - TimeDelta::milliseconds(1)).num_days();
        Self { most: days(settings.refresh_absolute), unused: days(settings.refresh_idle) }
    }
}
