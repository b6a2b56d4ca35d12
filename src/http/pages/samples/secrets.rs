//! The console's pages about API keys, filled.

use super::{
    super::{
        console::{
            Badge, Choice, Frame, Head, Notice, PluginSecretLine, SecretPage, SecretsPage, Section, Usage, VersionLine,
        },
        *,
    },
    html, layout,
};
use crate::registry::Wrong;

/// As the server would fill them: with keys and without, for who has not shown lately that it is them, and with mistakes.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let layout = layout();
    let proof = Some("/prove?next=console.plugins/tasks/secrets".to_owned());
    let wrong = ["name", "value", "routes", "header", "prefix", "rotate_every", "rotator", "grace"]
        .map(|field| Wrong::new(field, "it is not good"))
        .to_vec();
    let none = SecretsPage {
        goes_to: None,
        secrets: vec![],
        removed: vec![],
        name: String::new(),
        usage: usage("", false),
        ..list(&layout, "x")
    };
    let unused = SecretPage { routes: vec![], failing: None, follows: None, ..one(&layout, "upstream-key") };
    vec![
        ("console_secrets", html(&list(&layout, "upstream-key"))),
        ("console_secrets_none", html(&none)),
        ("console_secrets_proof", html(&SecretsPage { proof: proof.clone(), ..list(&layout, "upstream-key") })),
        ("console_secrets_wrong", html(&SecretsPage { wrong: wrong.clone(), ..list(&layout, "Upstream Key") })),
        ("console_secret", html(&unused)),
        ("console_secret_followed", html(&one(&layout, "upstream-key"))),
        ("console_secret_proof", html(&SecretPage { proof, ..one(&layout, "upstream-key") })),
        ("console_secret_wrong", html(&SecretPage { wrong, follows: None, ..one(&layout, "upstream-key") })),
    ]
}

/// With the same text in each of their fields.
pub(super) fn filled_with(layout: &Layout, text: &str) -> Vec<(&'static str, String)> {
    let typed = SecretPage { follows: None, ..one(layout, text) };
    vec![
        ("console_secrets", html(&list(layout, text))),
        ("console_secret", html(&one(layout, text))),
        ("console_secret_typed", html(&typed)),
    ]
}

fn frame(text: &str) -> Frame {
    let badge = Badge { class: "good", word: "Verified" };
    Frame {
        csrf: "form-token".to_owned(),
        account: SignedIn { name: text.to_owned(), email: text.to_owned() },
        account_id: text.to_owned(),
        head: Some(Head { slug: "tasks".to_owned(), name: text.to_owned(), badge, section: Section::Secrets }),
        notice: Some(Notice::PutAway),
    }
}

fn choices(text: &str) -> Vec<Choice> {
    let choice = |chosen| Choice { value: text.to_owned(), label: text.to_owned(), chosen };
    vec![choice(false), choice(true)]
}

fn usage(text: &str, is_of_a_kept_one: bool) -> Usage {
    Usage {
        routes: text.to_owned(),
        header: text.to_owned(),
        prefix: text.to_owned(),
        ages: choices(text),
        makers: choices(text),
        overlaps: is_of_a_kept_one.then(|| choices(text)),
    }
}

fn list(layout: &Layout, text: &str) -> SecretsPage {
    let line = |class, word, routes: usize, more| PluginSecretLine {
        name: text.to_owned(),
        badge: Badge { class, word },
        routes: vec![text.to_owned(); routes],
        more,
        says: text.to_owned(),
        left: more.map(|_| text.to_owned()),
    };
    SecretsPage {
        layout: layout.clone(),
        frame: frame(text),
        slug: "tasks".to_owned(),
        goes_to: Some(text.to_owned()),
        secrets: vec![
            line("good", "In use", 3, Some(4)),
            line("bad", "Overdue", 1, None),
            line("waiting", "Used nowhere", 0, None),
        ],
        removed: vec![(text.to_owned(), text.to_owned()); 2],
        proof: None,
        name: text.to_owned(),
        usage: usage(text, false),
        wrong: Vec::new(),
    }
}

fn one(layout: &Layout, text: &str) -> SecretPage {
    let line = |number, class, word, can_end| VersionLine {
        number,
        badge: Badge { class, word },
        says: text.to_owned(),
        can_end,
    };
    SecretPage {
        layout: layout.clone(),
        frame: frame(text),
        slug: "tasks".to_owned(),
        name: text.to_owned(),
        revision: 7,
        version: 3,
        badge: Badge { class: "warn", word: "Due soon" },
        injection: text.to_owned(),
        routes: vec![text.to_owned(), text.to_owned()],
        facts: vec![
            ("Goes to", text.to_owned()),
            ("Last used", text.to_owned()),
            ("New keys come from", text.to_owned()),
        ],
        failing: Some(("15 January 2027, 08:00 UTC".to_owned(), text.to_owned())),
        follows: Some(text.to_owned()),
        versions: vec![
            line(3, "good", "Newest", false),
            line(2, "warn", "Still good", true),
            line(1, "waiting", "Ended", false),
        ],
        proof: None,
        overlaps: choices(text),
        usage: usage(text, true),
        wrong: Vec::new(),
    }
}
