//! Where a person wanted to go who has to sign in first. A closed list: no address can be slipped in.

use actix_web::HttpResponse;

use crate::{
    http::{failure::PageError, oauth::authorize::to_path},
    model::link::LinkPurpose,
    protocol::parameters::Parameters,
    server::Server,
    tokens::secret::{LINK, SecretText},
};

/// The field that names it.
pub const FIELD: &str = "next";

/// Longest word of a place read.
const WORD_LENGTH_MAX: usize = 176;

/// Stands between the word of a page and the link it is opened by.
const BY_LINK: char = '.';

/// The same before a page of the console.
const CONSOLE: &str = "console.";

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
    /// How they sign in.
    Security,
    /// Who they are at other servers.
    Identities,
    /// Their name, address, password and language.
    Account,
    /// The console of plugin owners.
    Console,
    /// A page of it.
    ConsolePage(PagePath),
    /// What they are invited to there.
    Invitations,
    /// What their programs show to the owners' API.
    Tokens,
    /// Where an address is confirmed that was asked for in this account.
    ChangeEmail(LinkText),
}

impl Place {
    const ALL: [Self; 9] = [
        Self::Home,
        Self::ConnectedApps,
        Self::Sessions,
        Self::Security,
        Self::Identities,
        Self::Account,
        Self::Console,
        Self::Invitations,
        Self::Tokens,
    ];

    /// The pages of a person's own, each with the message that names it.
    pub const LINKED: [(Self, &str); 5] = [
        (Self::ConnectedApps, "apps-title"),
        (Self::Sessions, "sessions-title"),
        (Self::Security, "security-title"),
        (Self::Identities, "identities-title"),
        (Self::Account, "settings-title"),
    ];

    /// Its word in forms and addresses.
    pub fn word(self) -> String {
        match self {
            Self::Home => String::new(),
            Self::ConnectedApps => "connected-apps".to_owned(),
            Self::Sessions => "sessions".to_owned(),
            Self::Security => "security".to_owned(),
            Self::Identities => "identities".to_owned(),
            Self::Account => "account".to_owned(),
            Self::Console => "console".to_owned(),
            Self::ConsolePage(path) => format!("{CONSOLE}{}", path.as_str()),
            Self::Invitations => "invitations".to_owned(),
            Self::Tokens => "tokens".to_owned(),
            Self::ChangeEmail(link) => format!("{}{BY_LINK}{}", LinkPurpose::ChangeEmail.as_str(), link.reveal()),
        }
    }

    /// Its path, counted from the public URL.
    pub fn path(self) -> String {
        match self {
            Self::ChangeEmail(link) => format!("/{}?link={}", LinkPurpose::ChangeEmail.as_str(), link.reveal()),
            Self::ConsolePage(path) => format!("/console/{}", path.as_str()),
            Self::Invitations => "/console/invitations".to_owned(),
            Self::Tokens => "/console/tokens".to_owned(),
            _ => format!("/{}", self.word()),
        }
    }

    /// Reads it; a word that belongs to no place leads to the front page.
    pub fn read(fields: &Parameters) -> Result<Self, PageError> {
        let word = fields.one(FIELD, WORD_LENGTH_MAX).map_err(PageError::Incomplete)?.unwrap_or_default();
        Ok(Self::called(word))
    }

    /// The one of that word; the front page if there is none.
    pub fn called(word: &str) -> Self {
        if let Some((purpose, link)) = word.split_once(BY_LINK)
            && purpose == LinkPurpose::ChangeEmail.as_str()
            && let Some(link) = LinkText::parse(link)
        {
            return Self::ChangeEmail(link);
        }
        if let Some(path) = word.strip_prefix(CONSOLE).and_then(PagePath::parse) {
            return Self::ConsolePage(path);
        }
        Self::ALL.into_iter().find(|place| place.word() == word).unwrap_or_default()
    }

    /// Sends whoever is not signed in to do so, and then back here.
    pub fn after_signing_in(self, server: &Server) -> HttpResponse {
        to_path(server, HttpResponse::SeeOther(), &format!("/sign-in?{FIELD}={}", self.word()))
    }
}

/// The longest path of a page of the console: an API key's, of a plugin whose short name is as long as the key's.
const PATH_LENGTH_MAX: usize = 160;

/// What follows `/console/` in the address of a page: names between slashes, and nothing that leads out of there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagePath {
    bytes: [u8; PATH_LENGTH_MAX],
    length: usize,
}

impl PagePath {
    /// Takes a text that has the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let mut bytes = [0; PATH_LENGTH_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        text.split('/').all(is_name).then_some(Self { bytes, length: text.len() })
    }

    fn as_str(&self) -> &str {
        // Letters, digits, `-`, `_` and slashes.
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// The text of a one-time link, which has the same length always. It does not print itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkText([u8; LINK.len() + 49]);

impl LinkText {
    /// Takes a text that has the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        SecretText::parse(LINK, text)?.reveal().as_bytes().try_into().ok().map(Self)
    }

    fn reveal(&self) -> &str {
        // A secret is letters, digits, `-` and `_`.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Debug for LinkText {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("LinkText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_word() {
        let secret = SecretText::new(LINK, [7; 32]);
        let link = LinkText::parse(secret.reveal()).unwrap();
        for place in Place::ALL.into_iter().chain([Place::ChangeEmail(link)]) {
            let query = format!("{FIELD}={}", place.word());
            assert_eq!(Place::read(&Parameters::from_form(query.as_bytes()).unwrap()).unwrap(), place, "{query}");
        }
        assert_eq!(Place::ChangeEmail(link).path(), format!("/change-email?link={}", secret.reveal()));
        for word in ["change-email", "change-email.", "change-email.x", "reset-password.cst_ln_", "sessions.x"] {
            let query = format!("{FIELD}={word}");
            assert_eq!(Place::read(&Parameters::from_form(query.as_bytes()).unwrap()).unwrap(), Place::Home, "{word}");
        }
        assert_eq!(format!("{link:?}"), "LinkText(…)");
    }

    #[test]
    fn a_page_of_the_console_is_gone_back_to_and_nothing_else() {
        let place = Place::called("console.plugins/todo/working");
        assert_eq!((place.path().as_str(), Place::called(&place.word())), ("/console/plugins/todo/working", place));
        let long = format!("console.{}", "a".repeat(161));
        for word in ["console.", "console./x", "console.x//y", "console.../x", "console.a/../b", "console.x?y", &long] {
            assert_eq!(Place::called(word), Place::Home, "{word}");
        }
    }
}
