//! The phase `token`, `revoke` and `introspect` share: parameters are read, what they carry is opened, and the client
//! is authenticated.
//!
//! Neighbours: `extract` reads, `carried` opens, `protocol::client_authentication` decides, `store::clients` finds.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    assertion,
    carried::{Carried, Sought},
};
use crate::{
    http::{
        extract::{
            body::{self, Encoding},
            credentials, peer,
        },
        failure::MachineError,
        guard::request_id,
        trail,
    },
    model::{
        audit::{Actor, Audit, AuditAction, Origin},
        client::{AuthenticationMethod, Client, Registration},
        code::AuthorizationCode,
        flow::{FlowId, Step},
        refresh_token::RefreshToken,
    },
    protocol::{
        client_authentication::{
            ASSERTION_LENGTH_MAX, ASSERTION_REPLAYED, Credentials, Proof, UNKNOWN, authenticate, unknown,
        },
        dialect,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        resource,
    },
    server::{Server, clients::Asking, refusals::Refusal},
    store::assertions::AssertionUse,
    telemetry::metrics,
    tokens,
};

/// A proven client and what it sent.
pub struct Caller {
    /// Who.
    pub client: Client,
    /// How it proved itself.
    pub method: AuthenticationMethod,
    /// The assertion it did so with; not used yet: that is part of the step it is for.
    pub assertion: Option<AssertionUse>,
    /// What it carries that this server made.
    pub carried: Option<Carried>,
    /// What it sent.
    pub parameters: Parameters,
    /// From where, for the logs.
    pub origin: Origin,
}

impl Caller {
    /// Reads the body, opens what it carries, and authenticates the client: one reading of the store, one more where
    /// what it carries names a key this process does not know yet, and for a stale document or an unknown key of the
    /// client's a look at where they are published.
    pub async fn read(
        server: &Server,
        request: &HttpRequest,
        payload: web::Payload,
        sought: Sought,
    ) -> Result<Self, MachineError> {
        let challenged = |error| match error {
            MachineError::Caller(error) if credentials::tried_basic(request) => MachineError::Basic(error),
            other => other,
        };
        let (parameters, encoding) = body::parameters(request, payload).await?;
        if sought == Sought::Grant && matches!(parameters.one("grant_type", 128), Ok(Some("refresh_token"))) {
            trail::at(request, Step::Refresh);
        }
        if let Ok(Some(named)) = resource::requested(&parameters) {
            trail::towards(request, named);
        }
        let carried = Carried::read(sought, server, &parameters).await?;
        if let Some(family) = carried.as_ref().and_then(Carried::family) {
            trail::of_flow(request, FlowId::of(family.0));
        }
        let asking = Carried::asking(carried.as_ref());
        let Proven { client, method, assertion } =
            Self::prove(server, request, &parameters, asking).await.map_err(challenged)?;
        if encoding == Encoding::Json && !dialect::accepts_json(client.dialect) {
            let description = "this client sends application/x-www-form-urlencoded";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, description).into());
        }
        Ok(Self { client, method, assertion, carried, parameters, origin: origin(request) })
    }

    /// The assertion that introspection and revocation use up, also where they find no token: it proved the client, and
    /// no copy of it shall do so again. Only for a client that a stranger may have made, and that carries nothing, it
    /// stays unused, since strangers can send any number; such a client has nothing to gain without what it carries.
    pub fn assertion_to_use_up(&self) -> Option<AssertionUse> {
        let is_worth_a_row = self.carried.is_some() || self.client.registration == Registration::ByHand;
        self.assertion.filter(|_| is_worth_a_row)
    }

    /// The code it brings as its grant.
    pub fn code(&self) -> Option<&AuthorizationCode> {
        match &self.carried {
            Some(Carried::Code(code)) => Some(code),
            _ => None,
        }
    }

    /// The refresh token it brings as its grant.
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        match &self.carried {
            Some(Carried::Refresh(token)) => Some(token),
            _ => None,
        }
    }

    /// Uses an assertion of its, if there is one, for a step that does not do so itself.
    pub async fn use_up(&self, server: &Server, assertion: Option<AssertionUse>) -> Result<(), MachineError> {
        match assertion {
            Some(assertion) if !server.store.use_assertion(&assertion).await? => Err(self.replayed(server)),
            _ => Ok(()),
        }
    }

    /// Refuses its assertion, which was used before, and tells of it: somebody copied it.
    pub fn replayed(&self, server: &Server) -> MachineError {
        metrics::client_assertion_replayed();
        let refusal = Refusal::of_client(AuditAction::ClientAssertionReplayed, &self.client, self.origin.clone());
        server.refusals.note(refusal, server.clock.now());
        tracing::warn!(
            client.id = self.client.client_id.as_str(),
            client.address = self.origin.address.as_deref(),
            "a client assertion was presented twice; was it copied?"
        );
        ASSERTION_REPLAYED.into()
    }

    /// The audit of what it does now.
    pub fn audit(&self, server: &Server) -> Audit {
        server.audit(Actor::Client(self.client.id), self.origin.clone())
    }

    async fn prove(
        server: &Server,
        request: &HttpRequest,
        parameters: &Parameters,
        asking: Asking,
    ) -> Result<Proven, MachineError> {
        let claimed = parameters.one("client_assertion", ASSERTION_LENGTH_MAX)?.and_then(tokens::assertion::peek);
        let subject = claimed.and_then(|claimed| claimed.sub);
        let credentials = Credentials::read(credentials::basic(request)?, parameters, subject)?;
        let Some(client) = server.client_that_calls(&credentials.client_id, asking).await? else {
            metrics::client_authentication_failed();
            return Err(UNKNOWN.because(unknown(&credentials.client_id)).into());
        };
        trail::by(request, &client);
        let proven = match &credentials.proof {
            Proof::Assertion(text) => assertion::prove(server, &client, text, asking)
                .await
                .map(|used| (AuthenticationMethod::PrivateKeyJwt, Some(used))),
            proof => {
                let now = server.clock.now();
                let proven = authenticate(&client, proof, now);
                if let (Ok(_), Proof::Secret(shown, _)) = (&proven, proof) {
                    server.notes.secret_shown(&client, *shown, now);
                }
                proven.map(|method| (method, None)).map_err(MachineError::from)
            }
        };
        let (method, assertion) = proven.inspect_err(|error| {
            if let MachineError::Caller(error) = error {
                metrics::client_authentication_failed();
                let refusal = Refusal::of_client(AuditAction::ClientAuthenticationRefused, &client, origin(request));
                server
                    .refusals
                    .note(refusal.with("because", error.description.clone().into_owned()), server.clock.now());
            }
        })?;
        Ok(Proven { client, method, assertion })
    }
}

/// A proven client, and what it proved itself with.
struct Proven {
    client: Client,
    method: AuthenticationMethod,
    assertion: Option<AssertionUse>,
}

/// Turns either outcome of a machine endpoint into its answer.
pub fn answer(request: &HttpRequest, outcome: Result<HttpResponse, MachineError>) -> HttpResponse {
    outcome.unwrap_or_else(|error| error.answer(request))
}

/// Where a request comes from, for the audit log.
pub fn origin(request: &HttpRequest) -> Origin {
    Origin { address: peer::of(request).map(|address| address.to_string()), request: Some(request_id::of(request)) }
}
