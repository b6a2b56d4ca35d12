//! The console's page about the webhook.

use askama::Template;

use super::{super::super::assets, Badge, Field, Frame, Layout, Section, wrong_with};
use crate::registry::Wrong;

/// Where a plugin's API is told of its people, `GET /console/plugins/{slug}/webhook`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/webhook.html")]
pub struct WebhookPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What stands in the field.
    pub address: String,
    /// The webhook; none where nothing is told.
    pub known: Option<KnownWebhook>,
    /// The secret, where it was made just now.
    pub secret: Option<String>,
    /// The last events, the newest first.
    pub deliveries: Vec<DeliveryLine>,
    /// What is wrong with what was typed or pressed.
    pub wrong: Vec<Wrong>,
}

/// A webhook as it stands.
#[derive(Debug, Clone)]
pub struct KnownWebhook {
    /// Its version.
    pub version: i64,
    /// When the secret was made.
    pub secret_made: String,
    /// Whether the one before signs too.
    pub has_old_secret: bool,
    /// Since when nothing is told, and why.
    pub stopped: Option<(String, String)>,
    /// Since when nothing was taken.
    pub failing_since: Option<String>,
    /// How many events were not kept; none in most cases.
    pub missed: Option<u64>,
}

/// An event in the list.
#[derive(Debug, Clone)]
pub struct DeliveryLine {
    /// What the wire calls it.
    pub id: String,
    /// What happened.
    pub event: &'static str,
    /// What became of it.
    pub badge: Badge,
    /// The same in a sentence or two.
    pub says: String,
    /// Whether it can be sent again.
    pub can_go_again: bool,
}

impl WebhookPage {
    fn field(&self) -> Field<'_, &str> {
        Field {
            hint: Some(
                "It begins with https:// and is reached over the internet. Your API answers with status 200 to 299.",
            ),
            value: &self.address,
            wrong: wrong_with(&self.wrong, "address"),
            ..Field::new("address", "Address", ("url", 2000))
        }
    }

    fn version(&self) -> i64 {
        self.known.as_ref().map_or(0, |known| known.version)
    }
}
