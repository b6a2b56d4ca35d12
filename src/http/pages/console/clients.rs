//! The console's pages about client IDs.

use askama::Template;

use super::{super::super::assets, Badge, Field, Frame, Layout, Pager, Section, wrong_with};
use crate::registry::Wrong;

/// The clients of a plugin, `GET /console/plugins/{slug}/clients`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/clients.html")]
pub struct ClientsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// Newest first.
    pub clients: Vec<ClientLine>,
    /// What leads to the other pages.
    pub pager: Pager,
}

/// A client in the list.
#[derive(Debug, Clone)]
pub struct ClientLine {
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// How it speaks.
    pub kind: &'static str,
    /// Where it stands.
    pub badge: Badge,
}

/// A client to be registered, `GET /console/plugins/{slug}/clients/new`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/new_client.html")]
pub struct NewClientPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What it can be: what one assistant has several ways for, other assistants, and everything else.
    pub groups: [Vec<Choice>; 3],
    /// What stands in the field.
    pub name: String,
    /// What stands in the field: one address in each line.
    pub callbacks: String,
    /// Each of the plugin's scopes, and whether it is ticked.
    pub scopes: Vec<Choice>,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

/// Something to be chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its word in the form.
    pub value: String,
    /// What it is called.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl NewClientPage {
    fn name_field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("People read it when they are asked: who wants to use your API in their name."),
            value: &self.name,
            wrong: wrong_with(&self.wrong, "name"),
            ..Field::new("name", "Name", ("text", 100))
        }
    }

    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }
}

/// What is to be typed in elsewhere, once: the answer to a client registered, or to a secret renewed.
#[derive(Debug, Clone, Template)]
#[template(path = "console/handover.html")]
pub struct HandoverPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// Where the form is.
    pub place: String,
    /// Its fields in its own order, each with what belongs into it.
    pub fields: Vec<(String, String)>,
    /// Whether a secret stands among them.
    pub has_secret: bool,
    /// Until when the secret before is valid, where there is one.
    pub old_until: Option<String>,
    /// Callbacks that nobody typed.
    pub twins: Vec<String>,
    /// What to do then.
    pub then: Option<String>,
}

/// One client, `GET /console/plugins/{slug}/clients/{client}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/client.html")]
pub struct ClientPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// Its version when it was read.
    pub version: i64,
    /// What people are shown.
    pub name: String,
    /// How it speaks.
    pub kind: &'static str,
    /// Where it stands.
    pub badge: Badge,
    /// Whether it gets anything.
    pub enabled: bool,
    /// Whether people are sent back to it.
    pub sends_people: bool,
    /// Whether it says of itself what it is, so that nobody else may.
    pub says_so_itself: bool,
    /// Where people may be sent back to.
    pub callbacks: Vec<String>,
    /// Callbacks that were asked for and are offered.
    pub offers: Vec<OfferLine>,
    /// Its secrets, newest first; none where it has none.
    pub secrets: Vec<SecretLine>,
    /// Each of the plugin's scopes, and whether it may ask for it.
    pub scopes: Vec<Choice>,
    /// What is to be typed in where: fields and values, without the secret.
    pub fields: Vec<(String, String)>,
    /// Where that is.
    pub place: String,
    /// The newest secret: who renews it says which one they saw.
    pub newest_secret: String,
    /// What was typed as another name.
    pub typed_name: Option<String>,
    /// What was typed as another callback.
    pub typed_callback: Option<String>,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

/// A callback that is offered.
#[derive(Debug, Clone)]
pub struct OfferLine {
    /// Which.
    pub uri: String,
    /// How often it was asked for, and when last.
    pub says: String,
}

/// A secret as far as it is shown.
#[derive(Debug, Clone)]
pub struct SecretLine {
    /// Its row.
    pub id: String,
    /// When it was made, last used, and ends.
    pub says: String,
    /// Whether it can be ended: another one without an end is left.
    pub can_end: bool,
}

impl ClientPage {
    /// Whether it asks for the plugin as a whole, although that has scopes.
    fn is_for_the_whole(&self) -> bool {
        self.wrong.is_empty() && self.scopes.iter().all(|scope| !scope.chosen)
    }

    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }

    fn name_field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("People read it when they are asked."),
            value: self.typed_name.as_deref().unwrap_or(&self.name),
            wrong: wrong_with(&self.wrong, "name"),
            ..Field::new("name", "Name", ("text", 100))
        }
    }

    fn callback_field(&self) -> Field<'_, &str> {
        let wrong = wrong_with(&self.wrong, "callback");
        let wrong = if self.typed_callback.is_some() { wrong } else { Vec::new() };
        Field {
            hint: Some(
                "Copy it from where it is shown, letter for letter. Where the same callback is in use on another host \
                   too, that one is added with it.",
            ),
            value: self.typed_callback.as_deref().unwrap_or_default(),
            wrong,
            ..Field::new("callback", "Callback", ("url", 2000))
        }
    }
}
