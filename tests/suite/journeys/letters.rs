//! Every letter in every language, handed to a real mail server and read as a mail program reads it, from a server whose
//! name means harm.

use consentry::{
    languages::Language,
    mail::{Mailer, Security, Sender, SmtpSettings},
    model::id::MailId,
    random,
    server::people::letters::{Case, Facts, write},
};

use crate::harness::smtp::SmtpServer;

/// Breaks out of a header, of text, of an attribute and of the direction of writing.
const HOSTILE: &str = "\"'></p><script>alert(1)</script>\r\nBcc: thief@example.com\r\n\r\n\u{202e}=?utf-8?q?x?=";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_breaks_out_of_a_letter_in_any_language() {
    let smtp = SmtpServer::start(Security::Plain, false).await;
    let (host, port) = ("localhost".to_owned(), smtp.way.port);
    let settings = SmtpSettings { host, port, security: Security::Plain, login: None, authorities: None };
    let from = "no-reply@example.com".parse().unwrap();
    let sender = Sender { from, name: HOSTILE.into(), host: "consent.example.com".into() };
    let mailer = Mailer::smtp(sender, settings).unwrap();
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let link = format!("https://consent.example.com/x?link={HOSTILE}");
    for language in Language::ALL {
        for case in Case::ALL {
            let to = format!("{case:?}.{}@example.com", language.tag()).to_lowercase();
            let facts = Facts { server: HOSTILE, to: &to, link: Some(&link), language: Some(language.tag()) };
            let letter = write(case, &facts);
            mailer.send(&letter, MailId(random::id(at)), at).await.unwrap();
            let mail = smtp.mail_to(&to).await;
            assert_eq!((&mail["defects"], &mail["to"]), (&serde_json::json!([]), &serde_json::json!([to])), "{mail}");
            let mut names: Vec<_> =
                mail["header_names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            names.sort_unstable();
            let ours =
                ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"];
            assert_eq!(names, ours, "{mail}");
            let html = mail["html"].as_str().unwrap();
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{html}");
            assert!(
                html.contains("&#60;script&#62;") && !html.contains("<script") && !html.contains("\"></p>"),
                "{html}"
            );
            assert!(mail["headers"]["subject"].as_str().unwrap().contains("alert(1)"), "{mail}");
            let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
            assert!(text.contains(letter.closing.last().unwrap()), "{text}");
        }
    }
    assert_eq!(smtp.mails().len(), Language::ALL.len() * Case::ALL.len());
}
