//! Strangers: other people's hosts, as real TLS servers on loopback, with an authority that signs their certificates and
//! names that lead to them. Who fetches with [`Strangers::settings`] finds `https://a.example/` here, and nothing of the
//! real world.
//!
//! They run in a thread of their own, so that a test may block, and a server under test in yet another thread or
//! process may fetch from them.

pub mod answer;
pub mod host;

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use consentry::outbound::{Lookup, Resolve, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use reqwest::tls::Certificate;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};

use host::Host;

/// Everybody outside, with one authority and one set of names.
pub struct Strangers {
    authority: CertifiedIssuer<'static, KeyPair>,
    names: Arc<Names>,
    runtime: Option<Runtime>,
}

impl Strangers {
    /// Nobody yet.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "The strangers' authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { authority, names: Arc::default(), runtime: Some(runtime) }
    }

    /// A host of that name, which answers 404 until it is told otherwise. Its certificate is good for `localhost` and
    /// `127.0.0.1` too, for programs whose resolver cannot be replaced.
    pub fn host(&self, name: &str) -> Host {
        let host = Host::start(name, Some(self.acceptor(name)), self.runtime.as_ref().unwrap().handle());
        self.lead(name, &[host.address()]);
        host
    }

    /// One without TLS, as on a machine's own network; found by its address alone.
    pub fn plain_host(&self) -> Host {
        Host::start("", None, self.runtime.as_ref().unwrap().handle())
    }

    /// Makes a name lead to these addresses from now on. A port that is not 0 stands for the one a URL leaves out.
    pub fn lead(&self, name: &str, addresses: &[SocketAddr]) {
        self.lead_in_turn(name, &[addresses]);
    }

    /// Makes a name lead somewhere else each time it is asked for; the last answer stays.
    pub fn lead_in_turn(&self, name: &str, answers: &[&[SocketAddr]]) {
        let answers = answers.iter().rev().map(|addresses| addresses.to_vec()).collect();
        self.names.answers.lock().unwrap().insert(name.to_owned(), answers);
    }

    /// Makes a name's servers silent: who asks for it waits for ever.
    pub fn silence(&self, name: &str) {
        self.names.answers.lock().unwrap().insert(name.to_owned(), Vec::new());
    }

    /// How often a name was asked for.
    pub fn asked(&self, name: &str) -> usize {
        self.names.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    /// How to fetch from them: they are trusted, loopback is allowed, and there are no names but theirs.
    pub fn settings(&self) -> Settings {
        Settings {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            authorities: vec![Certificate::from_der(self.authority.der()).unwrap()],
            resolver: Arc::clone(&self.names) as Arc<dyn Resolve>,
        }
    }

    /// The authority's certificate, for `outbound_ca_file`.
    pub fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    /// The same as bytes.
    pub fn authority_der(&self) -> Vec<u8> {
        self.authority.der().to_vec()
    }

    /// A certificate and its key, in PEM, for a program of its own.
    pub fn certificate(&self, name: &str) -> (String, String) {
        let (certificate, key) = self.signed(name);
        (certificate.pem(), key.serialize_pem())
    }

    fn signed(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let names = [name, "localhost", "127.0.0.1"].map(str::to_owned);
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new(names).unwrap().signed_by(&key, &self.authority).unwrap(), key)
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let (certificate, key) = self.signed(name);
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        // A runtime may not be waited for where tests run, inside another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the names mean.
#[derive(Default)]
struct Names {
    /// The answers to come, the next one last; none at all for a name whose servers are silent.
    answers: Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Resolve for Names {
    fn resolve(&self, name: String) -> Lookup {
        *self.asked.lock().unwrap().entry(name.clone()).or_default() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(&name).map(|left| if left.len() > 1 { left.pop() } else { left.last().cloned() });
        Box::pin(async move {
            match answer {
                None => Err(io::Error::new(io::ErrorKind::NotFound, "there is no such name")),
                Some(None) => std::future::pending().await,
                Some(Some(addresses)) => Ok(addresses),
            }
        })
    }
}
