//! The pages around signing in through others, filled.

use super::{super::*, day, layout};
use crate::languages::Language;

pub(super) fn ways(label: &str) -> Vec<Way> {
    let way = |path: &str| Way { path: path.to_owned(), label: label.to_owned() };
    vec![way("own"), way("with/work")]
}

pub(super) fn trouble(problem: Trouble, label: &str) -> TroublePage {
    TroublePage { layout: layout(), label: label.to_owned(), problem, back: "/sign-in?next=".to_owned() }
}

pub(super) fn confirm(label: &str) -> ConfirmIdentityPage {
    ConfirmIdentityPage {
        layout: layout(),
        csrf: "form-token".to_owned(),
        account: account(label),
        request: "r1.sealed-request".to_owned(),
        next: Place::Home,
        label: label.to_owned(),
        offer: "an-offer".to_owned(),
    }
}

pub(super) fn identities(label: &str) -> IdentitiesPage {
    let line = |id: &str, used| IdentityLine {
        id: id.to_owned(),
        label: label.to_owned(),
        email: Some(label.to_owned()),
        since: Language::English.date(day(0)),
        used,
    };
    IdentitiesPage {
        layout: layout(),
        csrf: "form-token".to_owned(),
        account: account(label),
        identities: vec![line("1", Some(Language::English.date(day(9)))), line("2", None)],
        ways: ways(label),
        told: Some(("identities-last-way", false)),
    }
}

fn account(text: &str) -> SignedIn {
    SignedIn { name: text.to_owned(), email: text.to_owned() }
}
