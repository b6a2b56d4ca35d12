//! Somebody at work on their own account: who they are, and whether a form is from a page of this very account.

use actix_web::{HttpRequest, web};

use crate::{
    http::{
        extract::{body, language, visitor::Visitor},
        failure::PageError,
        guard,
        oauth::caller,
        pages::Layout,
    },
    model::{account::Account, digest::Digest},
    protocol::parameters::Parameters,
    server::{
        Server,
        people::{Asker, Person},
    },
    tokens,
};

/// The field that names the account a page was made for.
const FIELD: &str = "account";

/// Who has signed in, and their account as it is now.
pub(super) struct Own<'a> {
    pub(super) server: &'a Server,
    pub(super) request: &'a HttpRequest,
    pub(super) visitor: Visitor,
    pub(super) account: Account,
    /// Whether it has a password.
    pub(super) has_password: bool,
    session: Digest,
}

impl<'a> Own<'a> {
    /// Comes to a page; `None` for who has not signed in.
    pub(super) async fn enter(server: &'a Server, request: &'a HttpRequest) -> Result<Option<Self>, PageError> {
        Self::of(server, request, Visitor::read(server, request).await?).await
    }

    /// Comes with a form, which must be genuine.
    pub(super) async fn bring(
        server: &'a Server,
        request: &'a HttpRequest,
        payload: web::Payload,
    ) -> Result<Option<(Self, Parameters)>, PageError> {
        let fields = body::form(request, payload).await?;
        let visitor = Visitor::read(server, request).await?;
        guard::form::check(server, request, &visitor, &fields).await?;
        Ok(Self::of(server, request, visitor).await?.map(|own| (own, fields)))
    }

    async fn of(server: &'a Server, request: &'a HttpRequest, visitor: Visitor) -> Result<Option<Self>, PageError> {
        let (Some(signed_in), Some(session)) = (&visitor.session, visitor.session_digest) else { return Ok(None) };
        let known = server.store.account(signed_in.account.id).await?;
        Ok(known.map(|(account, hash)| {
            let has_password = hash.is_some();
            Self { server, request, visitor, account, has_password, session }
        }))
    }

    /// Whether a form is from a page of this account: another may have been signed in to since, in another tab.
    pub(super) fn is_for(&self, fields: &Parameters) -> bool {
        fields.one(FIELD, 36).is_ok_and(|id| id == Some(self.id().as_str()))
    }

    /// What its forms name it by.
    pub(super) fn id(&self) -> String {
        self.account.id.to_string()
    }

    pub(super) fn person(&self) -> Person {
        Person { id: self.account.id, session: self.session, origin: caller::origin(self.request) }
    }

    pub(super) fn asker(&self) -> Asker {
        Asker { language: Some(language::of(self.server, self.request).tag().to_owned()), request: None }
    }

    pub(super) fn layout(&self) -> Layout {
        Layout::of(self.server, self.request)
    }

    pub(super) fn csrf(&self) -> Result<String, PageError> {
        Ok(tokens::form::write(&self.server.keyring.current(), self.visitor.browser())?)
    }
}
