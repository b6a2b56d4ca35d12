//! What a person reads when the document of the client that sent them here says nothing. Its owner is told the fault
//! beside it, since nobody else can mend it.

use actix_web::http::StatusCode;

use crate::{http::pages::ErrorWords, server::documents::DocumentError};

/// What the page says, and with which status.
pub(super) fn words(why: &DocumentError) -> (StatusCode, ErrorWords) {
    let (status, id) = match why {
        DocumentError::NotAccepted | DocumentError::Address(_) => {
            (StatusCode::BAD_REQUEST, "error-document-not-accepted")
        }
        DocumentError::Invalid(_) | DocumentError::NoDocument => (StatusCode::BAD_REQUEST, "error-document-invalid"),
        DocumentError::Fetch(error) if !error.may_pass() => (StatusCode::BAD_GATEWAY, "error-document-refused"),
        DocumentError::Fetch(_) | DocumentError::BrokenOff => (StatusCode::BAD_GATEWAY, "error-document-out-of-reach"),
    };
    (status, ErrorWords { id, why: Some(why.to_string()) })
}
