//! Signing in.

use askama::Template;

use super::{super::assets, Layout, Way};
use crate::http::account::place::Place;

/// Where a person signs in: `GET /sign-in`, and the answer to a `POST` that failed.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request, field `r`; empty when nobody asks for anything.
    pub request: String,
    /// Where the person goes afterwards when nobody asks for anything, field `next`.
    pub next: Place,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// What was typed before, so that a failed attempt need not type it again; otherwise empty.
    pub email: String,
    /// Why the last attempt failed.
    pub error: Option<SignInError>,
    /// Who sent the person here, and for what.
    pub asking: Option<Asking>,
    /// Where else one can sign in.
    pub ways: Vec<Way>,
    /// Whether a new password can be had by mail.
    pub offers_reset: bool,
    /// Whether a passkey can be used here.
    pub offers_passkey: bool,
    /// Whether anybody may make an account.
    pub offers_sign_up: bool,
}

impl SignInPage {
    /// What goes on afterwards, as a query.
    fn query(&self) -> String {
        if self.request.is_empty() { format!("next={}", self.next.word()) } else { format!("r={}", self.request) }
    }

    /// Whether what was typed is at fault: only then are the fields themselves marked.
    fn doubts_fields(&self) -> bool {
        matches!(self.error, Some(SignInError::Refused))
    }
}

/// Who sends a person to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The client's display name.
    pub client_name: String,
    /// The plugin's display name.
    pub plugin_name: String,
}

/// Why signing in failed, as far as the person may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// Unknown address, wrong password or closed account: never told apart, or strangers could list accounts.
    Refused,
    /// The passkey that was shown opens nothing.
    Passkey,
    /// Nothing was looked at: there were too many attempts.
    TooMany,
}

impl SignInError {
    /// What says it.
    fn message(self) -> &'static str {
        match self {
            Self::Refused => "sign-in-refused",
            Self::Passkey => "sign-in-passkey-refused",
            Self::TooMany => "sign-in-too-many",
        }
    }
}
