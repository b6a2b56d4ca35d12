//! The pages around second factors, filled.

use chrono::DateTime;

use super::{super::*, html, layout, sign_in};
use crate::{
    factors::qr,
    http::account::second_step::Why,
    model::{
        Timestamp,
        factor::{Factors, KeptApp, KeptPasskey, RememberedDevice},
        id::{AccountId, DeviceId, PasskeyId},
    },
};

pub(super) fn samples() -> Vec<(&'static str, String)> {
    vec![
        ("sign_in_passkey", html(&SignInPage { offers_passkey: true, ..sign_in() })),
        (
            "sign_in_passkey_refused",
            html(&SignInPage { offers_passkey: true, error: Some(SignInError::Passkey), ..sign_in() }),
        ),
        ("second_step", html(&step(layout(), ""))),
        ("second_step_wrong", html(&SecondStepPage { error: Some("second-step-wrong"), ..step(layout(), "") })),
        (
            "second_step_passkey",
            html(&SecondStepPage { offers_code: false, offers_password: false, ..step(layout(), "") }),
        ),
        ("prove", html(&SecondStepPage { why: Why::Again, offers_password: true, ..step(layout(), "") })),
        ("security", html(&security(layout(), ""))),
        ("security_last_way", html(&SecurityPage { notice: Some(SecurityNotice::LastWay), ..security(layout(), "") })),
        ("security_none", html(&SecurityPage { offers_passkeys: true, ..without(layout()) })),
        ("security_asked", html(&SecurityPage { request: "r1.sealed".to_owned(), ..security(layout(), "") })),
        ("set_up_app", html(&set_up(layout(), "MFRG GZDF"))),
        ("set_up_app_wrong", html(&SetUpAppPage { is_wrong: true, ..set_up(layout(), "MFRG GZDF") })),
        ("recovery_codes", html(&codes(layout(), "abcd-efgh-ijkl-mnop"))),
    ]
}

pub(super) fn filled_with(text: &str, layout: Layout) -> Vec<(&'static str, String)> {
    vec![
        ("second_step", html(&step(layout.clone(), text))),
        ("security", html(&security(layout.clone(), text))),
        ("set_up_app", html(&set_up(layout.clone(), text))),
        ("recovery_codes", html(&codes(layout, text))),
    ]
}

fn or(text: &str, sample: &str) -> String {
    if text.is_empty() { sample } else { text }.to_owned()
}

fn step(layout: Layout, text: &str) -> SecondStepPage {
    SecondStepPage {
        layout,
        why: Why::SignIn,
        request: text.to_owned(),
        next: Place::Home,
        csrf: or(text, "form-token"),
        name: or(text, "Ada Lovelace"),
        offers_passkey: true,
        offers_code: true,
        offers_password: false,
        error: None,
    }
}

fn at(day: i64) -> Timestamp {
    DateTime::from_timestamp(1_777_766_400 + day * 86_400, 0).unwrap()
}

fn security(layout: Layout, text: &str) -> SecurityPage {
    let passkey = |name: &str, last_used_at| KeptPasskey {
        id: PasskeyId(uuid::Uuid::nil()),
        account_id: AccountId(uuid::Uuid::nil()),
        credential: String::new(),
        name: name.to_owned(),
        created_at: at(0),
        last_used_at,
    };
    let device = RememberedDevice {
        id: DeviceId(uuid::Uuid::nil()),
        created_at: at(1),
        expires_at: at(31),
        address: Some(or(text, "203.0.113.7")),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0".to_owned()),
    };
    let factors = Factors {
        passkeys: vec![passkey(&or(text, "My phone"), Some(at(2))), passkey("Desk", None)],
        app: Some(KeptApp { sealed: Vec::new(), created_at: at(0), last_used_at: None }),
        recovery_codes_left: 7,
        devices: vec![device],
    };
    SecurityPage {
        request: text.to_owned(),
        csrf: or(text, "form-token"),
        account: SignedIn { name: or(text, "Ada Lovelace"), email: or(text, "ada@people.example") },
        offers_passkeys: true,
        notice: Some(SecurityNotice::Added),
        ..SecurityPage::of(layout, factors)
    }
}

fn without(layout: Layout) -> SecurityPage {
    let account = SignedIn { name: "Ada Lovelace".to_owned(), email: "ada@people.example".to_owned() };
    SecurityPage { csrf: "form-token".to_owned(), account, ..SecurityPage::of(layout, Factors::default()) }
}

fn set_up(layout: Layout, text: &str) -> SetUpAppPage {
    SetUpAppPage {
        layout,
        csrf: text.to_owned(),
        request: text.to_owned(),
        state: text.to_owned(),
        key: text.to_owned(),
        drawing: qr::draw("otpauth://totp/Consentry:ada@people.example?secret=MFRGGZDF"),
        is_wrong: false,
    }
}

fn codes(layout: Layout, text: &str) -> RecoveryCodesPage {
    RecoveryCodesPage { layout, request: text.to_owned(), codes: vec![text.to_owned(); 10] }
}
