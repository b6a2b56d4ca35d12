//! The pages around one-time links, filled.

use super::{super::*, layout};
use crate::model::link::LinkPurpose;

pub(super) fn ask(purpose: LinkPurpose, text: &str) -> AskPage {
    AskPage {
        layout: layout(),
        purpose,
        request: text.to_owned(),
        csrf: "form-token".to_owned(),
        email: text.to_owned(),
        error: (!text.is_empty()).then_some("field-email-wrong"),
    }
}

pub(super) fn choose(purpose: LinkPurpose, text: &str) -> ChoosePage {
    ChoosePage {
        layout: layout(),
        purpose,
        link: text.to_owned(),
        csrf: "form-token".to_owned(),
        email: text.to_owned(),
        name: text.to_owned(),
        length_min: 15,
        error: Some("password-too-short"),
    }
}

pub(super) fn confirm(text: &str) -> ConfirmPage {
    ConfirmPage {
        layout: layout(),
        purpose: LinkPurpose::VerifyEmail,
        link: text.to_owned(),
        csrf: "form-token".to_owned(),
        email: text.to_owned(),
        error: Some("field-email-taken"),
    }
}
