//! `POST /revoke` (RFC 7009): the client lets go of a token.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    caller::{Caller, answer},
    carried::{Carried, Sought},
};
use crate::{
    http::{failure::MachineError, trail},
    model::{family::EndReason, flow::Step},
    protocol::revocation::{self, Presented, Revocation},
    server::Server,
    store::families::FamilyEnd,
};

/// Longest token read.
const TOKEN_LENGTH_MAX: usize = 16 * 1024;

/// The endpoint.
pub async fn revoke(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    trail::at(&request, Step::Revocation);
    answer(&request, run(&server, &request, payload).await)
}

async fn run(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, MachineError> {
    let caller = Caller::read(server, request, payload, Sought::Token).await?;
    caller.parameters.required("token", TOKEN_LENGTH_MAX)?;
    caller.use_up(server, caller.assertion_to_use_up()).await?;
    let audit = caller.audit(server);
    let Caller { client, carried, .. } = caller;
    let now = server.clock.now();
    let decision = match carried.and_then(presented) {
        Some(presented) => {
            let family = match presented.family_id() {
                Some(family_id) => server.store.living_family(family_id, now).await?,
                None => None,
            };
            revocation::decide(&client, &presented, family.as_ref())?
        }
        None => Revocation::Nothing,
    };
    // By any method the client offers, also one that would no longer refresh this family: a stolen token that its thief
    // revokes is worth nothing any more, which is the better outcome for everybody else.
    match decision {
        Revocation::EndFamily(id) => {
            server.store.end_family(&FamilyEnd { id, reason: EndReason::Revoked }, &audit).await?;
            trail::done(request, Step::Revocation, "The client let go of the connection.");
        }
        Revocation::RevokeAccess(id, generation) => {
            server.store.revoke_access(id, generation, &audit).await?;
        }
        Revocation::Nothing => {}
    }
    Ok(HttpResponse::Ok().finish())
}

/// Whichever kind of token it is; the caller's hint is not needed, since each kind is recognisable.
fn presented(carried: Carried) -> Option<Presented> {
    match carried {
        Carried::Code(_) => None,
        Carried::Refresh(token) => Some(Presented::Refresh(token)),
        Carried::Access(claims) => Some(match claims.family {
            Some(family_id) => Presented::Access(family_id, claims.generation),
            None => Presented::Standalone,
        }),
    }
}
