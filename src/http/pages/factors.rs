//! The pages around second factors: showing one, and setting them up.

use askama::Template;

use super::{
    super::assets,
    Layout, SignedIn,
    account::{browser_named, says_browser},
};
use crate::{
    factors::qr::Drawing,
    http::account::{place::Place, second_step::Why},
    languages::Said,
    model::factor::{Factors, KeptPasskey, RememberedDevice},
};

/// Where a person shows a second factor: `GET /second-step` and `/prove`, and the answer to a `POST` that failed.
#[derive(Debug, Clone, Template)]
#[template(path = "second_step.html")]
pub struct SecondStepPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Which of the two.
    pub why: Why,
    /// The sealed authorization request, field `r`; empty when nobody asks for anything.
    pub request: String,
    /// Where the person goes afterwards, field `next`.
    pub next: Place,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// Whose factor it is to be.
    pub name: String,
    /// Whether a passkey will do.
    pub offers_passkey: bool,
    /// Whether a code will do, field `code`.
    pub offers_code: bool,
    /// Whether the password will do, field `password`.
    pub offers_password: bool,
    /// The message that says what was at fault.
    pub error: Option<&'static str>,
}

impl SecondStepPage {
    fn is_sign_in(&self) -> bool {
        self.why == Why::SignIn
    }

    /// What the script asks a challenge for.
    fn wants(&self) -> &'static str {
        if self.is_sign_in() { "second-step" } else { "prove" }
    }

    fn heading(&self) -> Said {
        self.layout.say(if self.is_sign_in() { "second-step-title" } else { "prove-title" })
    }

    fn lead(&self) -> Said {
        let said = self.layout.say(if self.is_sign_in() { "second-step-lead" } else { "prove-lead" });
        said.name("name", &self.name)
    }

    fn says_error(&self) -> Option<Said> {
        self.error.map(|id| self.layout.say(id))
    }

    /// Whether the one button is for what is typed.
    fn takes_text(&self) -> bool {
        self.offers_code || self.offers_password
    }
}

/// How a person signs in, `GET /security`, and the answer to its forms.
#[derive(Debug, Clone, Template)]
#[template(path = "security.html")]
pub struct SecurityPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request that waits for a factor, field `r`; empty when none does.
    pub request: String,
    /// The form token, field `csrf` of every form.
    pub csrf: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// Whether this site can have passkeys.
    pub offers_passkeys: bool,
    /// The oldest first.
    pub passkeys: Vec<PasskeyLine>,
    /// Since when there is an authenticator app.
    pub app_since: Option<Said>,
    /// How many recovery codes are left; none where there is nothing they could stand in for.
    pub codes_left: Option<i64>,
    /// The newest first.
    pub devices: Vec<DeviceLine>,
    /// What was just done.
    pub notice: Option<SecurityNotice>,
}

impl SecurityPage {
    /// What there is to show of an account's factors; the rest is the handler's.
    pub fn of(layout: Layout, factors: Factors) -> Self {
        let codes_left = factors.are_there().then_some(factors.recovery_codes_left);
        let language = layout.language;
        Self {
            request: String::new(),
            csrf: String::new(),
            account: SignedIn { name: String::new(), email: String::new() },
            offers_passkeys: false,
            passkeys: factors.passkeys.into_iter().map(|passkey| PasskeyLine::of(passkey, &layout)).collect(),
            app_since: factors.app.map(|app| language.date(app.created_at)),
            codes_left,
            devices: factors.devices.into_iter().map(|device| DeviceLine::of(device, &layout)).collect(),
            notice: None,
            layout,
        }
    }

    fn says_codes_left(&self) -> Option<Said> {
        Some(self.layout.say("codes-left").number("count", self.codes_left?))
    }

    fn asks_for_one(&self) -> bool {
        !self.request.is_empty()
    }
}

/// What was just done, or was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityNotice {
    /// A factor was added.
    Added,
    /// It was not: it is there already, or took too long.
    NotAdded,
    /// A factor was removed.
    Removed,
    /// It was not: there would be no way to sign in.
    LastWay,
    /// Browsers were forgotten.
    Forgotten,
}

impl SecurityNotice {
    fn message(self) -> &'static str {
        match self {
            Self::Added => "security-added",
            Self::NotAdded => "security-not-added",
            Self::Removed => "security-removed",
            Self::LastWay => "security-last-way",
            Self::Forgotten => "security-forgotten",
        }
    }

    fn is_good(self) -> bool {
        !matches!(self, Self::NotAdded | Self::LastWay)
    }
}

/// One passkey.
#[derive(Debug, Clone)]
pub struct PasskeyLine {
    /// Names it in forms, field `id`.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub added_on: Said,
    /// When it was last used.
    pub used_on: Option<Said>,
}

impl PasskeyLine {
    fn of(passkey: KeptPasskey, layout: &Layout) -> Self {
        Self {
            id: passkey.id.to_string(),
            name: passkey.name,
            added_on: layout.language.date(passkey.created_at),
            used_on: passkey.last_used_at.map(|time| layout.language.date(time)),
        }
    }

    fn says_when(&self, layout: &Layout) -> Said {
        layout.say("passkey-added").said("date", self.added_on.clone())
    }

    fn says_when_used(&self, layout: &Layout) -> Said {
        match &self.used_on {
            Some(date) => layout.say("passkey-used").said("date", date.clone()),
            None => layout.say("passkey-not-used"),
        }
    }
}

/// One browser that is remembered.
#[derive(Debug, Clone)]
pub struct DeviceLine {
    /// Names it in forms, field `id`.
    pub id: String,
    /// Which browser it is.
    pub called: Said,
    /// Until when it is remembered.
    pub until: Said,
    /// From where it was.
    pub address: Option<String>,
}

impl DeviceLine {
    fn of(device: RememberedDevice, layout: &Layout) -> Self {
        Self {
            id: device.id.to_string(),
            called: says_browser(layout, browser_named(device.user_agent.as_deref().unwrap_or_default())),
            until: layout.language.date(device.expires_at),
            address: device.address,
        }
    }

    fn says_until(&self, layout: &Layout) -> Said {
        layout.say("device-until").said("date", self.until.clone())
    }
}

/// Where an authenticator app is set up: the answer to a form of `/security`.
#[derive(Debug, Clone, Template)]
#[template(path = "set_up_app.html")]
pub struct SetUpAppPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// The sealed authorization request that waits, field `r`; empty when none does.
    pub request: String,
    /// What stands behind the offer, sealed, field `state`.
    pub state: String,
    /// The key, to be typed.
    pub key: String,
    /// The same as a picture.
    pub drawing: Option<Drawing>,
    /// Whether the code that was typed was wrong.
    pub is_wrong: bool,
}

/// Recovery codes, shown once: the answer to a form of `/security`.
#[derive(Debug, Clone, Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodesPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request that waits; empty when none does.
    pub request: String,
    /// As they are written down.
    pub codes: Vec<String>,
}
