//! Problems: what goes wrong, as RFC 9457 has it, with every field that is at fault by its name.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{
        failure::{Fault, RETRY_AFTER},
        guard::request_id,
    },
    model::owner_token::OwnerScope,
    registry::{RegistryError, Wrong},
    server::examinations::NotNow,
};

/// Why a call is not answered as it was wished.
#[derive(Debug)]
pub(super) enum Problem {
    /// No token was shown.
    NoToken,
    /// One was that is not good: misspelled, ended, or its account's are.
    InvalidToken,
    /// It is not good for this.
    InsufficientScope(OwnerScope),
    /// It is not there, or somebody else's, which is the same.
    NotThere,
    /// The address does not have that method, but these.
    Method(&'static str),
    /// What was sent cannot be read: which of it, and why.
    Unreadable(FieldProblem),
    /// The body is not JSON by its own account.
    NotJson,
    /// The body is too large.
    TooLarge,
    /// What was sent is not good.
    Wrong(Vec<FieldProblem>),
    /// Somebody else has changed it since it was read.
    ChangedMeanwhile,
    /// More than the rate allows.
    TooMany {
        /// How long to wait.
        retry_after_seconds: u64,
    },
    /// Ours.
    Fault(Fault),
}

/// When to come again where others are being looked at, which takes some seconds.
const SHORTLY_SECONDS: u64 = 5;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its name in the body or in the query; absent where the problem is no field's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// What is wrong with it, and what to write instead.
    pub problem: String,
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The status in words.
    pub title: &'static str,
    /// The status.
    pub status: u16,
    /// What went wrong, in a sentence.
    pub detail: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The server's log knows more under this.
    pub request_id: String,
}

impl FieldProblem {
    /// Says what is wrong with a field.
    pub(super) fn new(field: &str, problem: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()).filter(|field| !field.is_empty()), problem: problem.into() }
    }
}

/// The names that the registry, and so forms and flags, have for what has another one here.
const NAMES: [(&str, &str); 6] = [
    ("callback", "redirect_uris"),
    ("scope", "scopes"),
    ("keep_old", "keep_old_seconds"),
    ("secret", "secret_id"),
    ("jwks_file", "jwks"),
    ("other", ""),
];

impl From<Wrong> for FieldProblem {
    fn from(wrong: Wrong) -> Self {
        let name = NAMES.iter().find(|(known, _)| *known == wrong.field).map_or(wrong.field, |(_, name)| name);
        Self::new(name, wrong.problem)
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Wrong(wrong) => Self::Wrong(wrong.into_iter().map(FieldProblem::from).collect()),
            RegistryError::Gone => Self::NotThere,
            RegistryError::ChangedMeanwhile => Self::ChangedMeanwhile,
            RegistryError::Unproven => Self::InsufficientScope(OwnerScope::SecretsWrite),
            RegistryError::Store(error) => Self::Fault(error.into()),
            RegistryError::Password(error) => Self::Fault(error.into()),
            RegistryError::Key(error) => Self::Fault(error.into()),
        }
    }
}

/// Why an owner's server is not asked anything now.
impl From<NotNow> for Problem {
    fn from(not_now: NotNow) -> Self {
        let retry_after_seconds = match not_now {
            NotNow::TooMany(wait) => wait.retry_after_seconds,
            NotNow::Underway | NotNow::Busy => SHORTLY_SECONDS,
        };
        Self::TooMany { retry_after_seconds }
    }
}

impl<F: Into<Fault>> From<F> for Problem {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl Problem {
    /// What is wrong with one field.
    pub(super) fn wrong(field: &str, problem: impl Into<String>) -> Self {
        Self::Wrong(vec![FieldProblem::new(field, problem)])
    }

    /// The same, where a field has another name in this one call.
    pub(super) fn calling(self, name: &str, other: &str) -> Self {
        let Self::Wrong(mut errors) = self else { return self };
        for error in errors.iter_mut().filter(|error| error.field.as_deref() == Some(name)) {
            error.field = Some(other.to_owned());
        }
        Self::Wrong(errors)
    }

    /// The same, where the fields stand below another one in the body.
    pub(super) fn below(self, name: &str) -> Self {
        let Self::Wrong(mut errors) = self else { return self };
        for field in errors.iter_mut().filter_map(|error| error.field.as_mut()) {
            *field = format!("{name}.{field}");
        }
        Self::Wrong(errors)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::NotThere => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::ChangedMeanwhile => StatusCode::CONFLICT,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Fault(fault) if fault.passes() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> String {
        let says = match self {
            Self::NoToken => "show a token of the owner's: Authorization: Bearer cst_ot_…",
            Self::InvalidToken => {
                "the token is not good: misspelled, ended, expired, or its account's password was changed"
            }
            Self::InsufficientScope(scope) => {
                return format!("the token is not good for this; it takes {}", scope.as_str());
            }
            Self::NotThere => "there is nothing of the token's owner at this address",
            Self::Method(methods) => return format!("this address has {methods}"),
            Self::Unreadable(_) => "what was sent cannot be read",
            Self::NotJson => "Content-Type must be application/json",
            Self::TooLarge => "the body is too large: at most 256 KiB are read",
            Self::Wrong(_) => "nothing was changed: what was sent is not good",
            Self::ChangedMeanwhile => {
                "nothing was changed: somebody else has changed it since; read it again, and send its version of now"
            }
            Self::TooMany { .. } => "that is more than the rate allows; try again later",
            Self::Fault(fault) if fault.passes() => "the server cannot answer for now; try again in a few seconds",
            Self::Fault(_) => "the server failed; its log knows more under the request id",
        };
        says.to_owned()
    }

    /// The `WWW-Authenticate` of what concerns the token (RFC 6750 §3).
    fn challenge(&self) -> Option<String> {
        match self {
            // Whoever showed none has made no mistake with one.
            Self::NoToken => Some("Bearer".to_owned()),
            Self::InvalidToken => Some("Bearer error=\"invalid_token\"".to_owned()),
            Self::InsufficientScope(scope) => {
                Some(format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scope.as_str()))
            }
            _ => None,
        }
    }

    /// The answer.
    pub(super) fn answer(self, request: &HttpRequest) -> HttpResponse {
        let (status, detail, challenge) = (self.status(), self.detail(), self.challenge());
        let mut answer = HttpResponse::build(status);
        if let Some(challenge) = challenge {
            answer.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        match &self {
            Self::Fault(fault) => {
                fault.log(request);
                if fault.passes() {
                    answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
                }
            }
            Self::TooMany { retry_after_seconds } => {
                answer.insert_header((header::RETRY_AFTER, retry_after_seconds.to_string()));
            }
            Self::Method(methods) => {
                answer.insert_header((header::ALLOW, *methods));
            }
            _ => {}
        }
        let errors = match self {
            Self::Wrong(errors) => errors,
            Self::Unreadable(error) => vec![error],
            _ => Vec::new(),
        };
        let title = status.canonical_reason().unwrap_or_default();
        let request_id = request_id::of(request);
        answer.content_type("application/problem+json").json(ProblemBody {
            title,
            status: status.as_u16(),
            detail,
            errors,
            request_id,
        })
    }
}
