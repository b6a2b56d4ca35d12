//! `POST /introspect` (RFC 7662): whether a token is good right now.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use chrono::TimeDelta;

use super::{
    caller::{Caller, answer},
    carried::{Carried, Sought},
};
use crate::{
    http::{failure::MachineError, trail},
    model::{
        Timestamp,
        client::{AuthenticationMethod, Client},
        counts::Refusal,
        flow::Step,
        refresh_token::RefreshToken,
    },
    protocol::{
        error::{ErrorCode, OAuthError},
        introspection::{self, Answer, Standing},
        resource,
    },
    server::Server,
    tokens::{self, access::Claims},
};

/// Longest token read.
const TOKEN_LENGTH_MAX: usize = 16 * 1024;

/// A connection is called within so long, or nobody waits for its first call any more.
const FIRST_CALL_WITHIN: TimeDelta = TimeDelta::days(1);

/// The endpoint.
pub async fn introspect(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    trail::at(&request, Step::Introspection);
    answer(&request, run(&server, &request, payload).await)
}

async fn run(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, MachineError> {
    let caller = Caller::read(server, request, payload, Sought::Token).await?;
    if caller.method == AuthenticationMethod::None {
        // RFC 7662 §2.1: the endpoint must be protected, or it would be a place to test guesses at.
        return Err(OAuthError::new(ErrorCode::InvalidClient, "a client without a secret may not introspect").into());
    }
    caller.parameters.required("token", TOKEN_LENGTH_MAX)?;
    caller.use_up(server, caller.assertion_to_use_up()).await?;
    let Caller { client, carried, parameters, .. } = caller;
    let requested = resource::requested(&parameters).map_err(OAuthError::from)?;
    let named = resource::read(requested).map_err(OAuthError::from)?;
    let now = server.clock.now();
    let brought = Brought::of(carried.as_ref());
    let told = match find(server, &client, carried).await? {
        Some(token) => introspection::check(&client, token, named.as_deref(), now).map_err(Some),
        None => Err(brought.why_not(server, parameters.one("token", TOKEN_LENGTH_MAX)?.unwrap_or_default())),
    };
    let body = match told {
        Ok(token) => {
            tell_of_the_first(server, request, &token, now);
            introspection::answer(&server.settings.issuer, token)
        }
        Err(why) => {
            if let Some(why) = why {
                trail::refused(request, Refusal::InvalidToken, why);
            }
            Answer::default()
        }
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}

/// Tells of a call to the API, as long as it may be the first of its connection; the record takes that one alone.
fn tell_of_the_first(server: &Server, request: &HttpRequest, token: &Standing, now: Timestamp) {
    let is_new = trail::flow_of(request).is_some_and(|flow| now < flow.began_at() + FIRST_CALL_WITHIN);
    if is_new && token.token_use == "access_token" {
        trail::of_client(request, &token.client_id);
        trail::towards(request, &token.resource);
        trail::done_again(
            server,
            request,
            Step::Introspection,
            "The API was called with an access token, and asked about it.",
        );
    }
}

/// What was asked about, for saying why it is not active.
#[derive(Clone, Copy)]
enum Brought {
    OfAConnection,
    OfAClient,
    ForRefreshing,
    Unread,
}

impl Brought {
    fn of(carried: Option<&Carried>) -> Self {
        match carried {
            Some(Carried::Access(claims)) if claims.family.is_some() => Self::OfAConnection,
            Some(Carried::Access(_)) => Self::OfAClient,
            Some(Carried::Refresh(_)) => Self::ForRefreshing,
            Some(Carried::Code(_)) | None => Self::Unread,
        }
    }

    /// One sentence for the owner. None for an access token that has only expired: that is how a client learns that it
    /// is time to refresh.
    fn why_not(self, server: &Server, text: &str) -> Option<String> {
        let says = match self {
            Self::OfAConnection => {
                "The token's connection has ended, its access or every scope of it was taken back, or the plugin does not let \
                 its person connect any more."
            }
            Self::OfAClient => {
                "The client that the token stands with is disabled, its resource was removed, or every scope of it was taken \
                 from the client."
            }
            Self::ForRefreshing => "It was asked about a refresh token that is old, ended, or another client's.",
            Self::Unread => {
                let (ring, issuer) = (server.keyring.current(), &server.settings.issuer);
                if tokens::access::read(&ring, issuer, text, Timestamp::default()).is_some() {
                    return None;
                }
                "The API was called with something that is no token of this server."
            }
        };
        Some(says.to_owned())
    }
}

async fn find(server: &Server, caller: &Client, carried: Option<Carried>) -> Result<Option<Standing>, MachineError> {
    match carried {
        Some(Carried::Access(claims)) => access_token(server, caller, *claims).await,
        Some(Carried::Refresh(token)) => refresh_token(server, caller, &token).await,
        Some(Carried::Code(_)) | None => Ok(None),
    }
}

async fn access_token(server: &Server, caller: &Client, claims: Claims) -> Result<Option<Standing>, MachineError> {
    let Some(stands) = server.stands(&claims, Some(caller)).await? else { return Ok(None) };
    Ok(Some(Standing {
        client_id: claims.client_id,
        resource: claims.aud,
        plugin_id: Some(stands.plugin_id),
        scopes: stands.scopes,
        subject: claims.sub,
        jti: Some(claims.jti),
        token_use: "access_token",
        issued_at: claims.iat,
        expires_at: claims.exp,
        auth_time: claims.auth_time,
    }))
}

async fn refresh_token(
    server: &Server,
    caller: &Client,
    token: &RefreshToken,
) -> Result<Option<Standing>, MachineError> {
    let family = server.store.standing_family(token.family_id, server.clock.now()).await?;
    // Only its own client is told about a refresh token, so the caller's names are the token's.
    let family =
        family.filter(|family| family.client_id == caller.id && family.honours(token, server.settings.refresh_grace));
    Ok(family.map(|family| Standing {
        client_id: caller.client_id.clone(),
        subject: tokens::subject::pairwise(&family.subject_salt, family.account_id),
        resource: family.resource,
        plugin_id: Some(family.plugin_id),
        scopes: family.scopes,
        jti: None,
        token_use: "refresh_token",
        issued_at: family.created_at.timestamp(),
        expires_at: family.expires_at.min(family.idle_until).timestamp(),
        auth_time: Some(family.auth_time.timestamp()),
    }))
}
