//! The console's page about the webhook, filled.

use super::{
    super::{
        console::{Badge, DeliveryLine, Frame, Head, KnownWebhook, Section, WebhookPage},
        *,
    },
    html, layout,
};
use crate::registry::Wrong;

/// As the server would fill it, with nothing set, and with mistakes.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let (layout, address) = (layout(), "https://api.tasks.example.com/hooks/5");
    let wrong = vec![Wrong::new("address", "it is not an address"), Wrong::new("other", "It was changed")];
    let stopped = KnownWebhook { stopped: None, missed: None, ..known("x") };
    vec![
        ("console_webhook", html(&page(&layout, address))),
        (
            "console_webhook_failing",
            html(&WebhookPage { known: Some(stopped), secret: None, ..page(&layout, address) }),
        ),
        (
            "console_webhook_none",
            html(&WebhookPage { known: None, secret: None, deliveries: vec![], wrong, ..page(&layout, "") }),
        ),
    ]
}

/// With the same text in each of its fields.
pub(super) fn filled_with(layout: &Layout, text: &str) -> Vec<(&'static str, String)> {
    vec![("console_webhook", html(&page(layout, text)))]
}

fn known(text: &str) -> KnownWebhook {
    let at = "15 January 2027, 08:00 UTC".to_owned();
    KnownWebhook {
        version: 3,
        secret_made: at.clone(),
        has_old_secret: true,
        stopped: Some((at.clone(), text.to_owned())),
        failing_since: Some(at),
        missed: Some(12),
    }
}

fn page(layout: &Layout, text: &str) -> WebhookPage {
    let line = |class, word, can_go_again| DeliveryLine {
        id: text.to_owned(),
        event: "person.connected",
        badge: Badge { class, word },
        says: text.to_owned(),
        can_go_again,
    };
    let badge = Badge { class: "good", word: "Verified" };
    WebhookPage {
        layout: layout.clone(),
        frame: Frame {
            csrf: "form-token".to_owned(),
            account: SignedIn { name: text.to_owned(), email: text.to_owned() },
            account_id: text.to_owned(),
            head: Some(Head { slug: "tasks".to_owned(), name: text.to_owned(), badge, section: Section::Webhook }),
            notice: None,
        },
        slug: "tasks".to_owned(),
        address: text.to_owned(),
        known: Some(known(text)),
        secret: Some(text.to_owned()),
        deliveries: vec![line("good", "Taken", true), line("waiting", "Waiting", false), line("bad", "Given up", true)],
        wrong: Vec::new(),
    }
}
