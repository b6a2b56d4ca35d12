//! Handing a message to a mail server, within a time: one connection for each, since there are few, and none that was
//! left open can have died meanwhile.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::{MailError, Security, SendError, SmtpSettings};

/// How long the mail server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long handing over a message may take in all; shorter than a node may keep it to itself.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A mail server.
pub(super) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub(super) fn new(settings: SmtpSettings, own_host: &str) -> Result<Self, MailError> {
        let tls = match settings.security {
            Security::Tls => Tls::Wrapper(tls(&settings)?),
            Security::StartTls => Tls::Required(tls(&settings)?),
            Security::Plain => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .hello_name(ClientId::Domain(super::message::domain(own_host).to_owned()))
            .timeout(Some(ANSWER_TIMEOUT));
        if let Some(login) = settings.login {
            transport = transport.credentials(Credentials::new(login.user, login.password.as_str().to_owned()));
        }
        Ok(Self(transport.build()))
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), SendError> {
        match tokio::time::timeout(TIMEOUT, self.0.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err(SendError::Later("the mail server took too long".into())),
        }
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, MailError> {
    let refused = |error: lettre::transport::smtp::Error| MailError::Smtp(chain(&error));
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authorities {
        tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(refused)?);
    }
    tls.build().map_err(refused)
}

/// A 5xx answer is for good, but for those that are about who we are (53x): that is the operator's to mend, and no
/// reason to lose a letter.
fn told(error: &lettre::transport::smtp::Error) -> SendError {
    let code = error.status().map(u16::from);
    match code {
        Some(code) if error.is_permanent() && !(530..540).contains(&code) => SendError::Refused(chain(error)),
        _ => SendError::Later(chain(error)),
    }
}

/// An error with its causes; a mail server's words are made legible.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text.chars().map(|c| if crate::model::legible::deceives(c) { ' ' } else { c }).take(400).collect()
}
