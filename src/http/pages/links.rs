//! The pages around one-time links: asking for one, and what it leads to.

use askama::Template;

use super::{super::assets, Layout};
use crate::{languages::Said, model::link::LinkPurpose, passwords::rules::Unfit};

/// Where a person says which address is theirs: `GET /sign-up` and `GET /reset-password` without a link.
#[derive(Debug, Clone, Template)]
#[template(path = "ask.html")]
pub struct AskPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What for.
    pub purpose: LinkPurpose,
    /// The sealed authorization request, field `r`; empty when nobody asks for anything.
    pub request: String,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// What was typed before, field `email`.
    pub email: String,
    /// The message that says what is at fault.
    pub error: Option<&'static str>,
}

impl AskPage {
    fn heading(&self) -> Said {
        heading(&self.layout, self.purpose)
    }

    fn lead(&self) -> Said {
        self.layout.say(if self.purpose == LinkPurpose::SignUp { "links-ask-sign-up" } else { "links-ask-reset" })
    }
}

/// The answer to it: there may be mail.
#[derive(Debug, Clone, Template)]
#[template(path = "check_mail.html")]
pub struct CheckMailPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The address that was typed.
    pub email: String,
}

/// Where a person chooses a password, and a name for a new account.
#[derive(Debug, Clone, Template)]
#[template(path = "choose.html")]
pub struct ChoosePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What the link is for.
    pub purpose: LinkPurpose,
    /// Its text, field `link`.
    pub link: String,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// The address it was sent to.
    pub email: String,
    /// What was typed before, field `name`.
    pub name: String,
    /// How many characters a password needs.
    pub length_min: usize,
    /// The message that says what is at fault.
    pub error: Option<&'static str>,
}

impl ChoosePage {
    fn heading(&self) -> Said {
        heading(&self.layout, self.purpose)
    }

    fn is_new(&self) -> bool {
        matches!(self.purpose, LinkPurpose::SignUp | LinkPurpose::Invitation)
    }

    fn says_length(&self) -> Said {
        self.layout.say("links-password-hint").number("count", i64::try_from(self.length_min).unwrap_or(i64::MAX))
    }

    fn error(&self) -> Option<Said> {
        let said = self.layout.say(self.error?);
        Some(said.number("count", i64::try_from(self.length_min).unwrap_or(i64::MAX)))
    }
}

/// Where a person says that an address is theirs.
#[derive(Debug, Clone, Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What the link is for.
    pub purpose: LinkPurpose,
    /// Its text, field `link`.
    pub link: String,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// The address it was sent to.
    pub email: String,
    /// What is in the way, by its message.
    pub error: Option<&'static str>,
}

impl ConfirmPage {
    fn heading(&self) -> Said {
        heading(&self.layout, self.purpose)
    }
}

/// What a link has done.
#[derive(Debug, Clone, Template)]
#[template(path = "done.html")]
pub struct DonePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What it was for.
    pub purpose: LinkPurpose,
}

impl DonePage {
    fn says(&self) -> Said {
        self.layout.say(match self.purpose {
            LinkPurpose::SignUp | LinkPurpose::Invitation | LinkPurpose::VerifyEmail => "links-done-verify",
            LinkPurpose::ChangeEmail => "links-done-change",
            LinkPurpose::ResetPassword => "links-done-reset",
            LinkPurpose::RestoreEmail => "links-done-restore",
        })
    }
}

fn heading(layout: &Layout, purpose: LinkPurpose) -> Said {
    layout.say(match purpose {
        LinkPurpose::SignUp | LinkPurpose::Invitation => "links-sign-up",
        LinkPurpose::VerifyEmail => "links-verify",
        LinkPurpose::ResetPassword => "links-reset",
        LinkPurpose::ChangeEmail => "links-change",
        LinkPurpose::RestoreEmail => "links-restore",
    })
}

/// The message that says why a password will not do.
pub fn unfit(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::TooShort { .. } => "password-too-short",
        Unfit::TooLong => "password-too-long",
        Unfit::Known => "password-known",
        Unfit::Personal => "password-personal",
    }
}
