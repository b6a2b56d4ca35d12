//! What is said to people by mail, in which case. Plain words; nothing a stranger typed stands in any of it, so nobody
//! can have us mail their text to others.

use crate::mail::Letter;

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
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SignUp,
        Self::AlreadyHere,
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::ChangeEmail,
        Self::EmailChanged,
        Self::EmailRestored,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::Deleted,
    ];
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

const NOT_YOU: &str = "If this was not you, you can ignore this mail. Nothing happens without the link in it.";
const WAS_IT_YOU: &str =
    "If this was not you, somebody else has got into your account. Choose a new password at once, on the sign-in page.";

/// Writes the letter.
pub fn write(case: Case, facts: &Facts<'_>) -> Letter {
    let server = facts.server;
    let (subject, paragraphs, words, closing) = words(case, server, facts.link.is_some());
    Letter {
        to: facts.to.to_owned(),
        language: "en".to_owned(),
        subject,
        paragraphs,
        link: facts.link.map(|url| (words.to_owned(), url.to_owned())),
        closing: closing.iter().map(|text| (*text).to_owned()).collect(),
    }
}

type Words = (String, Vec<String>, &'static str, &'static [&'static str]);

fn words(case: Case, server: &str, has_link: bool) -> Words {
    match case {
        Case::SignUp => (
            format!("Your account at {server}"),
            vec![format!("Somebody wants to make an account at {server} with this address.")],
            "Make the account",
            &["The link is good for one day, and for one account.", NOT_YOU],
        ),
        Case::AlreadyHere => (
            format!("You have an account at {server}"),
            vec![
                format!("Somebody wants to make an account at {server} with this address. There is one already."),
                "Sign in with it as usual. If you no longer know the password, you can choose a new one.".to_owned(),
            ],
            "Choose a new password",
            &["The link is good for one hour, and once.", NOT_YOU],
        ),
        Case::VerifyEmail => (
            format!("Is this your address? {server} asks"),
            vec![format!("Your account at {server} has this address. Please say that it is yours.")],
            "This is my address",
            &["The link is good for one day, and once.", NOT_YOU],
        ),
        Case::ResetPassword => (
            format!("A new password for {server}"),
            vec![
                format!("Somebody wants to choose a new password for your account at {server}."),
                "Whatever is signed in or connected with your account now will then have to be connected again."
                    .to_owned(),
            ],
            "Choose a new password",
            &["The link is good for one hour, and once.", NOT_YOU],
        ),
        Case::ChangeEmail => (
            format!("Your new address at {server}"),
            vec![format!("Somebody wants their account at {server} to have this address.")],
            "Use this address",
            &["The link is good for one day, and once.", NOT_YOU],
        ),
        Case::EmailChanged => (
            format!("Your account at {server} has another address"),
            vec![format!("Your account at {server} had this address until now. It was changed to another one.")],
            "This was not me: give me my account back",
            if has_link {
                &["The link is good for seven days. It brings this address back and asks you for a new password."]
            } else {
                &["If this was not you, write to whoever runs the server."]
            },
        ),
        Case::EmailRestored => (
            format!("Your account at {server} is yours again"),
            vec![format!("Your account at {server} has this address again, and a new password.")],
            "",
            &["Everything that was signed in or connected has ended."],
        ),
        Case::PasswordChanged => (
            format!("Your password at {server} was changed"),
            vec![format!("The password of your account at {server} was changed.")],
            "",
            &[WAS_IT_YOU],
        ),
        Case::PasswordReset => (
            format!("You have a new password at {server}"),
            vec![
                format!("A new password was chosen for your account at {server}, by a link that was mailed to you."),
                "Everything that was signed in or connected has ended.".to_owned(),
            ],
            "",
            &[WAS_IT_YOU],
        ),
        Case::Deleted => (
            format!("Your account at {server} is deleted"),
            vec![format!("Your account at {server} was deleted, as you wished, and everything in it.")],
            "",
            &["If this was not you, write to whoever runs the server."],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_says_what_it_is_about() {
        for case in Case::ALL {
            for link in [Some("https://a.example/x?link=1"), None] {
                let facts = Facts { server: "Example", to: "ada@example.com", link, language: None };
                let letter = write(case, &facts);
                assert!(letter.subject.contains("Example") && letter.subject.len() < 80, "{case:?}");
                assert!(!letter.paragraphs.is_empty() && !letter.closing.is_empty(), "{case:?}");
                assert_eq!((letter.to.as_str(), letter.link.map(|(_, url)| url).as_deref()), (facts.to, link));
            }
        }
    }
}
