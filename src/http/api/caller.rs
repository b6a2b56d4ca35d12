//! Whose program calls, and what of it they may see: the console's `entry`, for tokens.
//!
//! The order is that of what a stranger may learn: first the token, then what it is good for, then whether the thing is
//! its owner's, and only then what was sent.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::problem::{FieldProblem, Problem};
use crate::{
    http::{
        extract::{
            body::{self, Unread},
            credentials,
        },
        oauth::caller::origin,
        owner::Owner,
    },
    model::{
        account::Account,
        audit::{Actor, AuditAction, Program, Subjects, UsedToken},
        client::Client,
        owner_token::{OwnerScope, OwnerScopes},
        plugin::Plugin,
    },
    protocol::parameters::Parameters,
    registry::Registry,
    server::{Server, refusals::Refusal},
    tokens::secret::{OWNER_TOKEN, SecretText},
};

/// The most bytes of a body: a description of an API may stand in it.
const LENGTH_MAX: usize = 256 * 1024;

/// A program that has shown a token, and whom it acts for.
pub(super) struct Caller<'a> {
    pub(super) server: &'a Server,
    pub(super) request: &'a HttpRequest,
    pub(super) account: Account,
    token: UsedToken,
    scopes: OwnerScopes,
    body: Option<Result<web::Bytes, Unread>>,
}

/// What a call comes to.
pub(super) type Answer = Result<HttpResponse, Problem>;

/// Answers a call without a body.
pub(super) async fn look(
    server: &Server,
    request: &HttpRequest,
    scope: OwnerScope,
    act: impl AsyncFnOnce(&Caller<'_>) -> Answer,
) -> HttpResponse {
    answer(server, request, (None, scope), act).await
}

/// Answers a call with a body.
pub(super) async fn take(
    server: &Server,
    request: &HttpRequest,
    (payload, scope): (web::Payload, OwnerScope),
    act: impl AsyncFnOnce(&Caller<'_>) -> Answer,
) -> HttpResponse {
    answer(server, request, (Some(payload), scope), act).await
}

async fn answer(
    server: &Server,
    request: &HttpRequest,
    (payload, scope): (Option<web::Payload>, OwnerScope),
    act: impl AsyncFnOnce(&Caller<'_>) -> Answer,
) -> HttpResponse {
    let done = async { act(&Caller::of(server, request, payload, scope).await?).await };
    done.await.unwrap_or_else(|problem| problem.answer(request))
}

impl<'a> Caller<'a> {
    async fn of(
        server: &'a Server,
        request: &'a HttpRequest,
        payload: Option<web::Payload>,
        scope: OwnerScope,
    ) -> Result<Self, Problem> {
        let shown = credentials::bearer(request).ok_or(Problem::NoToken)?;
        let secret = SecretText::parse(OWNER_TOKEN, shown).ok_or(Problem::InvalidToken)?;
        // Before anything is looked up: who takes their time to send it finds nothing that has ended meanwhile.
        let body = match payload {
            Some(payload) => Some(body::read(payload, LENGTH_MAX).await),
            None => None,
        };
        let now = server.clock.now();
        let standing = server.store.owner_token(secret.digest(), now).await?.ok_or(Problem::InvalidToken)?;
        server.owner_tokens.used(standing.token.id, standing.token.last_used_at, now);
        let token = UsedToken { id: standing.token.id, name: standing.token.name };
        let scopes = standing.token.scopes;
        let caller = Self { server, request, account: standing.account, token, scopes, body };
        if caller.may(scope) { Ok(caller) } else { Err(caller.refuse(scope)) }
    }

    /// Whether the token is good for that.
    pub(super) fn may(&self, scope: OwnerScope) -> bool {
        self.scopes.contains(scope)
    }

    /// Says that it is not, also to whoever reads the log: it may be in other hands than its owner's.
    pub(super) fn refuse(&self, scope: OwnerScope) -> Problem {
        let subjects = Subjects { account_id: Some(self.account.id), ..Subjects::default() };
        let about = (subjects, origin(self.request));
        let refusal = Refusal::about(AuditAction::OwnerTokenRefused, self.token.id.0, about).by(self.actor());
        self.server.refusals.note(refusal.with("scope", scope.as_str()), self.server.clock.now());
        Problem::InsufficientScope(scope)
    }

    fn actor(&self) -> Actor {
        Actor::Program(Program { account_id: self.account.id, token: self.token.clone() })
    }

    /// The same as whoever asks for what is theirs, here or in the console.
    pub(super) fn owner(&self) -> Owner<'_> {
        Owner { server: self.server, request: self.request, account: &self.account, actor: self.actor() }
    }

    /// The plugin of the address, if it is theirs to see.
    pub(super) async fn plugin(&self) -> Result<Plugin, Problem> {
        self.owner().plugin().await?.ok_or(Problem::NotThere)
    }

    /// The client of the address, if it is the plugin's.
    pub(super) async fn client(&self, plugin: &Plugin) -> Result<Client, Problem> {
        self.owner().client(plugin, "client_id").await?.ok_or(Problem::NotThere)
    }

    /// The row that the address names; a text that is no id is nobody's.
    pub(super) fn id(&self, name: &str) -> Result<Uuid, Problem> {
        self.owner().named(name).parse().map_err(|_| Problem::NotThere)
    }

    /// Where they change things.
    pub(super) fn registry(&self) -> Registry<'_> {
        self.owner().registry()
    }

    /// A parameter of the query, of at most so many bytes.
    pub(super) fn query(&self, name: &str, length_max: usize) -> Result<Option<String>, Problem> {
        let unreadable =
            |error: crate::protocol::error::OAuthError| Problem::Unreadable(FieldProblem::new(name, error.description));
        let query = Parameters::from_form(self.request.query_string().as_bytes()).map_err(unreadable)?;
        Ok(query.one(name, length_max).map_err(unreadable)?.map(str::to_owned))
    }

    /// The body. A member that is unknown is told by its name, as is one that is missing.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if body::media_type(self.request) != "application/json" {
            return Err(Problem::NotJson);
        }
        let bytes = match &self.body {
            Some(Ok(bytes)) => bytes,
            Some(Err(Unread::TooLarge)) => return Err(Problem::TooLarge),
            Some(Err(Unread::Broken)) | None => {
                return Err(Problem::Unreadable(FieldProblem::new("", "the body did not arrive whole")));
            }
        };
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            (if path == "." { String::new() } else { path }, error.into_inner())
        });
        let whole = |value| deserializer.end().map(|()| value).map_err(|error| (String::new(), error));
        read.and_then(whole).map_err(|(field, error)| {
            let problem = FieldProblem::new(&field, error.to_string());
            if error.is_data() { Problem::Wrong(vec![problem]) } else { Problem::Unreadable(problem) }
        })
    }

    /// Answers with what is there.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it is what a call comes to, told to the caller")]
    pub(super) fn tell(&self, body: &impl Serialize) -> Answer {
        Ok(HttpResponse::Ok().json(body))
    }

    /// Answers with what was made, and where it stands after `/api/v1`.
    #[expect(clippy::unnecessary_wraps, reason = "it is what a call comes to")]
    pub(super) fn made(&self, path: &str, body: &impl Serialize) -> Answer {
        let place = format!("{}/api/v1{path}", self.server.settings.base);
        Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(body))
    }

    /// Answers that it is done.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it is what a call comes to, told to the caller")]
    pub(super) fn done(&self) -> Answer {
        Ok(HttpResponse::NoContent().finish())
    }
}
