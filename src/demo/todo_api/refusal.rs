//! How the sample API says no: RFC 6750 challenges for tokens, plain JSON for everything else.

use actix_web::error::{JsonPayloadError, ResponseError};
use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpResponse};
use serde_json::json;

use super::items::{ITEMS_MAX, TEXT_CHARS_MAX};
use crate::protocol::bearer::{Problem, Target, challenge};

/// Everything that ends a call without its answer. The words are for the person who writes the client.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Send an access token: Authorization: Bearer …")]
    NoToken,
    #[error("{0}")]
    InvalidToken(&'static str),
    #[error("The token does not carry the scope {0}.")]
    InsufficientScope(&'static str),
    #[error("Tokens cannot be checked at the moment.")]
    Unavailable,
    #[error("The body is not the JSON this call takes.")]
    Body,
    #[error("The body is too large.")]
    TooLarge,
    #[error("An item is one line of 1 to {TEXT_CHARS_MAX} characters.")]
    Text,
    #[error("The list is full at {ITEMS_MAX} items; remove one first.")]
    ListFull,
    #[error("This sample keeps no more lists.")]
    HouseFull,
    #[error("There is no such item on your list.")]
    NoSuchItem,
}

impl Refusal {
    /// A JSON body that could not be read.
    pub(super) fn of_body(error: &Error) -> Self {
        match error.as_error::<JsonPayloadError>() {
            Some(JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. }) => Self::TooLarge,
            _ => Self::Body,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoToken => "missing_token",
            Self::InvalidToken(_) => "invalid_token",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::Unavailable => "temporarily_unavailable",
            Self::Body => "invalid_body",
            Self::TooLarge => "body_too_large",
            Self::Text => "invalid_text",
            Self::ListFull | Self::HouseFull => "full",
            Self::NoSuchItem => "not_found",
        }
    }

    fn problem<'a>(&self, words: &'a str) -> Option<Problem<'a>> {
        match self {
            Self::NoToken => Some(Problem::Missing),
            Self::InvalidToken(_) => Some(Problem::InvalidToken(words)),
            Self::InsufficientScope(_) => Some(Problem::InsufficientScope(words)),
            _ => None,
        }
    }

    /// With the challenge, where it is about the token: it says where tokens come from, and what they need to allow.
    pub(super) fn challenged(self, target: Target<'_>) -> Refused {
        let words = self.to_string();
        let challenge = self.problem(&words).map(|problem| challenge(problem, target));
        Refused { refusal: self, challenge }
    }
}

/// A refusal as it is answered.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub(super) struct Refused {
    refusal: Refusal,
    challenge: Option<String>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, challenge: None }
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self.refusal {
            Refusal::NoToken | Refusal::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Refusal::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Body | Refusal::Text => StatusCode::BAD_REQUEST,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::ListFull => StatusCode::CONFLICT,
            Refusal::HouseFull => StatusCode::INSUFFICIENT_STORAGE,
            Refusal::NoSuchItem => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(challenge) = &self.challenge {
            answer.insert_header((header::WWW_AUTHENTICATE, challenge.as_str()));
        }
        if matches!(self.refusal, Refusal::Unavailable) {
            answer.insert_header((header::RETRY_AFTER, "1"));
        }
        answer.json(json!({ "error": self.refusal.code(), "error_description": self.to_string() }))
    }
}
