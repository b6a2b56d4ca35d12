//! What a person reads when the document of the client that sent them here says nothing. Its owner is told the fault
//! beside it, since nobody else can mend it.

use actix_web::http::StatusCode;

use super::Words;
use crate::server::documents::DocumentError;

/// The words of the page.
pub(super) fn words(why: &DocumentError) -> Words {
    let (status, title, message) = match why {
        DocumentError::NotAccepted | DocumentError::Address(_) => (
            StatusCode::BAD_REQUEST,
            "We don’t know this app",
            "The app that sent you here is not registered with us, and its maker is not one we take a word from.",
        ),
        DocumentError::Invalid(_) | DocumentError::NoDocument => (
            StatusCode::BAD_REQUEST,
            "This app’s description has a mistake",
            "The app that sent you here describes itself in a way we cannot rely on, so we stopped here.",
        ),
        DocumentError::Fetch(error) if !error.may_pass() => (
            StatusCode::BAD_GATEWAY,
            "We could not read this app’s description",
            "Before we let an app in we read its description at its maker’s website, and there we were not given it.",
        ),
        DocumentError::Fetch(_) | DocumentError::BrokenOff => (
            StatusCode::BAD_GATEWAY,
            "We could not reach the app’s maker",
            "Before we let an app in we read its description at its maker’s website, and that did not answer.",
        ),
    };
    let advice = match why {
        DocumentError::NotAccepted | DocumentError::Address(_) => {
            "Nothing was shared. If you own the app, ask the people who run this site to let it in.".into()
        }
        DocumentError::Fetch(error) if error.may_pass() => "Nothing was shared. Please try again in a minute.".into(),
        DocumentError::BrokenOff => "Nothing was shared. Please try again in a minute.".into(),
        _ => format!("Nothing was shared. If you own the app: {why}.").into(),
    };
    Words { status, title, message: message.into(), advice }
}
