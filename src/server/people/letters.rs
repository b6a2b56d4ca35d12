//! What is said to people by mail, in which case. Plain words, in the language of whoever gets them; nothing a stranger
//! typed stands in any of it, so nobody can have us mail their text to others.
//!
//! The words are messages (`messages/…/letters.ftl`), one for each case with its parts; here is only which of them make a
//! letter.

use crate::{
    languages::{Language, Said},
    mail::Letter,
};

/// In which case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Somebody wants an account with this address.
    SignUp,
    /// The same, and there is one.
    AlreadyHere,
    /// The address of an account is to be proven.
    VerifyEmail,
    /// Somebody wants a new password.
    ResetPassword,
    /// Somebody is asked to own a plugin.
    OwnPlugin,
    /// The same, who needs an account first.
    OwnPluginNew,
    /// An account is to get this address.
    ChangeEmail,
    /// An account has got another address than this.
    EmailChanged,
    /// An account has got this address back.
    EmailRestored,
    /// The password was changed.
    PasswordChanged,
    /// The password was chosen anew.
    PasswordReset,
    /// The account was deleted.
    Deleted,
    /// What a plugin publishes does not match any more.
    PluginBroken,
    /// It matches again.
    PluginMended,
    /// A plugin's API is told nothing more.
    WebhookStopped,
    /// A plugin's API key will want a new version.
    ApiKeyDue,
    /// It is late with one.
    ApiKeyOverdue,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::SignUp,
        Self::AlreadyHere,
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::OwnPlugin,
        Self::OwnPluginNew,
        Self::ChangeEmail,
        Self::EmailChanged,
        Self::EmailRestored,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::Deleted,
        Self::PluginBroken,
        Self::PluginMended,
        Self::WebhookStopped,
        Self::ApiKeyDue,
        Self::ApiKeyOverdue,
    ];

    fn message(self) -> &'static str {
        match self {
            Self::SignUp => "letter-sign-up",
            Self::AlreadyHere => "letter-already-here",
            Self::VerifyEmail => "letter-verify-email",
            Self::ResetPassword => "letter-reset-password",
            Self::OwnPlugin => "letter-own-plugin",
            Self::OwnPluginNew => "letter-own-plugin-new",
            Self::ChangeEmail => "letter-change-email",
            Self::EmailChanged => "letter-email-changed",
            Self::EmailRestored => "letter-email-restored",
            Self::PasswordChanged => "letter-password-changed",
            Self::PasswordReset => "letter-password-reset",
            Self::Deleted => "letter-deleted",
            Self::PluginBroken => "letter-plugin-broken",
            Self::PluginMended => "letter-plugin-mended",
            Self::WebhookStopped => "letter-webhook-stopped",
            Self::ApiKeyDue => "letter-api-key-due",
            Self::ApiKeyOverdue => "letter-api-key-overdue",
        }
    }

    /// What to do for who did not wish for it.
    fn if_it_was_not_you(self, has_link: bool) -> Option<&'static str> {
        match self {
            Self::SignUp | Self::AlreadyHere | Self::VerifyEmail | Self::ResetPassword | Self::ChangeEmail => {
                Some("letter-not-you")
            }
            Self::OwnPlugin | Self::OwnPluginNew | Self::EmailChanged if has_link => None,
            Self::OwnPlugin | Self::OwnPluginNew => Some("letter-not-you"),
            Self::EmailChanged | Self::Deleted => Some("letter-ask-operator"),
            // They say what happened to a plugin, which nobody did.
            Self::EmailRestored
            | Self::PluginBroken
            | Self::PluginMended
            | Self::WebhookStopped
            | Self::ApiKeyDue
            | Self::ApiKeyOverdue => None,
            Self::PasswordChanged | Self::PasswordReset => Some("letter-was-it-you"),
        }
    }
}

/// What a letter is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What this server is called.
    pub server: &'a str,
    /// The address it goes to.
    pub to: &'a str,
    /// The link in it.
    pub link: Option<&'a str>,
    /// The tag of the language wished for.
    pub language: Option<&'a str>,
}

/// What a letter is about; both are made of few characters, whoever named them.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// A plugin's host.
    pub host: &'a str,
    /// The name of an API key of its.
    pub key: &'a str,
}

/// Writes the letter.
pub fn write(case: Case, facts: &Facts<'_>) -> Letter {
    write_about(About::default(), case, facts)
}

/// Writes a letter about what an owner has here.
pub fn write_about(About { host, key }: About<'_>, case: Case, facts: &Facts<'_>) -> Letter {
    let language: Language = facts.language.and_then(|tag| tag.parse().ok()).unwrap_or_default();
    let whole = language.say(case.message()).name("server", facts.server).name("host", host).name("key", key);
    let part = |name| Some(whole.clone().part(name)).filter(Said::is_there).map(|said| said.text());
    // How long a link is good for is worth telling only with a link; some letters end with something else.
    let ends = part("ends").filter(|_| facts.link.is_some() || part("does").is_none());
    let closing = case.if_it_was_not_you(facts.link.is_some()).map(|message| language.say(message).text());
    Letter {
        to: facts.to.to_owned(),
        language: language.tag().to_owned(),
        subject: whole.text(),
        paragraphs: ["says", "more"].into_iter().filter_map(part).collect(),
        link: facts.link.and_then(|url| Some((part("does")?, url.to_owned()))),
        closing: ends.into_iter().chain(closing).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (Language, Case)> {
        Language::ALL.into_iter().flat_map(|language| Case::ALL.map(|case| (language, case)))
    }

    /// Cases whose letters lead somewhere.
    fn leads(case: Case) -> bool {
        !matches!(
            case,
            Case::EmailRestored
                | Case::PasswordChanged
                | Case::PasswordReset
                | Case::Deleted
                | Case::PluginBroken
                | Case::PluginMended
                | Case::WebhookStopped
                | Case::ApiKeyDue
                | Case::ApiKeyOverdue
        )
    }

    #[test]
    fn every_letter_is_there_in_every_language() {
        for (language, case) in all() {
            let url = "https://a.example/x?link=1";
            for link in [Some(url), None] {
                let facts = Facts { server: "Example", to: "ada@example.com", link, language: Some(language.tag()) };
                let letter = write(case, &facts);
                let told = format!("{case:?} in {language:?}: {letter:?}");
                assert!(letter.subject.contains("Example") && letter.subject.chars().count() < 80, "{told}");
                assert!(letter.paragraphs[0].contains("Example") && !letter.closing.is_empty(), "{told}");
                assert_eq!((letter.to.as_str(), letter.language.as_str()), (facts.to, language.tag()), "{told}");
                let leads_to = letter.link.as_ref().map(|(_, url)| url.as_str());
                assert_eq!(leads_to, link.filter(|_| leads(case)), "{told}");
                let words = letter.paragraphs.iter().chain(&letter.closing);
                assert!(
                    words.chain([&letter.subject]).all(|text| !text.contains("letter-")),
                    "a message is missing: {told}"
                );
            }
        }
    }

    #[test]
    fn letters_differ_by_language_and_by_case() {
        let texts: std::collections::HashSet<_> = all()
            .map(|(language, case)| {
                let facts =
                    Facts { server: "Example", to: "a@example.com", link: None, language: Some(language.tag()) };
                write(case, &facts).subject
            })
            .collect();
        assert_eq!(texts.len(), Language::ALL.len() * Case::ALL.len());
        let facts = Facts { server: "Example", to: "a@example.com", link: None, language: Some("tlh") };
        assert_eq!(write(Case::Deleted, &facts).language, "en", "who asks for a language there is not gets English");
    }
}
