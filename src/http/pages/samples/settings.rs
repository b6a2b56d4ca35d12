//! A person's own account, filled.

use super::{super::*, html, layout};

/// As the server would fill it, and with each kind of mistake.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let mistake = |at, message| Some(Told::Mistake(at, layout().say(message).number("count", 15)));
    let told = |told| SettingsPage { told, ..settings("ada@people.example") };
    let without = SettingsPage { has_password: false, is_verified: false, ..told(None) };
    let done = Some(Told::Done(layout().say("settings-email-sent").host("email", "new@people.example")));
    let refused = || Some(Told::Refused(layout().say("settings-meanwhile")));
    vec![
        ("settings", html(&told(None))),
        ("settings_done", html(&told(done))),
        ("settings_refused", html(&told(refused()))),
        ("settings_name_wrong", html(&told(mistake(At::Name, "field-name-wrong")))),
        ("settings_email_wrong", html(&told(mistake(At::Email, "field-email-wrong")))),
        ("settings_password_wrong", html(&told(mistake(At::EmailPassword, "settings-wrong-password")))),
        ("settings_password_too_short", html(&told(mistake(At::NewPassword, "password-too-short")))),
        ("settings_without_password", html(&without)),
        ("settings_without_mail", html(&SettingsPage { sends_mail: false, ..without.clone() })),
        ("delete_account", html(&delete("ada@people.example"))),
        (
            "delete_account_wrong",
            html(&DeletePage {
                told: mistake(At::Password, "settings-wrong-password"),
                is_owner: true,
                ..delete("ada@people.example")
            }),
        ),
        ("delete_account_refused", html(&DeletePage { told: refused(), ..delete("ada@people.example") })),
        ("account_deleted", html(&DeletedPage { layout: layout() })),
    ]
}

/// With the same text in each of its fields.
pub(super) fn filled_with(layout: &Layout, text: &str) -> Vec<(&'static str, String)> {
    let done = Some(Told::Done(layout.say("settings-email-sent").host("email", text)));
    let mistake = Some(Told::Mistake(At::Email, layout.say("field-email-wrong")));
    let page = |told| SettingsPage { layout: layout.clone(), told, ..settings(text) };
    vec![
        ("settings_done", html(&page(done))),
        ("settings_email_wrong", html(&page(mistake))),
        ("settings_without_mail", html(&SettingsPage { sends_mail: false, ..page(None) })),
        ("delete_account", html(&DeletePage { layout: layout.clone(), ..delete(text) })),
        ("account_deleted", html(&DeletedPage { layout: layout.clone() })),
    ]
}

fn settings(text: &str) -> SettingsPage {
    SettingsPage {
        layout: layout(),
        csrf: text.to_owned(),
        id: text.to_owned(),
        account: SignedIn { name: text.to_owned(), email: text.to_owned() },
        is_verified: true,
        has_password: true,
        language: Some(Language::German),
        sends_mail: true,
        length_min: 15,
        typed: text.to_owned(),
        told: None,
    }
}

fn delete(text: &str) -> DeletePage {
    DeletePage {
        layout: layout(),
        csrf: text.to_owned(),
        id: text.to_owned(),
        account: SignedIn { name: text.to_owned(), email: text.to_owned() },
        apps: 2,
        sessions: 3,
        is_owner: false,
        has_password: true,
        told: None,
    }
}
