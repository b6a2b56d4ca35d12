//! The phase `token`, `revoke` and `introspect` share: parameters are read and the client is authenticated.
//!
//! Neighbours: `extract` reads, `protocol::client_authentication` decides, `store::clients` finds.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::{
    http::{
        extract::{
            body::{self, Encoding},
            credentials,
        },
        failure::MachineError,
    },
    model::client::Client,
    protocol::{
        client_authentication::{Credentials, authenticate},
        dialect,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    server::Server,
};

/// A proven client and what it sent.
pub struct Caller {
    /// Who.
    pub client: Client,
    /// What.
    pub parameters: Parameters,
}

impl Caller {
    /// Reads the body and authenticates the client: one reading of the store.
    pub async fn read(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<Self, MachineError> {
        let challenged = |error| match error {
            MachineError::Caller(error) if credentials::tried_basic(request) => MachineError::Basic(error),
            other => other,
        };
        let (parameters, encoding) = body::parameters(request, payload).await?;
        let client = Self::prove(server, request, &parameters).await.map_err(challenged)?;
        if encoding == Encoding::Json && !dialect::accepts_json(client.dialect) {
            let description = "this client sends application/x-www-form-urlencoded";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, description).into());
        }
        Ok(Self { client, parameters })
    }

    async fn prove(server: &Server, request: &HttpRequest, parameters: &Parameters) -> Result<Client, MachineError> {
        let credentials = Credentials::read(credentials::basic(request)?, parameters)?;
        let now = server.clock.now();
        let found = server.store.client(&credentials.client_id, now).await?;
        let client = authenticate(found, &credentials, now).inspect_err(|error| {
            // As text, not by `Display`: whoever sends a line break must not get a line of their own in the log.
            tracing::warn!(client.id = credentials.client_id.as_str(), reason = %error, "a client did not prove itself");
        })?;
        Ok(client)
    }
}

/// Turns either outcome of a machine endpoint into its answer.
pub fn answer(request: &HttpRequest, outcome: Result<HttpResponse, MachineError>) -> HttpResponse {
    outcome.unwrap_or_else(|error| error.answer(request))
}

/// The peer's address, for the audit log.
pub fn peer(request: &HttpRequest) -> Option<String> {
    request.peer_addr().map(|address| address.ip().to_string())
}
