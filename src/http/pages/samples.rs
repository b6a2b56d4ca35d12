//! Every page, filled as the server would fill it and as a stranger would: what the tests of `pages` read,
//! and what people look at (`CONSENTRY_TEST_PAGES_DIR=/some/folder cargo test pages::` writes them there, with an index).

mod closed;
mod console;
mod console_people;
mod factors;
mod index;
mod links;
mod providers;
mod secrets;
mod settings;
mod webhook;
mod working;

use chrono::DateTime;

use super::*;
use crate::{
    model::{Timestamp, id::SessionId, link::LinkPurpose, session::OpenSession},
    store::connected::Happened,
};

const REQUEST_ID: &str = "61747f2a9d4693c9";

/// A name for each sample, and its HTML.
pub(crate) fn samples() -> Vec<(&'static str, String)> {
    let mut samples = vec![
        ("sign_in", html(&sign_in())),
        ("sign_in_plain", html(&SignInPage { asking: None, request: String::new(), ..sign_in() })),
        ("sign_in_refused", html(&failed(SignInError::Refused))),
        ("consent", html(&consent())),
        ("consent_no_scopes", html(&ConsentPage { scopes: vec![], ..consent() })),
        ("consent_widened", html(&widened())),
        ("consent_choice", html(&choice(false))),
        ("consent_nothing_ticked", html(&choice(true))),
        ("consent_loopback", html(&loopback())),
        ("consent_hostile", html(&stretched())),
        ("error", html(&error())),
        ("refused", html(&refused(Destination::Site("app.example".to_owned())))),
        ("refused_loopback", html(&refused(Destination::ThisComputer("127.0.0.1:49152".to_owned())))),
        ("signed_out", html(&SignedOutPage { layout: layout() })),
        ("home", html(&HomePage { layout: layout(), account: None, has_console: false, csrf: String::new() })),
        ("home_signed_in", html(&home("Ada Lovelace"))),
        ("connected_apps", html(&connected_apps())),
        ("connected_apps_none", html(&ConnectedAppsPage { apps: vec![], history: vec![], ..connected_apps() })),
        ("sessions", html(&sessions())),
        ("sign_up", html(&links::ask(LinkPurpose::SignUp, "ada@people.example"))),
        ("reset_password", html(&links::ask(LinkPurpose::ResetPassword, ""))),
        ("check_mail", html(&CheckMailPage { layout: layout(), email: "ada@people.example".to_owned() })),
        ("invitation", html(&links::choose(LinkPurpose::Invitation, "ada@people.example"))),
        ("restore_email", html(&links::choose(LinkPurpose::RestoreEmail, "ada@people.example"))),
        ("verify_email", html(&links::confirm("ada@people.example"))),
        ("sign_in_ways", html(&SignInPage { ways: providers::ways("Example Inc."), ..sign_in() })),
        ("trouble", html(&providers::trouble(Trouble::Unverified, "Example Inc."))),
        ("trouble_sign_in_first", html(&providers::trouble(Trouble::SignInFirst, "Example Inc."))),
        ("confirm_identity", html(&providers::confirm("Example Inc."))),
        ("identities", html(&providers::identities("Example Inc."))),
        ("link_done", html(&DonePage { layout: layout(), purpose: LinkPurpose::ResetPassword })),
    ];
    let more = [closed::samples(), console::samples(), factors::samples(), settings::samples(), working::samples()];
    let console = console_people::samples().into_iter().chain(webhook::samples()).chain(secrets::samples());
    samples.extend(more.into_iter().flatten().chain(console));
    samples
}

/// Every page with the same text in each of its fields.
#[expect(clippy::too_many_lines, reason = "a list of pages")]
pub(crate) fn filled_with(text: &str) -> Vec<(&'static str, String)> {
    let own = || text.to_owned();
    let layout = || {
        let translations = vec![Translation { language: Language::German, href: own() }];
        let brand = BrandLinks { accent: "#0d6e5f".parse().ok(), has_logo: true, version: own() };
        Layout { server_name: own(), brand, base: own(), language: Language::English, translations }
    };
    let line = |is_new| ScopeLine { name: own(), words: own(), is_new, choice: is_new.then_some(true) };
    let consent = |client_origin, destination| ConsentPage {
        layout: layout(),
        request: own(),
        csrf: own(),
        client_name: own(),
        client_origin,
        plugin_name: own(),
        plugin_description: own(),
        logo: Some(own()),
        destination,
        scopes: vec![line(true), line(false)],
        withheld: vec![own()],
        nothing_ticked: true,
        lasts: Lasts { most: 365, unused: 90 },
        account_name: own(),
        account_email: own(),
        contact_email: own(),
        legal_info_url: format!("https://todo.example/{text}"),
        api_address: own(),
        connected_apps: Some(own()),
    };
    let asking = Some(Asking { client_name: own(), plugin_name: own() });
    let account = SignedIn { name: own(), email: own() };
    let error = Some(SignInError::Refused);
    let mut pages = vec![
        (
            "sign_in",
            html(&SignInPage {
                layout: layout(),
                request: own(),
                next: Place::Home,
                csrf: own(),
                email: own(),
                error,
                asking,
                ways: vec![Way { path: "with/a".to_owned(), label: own() }],
                offers_reset: true,
                offers_passkey: true,
                offers_sign_up: true,
            }),
        ),
        ("consent_host", html(&consent(ClientOrigin::Host(own()), Destination::Site(own())))),
        ("consent_stranger", html(&consent(ClientOrigin::Stranger(own()), Destination::Site(own())))),
        ("consent_owner", html(&consent(ClientOrigin::Owner, Destination::ThisComputer(own())))),
        ("consent_unproven", html(&consent(ClientOrigin::Unproven, Destination::App(own())))),
        (
            "error",
            html(&ErrorPage {
                layout: layout(),
                words: ErrorWords { id: "error-document-invalid", why: Some(own()) },
                request_id: own(),
            }),
        ),
        (
            "refused",
            html(&RefusedPage {
                layout: layout(),
                destination: Destination::Site(own()),
                link: format!("https://app.example/{text}"),
                problem: own(),
                request_id: own(),
            }),
        ),
        ("signed_out", html(&SignedOutPage { layout: layout() })),
        ("home", html(&HomePage { layout: layout(), account: Some(account.clone()), has_console: true, csrf: own() })),
        (
            "connected_apps",
            html(&ConnectedAppsPage {
                layout: layout(),
                csrf: own(),
                account: account.clone(),
                apps: vec![app(text, ClientOrigin::Host(own())), app(text, ClientOrigin::Stranger(own()))],
                disconnected: Some(Disconnected { client_name: own(), plugin_name: own(), connections: Some(2) }),
                history: vec![HistoryLine::of(&happened("consent.granted", text), Language::English).unwrap()],
            }),
        ),
        (
            "sessions",
            html(&SessionsPage {
                layout: layout(),
                csrf: own(),
                account,
                sessions: vec![SessionLine { id: own(), address: Some(own()), ..session(1, text) }],
                ended: Some(1),
            }),
        ),
        ("trouble", html(&TroublePage { layout: layout(), ..providers::trouble(Trouble::NotLinked, text) })),
        ("confirm_identity", html(&ConfirmIdentityPage { layout: layout(), ..providers::confirm(text) })),
        ("identities", html(&IdentitiesPage { layout: layout(), ..providers::identities(text) })),
        ("sign_up", html(&AskPage { layout: layout(), ..links::ask(LinkPurpose::SignUp, text) })),
        ("check_mail", html(&CheckMailPage { layout: layout(), email: own() })),
        ("invitation", html(&ChoosePage { layout: layout(), ..links::choose(LinkPurpose::Invitation, text) })),
        ("verify_email", html(&ConfirmPage { layout: layout(), ..links::confirm(text) })),
    ];
    pages.push(("closed", html(&closed::page(text))));
    pages.extend(console::filled_with(&layout(), text));
    pages.extend(factors::filled_with(text, layout()));
    pages.extend(settings::filled_with(&layout(), text));
    pages.extend(working::filled_with(&layout(), text));
    pages.extend(console_people::filled_with(&layout(), text));
    pages.extend(webhook::filled_with(&layout(), text));
    pages.extend(secrets::filled_with(&layout(), text));
    pages
}

/// The page an ordinary person sees most often.
pub(crate) fn consent() -> ConsentPage {
    ConsentPage {
        layout: layout(),
        request: "r1.sealed-request".to_owned(),
        csrf: "form-token".to_owned(),
        client_name: "ChatGPT".to_owned(),
        client_origin: ClientOrigin::Owner,
        plugin_name: "To-do list".to_owned(),
        plugin_description: "Keeps your to-do items, so that you can talk about what is next.".to_owned(),
        logo: None,
        destination: Destination::Site("chat.openai.com".to_owned()),
        scopes: vec![
            scope("todos:read", "Read your to-do items"),
            scope("todos:write", "Add, change and delete your to-do items"),
            scope("profile", "See your name and email address"),
        ],
        withheld: vec![],
        nothing_ticked: false,
        lasts: Lasts { most: 365, unused: 90 },
        account_name: "Ada Lovelace".to_owned(),
        account_email: "ada@people.example".to_owned(),
        contact_email: "help@todo.example".to_owned(),
        legal_info_url: "https://todo.example/legal".to_owned(),
        api_address: "todo.example/mcp".to_owned(),
        connected_apps: None,
    }
}

/// The sign-in page on the way to that consent.
pub(crate) fn sign_in() -> SignInPage {
    SignInPage {
        layout: layout(),
        request: "r1.sealed-request".to_owned(),
        next: Place::Home,
        csrf: "form-token".to_owned(),
        email: String::new(),
        error: None,
        asking: Some(Asking { client_name: "ChatGPT".to_owned(), plugin_name: "To-do list".to_owned() }),
        ways: Vec::new(),
        offers_reset: true,
        offers_passkey: false,
        offers_sign_up: false,
    }
}

/// A page as text.
pub(crate) fn html(page: &impl Template) -> String {
    render(page).expect("a page renders")
}

fn layout() -> Layout {
    Layout {
        server_name: "Consentry".to_owned(),
        brand: BrandLinks::default(),
        base: String::new(),
        language: Language::English,
        translations: Language::ALL
            .map(|language| Translation { language, href: format!("?language={}", language.tag()) })
            .to_vec(),
    }
}

fn scope(name: &str, words: &str) -> ScopeLine {
    ScopeLine { name: name.to_owned(), words: words.to_owned(), is_new: true, choice: None }
}

fn failed(error: SignInError) -> SignInPage {
    SignInPage { email: "ada@people.example".to_owned(), error: Some(error), ..sign_in() }
}

fn widened() -> ConsentPage {
    let mut page = consent();
    page.scopes[0].is_new = false;
    page.scopes[2].is_new = false;
    page.client_origin = ClientOrigin::Host("chatgpt.com".to_owned());
    page.connected_apps = Some("/connections".to_owned());
    page
}

/// With something that may be left out; and after all of it was.
pub(crate) fn choice(nothing_ticked: bool) -> ConsentPage {
    let mut page = ConsentPage { nothing_ticked, ..consent() };
    for scope in page.scopes.iter_mut().skip(usize::from(!nothing_ticked)) {
        scope.choice = Some(!nothing_ticked);
    }
    page
}

fn loopback() -> ConsentPage {
    ConsentPage {
        client_name: "Desk Helper".to_owned(),
        client_origin: ClientOrigin::Unproven,
        destination: Destination::ThisComputer("127.0.0.1:49152".to_owned()),
        ..consent()
    }
}

/// Unbroken, over-long, right-to-left and piled-up text wherever a stranger can write.
fn stretched() -> ConsentPage {
    let long = "Supercalifragilistic".repeat(6);
    ConsentPage {
        client_name: format!("\u{202e}TPGtahC {long}"),
        client_origin: ClientOrigin::Host(format!("{}.example", "a".repeat(63))),
        plugin_name: "قائمة المهام".to_owned(),
        plugin_description: long.clone(),
        destination: Destination::Site(format!("{}.{}.example", "chatgpt-com".repeat(5), "b".repeat(60))),
        scopes: vec![
            scope(&long, &long),
            scope("z", &format!("Z{} piled up", "\u{0336}\u{0310}\u{0346}\u{034b}".repeat(30))),
            scope("\u{202e}etirw", "\u{202e}gnihton od dna daeR"),
        ],
        account_name: long.clone(),
        account_email: format!("{long}@people.example"),
        contact_email: format!("{long}@todo.example"),
        legal_info_url: format!("https://todo.example/{long}"),
        ..consent()
    }
}

fn error() -> ErrorPage {
    ErrorPage { layout: layout(), words: "error-unknown-client".into(), request_id: REQUEST_ID.to_owned() }
}

fn refused(destination: Destination) -> RefusedPage {
    RefusedPage {
        layout: layout(),
        link: "https://app.example/callback?error=invalid_request&iss=https%3A%2F%2Fid.example".to_owned(),
        destination,
        problem: "response_type is missing".to_owned(),
        request_id: REQUEST_ID.to_owned(),
    }
}

fn home(name: &str) -> HomePage {
    let account = SignedIn { name: name.to_owned(), email: "ada@people.example".to_owned() };
    HomePage { layout: layout(), account: Some(account), has_console: true, csrf: "form-token".to_owned() }
}

fn day(day: i64) -> Timestamp {
    DateTime::from_timestamp(1_777_766_400 + day * 86_400, 0).expect("a time")
}

/// An app of which every text is this one, with two installations.
fn app(text: &str, client_origin: ClientOrigin) -> AppCard {
    let line = |number: i64| ConnectionLine {
        id: format!("{text} {number}"),
        connected_on: Language::English.date(day(number)),
        refreshed_on: (number > 0).then(|| Language::English.date(day(9))),
        address: Some(text.to_owned()),
    };
    AppCard {
        consent: text.to_owned(),
        client_name: text.to_owned(),
        client_origin,
        plugin_name: text.to_owned(),
        allows: vec![text.to_owned(), text.to_owned()],
        granted_on: Language::English.date(day(0)),
        connections: vec![line(1), line(0)],
    }
}

fn happened(action: &str, client_name: &str) -> Happened {
    Happened {
        at: day(0),
        action: action.to_owned(),
        address: Some("192.0.2.7".to_owned()),
        client_name: Some(client_name.to_owned()),
        detail: serde_json::Value::Null,
    }
}

fn session(number: u128, user_agent: &str) -> SessionLine {
    let id = SessionId(uuid::Uuid::from_u128(number));
    let open = OpenSession {
        id,
        auth_time: day(0),
        address: Some("192.0.2.7".to_owned()),
        user_agent: Some(user_agent.to_owned()),
    };
    SessionLine::of(open, SessionId(uuid::Uuid::from_u128(1)), Language::English)
}

fn connected_apps() -> ConnectedAppsPage {
    let chatgpt = AppCard {
        client_name: "ChatGPT".to_owned(),
        plugin_name: "To-do list".to_owned(),
        allows: vec!["Read your to-do items".to_owned(), "Add, change and delete your to-do items".to_owned()],
        ..app("20.15.240.64", ClientOrigin::Owner)
    };
    let stranger = AppCard {
        client_name: "app.example".to_owned(),
        plugin_name: "Notes".to_owned(),
        allows: Vec::new(),
        connections: Vec::new(),
        ..app("", ClientOrigin::Stranger("Desk Helper".to_owned()))
    };
    let history = ["consent.granted", "family.born", "family.ended", "consent.revoked", "account.added"];
    let line = |action| HistoryLine::of(&happened(action, "ChatGPT"), Language::English).expect("words");
    ConnectedAppsPage {
        layout: layout(),
        csrf: "form-token".to_owned(),
        account: SignedIn { name: "Ada Lovelace".to_owned(), email: "ada@people.example".to_owned() },
        apps: vec![chatgpt, stranger],
        disconnected: None,
        history: history.map(line).to_vec(),
    }
}

fn sessions() -> SessionsPage {
    SessionsPage {
        layout: layout(),
        csrf: "form-token".to_owned(),
        account: SignedIn { name: "Ada Lovelace".to_owned(), email: "ada@people.example".to_owned() },
        sessions: vec![session(1, "Firefox Linux"), session(2, "iPhone Safari"), session(3, "")],
        ended: Some(1),
    }
}
