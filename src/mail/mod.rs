//! Mail: letters to people, made safe and handed to a mail server (RFC 5321), or shown in the log of a demo.
//!
//! `letter` is what is said, `message` how it looks (RFC 5322), `smtp` how it gets away. What is sent when is
//! `jobs::mail`'s; what is said in which case `server::people`'s.

mod letter;
mod message;
mod smtp;

pub use letter::Letter;

use smtp::Smtp;
use zeroize::Zeroizing;

use crate::model::{Timestamp, account::Email, id::MailId, live::Live};

/// Where mail is handed over.
pub struct SmtpSettings {
    /// The mail server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Who this server is to it, if that is asked.
    pub login: Option<Login>,
    /// Certificates of further authorities, in PEM.
    pub authorities: Option<Vec<u8>>,
}

/// A name and its password.
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Live<Zeroizing<String>>,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS before anything is said; a server that does not offer it is given nothing (RFC 3207).
    StartTls,
    /// None: the server is on this machine.
    Plain,
}

/// Who sends.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The address mail comes from.
    pub from: Email,
    /// What this server is called.
    pub name: String,
    /// Its own host, in Message-IDs and greetings.
    pub host: String,
}

/// Why no mail can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address mail comes from is no address.
    #[error("mail cannot come from {0}")]
    Sender(Email),
    /// The mail server cannot be spoken to as it should be.
    #[error("the mail server cannot be spoken to: {0}")]
    Smtp(String),
}

/// Why a mail was not sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It never can be: nobody will take it as it is.
    #[error("it was refused: {0}")]
    Refused(String),
    /// Trying again later may help.
    #[error("it could not be handed over: {0}")]
    Later(String),
}

impl SendError {
    /// The same for the log, which holds nobody's address: mail servers like to say it back.
    #[must_use]
    pub fn without(&self, address: &str) -> Self {
        let told = |text: &str| text.replace(address, "…");
        match self {
            Self::Refused(text) => Self::Refused(told(text)),
            Self::Later(text) => Self::Later(told(text)),
        }
    }
}

/// Whoever takes mail away.
pub struct Mailer {
    sender: Option<Sender>,
    way: Way,
}

enum Way {
    Smtp(Box<Smtp>),
    Log,
    None,
}

impl Mailer {
    /// Nobody: no mail is written.
    pub fn none() -> Self {
        Self { sender: None, way: Way::None }
    }

    /// The log, for a demo: mail holds links that anybody who reads it can use.
    pub fn log(sender: Sender) -> Result<Self, MailError> {
        message::check(&sender)?;
        Ok(Self { sender: Some(sender), way: Way::Log })
    }

    /// A mail server. It is not spoken to before there is mail.
    pub fn smtp(sender: Sender, settings: SmtpSettings) -> Result<Self, MailError> {
        message::check(&sender)?;
        let smtp = Smtp::new(settings, &sender.host)?;
        Ok(Self { sender: Some(sender), way: Way::Smtp(Box::new(smtp)) })
    }

    /// Whether mail is taken away at all.
    pub fn is_on(&self) -> bool {
        !matches!(self.way, Way::None)
    }

    /// Hands a letter over. However often it is tried, its Message-ID is the same, so that whoever gets it twice can
    /// tell.
    pub async fn send(&self, letter: &Letter, id: MailId, written_at: Timestamp) -> Result<(), SendError> {
        let Some(sender) = &self.sender else { return Err(SendError::Later("no mail server is configured".into())) };
        let message = message::write(sender, letter, id, written_at).map_err(SendError::Refused)?;
        match &self.way {
            Way::Smtp(smtp) => smtp.send(message).await,
            Way::Log => {
                tracing::info!(to = letter.to, subject = letter.subject, "{}", message::text(sender, letter));
                Ok(())
            }
            Way::None => Ok(()),
        }
    }
}
