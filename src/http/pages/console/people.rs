//! The pages of the console about people: who owns a plugin, who is invited to, and who is connected to it.

use askama::Template;

use super::{super::super::assets, Field, Frame, Layout, Pager, Section, wrong_with};
use crate::registry::Wrong;

/// Who owns a plugin, `GET /console/plugins/{slug}/owners`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/owners.html")]
pub struct OwnersPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// In the order in which they came.
    pub owners: Vec<OwnerLine>,
    /// Who is invited and has not answered.
    pub invited: Vec<InvitedLine>,
    /// Whether mail is sent, so that somebody can be invited.
    pub sends_mail: bool,
    /// Whether they may add somebody without asking.
    pub is_administrator: bool,
    /// What was typed.
    pub email: String,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

/// An owner in the list.
#[derive(Debug, Clone)]
pub struct OwnerLine {
    /// The account's id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Since when.
    pub since: String,
    /// Whether that is who looks.
    pub is_you: bool,
}

/// Somebody invited, in the list.
#[derive(Debug, Clone)]
pub struct InvitedLine {
    /// Their address.
    pub email: String,
    /// Until when.
    pub until: String,
}

impl OwnersPage {
    fn field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("The address they sign in with, or will: an account can be made with it later."),
            value: &self.email,
            wrong: wrong_with(&self.wrong, "email"),
            ..Field::new("email", "Email address", ("email", 254))
        }
    }

    fn has_others(&self) -> bool {
        self.owners.len() > 1
    }
}

/// What somebody is invited to, `GET /console/invitations`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/invitations.html")]
pub struct InvitationsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The oldest first.
    pub invitations: Vec<InvitationLine>,
    /// Whether their address was shown to be theirs.
    pub is_verified: bool,
}

/// An invitation in the list.
#[derive(Debug, Clone)]
pub struct InvitationLine {
    /// The plugin's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where its documents are served.
    pub host: String,
    /// Until when.
    pub until: String,
}

/// Who is connected, `GET /console/plugins/{slug}/people`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/people.html")]
pub struct PeoplePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// To which resource.
    pub resource: String,
    /// The others it has, each as text and as it stands in an address.
    pub others: Vec<(String, String)>,
    /// Newest first.
    pub people: Vec<PersonLine>,
    /// What leads to the other pages.
    pub pager: Pager,
}

/// Somebody connected, in the list.
#[derive(Debug, Clone)]
pub struct PersonLine {
    /// The consent's id.
    pub id: String,
    /// The name under which the API knows them.
    pub subject: String,
    /// Their address, for administrators.
    pub email: Option<String>,
    /// What the client is called.
    pub client: String,
    /// What they allowed, in the sentences they read; by its name where the plugin has it no longer.
    pub may: Vec<String>,
    /// Since when.
    pub since: String,
    /// When it was last used.
    pub last_used: Option<String>,
}

/// Whether everybody is to be disconnected, `GET /console/plugins/{slug}/people/everybody`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/everybody.html")]
pub struct EverybodyPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// How many connections that ends, in words.
    pub count: String,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

impl EverybodyPage {
    fn field(&self) -> Field<'_, String> {
        Field {
            wrong: wrong_with(&self.wrong, "confirm").into_iter().map(str::to_owned).collect(),
            ..Field::new("confirm", format!("Type {} to confirm", self.slug), ("text", 64))
        }
    }
}
