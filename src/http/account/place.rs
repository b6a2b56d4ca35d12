//! Where a person wanted to go who has to sign in first. A closed list: no address can be slipped in.

use actix_web::HttpResponse;

use crate::{
    http::{failure::PageError, oauth::authorize::to_path},
    protocol::parameters::Parameters,
    server::Server,
};

/// The field that names it.
pub const FIELD: &str = "next";

/// A page for who is signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The front page.
    #[default]
    Home,
    /// What they allowed.
    ConnectedApps,
    /// Where they are signed in.
    Sessions,
    /// Who they are at other servers.
    Identities,
}

impl Place {
    const ALL: [Self; 4] = [Self::Home, Self::ConnectedApps, Self::Sessions, Self::Identities];

    /// The pages of a person's own, each with the message that names it.
    pub const LINKED: [(Self, &str); 3] = [
        (Self::ConnectedApps, "apps-title"),
        (Self::Sessions, "sessions-title"),
        (Self::Identities, "identities-title"),
    ];

    /// Its word in forms and addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Home => "",
            Self::ConnectedApps => "connected-apps",
            Self::Sessions => "sessions",
            Self::Identities => "identities",
        }
    }

    /// Its path, counted from the public URL.
    pub fn path(self) -> String {
        format!("/{}", self.word())
    }

    /// Reads it; a word that belongs to no place leads to the front page.
    pub fn read(fields: &Parameters) -> Result<Self, PageError> {
        let word = fields.one(FIELD, 64).map_err(PageError::Incomplete)?.unwrap_or_default();
        Ok(Self::called(word))
    }

    /// The one of that word; the front page if there is none.
    pub fn called(word: &str) -> Self {
        Self::ALL.into_iter().find(|place| place.word() == word).unwrap_or_default()
    }

    /// Sends whoever is not signed in to do so, and then back here.
    pub fn after_signing_in(self, server: &Server) -> HttpResponse {
        to_path(server, HttpResponse::SeeOther(), &format!("/sign-in?{FIELD}={}", self.word()))
    }
}
