//! `POST /revoke` (RFC 7009): the client lets go of a token.

use actix_web::{HttpRequest, HttpResponse, web};

use super::caller::{Caller, answer, peer, use_assertion};
use crate::{
    http::failure::MachineError,
    model::{audit::Actor, family::EndReason},
    protocol::revocation::{self, Presented, Revocation},
    server::Server,
    store::families::FamilyEnd,
    tokens,
};

/// Longest token read.
const TOKEN_LENGTH_MAX: usize = 16 * 1024;

/// The endpoint.
pub async fn revoke(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    answer(&request, run(&server, &request, payload).await)
}

async fn run(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, MachineError> {
    let Caller { client, assertion, parameters, .. } = Caller::read(server, request, payload).await?;
    let text = parameters.required("token", TOKEN_LENGTH_MAX)?;
    use_assertion(server, assertion).await?;
    let now = server.clock.now();
    let decision = match read(server, text).await? {
        Some(presented) => {
            let family = match presented.family_id() {
                Some(family_id) => server.store.standing_family(family_id, now).await?,
                None => None,
            };
            revocation::decide(&client, &presented, family.as_ref())?
        }
        None => Revocation::Nothing,
    };
    let audit = server.audit(Actor::Client(client.id), peer(request));
    // By any method the client offers, also one that would no longer refresh this family: a stolen token that its thief
    // revokes is worth nothing any more, which is the better outcome for everybody else.
    match decision {
        Revocation::EndFamily(id) => {
            server.store.end_family(&FamilyEnd { id, reason: EndReason::Revoked }, &audit).await?;
        }
        Revocation::RevokeAccess(id, generation) => {
            server.store.revoke_access(id, generation, &audit).await?;
        }
        Revocation::Nothing => {}
    }
    Ok(HttpResponse::Ok().finish())
}

/// Reads whichever kind of token it is; the caller's hint is not needed, since each kind is recognisable.
async fn read(server: &Server, text: &str) -> Result<Option<Presented>, MachineError> {
    let now = server.clock.now();
    if tokens::refresh::looks_like_one(text) {
        let ring = server.keyring.knowing(tokens::refresh::kid(text), &server.store, now).await?;
        return Ok(tokens::refresh::read(&ring, text).map(Presented::Refresh));
    }
    let ring = server.keyring.knowing(tokens::access::kid(text), &server.store, now).await?;
    Ok(tokens::access::read(&ring, &server.settings.issuer, text, now).map(|claims| match claims.family {
        Some(family_id) => Presented::Access(family_id, claims.generation),
        None => Presented::Standalone,
    }))
}
