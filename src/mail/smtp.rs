//! Handing a message to a mail server, within a time: one connection for each, since there are few, and none that was
//! left open can have died meanwhile.

use std::{error::Error as _, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        AsyncSmtpTransportBuilder,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::{Login, MailError, Security, SendError, SmtpSettings};
use crate::model::legible::with_causes;

/// How long the mail server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long handing over a message may take in all; shorter than a node may keep it to itself.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A mail server, and who this server is to it.
pub(super) struct Smtp {
    server: AsyncSmtpTransportBuilder,
    login: Option<Login>,
}

impl Smtp {
    pub(super) fn new(settings: SmtpSettings, own_host: &str) -> Result<Self, MailError> {
        let tls = match settings.security {
            Security::Tls => Tls::Wrapper(tls(&settings)?),
            Security::StartTls => Tls::Required(tls(&settings)?),
            Security::Plain => Tls::None,
        };
        let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .hello_name(ClientId::Domain(super::message::domain(own_host).to_owned()))
            .timeout(Some(ANSWER_TIMEOUT));
        Ok(Self { server, login: settings.login })
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), SendError> {
        // Made for each message: the password may be another one by now, and a connection is made for each anyhow.
        let server = match &self.login {
            Some(Login { user, password }) => {
                self.server.clone().credentials(Credentials::new(user.clone(), password.get().as_str().to_owned()))
            }
            None => self.server.clone(),
        };
        match tokio::time::timeout(TIMEOUT, server.build().send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err(SendError::Later("the mail server took too long".into())),
        }
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, MailError> {
    let refused = |error: lettre::transport::smtp::Error| MailError::Smtp(with_causes(&error));
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authorities {
        tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(refused)?);
    }
    tls.build().map_err(refused)
}

/// An answer is for good only if it is about whom the letter is for. All others are about who we are, where we come from
/// or how the server is today (a greeting of 554 or 521, 53x, 550 5.7.x): the operator's to mend, and no reason to lose a
/// letter.
fn told(error: &lettre::transport::smtp::Error) -> SendError {
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && is_about_the_recipient(code, &words) => {
            SendError::Refused(with_causes(error))
        }
        _ => SendError::Later(with_causes(error)),
    }
}

/// By the enhanced code (RFC 3463) where there is one: 5.1 is about addresses, of which 7 and 8 are the sender's, and 5.2
/// about mailboxes. Otherwise by the codes that RFC 5321 §4.2.3 and RFC 7504 keep for mailboxes and their domains.
fn is_about_the_recipient(code: u16, words: &str) -> bool {
    let mut numbers = words.split_whitespace().next().unwrap_or_default().split('.').map(str::parse::<u16>);
    match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(5)), Some(Ok(1)), Some(Ok(detail)), None) => !matches!(detail, 7 | 8),
        (Some(Ok(class)), Some(Ok(subject)), Some(Ok(_)), None) => (class, subject) == (5, 2),
        _ => matches!(code, 550..=553 | 556),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};

    use super::*;

    /// What becomes of a letter at a server that answers each command with the next of these lines.
    async fn outcome(answers: &'static [&'static str]) -> SendError {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut line, _) = listener.accept().unwrap();
            let mut commands = BufReader::new(line.try_clone().unwrap()).lines();
            for answer in answers {
                line.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
                let _ = commands.next();
            }
        });
        let host = "127.0.0.1".to_owned();
        let settings = SmtpSettings { host, port, security: Security::Plain, login: None, authorities: None };
        let message = Message::builder()
            .from("no-reply@example.com".parse().unwrap())
            .to("ada@example.com".parse().unwrap())
            .body(String::new())
            .unwrap();
        let sent = Smtp::new(settings, "example.com").unwrap().send(message).await;
        server.join().unwrap();
        sent.unwrap_err()
    }

    #[tokio::test]
    async fn only_an_answer_about_the_recipient_is_for_good() {
        for greeting in [&["554 No mail is taken here"][..], &["521 5.3.2 No mail today"]] {
            let error = outcome(greeting).await;
            assert!(matches!(error, SendError::Later(_)), "{error}");
        }
        for (answer, is_for_good) in [
            ("550 5.1.1 Nobody has that address", true),
            ("550 No such user here", true),
            ("556 That domain takes no mail", true),
            ("554 5.2.1 That mailbox is closed", true),
            ("550 5.7.1 Your address is on a list", false),
            ("550 5.1.8 The sender's domain does not exist", false),
            ("554 Your message was refused", false),
            ("554 5.7.1 Relaying is denied", false),
            ("530 5.7.0 Log in first", false),
            ("451 4.7.1 Come back later", false),
            ("450 5.1.1 It contradicts itself", false),
        ] {
            let code = answer[..3].parse().unwrap();
            let given = code >= 500 && is_about_the_recipient(code, &answer[4..]);
            assert_eq!(given, is_for_good, "{answer}");
        }
    }
}
