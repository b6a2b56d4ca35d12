//! The pages of the console: what its owner reads and types about a plugin.

pub mod access;
pub mod again;
mod clients;
mod listing;
mod log;
mod notices;
pub mod people;
mod preview;
mod scopes;
mod secrets;
mod sure;
pub mod times;
mod tokens;
mod try_out;
mod verification;
mod webhook;
mod working;

pub use self::clients::{
    Choice, ClientLine, ClientPage, ClientsPage, HandoverPage, NewClientPage, OfferLine, SecretLine,
};
pub use self::listing::ListingPage;
pub use self::log::{LogLine, LogPage};
pub use self::notices::Notice;
pub use self::preview::Preview;
pub use self::scopes::ScopesPage;
pub use self::secrets::{PluginSecretLine, SecretPage, SecretsPage, Usage, VersionLine};
pub use self::sure::{Question, SurePage, isolated};
pub use self::tokens::{TokenLine, TokensPage};
pub use self::try_out::{TryOutPage, TryOutStep, Words};
pub use self::verification::VerificationPage;
pub use self::webhook::{DeliveryLine, KnownWebhook, WebhookPage};

use askama::Template;

pub use self::working::{AttemptLine, AttemptPage, CallerChoice, EventLine, Finding, Findings, StepMark, WorkingPage};
use super::{super::assets, Layout, SignedIn, field::Field};
use crate::{
    model::plugin::{Plugin, PluginState},
    registry::Wrong,
};

/// What frames every page of the console.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The form token, field `csrf` of every form.
    pub csrf: String,
    /// Who is at work.
    pub account: SignedIn,
    /// Their account's id, field `account` of every form.
    pub account_id: String,
    /// The plugin it is about.
    pub head: Option<Head>,
    /// What was done a moment ago.
    pub notice: Option<Notice>,
}

/// The plugin a page is about, and which of its pages this is.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its short name.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub badge: Badge,
    /// Which page.
    pub section: Section,
}

impl Head {
    /// For a page about a plugin.
    pub fn of(plugin: &Plugin, section: Section) -> Self {
        Self { slug: plugin.slug.clone(), name: plugin.name().to_owned(), badge: plugin.state.into(), section }
    }
}

/// A page of a plugin, with what follows the plugin's own address and what it is called.
type Place = (Section, &'static str, &'static str);

macro_rules! sections {
    ($($group:literal { $($(#[$doc:meta])* $name:ident = $path:literal, $words:literal),+ $(,)? })+) => {
        /// The pages of a plugin.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Section {
            $($($(#[$doc])* $name,)+)+
        }

        impl Section {
            /// Each of them, by what somebody is there for.
            pub const GROUPS: &[(&str, &[Place])] = &[$(($group, &[$((Self::$name, $path, $words)),+])),+];
        }
    };
}

sections! {
    "Set up" {
        /// Where it stands.
        Overview = "", "Overview",
        /// What it says of itself.
        Listing = "/listing", "Listing",
        /// What clients may ask for.
        Scopes = "/scopes", "Permissions",
        /// The programs that may ask.
        Clients = "/clients", "Client IDs",
        /// The keys that its API asks for.
        Secrets = "/secrets", "API keys",
        /// Whether an assistant finds what it looks for.
        Verification = "/verification", "Verification",
    }
    "People" {
        /// Who is connected.
        People = "/people", "People",
        /// Who may connect.
        Access = "/access", "Access",
        /// Who looks after it.
        Owners = "/owners", "Owners",
    }
    "Watch" {
        /// What happened, and what the doctor says.
        Working = "/working", "Is it working?",
        /// How it is used.
        Numbers = "/numbers", "Numbers",
        /// Where its API is told of its people.
        Webhook = "/webhook", "Webhook",
        /// What happened.
        Log = "/log", "Log",
    }
}

/// What leads to the other pages of a list. Addresses stand after the path of the public URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    /// The first page; none where it is this one.
    pub newest: Option<String>,
    /// The next page, if there is one.
    pub older: Option<String>,
}

impl Pager {
    fn is_first(&self) -> bool {
        self.newest.is_none()
    }

    fn leads_on(&self) -> bool {
        self.newest.is_some() || self.older.is_some()
    }
}

/// The plugins somebody may see, `GET /console`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/plugins.html")]
pub struct PluginsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// Newest first.
    pub plugins: Vec<PluginLine>,
    /// What leads to the other pages.
    pub pager: Pager,
    /// Whether they may register one.
    pub may_register: bool,
}

/// A plugin in the list.
#[derive(Debug, Clone)]
pub struct PluginLine {
    /// Its short name.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Where its documents are served.
    pub host: String,
    /// Where it stands.
    pub badge: Badge,
}

impl From<&Plugin> for PluginLine {
    fn from(plugin: &Plugin) -> Self {
        let name = plugin.name().to_owned();
        Self { slug: plugin.slug.clone(), name, host: plugin.host.to_string(), badge: plugin.state.into() }
    }
}

/// Which kind of plugin, `GET /console/new`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/kinds.html")]
pub struct KindPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// Whether they may register one.
    pub may_register: bool,
}

/// A short word about where something stands, and the class that colours it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// `good`, `warn`, `bad` or `waiting`.
    pub class: &'static str,
    /// The word.
    pub word: &'static str,
}

impl From<PluginState> for Badge {
    fn from(state: PluginState) -> Self {
        let (class, word) = match state {
            PluginState::Draft => ("waiting", "Draft"),
            PluginState::Published => ("warn", "Not verified"),
            PluginState::Verified => ("good", "Verified"),
        };
        Self { class, word }
    }
}

/// What is wrong with one field.
fn wrong_with<'a>(wrong: &'a [Wrong], field: &str) -> Vec<&'a str> {
    wrong.iter().filter(|it| it.field == field).map(|it| it.problem.as_str()).collect()
}

/// Where a plugin stands, `GET /console/plugins/{slug}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/overview.html")]
pub struct OverviewPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// What its tokens are for.
    pub resource: String,
    /// Where its manifest is served.
    pub manifest_url: String,
    /// The manifest as it is served.
    pub manifest: String,
    /// Names and sentences of what clients may ask for.
    pub scopes: Vec<(String, String)>,
}

impl OverviewPage {
    fn slug(&self) -> &str {
        self.frame.head.as_ref().map_or("", |head| &head.slug)
    }

    fn is_draft(&self) -> bool {
        self.frame.head.as_ref().is_some_and(|head| head.badge == PluginState::Draft.into())
    }

    /// What is to be done first of what is not.
    fn next(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.done)
    }
}

/// How a plugin is used, `GET /console/plugins/{slug}/numbers`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/numbers_page.html")]
pub struct NumbersPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The charts and their table, as HTML of our own (`console::numbers`).
    pub numbers: String,
}

/// Something to be done.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whether it is.
    pub done: bool,
    /// Where, after the plugin's own address.
    pub path: String,
    /// What.
    pub says: &'static str,
}
