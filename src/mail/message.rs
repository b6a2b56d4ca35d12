//! Messages (RFC 5322): a letter as text and as HTML, with headers nobody can break out of. Nothing in it is fetched from
//! anywhere, so nobody learns when it is read.

use askama::Template;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

use super::{Letter, MailError, Sender};
use crate::model::{Timestamp, id::MailId, legible::deceives};

/// Says that no person wrote it, so that no program answers (RFC 3834 §5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct TextLetter<'a> {
    sender: &'a Sender,
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct HtmlLetter<'a> {
    sender: &'a Sender,
    letter: &'a Letter,
}

/// Whether mail can come from there.
pub(super) fn check(sender: &Sender) -> Result<(), MailError> {
    mailbox(sender.from.as_str(), None).map(|_| ()).map_err(|_| MailError::Sender(sender.from.clone()))
}

/// A letter as plain text.
pub(super) fn text(sender: &Sender, letter: &Letter) -> String {
    TextLetter { sender, letter }.render().unwrap_or_default()
}

/// Writes the message, or says why nobody could take it.
pub(super) fn write(sender: &Sender, letter: &Letter, id: MailId, written_at: Timestamp) -> Result<Message, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let html = HtmlLetter { sender, letter }.render().map_err(|error| told(&error))?;
    Message::builder()
        .message_id(Some(format!("<{id}@{}>", domain(&sender.host))))
        .date(written_at.into())
        .from(mailbox(sender.from.as_str(), Some(&sender.name))?)
        .to(mailbox(&letter.to, None)?)
        .subject(on_one_line(&letter.subject))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text(sender, letter), html))
        .map_err(|error| told(&error))
}

fn mailbox(address: &str, name: Option<&str>) -> Result<Mailbox, String> {
    let address: Address = address.parse().map_err(|error| format!("{error}"))?;
    Ok(Mailbox::new(name.map(on_one_line), address))
}

/// The library encodes what is no ASCII; line breaks and whatever else is not to be seen are taken out before.
fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if deceives(c) { ' ' } else { c }).collect()
}

/// The host without its port, which a Message-ID has no room for.
pub(super) fn domain(host: &str) -> &str {
    let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
    bare.map_or(host, |(bare, _)| bare)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sender() -> Sender {
        Sender {
            from: "no-reply@example.com".parse().unwrap(),
            name: "Käthe's <API>".into(),
            host: "consent.example.com:8080".into(),
        }
    }

    fn letter() -> Letter {
        Letter {
            to: "ada@example.com".into(),
            language: "en".into(),
            subject: "Grüße\r\nBcc: thief@example.com".into(),
            paragraphs: vec!["Hello <script>alert(1)</script> & \u{1f600}".into(), "Two".into()],
            link: Some(("Go on".into(), "https://consent.example.com/x?link=cst_ln_\"><b>".into())),
            closing: vec!["Bye".into()],
        }
    }

    fn written(letter: &Letter) -> Result<String, String> {
        let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let message = write(&sender(), letter, MailId(Uuid::from_u128(7)), at)?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_message_says_who_it_is_from_and_that_nobody_wrote_it() {
        let text = written(&letter()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "Message-ID: <00000000-0000-0000-0000-000000000007@consent.example.com>",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "To: ada@example.com",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(head.lines().any(|shown| shown == line), "{line} is missing in {head}");
        }
        assert!(head.contains("multipart/alternative") && body.contains("text/plain") && body.contains("text/html"));
        assert!(!text.contains("http-equiv") && !text.contains("src=") && !text.contains("<img"), "nothing is fetched");
    }

    #[test]
    fn nobody_breaks_out_of_a_header_or_into_the_html() {
        let text = written(&letter()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")) && head.contains("Subject: "), "{head}");
        let html = HtmlLetter { sender: &sender(), letter: &letter() }.render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("\"><b>") && html.contains("&#60;script&#62;"), "{html}");
        let plain = super::text(&sender(), &letter());
        assert!(plain.contains("https://consent.example.com/x?link=cst_ln_"), "{plain}");
        for to in ["ada@example.com\r\nBcc: thief@example.com", "ada@example.com>", "a b@example.com", "ada", ""] {
            assert!(written(&Letter { to: to.into(), ..letter() }).is_err(), "{to}");
        }
    }

    #[test]
    fn a_letter_is_read_back() {
        assert_eq!(Letter::from_bytes(&letter().to_bytes().unwrap()), Some(letter()));
        assert_eq!(Letter::from_bytes(b"x"), None);
    }
}
