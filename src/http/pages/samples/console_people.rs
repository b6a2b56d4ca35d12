//! The console's pages about people, filled.

use super::{
    super::{
        console::{
            Badge, Choice, Frame, Head, LogPage, Pager, Section, TokenLine, TokensPage,
            access::{Access, AccessPage, Asked, ReviewerPage, RuleLine},
            people::{
                EverybodyPage, InvitationLine, InvitationsPage, InvitedLine, OwnerLine, OwnersPage, PeoplePage,
                PersonLine,
            },
        },
        *,
    },
    html, layout,
};
use crate::{
    model::id::AuditEventId,
    registry::{Wrong, log, owner_tokens::OwnerTokenForm},
};

const EMAIL: &str = "grace@people.example";

/// As the server would fill it, with nothing in it, and with mistakes.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let (layout, wrong) = (layout(), |field| vec![Wrong::new(field, "it is not what it should be")]);
    vec![
        ("console_owners", html(&owners(&layout, EMAIL))),
        (
            "console_owners_without_mail",
            html(&OwnersPage { sends_mail: false, is_administrator: false, ..owners(&layout, EMAIL) }),
        ),
        ("console_owners_wrong", html(&OwnersPage { wrong: wrong("email"), ..owners(&layout, EMAIL) })),
        ("console_invitations", html(&invitations(&layout, "To-do list"))),
        ("console_invitations_none", html(&InvitationsPage { invitations: vec![], ..invitations(&layout, "") })),
        ("console_invitations_unverified", html(&InvitationsPage { is_verified: false, ..invitations(&layout, "") })),
        ("console_access", html(&access(&layout, "@people.example"))),
        ("console_access_open", html(&AccessPage { is_open: true, rules: vec![], ..access(&layout, "") })),
        ("console_access_wrong", html(&AccessPage { wrong: wrong("who"), ..access(&layout, "@people") })),
        ("console_access_asked", html(&asked(&layout, "12 people who are connected"))),
        ("console_reviewer", html(&reviewer(&layout, "reviewer-7k2mwx@reviewers.invalid"))),
        ("console_reviewer_none", html(&ReviewerPage { access: None, ..reviewer(&layout, "") })),
        ("console_reviewer_wrong", html(&ReviewerPage { wrong: wrong("days"), ..reviewer(&layout, "reviewer") })),
        ("console_reviewer_made", html(&made(&layout, "a-password-of-24-letters"))),
        ("console_people", html(&people(&layout, "An assistant"))),
        (
            "console_people_none",
            html(&PeoplePage {
                people: vec![],
                pager: Pager { newest: None, older: None },
                ..people(&layout, "An assistant")
            }),
        ),
        ("console_everybody", html(&everybody(&layout, "27 connections"))),
        (
            "console_everybody_wrong",
            html(&EverybodyPage { wrong: wrong("confirm"), ..everybody(&layout, "27 connections") }),
        ),
        ("console_tokens", html(&tokens(&layout, "The build"))),
        ("console_tokens_none", html(&TokensPage { tokens: vec![], made: None, ..tokens(&layout, "") })),
        (
            "console_tokens_wrong",
            html(&TokensPage { made: None, wrong: wrong("days"), ..tokens(&layout, "The build") }),
        ),
        ("console_log", html(&lines(&layout, "An assistant"))),
        (
            "console_log_none",
            html(&LogPage { lines: vec![], pager: Pager { newest: None, older: None }, ..lines(&layout, "") }),
        ),
    ]
}

/// With the same text in each of its fields.
pub(super) fn filled_with(layout: &Layout, text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("console_owners", html(&owners(layout, text))),
        ("console_invitations", html(&invitations(layout, text))),
        ("console_access", html(&access(layout, text))),
        ("console_access_asked", html(&asked(layout, text))),
        ("console_reviewer", html(&reviewer(layout, text))),
        ("console_reviewer_made", html(&made(layout, text))),
        ("console_people", html(&people(layout, text))),
        ("console_everybody", html(&everybody(layout, text))),
        ("console_tokens", html(&tokens(layout, text))),
        ("console_log", html(&lines(layout, text))),
    ]
}

fn pager(text: &str) -> Pager {
    Pager { newest: Some(text.to_owned()), older: Some(text.to_owned()) }
}

fn frame(section: Section, text: &str) -> Frame {
    let badge = Badge { class: "good", word: "Verified" };
    Frame {
        csrf: "form-token".to_owned(),
        account: SignedIn { name: text.to_owned(), email: text.to_owned() },
        account_id: text.to_owned(),
        head: Some(Head { slug: "todo".to_owned(), name: text.to_owned(), badge, section }),
        notice: None,
    }
}

fn owners(layout: &Layout, text: &str) -> OwnersPage {
    let owner = |is_you| OwnerLine {
        id: text.to_owned(),
        name: text.to_owned(),
        email: text.to_owned(),
        since: "15 January 2027, 08:00 UTC".to_owned(),
        is_you,
    };
    OwnersPage {
        layout: layout.clone(),
        frame: frame(Section::Owners, text),
        slug: "todo".to_owned(),
        owners: vec![owner(true), owner(false)],
        invited: vec![InvitedLine { email: text.to_owned(), until: "22 January 2027, 08:00 UTC".to_owned() }],
        sends_mail: true,
        is_administrator: true,
        email: text.to_owned(),
        wrong: Vec::new(),
    }
}

fn invitations(layout: &Layout, text: &str) -> InvitationsPage {
    let invitation = InvitationLine {
        id: text.to_owned(),
        name: text.to_owned(),
        host: text.to_owned(),
        until: "22 January 2027, 08:00 UTC".to_owned(),
    };
    let frame = Frame { head: None, ..frame(Section::Owners, text) };
    InvitationsPage { layout: layout.clone(), frame, invitations: vec![invitation], is_verified: true }
}

fn access(layout: &Layout, text: &str) -> AccessPage {
    let rule = |grants: Option<&str>| RuleLine { who: text.to_owned(), grants: grants.map(str::to_owned) };
    AccessPage {
        layout: layout.clone(),
        frame: frame(Section::Access, text),
        slug: "todo".to_owned(),
        version: 3,
        is_open: false,
        rules: vec![rule(None), rule(Some(text))],
        scopes: vec![(text.to_owned(), text.to_owned(), true), ("todo.write".to_owned(), text.to_owned(), false)],
        grants_all: false,
        who: text.to_owned(),
        asked: None,
        wrong: Vec::new(),
    }
}

fn asked(layout: &Layout, text: &str) -> AccessPage {
    let asked = Asked { change: "remove".to_owned(), people: text.to_owned() };
    AccessPage { asked: Some(asked), ..access(layout, text) }
}

fn reviewer(layout: &Layout, text: &str) -> ReviewerPage {
    let access = Access { name: text.to_owned(), until: "14 February 2027, 08:00 UTC".to_owned(), is_over: false };
    ReviewerPage {
        layout: layout.clone(),
        frame: frame(Section::Access, text),
        slug: "todo".to_owned(),
        access: Some(access),
        password: None,
        days: text.to_owned(),
        wrong: Vec::new(),
    }
}

fn made(layout: &Layout, text: &str) -> ReviewerPage {
    ReviewerPage { password: Some(text.to_owned()), ..reviewer(layout, text) }
}

fn people(layout: &Layout, text: &str) -> PeoplePage {
    let person = |last_used: Option<&str>, email: Option<&str>| PersonLine {
        id: text.to_owned(),
        subject: "pBt9DqXkqn6bT3mM0s2cJvYw1xE".to_owned(),
        email: email.map(str::to_owned),
        client: text.to_owned(),
        may: vec![text.to_owned(), text.to_owned()],
        since: "15 January 2027, 08:00 UTC".to_owned(),
        last_used: last_used.map(str::to_owned),
    };
    PeoplePage {
        layout: layout.clone(),
        frame: frame(Section::People, text),
        slug: "todo".to_owned(),
        resource: text.to_owned(),
        others: vec![(text.to_owned(), "https%3A%2F%2Ftodo.example%2Fmcp".to_owned())],
        people: vec![person(Some("16 January 2027, 09:30 UTC"), None), person(None, Some(text))],
        pager: pager(text),
    }
}

fn everybody(layout: &Layout, text: &str) -> EverybodyPage {
    let (frame, slug) = (frame(Section::People, text), "todo".to_owned());
    EverybodyPage { layout: layout.clone(), frame, slug, count: text.to_owned(), wrong: Vec::new() }
}

fn tokens(layout: &Layout, text: &str) -> TokensPage {
    let own = || text.to_owned();
    TokensPage {
        layout: layout.clone(),
        frame: Frame { head: None, ..frame(Section::Owners, text) },
        tokens: vec![TokenLine { id: own(), name: own(), scopes: own(), says: own() }],
        made: Some((own(), own())),
        scopes: vec![Choice { value: own(), label: own(), chosen: true }],
        form: OwnerTokenForm { name: own(), scopes: vec![own()], days: own() },
        wrong: Vec::new(),
    }
}

fn lines(layout: &Layout, text: &str) -> LogPage {
    let own = || text.to_owned();
    let line = log::Line {
        id: AuditEventId(uuid::Uuid::max()),
        at: "2027-01-15T08:00:00.000Z".to_owned(),
        action: "client.added".to_owned(),
        by: own(),
        token_id: own(),
        token_name: own(),
        person: own(),
        client_id: own(),
        client_name: own(),
        address: own(),
        request_id: own(),
        detail: own(),
    };
    LogPage {
        layout: layout.clone(),
        frame: frame(Section::Log, text),
        slug: "todo".to_owned(),
        search: own(),
        query: "client.added".to_owned(),
        lines: vec![line.into()],
        pager: pager(text),
    }
}
