//! What of a request is not somebody's to allow, and where nothing of it is.

use super::{consent, html, layout, *};

pub(super) fn samples() -> Vec<(&'static str, String)> {
    let withheld = ConsentPage { withheld: vec!["Share your list".to_owned()], ..consent() };
    vec![
        ("consent_withheld", html(&withheld)),
        ("closed", html(&page("To-do list"))),
        ("closed_unverified", html(&ClosedPage { is_verified: false, ..page("To-do list") })),
    ]
}

/// The page of a plugin that is not open to who has signed in.
pub(super) fn page(text: &str) -> ClosedPage {
    ClosedPage {
        layout: layout(),
        request: "r1.sealed-request".to_owned(),
        csrf: "form-token".to_owned(),
        client_name: text.to_owned(),
        plugin_name: text.to_owned(),
        destination: Destination::Site("chat.example.com".to_owned()),
        account_name: text.to_owned(),
        account_email: text.to_owned(),
        is_verified: true,
        contact_email: text.to_owned(),
    }
}
