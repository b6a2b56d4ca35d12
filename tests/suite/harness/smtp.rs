//! A real mail server as a process (`tests/foreign/python/smtp_server.py`), with a certificate of its own authority; its
//! mail is read back as Python's parser understands it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use consentry::{
    mail::{Login, Mailer, Security, Sender, SmtpSettings},
    model::live::Live,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::{chromium::setting, minted};

/// Who logs in to it.
pub const LOGIN: (&str, &str) = ("consentry@example.com", "a password for mail only");

/// A mail server that ends with the test.
pub struct SmtpServer {
    child: Option<Child>,
    folder: TempDir,
    /// How to reach it.
    pub way: Way,
}

/// How to reach a mail server.
#[derive(Clone)]
pub struct Way {
    /// Its port on this machine.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Whether it wants to know who sends.
    pub login: bool,
    /// What whoever sends says of itself then.
    pub password: Live<Zeroizing<String>>,
    /// The authority's certificate.
    pub authorities: Vec<u8>,
}

impl Way {
    /// Whoever takes mail there.
    pub fn mailer(&self, host: &str) -> Mailer {
        let login = || Login { user: LOGIN.0.into(), password: self.password.clone() };
        let settings = SmtpSettings {
            host: "localhost".into(),
            port: self.port,
            security: self.security,
            login: self.login.then(login),
            authorities: Some(self.authorities.clone()),
        };
        let from = "no-reply@example.com".parse().unwrap();
        Mailer::smtp(Sender { from, name: "Example Accounts".into(), host: host.into() }, settings).unwrap()
    }
}

impl SmtpServer {
    /// Starts one.
    pub async fn start(security: Security, login: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        fs::write(folder.path().join("certificate.pem"), certificate.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        let password = Zeroizing::new(LOGIN.1.to_owned()).into();
        let way = Way { port: 0, security, login, password, authorities: authority.pem().into_bytes() };
        let mut server = Self { child: None, folder, way };
        server.begin().await;
        server
    }

    /// A port at which nobody takes mail, and the same server again at it once it is told to begin.
    pub async fn dead(security: Security) -> Self {
        let mut server = Self::start(security, false).await;
        server.end();
        server.way.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        server
    }

    /// Begins to listen.
    pub async fn begin(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(setting("CONSENTRY_TEST_SMTP_PYTHON"));
        command
            .arg(setting("CONSENTRY_TEST_SMTP_SERVER"))
            .env("FOLDER", self.folder.path())
            .env("CERTIFICATE", path("certificate.pem"))
            .env("KEY", path("key.pem"))
            .env("PORT", self.way.port.to_string())
            .env(
                "TLS",
                match self.way.security {
                    Security::Tls => "implicit",
                    Security::StartTls => "starttls",
                    Security::Plain => "none",
                },
            );
        if self.way.login {
            command.env("LOGIN", format!("{}:{}", LOGIN.0, LOGIN.1));
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        self.child = Some(child);
        let said = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let said = said.await.unwrap().unwrap();
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        self.way.port = u16::try_from(said["port"].as_u64().unwrap()).unwrap();
    }

    /// Ends, as if its machine were switched off.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Behaves badly from now on: `451`, `550`, `550 5.7.1`, `hang`; or well again.
    pub fn behave(&self, how: &str) {
        fs::write(self.folder.path().join("behaviour"), how).unwrap();
    }

    /// Every message it took, in order.
    pub fn mails(&self) -> Vec<Value> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
        files.sort();
        let mails: Vec<Value> =
            files.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect();
        mails.iter().for_each(minted::in_json);
        mails
    }

    /// The newest message to an address, once there is one.
    pub async fn mail_to(&self, address: &str) -> Value {
        for _ in 0..300 {
            if let Some(mail) = self.mails().into_iter().rfind(|mail| mail["to"][0] == address) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no mail came to {address}");
    }
}

/// The address in a message, and what stands in it after `link=`.
pub fn link(mail: &Value) -> (String, String) {
    let text = mail["text"].as_str().unwrap();
    let url = text.lines().find(|line| line.contains("?link=")).unwrap_or_else(|| panic!("no link in {text}"));
    let (path, secret) = url.split_once("?link=").unwrap();
    assert!(mail["html"].as_str().unwrap().contains(&format!("href=\"{url}\"")), "{mail}");
    minted::note("link", secret);
    (path.to_owned(), secret.to_owned())
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.end();
    }
}
