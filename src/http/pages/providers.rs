//! Signing in through others: what is in the way, the question whether to link, and who one is elsewhere.

use actix_web::http::StatusCode;
use askama::Template;

use super::{super::assets, Layout, SignedIn};
use crate::{
    http::account::place::Place,
    languages::{Language, Said},
    model::provider::Identity,
    protocol::federated::NotBack,
    server::shares::TooMany,
};

/// A way to sign in elsewhere, as the sign-in page offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// What follows `/sign-in/`.
    pub path: String,
    /// What people know it by.
    pub label: String,
}

/// What is in the way of somebody who would sign in through others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// They came back without having signed in there.
    NotSignedIn,
    /// They were away for too long.
    TooLate,
    /// It is not they who came back, or not from there.
    NotBack,
    /// The other server cannot be asked for now.
    Unreachable,
    /// What it said is not to be believed.
    NotBelieved,
    /// Too many have tried.
    TooMany(TooMany),
    /// The account cannot be used.
    Disabled,
    /// The other server has not verified their address.
    Unverified,
    /// It is not the address of the account that is signed in.
    OtherAddress,
    /// They have no account, and cannot make one by themselves.
    NoSignUp,
    /// An account has their address, and is not theirs by that alone.
    SignInFirst,
    /// They are linked with another account, or the account was changed meanwhile.
    NotLinked,
}

impl From<NotBack> for Trouble {
    fn from(why: NotBack) -> Self {
        match why {
            NotBack::TooLate => Self::TooLate,
            NotBack::OtherBrowser | NotBack::OtherProvider => Self::NotBack,
        }
    }
}

impl Trouble {
    /// The status of the page that says it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::SignInFirst => StatusCode::OK,
            Self::NotSignedIn | Self::TooLate | Self::NotBack => StatusCode::BAD_REQUEST,
            Self::Disabled | Self::Unverified | Self::NoSignUp => StatusCode::FORBIDDEN,
            Self::OtherAddress | Self::NotLinked => StatusCode::CONFLICT,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotBelieved => StatusCode::BAD_GATEWAY,
            Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What says it; its `.message` says what to do.
    fn message(self) -> &'static str {
        match self {
            Self::NotSignedIn => "trouble-not-signed-in",
            Self::TooLate => "trouble-too-late",
            Self::NotBack => "trouble-not-back",
            Self::Unreachable => "trouble-unreachable",
            Self::NotBelieved => "trouble-not-believed",
            Self::TooMany(_) => "trouble-too-many",
            Self::Disabled => "trouble-disabled",
            Self::Unverified => "trouble-unverified",
            Self::OtherAddress => "trouble-other-address",
            Self::NoSignUp => "trouble-no-sign-up",
            Self::SignInFirst => "trouble-sign-in-first",
            Self::NotLinked => "trouble-not-linked",
        }
    }
}

/// What is in the way, and the way back.
#[derive(Debug, Clone, Template)]
#[template(path = "trouble.html")]
pub struct TroublePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What people know the other server by.
    pub label: String,
    /// What is in the way.
    pub problem: Trouble,
    /// Where to go on, counted from the public URL.
    pub back: String,
}

impl TroublePage {
    fn says(&self) -> Said {
        self.layout.say(self.problem.message())
    }

    fn advice(&self) -> Said {
        self.says().part("message").name("provider", &self.label)
    }

    fn is_bad(&self) -> bool {
        self.problem != Trouble::SignInFirst
    }
}

/// Whether an identity shall be linked: `GET /identities/confirm`.
#[derive(Debug, Clone, Template)]
#[template(path = "confirm_identity.html")]
pub struct ConfirmIdentityPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// The request in flight that goes on, field `r`; may be empty.
    pub request: String,
    /// The place to go to otherwise, field `next`.
    pub next: Place,
    /// What people know the other server by.
    pub label: String,
    /// What is asked about, field `offer`.
    pub offer: String,
}

/// Who somebody is elsewhere: `GET /identities`.
#[derive(Debug, Clone, Template)]
#[template(path = "identities.html")]
pub struct IdentitiesPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// What is linked.
    pub identities: Vec<IdentityLine>,
    /// What could be.
    pub ways: Vec<Way>,
    /// What became of unlinking: the message that says it, and whether it is good.
    pub told: Option<(&'static str, bool)>,
}

impl IdentitiesPage {
    fn says_told(&self) -> Option<(Said, bool)> {
        self.told.map(|(message, is_good)| (self.layout.say(message), is_good))
    }
}

/// An identity in that list.
#[derive(Debug, Clone)]
pub struct IdentityLine {
    /// Its id, field `identity`.
    pub id: String,
    /// What people know the other server by, or what it is kept by.
    pub label: String,
    /// The address there.
    pub email: Option<String>,
    /// Since when it is linked.
    pub since: Said,
    /// When it was last used.
    pub used: Option<Said>,
}

impl IdentityLine {
    /// Of an identity, with the label of its provider if that is still offered.
    pub fn of(identity: &Identity, label: Option<&str>, language: Language) -> Self {
        Self {
            id: identity.id.to_string(),
            label: label.unwrap_or(&identity.provider).to_owned(),
            email: identity.email.as_ref().map(ToString::to_string),
            since: language.date(identity.linked_at),
            used: identity.last_used_at.map(|at| language.date(at)),
        }
    }
}
