//! "Is it working?" in the console, filled.

use super::{
    super::{
        console::{
            AttemptLine, AttemptPage, CallerChoice, EventLine, Findings, Frame, Head, Pager, Section, TryOutPage,
            TryOutStep, Words, WorkingPage,
        },
        *,
    },
    day, html, layout,
};
use crate::{
    doctor::Check,
    model::{
        attempt::Attempt,
        client::Dialect,
        flow::{FlowEvent, FlowId, Outcome, Step},
        plugin::PluginState,
    },
    random,
};

/// As the server would fill it.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let quiet = WorkingPage {
        findings: None,
        attempts: Vec::new(),
        pager: Pager { newest: None, older: None },
        ..working(layout(), "Example Tasks")
    };
    let not_now = Some("The doctor is busy with other plugins. Try again in a moment.".to_owned());
    vec![
        ("console_working", html(&working(layout(), "Example Tasks"))),
        ("console_working_quiet", html(&quiet)),
        (
            "console_working_later",
            html(&WorkingPage {
                not_now,
                pager: Pager { newest: Some("/console".to_owned()), older: None },
                ..quiet.clone()
            }),
        ),
        ("console_attempt", html(&attempt(layout(), "Example Tasks"))),
        ("console_try_out", html(&try_out(layout(), "Example Tasks", true))),
        ("console_try_out_stopped", html(&try_out(layout(), "Example Tasks", false))),
        ("console_attempt_long", html(&AttemptPage { has_more: true, before: Vec::new(), ..attempt(layout(), "x") })),
    ]
}

/// With the same text in each of its fields.
pub(super) fn filled_with(layout: &Layout, text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("console_working", html(&working(layout.clone(), text))),
        ("console_attempt", html(&attempt(layout.clone(), text))),
        ("console_try_out", html(&try_out(layout.clone(), text, false))),
    ]
}

fn frame(text: &str) -> Frame {
    let badge = PluginState::Published.into();
    let head = Head { slug: text.to_owned(), name: text.to_owned(), badge, section: Section::Working };
    let account = SignedIn { name: text.to_owned(), email: text.to_owned() };
    Frame { csrf: text.to_owned(), account, account_id: text.to_owned(), head: Some(head), notice: None }
}

fn working(layout: Layout, text: &str) -> WorkingPage {
    let checks = vec![
        Check::ok("reach.answers", text),
        Check::warning("discovery.cache", text, text),
        Check::wrong("authorize.code", text, text),
        Check::left_out("token.form", text),
    ];
    WorkingPage {
        layout,
        frame: frame(text),
        slug: text.to_owned(),
        callers: vec![CallerChoice { name: text.to_owned(), about: text.to_owned(), is_chosen: true }],
        kinds: vec![CallerChoice { name: text.to_owned(), about: text.to_owned(), is_chosen: true }],
        not_now: None,
        findings: Some(Findings::of(text, text, checks)),
        attempts: vec![AttemptLine::of(&attempted(text), text.to_owned())],
        pager: Pager { newest: None, older: Some(text.to_owned()) },
    }
}

fn try_out(layout: Layout, text: &str, is_good: bool) -> TryOutPage {
    let words = || {
        let own = || text.to_owned();
        vec![Words { asked: own(), sent: own(), answered: own(), got: own() }]
    };
    let step = |name, is_good| TryOutStep::of(name, (1_777_766_459_000, is_good), text, words());
    let good = ["discovery", "client", "authorization", "return", "tokens"].map(|name| step(name, true));
    TryOutPage {
        layout,
        frame: frame(text),
        slug: text.to_owned(),
        kind: Dialect::Plugin,
        target: text.to_owned(),
        steps: good.into_iter().chain(["api", "refresh"].map(|name| step(name, is_good))).collect(),
        flow: Some(text.to_owned()),
    }
}

fn attempt(layout: Layout, text: &str) -> AttemptPage {
    let attempt = attempted(text);
    AttemptPage {
        layout,
        frame: frame(text),
        slug: text.to_owned(),
        id: attempt.id.to_string(),
        client: text.to_owned(),
        resource: text.to_owned(),
        badge: attempt.standing().into(),
        meaning: attempt.standing().says(),
        before: attempt.events[..1].iter().map(EventLine::from).collect(),
        events: attempt.events.iter().map(EventLine::from).collect(),
        has_more: false,
    }
}

/// One that was refused when the code was redeemed.
fn attempted(text: &str) -> Attempt {
    let id = random::id(day(0));
    let steps = [Step::Authorization, Step::SignIn, Step::Consent, Step::Code, Step::Token];
    let event = |step: Step| FlowEvent {
        id,
        flow_id: Some(FlowId::of(id)),
        at: day(0),
        step,
        outcome: if step == Step::Token { Outcome::Refused } else { Outcome::Done },
        client_id: Some(text.to_owned()),
        resource: Some(text.to_owned()),
        address: Some(text.to_owned()),
        user_agent: Some(text.to_owned()),
        request_id: text.to_owned(),
        says: text.to_owned(),
    };
    Attempt { id: FlowId::of(id), events: steps.into_iter().map(event).collect() }
}
