//! A request body as parameters: a form or JSON, at most 64 KiB, sent within fifteen seconds.

use std::time::Duration;

use actix_web::{HttpRequest, http::header, web};

use crate::{
    http::failure::{MachineError, PageError},
    protocol::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
};

/// The most bytes of a body.
const LENGTH_MAX: usize = 64 * 1024;
/// The most bytes of a form that a document is pasted into: encoded, one can have three times its size.
const LONG_LENGTH_MAX: usize = 256 * 1024;
/// The most fields of such a form: a plugin has up to 128 scopes, each with three.
const LONG_COUNT_MAX: usize = 512;
const PATIENCE: Duration = Duration::from_secs(15);

/// How the parameters were encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
}

/// Reads the body of a machine endpoint; whether JSON is welcome depends on the client, who is not known yet.
pub async fn parameters(request: &HttpRequest, payload: web::Payload) -> Result<(Parameters, Encoding), MachineError> {
    let encoding = match media_type(request).as_str() {
        "application/x-www-form-urlencoded" => Encoding::Form,
        "application/json" => Encoding::Json,
        _ => {
            let description = "Content-Type must be application/x-www-form-urlencoded or application/json";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, description).into());
        }
    };
    let bytes = read(payload, LENGTH_MAX).await.map_err(|unread| match unread {
        Unread::TooLarge => MachineError::TooLarge,
        Unread::Broken => OAuthError::new(ErrorCode::InvalidRequest, "the body did not arrive whole").into(),
    })?;
    let parameters = match encoding {
        Encoding::Form => Parameters::from_form(&bytes)?,
        Encoding::Json => Parameters::from_json(&bytes)?,
    };
    Ok((parameters, encoding))
}

/// Reads a body that must be JSON, without looking into it.
pub async fn json(request: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, MachineError> {
    let refused = |description| OAuthError::new(ErrorCode::InvalidClientMetadata, description).into();
    if media_type(request) != "application/json" {
        return Err(refused("Content-Type must be application/json"));
    }
    read(payload, LENGTH_MAX).await.map_err(|unread| match unread {
        Unread::TooLarge => MachineError::TooLarge,
        Unread::Broken => refused("the body did not arrive whole"),
    })
}

/// Reads the body of a form of ours.
pub async fn form(request: &HttpRequest, payload: web::Payload) -> Result<Parameters, PageError> {
    let bytes = form_bytes(request, payload, LENGTH_MAX).await?;
    Parameters::from_form(&bytes).map_err(PageError::Incomplete)
}

/// Reads the body of a form of ours in which owners paste documents and describe many things at once.
pub async fn long_form(request: &HttpRequest, payload: web::Payload) -> Result<Parameters, PageError> {
    let bytes = form_bytes(request, payload, LONG_LENGTH_MAX).await?;
    Parameters::from_long_form(&bytes, LONG_COUNT_MAX).map_err(PageError::Incomplete)
}

async fn form_bytes(request: &HttpRequest, payload: web::Payload, length_max: usize) -> Result<web::Bytes, PageError> {
    if media_type(request) != "application/x-www-form-urlencoded" {
        let error = OAuthError::new(ErrorCode::InvalidRequest, "not a form");
        return Err(PageError::Incomplete(error));
    }
    read(payload, length_max).await.map_err(|unread| match unread {
        Unread::TooLarge => PageError::TooLarge,
        Unread::Broken => {
            PageError::Incomplete(OAuthError::new(ErrorCode::InvalidRequest, "the body did not arrive whole"))
        }
    })
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It has more bytes than it may.
    TooLarge,
    /// It did not arrive whole.
    Broken,
}

/// Reads a body of at most so many bytes, whatever is in it.
pub async fn read(payload: web::Payload, length_max: usize) -> Result<web::Bytes, Unread> {
    match tokio::time::timeout(PATIENCE, payload.to_bytes_limited(length_max)).await {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Err(_)) => Err(Unread::TooLarge),
        Ok(Ok(Err(_))) | Err(_) => Err(Unread::Broken),
    }
}

/// The media type without its parameters, in lower case; nothing when it cannot be read.
pub fn media_type(request: &HttpRequest) -> String {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
