//! Mail: `mail_server`, `mail_user`, `mail_password`, `mail_from`; and `sign_up`, which needs it where anybody may.

use std::net::IpAddr;

use url::{Host, Url};
use zeroize::Zeroizing;

use super::reader::{NO_REFERENCE, Reader, own};
use crate::{
    model::{
        account::{Email, SignUps},
        live::Live,
    },
    vault::{SecretRef, reference::HOW_TO_WRITE},
};

const SERVER: &str = "mail_server";
const USER: &str = "mail_user";
const PASSWORD: &str = "mail_password";
const FROM: &str = "mail_from";
const SIGN_UP: &str = "sign_up";

const EXAMPLES: &str = "write smtps://mail.example.com, or smtp://mail.example.com:587 for STARTTLS";

/// Where mail is handed over, and who sends it.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The mail server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: MailSecurity,
    /// Who this server is to it.
    pub login: Option<MailLogin>,
    /// The address mail comes from.
    pub from: Email,
}

/// A name and its password.
#[derive(Clone, Debug)]
pub struct MailLogin {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Live<Zeroizing<String>>,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said.
    StartTls,
    /// None, on this machine only.
    Plain,
}

/// What people may do by themselves, and the mail it takes.
#[derive(Clone, Debug)]
pub struct People {
    /// Who may sign up.
    pub sign_ups: SignUps,
    /// Where mail is handed over, if anywhere.
    pub mail: Option<Mail>,
}

/// Checks everything, and reads the password.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<People> {
    read_with(reader, |reader, reference| reader.secret(PASSWORD, reference, own))
}

/// Checks everything but the password, which only the server needs.
pub(super) fn look_at(reader: &mut Reader<'_>) -> Option<SignUps> {
    let sign_ups = reader.text(SIGN_UP);
    read_with(reader, |_, _| None);
    sign_ups.and_then(|text| parse(&text))
}

fn read_with(
    reader: &mut Reader<'_>,
    read_password: impl FnOnce(&mut Reader<'_>, &str) -> Option<Live<Zeroizing<String>>>,
) -> Option<People> {
    let sign_ups = read_sign_ups(reader);
    let Some(server) = reader.text(SERVER) else {
        for key in [USER, PASSWORD, FROM] {
            if reader.is_given(key) {
                reader.mistake(key, "there is no mail_server it could be for", "write mail_server, or leave it out");
            }
        }
        if sign_ups == Some(SignUps::Open) {
            let cure = "write mail_server, or sign_up = \"invitation\"";
            reader.mistake(SIGN_UP, "nobody can sign up without mail, which proves whose an address is", cure);
        }
        return Some(People { sign_ups: sign_ups?, mail: None });
    };
    let server = read_server(reader, &server);
    let login = read_login(reader, read_password);
    let from = read_from(reader);
    let ((host, port, security), login, from) = (server?, login.ok()?, from?);
    Some(People { sign_ups: sign_ups?, mail: Some(Mail { host, port, security, login, from }) })
}

fn read_sign_ups(reader: &mut Reader<'_>) -> Option<SignUps> {
    let sign_ups = parse(&reader.text(SIGN_UP)?);
    if sign_ups.is_none() {
        reader.mistake(SIGN_UP, "it is none of the three there are", "write open, invitation or off");
    }
    sign_ups
}

fn parse(word: &str) -> Option<SignUps> {
    match word.trim() {
        "open" => Some(SignUps::Open),
        "invitation" => Some(SignUps::Invited),
        "off" => Some(SignUps::Off),
        _ => None,
    }
}

fn read_server(reader: &mut Reader<'_>, text: &str) -> Option<(String, u16, MailSecurity)> {
    let url = Url::parse(text.trim()).ok().filter(|url| url.host().is_some());
    let Some(url) = url.filter(|url| ["smtp", "smtps"].contains(&url.scheme())) else {
        reader.mistake(SERVER, "it is no address of a mail server", EXAMPLES);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        reader.mistake(SERVER, "it says who is to log in", "write mail_user, and mail_password = \"file:PATH\"");
        return None;
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        reader.mistake(SERVER, "it has something after the host", EXAMPLES);
        return None;
    }
    let host = url.host().map(|host| match host {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })?;
    let (security, port) = match url.scheme() {
        "smtps" => (MailSecurity::Tls, 465),
        _ if is_this_machine(&host) => (MailSecurity::Plain, 25),
        _ => (MailSecurity::StartTls, 587),
    };
    Some((host, url.port().unwrap_or(port), security))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// That a mistake was told.
struct Told;

/// Nobody, or a name with its password.
fn read_login(
    reader: &mut Reader<'_>,
    read_password: impl FnOnce(&mut Reader<'_>, &str) -> Option<Live<Zeroizing<String>>>,
) -> Result<Option<MailLogin>, Told> {
    let (key, problem, cure) = match (reader.text(USER), reader.text(PASSWORD)) {
        (None, None) => return Ok(None),
        (_, Some(reference)) if reference.parse::<SecretRef>().is_err() => (PASSWORD, NO_REFERENCE, HOW_TO_WRITE),
        (Some(user), Some(reference)) => {
            let password = read_password(reader, &reference).ok_or(Told)?;
            return Ok(Some(MailLogin { user, password }));
        }
        (Some(_), None) => (PASSWORD, "it is missing, and mail_user needs it", HOW_TO_WRITE),
        (None, Some(_)) => (USER, "it is missing, and mail_password is for it", "write the name to log in with"),
    };
    reader.mistake(key, problem, cure);
    Err(Told)
}

fn read_from(reader: &mut Reader<'_>) -> Option<Email> {
    let from = reader.text(FROM).and_then(|text| text.parse().ok());
    if from.is_none() {
        let problem =
            if reader.is_given(FROM) { "it is no address" } else { "it is missing, and mail_server needs it" };
        reader.mistake(FROM, problem, "write the address mail comes from: no-reply@example.com");
    }
    from
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, ServeConfig, Sources, mail::People};
    use super::*;

    /// What `serve` makes of these keys: the people, or every mistake.
    fn people(keys: &[(&str, &str)]) -> Result<People, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = Environment::from([
            ("CONSENTRY_PUBLIC_URL".into(), "https://a.example".into()),
            ("CONSENTRY_MASTER_KEYS".into(), "env:CONSENTRY_KEY".into()),
            ("CONSENTRY_KEY".into(), "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=".into()),
            ("CONSENTRY_DATABASE_URL".into(), format!("sqlite://{}/c.db", folder.path().display())),
            ("CONSENTRY_TEST_MAIL".into(), "hunter2 and more".into()),
            ("CONSENTRY_TEST_SAMPLE".into(), "changeme".into()),
        ]);
        for (key, value) in keys {
            environment.insert(format!("CONSENTRY_{}", key.to_uppercase()), (*value).to_owned());
        }
        let checked = ServeConfig::check(&Sources { environment, ..Sources::default() });
        checked.map(|checked| checked.config.people).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_mail_server_people_are_invited() {
        let people = people(&[]).unwrap();
        assert!(people.sign_ups == SignUps::Invited && people.mail.is_none());
    }

    #[test]
    fn a_mail_server_is_spoken_to_safely() {
        for (server, expected) in [
            ("smtps://mail.example", ("mail.example", 465, MailSecurity::Tls)),
            ("smtps://mail.example:2465", ("mail.example", 2465, MailSecurity::Tls)),
            ("smtp://mail.example", ("mail.example", 587, MailSecurity::StartTls)),
            ("smtp://10.0.0.1:25", ("10.0.0.1", 25, MailSecurity::StartTls)),
            ("smtp://localhost", ("localhost", 25, MailSecurity::Plain)),
            ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, MailSecurity::Plain)),
            ("smtp://[::1]", ("::1", 25, MailSecurity::Plain)),
            ("smtp://localhost.example", ("localhost.example", 587, MailSecurity::StartTls)),
        ] {
            let mail = people(&[("mail_server", server), ("mail_from", "a@b.example")]).unwrap().mail.unwrap();
            assert_eq!((mail.host.as_str(), mail.port, mail.security), expected);
            assert!(mail.login.is_none());
        }
    }

    #[test]
    fn a_login_has_a_name_and_a_password_by_reference() {
        let keys =
            [("mail_server", "smtps://mail.example"), ("mail_from", "a@b.example"), ("mail_user", "a@b.example")];
        let people =
            people(&[&keys[..], &[("mail_password", "env:CONSENTRY_TEST_MAIL"), ("sign_up", "open")]].concat());
        let people = people.unwrap();
        let MailLogin { user, password } = people.mail.unwrap().login.unwrap();
        assert_eq!((user.as_str(), password.get().as_str()), ("a@b.example", "hunter2 and more"));
        assert_eq!(people.sign_ups, SignUps::Open);
    }

    #[test]
    fn every_mistake_is_told_and_no_secret() {
        for (keys, told) in [
            (&[("mail_server", "mail.example")][..], "no address of a mail server"),
            (&[("mail_server", "https://mail.example")], "no address of a mail server"),
            (&[("mail_server", "smtps://a:hunter2@mail.example")], "mail_user"),
            (&[("mail_server", "smtps://mail.example/x")], "after the host"),
            (&[("mail_server", "smtps://mail.example")], "CONSENTRY_MAIL_FROM: it is missing"),
            (&[("mail_server", "smtps://mail.example"), ("mail_from", "x")], "it is no address"),
            (&[("mail_server", "smtps://mail.example"), ("mail_user", "u")], "CONSENTRY_MAIL_PASSWORD: it is missing"),
            (&[("mail_server", "smtps://m.example"), ("mail_password", "hunter2")], "no reference"),
            (&[("mail_server", "smtps://m.example"), ("mail_password", "env:CONSENTRY_TEST_MAIL")], "name to log in"),
            (
                &[
                    ("mail_server", "smtps://m.example"),
                    ("mail_user", "u"),
                    ("mail_password", "env:CONSENTRY_TEST_SAMPLE"),
                ],
                "holds a placeholder",
            ),
            (&[("mail_from", "a@b.example")], "no mail_server"),
            (&[("sign_up", "open")], "without mail"),
            (&[("sign_up", "anybody")], "open, invitation or off"),
        ] {
            let error = people(keys).unwrap_err();
            assert!(error.contains(told), "{keys:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let both = people(&[("mail_server", "x"), ("sign_up", "x")]).unwrap_err();
        assert!(both.contains("MAIL_SERVER") && both.contains("SIGN_UP") && both.contains("MAIL_FROM"), "{both}");
    }
}
