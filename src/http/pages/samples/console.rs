//! The console, filled.

use super::{
    super::{
        console::{again::AgainPage, *},
        *,
    },
    html, layout,
};
use crate::{
    model::{client::Dialect, plugin::PluginState, verification::Finding},
    registry::{Wrong, plugins::PluginForm, scopes::ScopeForm},
};

/// As the server would fill it, and with mistakes.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let layout = Layout { translations: Vec::new(), ..layout() };
    let frame = |head| Frame { notice: Some(Notice::Saved), ..frame("Olive Owner", head) };
    let head = |section| Some(head("Example Tasks", section));
    vec![
        ("console_plugins", html(&plugins(&layout, frame(None), "Example Tasks"))),
        (
            "console_empty",
            html(&PluginsPage {
                plugins: vec![],
                pager: Pager { newest: None, older: None },
                ..plugins(&layout, frame(None), "x")
            }),
        ),
        ("console_kinds", html(&KindPage { layout: layout.clone(), frame: frame(None), may_register: true })),
        (
            "console_new",
            html(&ListingPage {
                kind: Some(Dialect::Action),
                proof: None,
                wrong: vec![],
                ..listing(&layout, frame(None), "Example Tasks")
            }),
        ),
        ("console_listing", html(&listing(&layout, frame(head(Section::Listing)), "Example Tasks"))),
        ("console_scopes", html(&scopes(&layout, frame(head(Section::Scopes)), "tasks.read"))),
        ("console_overview", html(&overview(&layout, frame(head(Section::Overview)), "Example Tasks"))),
        ("console_clients", html(&clients(&layout, frame(head(Section::Clients)), "Example"))),
        ("console_new_client", html(&new_client(&layout, frame(head(Section::Clients)), "Example"))),
        ("console_handover", html(&handover(&layout, frame(head(Section::Clients)), "Example"))),
        ("console_client", html(&client(&layout, frame(head(Section::Clients)), "Example"))),
        ("console_again", html(&AgainPage { asks_for_a_key: false, ..again(&layout, "Example") })),
        ("console_again_key", html(&again(&layout, "Example"))),
        ("console_sure", html(&sure(&layout, frame(head(Section::Clients)), "Example"))),
        ("console_verification", html(&verification(&layout, frame(head(Section::Verification)), "Example"))),
    ]
}

/// With the same text in each of its fields.
pub(super) fn filled_with(layout: &Layout, text: &str) -> Vec<(&'static str, String)> {
    let frame = |section| frame(text, Some(head(text, section)));
    vec![
        ("console_plugins", html(&plugins(layout, frame(Section::Overview), text))),
        ("console_listing", html(&listing(layout, frame(Section::Listing), text))),
        ("console_scopes", html(&scopes(layout, frame(Section::Scopes), text))),
        ("console_overview", html(&overview(layout, frame(Section::Overview), text))),
        ("console_clients", html(&clients(layout, frame(Section::Clients), text))),
        ("console_new_client", html(&new_client(layout, frame(Section::Clients), text))),
        ("console_handover", html(&handover(layout, frame(Section::Clients), text))),
        ("console_client", html(&client(layout, frame(Section::Clients), text))),
        ("console_again", html(&again(layout, text))),
        ("console_sure", html(&sure(layout, frame(Section::Clients), text))),
        ("console_verification", html(&verification(layout, frame(Section::Verification), text))),
    ]
}

fn frame(text: &str, head: Option<Head>) -> Frame {
    let account = SignedIn { name: text.to_owned(), email: text.to_owned() };
    Frame { csrf: text.to_owned(), account, account_id: text.to_owned(), head, notice: None }
}

fn head(text: &str, section: Section) -> Head {
    Head { slug: text.to_owned(), name: text.to_owned(), badge: PluginState::Published.into(), section }
}

fn plugins(layout: &Layout, frame: Frame, text: &str) -> PluginsPage {
    let line = |state: PluginState| PluginLine {
        slug: text.to_owned(),
        name: text.to_owned(),
        host: text.to_owned(),
        badge: state.into(),
    };
    PluginsPage {
        layout: layout.clone(),
        frame,
        plugins: vec![line(PluginState::Draft), line(PluginState::Verified)],
        pager: Pager { newest: Some(text.to_owned()), older: Some(text.to_owned()) },
        may_register: false,
    }
}

fn listing(layout: &Layout, frame: Frame, text: &str) -> ListingPage {
    let own = || text.to_owned();
    ListingPage {
        layout: layout.clone(),
        frame,
        kind: None,
        slug: own(),
        version: 3,
        form: PluginForm {
            name: own(),
            short_name: own(),
            api_address: own(),
            description: own(),
            description_for_model: own(),
            contact_email: own(),
            legal_info_url: own(),
            accent_color: own(),
            openapi: Some(text.as_bytes().to_vec()),
            logo: None,
        },
        pasted: own(),
        openapi_url: String::new(),
        logo_url: own(),
        has_openapi: true,
        has_logo: false,
        proof: Some("/prove?next=console.plugins/tasks/listing".to_owned()),
        preview: preview(text),
        wrong: ["name", "openapi", "description_for_model", "other"].map(|field| Wrong::new(field, text)).to_vec(),
    }
}

/// Of a page that is filled with the same text.
fn preview(text: &str) -> Preview {
    let consent = ConsentPage { client_name: text.to_owned(), plugin_name: text.to_owned(), ..super::consent() };
    Preview::of(&consent, (text.to_owned(), vec![text.to_owned()]), true).unwrap()
}

fn scopes(layout: &Layout, frame: Frame, text: &str) -> ScopesPage {
    ScopesPage {
        layout: layout.clone(),
        frame,
        slug: text.to_owned(),
        version: 3,
        known: vec![text.to_owned()],
        scopes: vec![ScopeForm { name: text.to_owned(), words: text.to_owned(), optional: true }],
        wrong: vec![Wrong::new("scope", text)],
    }
}

fn overview(layout: &Layout, frame: Frame, text: &str) -> OverviewPage {
    OverviewPage {
        layout: layout.clone(),
        frame,
        steps: vec![
            Step { done: true, path: "/listing".into(), says: "Say what it is" },
            Step { done: false, path: "/scopes".into(), says: "Say what it may do" },
        ],
        resource: text.to_owned(),
        manifest_url: format!("https://tasks.example.com/{text}"),
        manifest: text.to_owned(),
        scopes: vec![(text.to_owned(), text.to_owned())],
    }
}

fn badge() -> Badge {
    Badge { class: "good", word: "Ready" }
}

fn clients(layout: &Layout, frame: Frame, text: &str) -> ClientsPage {
    let client = ClientLine {
        client_id: text.to_owned(),
        name: text.to_owned(),
        kind: "Action of a custom GPT",
        badge: badge(),
    };
    ClientsPage {
        layout: layout.clone(),
        frame,
        slug: text.to_owned(),
        clients: vec![client],
        pager: Pager { newest: Some(text.to_owned()), older: Some(text.to_owned()) },
    }
}

fn new_client(layout: &Layout, frame: Frame, text: &str) -> NewClientPage {
    let choice = || vec![Choice { value: text.to_owned(), label: text.to_owned(), chosen: true }];
    NewClientPage {
        layout: layout.clone(),
        frame,
        slug: text.to_owned(),
        groups: [choice(), choice(), choice()],
        name: text.to_owned(),
        callbacks: text.to_owned(),
        scopes: choice(),
        wrong: ["preset", "name", "callback", "scope"].map(|field| Wrong::new(field, text)).to_vec(),
    }
}

fn handover(layout: &Layout, frame: Frame, text: &str) -> HandoverPage {
    HandoverPage {
        layout: layout.clone(),
        frame,
        slug: text.to_owned(),
        client_id: text.to_owned(),
        name: text.to_owned(),
        place: text.to_owned(),
        fields: vec![("Client ID".to_owned(), text.to_owned()), ("Scope".to_owned(), String::new())],
        has_secret: true,
        old_until: Some(text.to_owned()),
        twins: vec![text.to_owned()],
        then: Some(text.to_owned()),
    }
}

fn client(layout: &Layout, frame: Frame, text: &str) -> ClientPage {
    let own = || text.to_owned();
    ClientPage {
        layout: layout.clone(),
        frame,
        slug: own(),
        client_id: own(),
        version: 2,
        name: own(),
        kind: "Action of a custom GPT",
        badge: badge(),
        enabled: true,
        sends_people: true,
        says_so_itself: false,
        callbacks: vec![own()],
        offers: vec![OfferLine { uri: own(), says: own() }],
        secrets: vec![SecretLine { id: own(), says: own(), can_end: true }],
        scopes: vec![Choice { value: own(), label: own(), chosen: true }],
        fields: vec![("Client ID".to_owned(), own())],
        place: own(),
        newest_secret: own(),
        typed_name: Some(own()),
        typed_callback: Some(own()),
        wrong: ["name", "callback", "secret", "scope"].map(|field| Wrong::new(field, text)).to_vec(),
    }
}

fn again(layout: &Layout, text: &str) -> AgainPage {
    let fields = vec![("name".to_owned(), text.to_owned())];
    AgainPage { layout: layout.clone(), action: "/console/new/action".to_owned(), fields, asks_for_a_key: true }
}

fn sure(layout: &Layout, frame: Frame, text: &str) -> SurePage {
    let own = || text.to_owned();
    let asked = Question {
        question: own(),
        ends: own(),
        then: own(),
        action: "/clients/1/delete".to_owned(),
        fields: vec![("callback", own())],
        button: "Delete it for good",
        back: own(),
        wrong: vec![Wrong::new("other", text)],
    };
    SurePage { layout: layout.clone(), frame, slug: own(), asked }
}

fn verification(layout: &Layout, frame: Frame, text: &str) -> VerificationPage {
    let own = || text.to_owned();
    VerificationPage {
        layout: layout.clone(),
        frame,
        slug: own(),
        version: 2,
        has_token: true,
        is_verified: false,
        manifest_url: format!("https://tasks.example.com/{text}"),
        challenge_url: own(),
        challenge: own(),
        typed_challenge: own(),
        looked_at: Some(own()),
        says: Some(own()),
        findings: vec![Finding { field: own(), says: own(), served: Some(own()), found: None }],
        next: Some(own()),
        typed: own(),
        wrong: ["token", "challenge"].map(|field| Wrong::new(field, text)).to_vec(),
    }
}
