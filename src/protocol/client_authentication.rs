//! Client authentication (RFC 6749 §2.3): one credential, in a way the client and its dialect allow.
//!
//! Assertions (RFC 7523) are verified by `tokens::assertion` and decided on by `client_assertion`; what they prove is
//! accepted here.

use std::fmt;

use super::{
    dialect,
    error::{ErrorCode, OAuthError},
    parameters::Parameters,
};
use crate::model::{
    Timestamp,
    client::{AuthenticationMethod, AuthenticationMethods, Client, Registration},
    digest::Digest,
};

/// Longest `client_id` and `client_secret` read.
pub const CREDENTIAL_LENGTH_MAX: usize = 2048;

/// Longest `client_assertion` read.
pub const ASSERTION_LENGTH_MAX: usize = 16 * 1024;

/// The only kind of assertion there is (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a secret came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// In the body, beside the other parameters.
    Body,
    /// In an `Authorization: Basic` header, already decoded (RFC 6749 §2.3.1).
    Basic,
}

/// What a request shows for itself; nothing is proven yet.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: a public client.
    Nothing,
    /// A secret, as its SHA-256.
    Secret(Digest, Via),
    /// An assertion, as it came.
    Assertion(String),
}

/// What a request says about who is calling; nothing is proven yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// What is shown for it.
    pub proof: Proof,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proof = match &self.proof {
            Proof::Nothing => "nothing",
            Proof::Secret(..) => "a secret",
            Proof::Assertion(_) => "an assertion",
        };
        write!(out, "Credentials({:?} with {proof})", self.client_id)
    }
}

/// The user name and password of an `Authorization: Basic` header.
pub struct Basic {
    /// Decoded user name.
    pub client_id: String,
    /// Decoded password.
    pub client_secret: String,
}

/// One answer for unknown, disabled and unproven clients.
pub const UNKNOWN: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "the client is unknown or did not prove itself");

/// The assertion proves who wrote it, and not who sends it: it has been sent before (RFC 7523 §3, item 7).
pub const ASSERTION_REPLAYED: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "client_assertion: its jti has been used before");

/// What secrets of this server begin with (`tokens::secret`).
const SECRETS_BEGIN_WITH: &str = "cst_";

/// Why nobody is known by a `client_id`, in a sentence for the owner. A secret that was typed into the wrong field is
/// not repeated.
pub fn unknown(client_id: &str) -> String {
    if client_id.starts_with(SECRETS_BEGIN_WITH) {
        return "What came as client_id is a client secret: the two were swapped where they were typed in.".to_owned();
    }
    if client_id.starts_with("https://") {
        return format!(
            "No client is known here as {client_id:?}: nobody has consented to it, or documents of its host are not \
             accepted here."
        );
    }
    format!(
        "No client is registered here as {client_id:?}; compare the client ID that was typed in where it runs with those \
         that are known here."
    )
}

impl Credentials {
    /// Gathers the credentials of a request; two at once are refused (RFC 6749 §2.3). `subject` is whom an assertion
    /// claims to come from, for the requests that do not repeat it as `client_id` (RFC 7521 §4.2).
    pub fn read(basic: Option<Basic>, parameters: &Parameters, subject: Option<String>) -> Result<Self, OAuthError> {
        let refused = |description| Err(OAuthError::new(ErrorCode::InvalidRequest, description));
        let client_id = parameters.one("client_id", CREDENTIAL_LENGTH_MAX)?;
        let client_secret = parameters.one("client_secret", CREDENTIAL_LENGTH_MAX)?;
        let assertion = read_assertion(parameters)?;
        match (basic, client_id, client_secret, assertion) {
            (Some(_), _, Some(_), _) | (Some(_), _, _, Some(_)) | (_, _, Some(_), Some(_)) => {
                refused("there are two client credentials; send one")
            }
            (Some(basic), Some(client_id), None, None) if basic.client_id != client_id => {
                refused("client_id differs from the one in the Authorization header")
            }
            (Some(basic), _, None, None) => {
                let secret = Digest::of(basic.client_secret);
                Ok(Self { client_id: basic.client_id, proof: Proof::Secret(secret, Via::Basic) })
            }
            (None, client_id, None, Some(assertion)) => match client_id.map(str::to_owned).or(subject) {
                Some(client_id) => Ok(Self { client_id, proof: Proof::Assertion(assertion.to_owned()) }),
                None => Err(OAuthError::new(ErrorCode::InvalidClient, "client_assertion is not a JWT with a sub")),
            },
            (None, Some(client_id), secret, None) => {
                let proof = secret.map_or(Proof::Nothing, |secret| Proof::Secret(Digest::of(secret), Via::Body));
                Ok(Self { client_id: client_id.to_owned(), proof })
            }
            (None, None, _, None) => Err(OAuthError::new(ErrorCode::InvalidClient, "client_id is missing")),
        }
    }
}

/// Reads an assertion, if one came, of the only type there is.
fn read_assertion(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    let assertion = parameters.one("client_assertion", ASSERTION_LENGTH_MAX)?;
    match (parameters.one("client_assertion_type", 256)?, assertion) {
        (None, None) => Ok(None),
        (Some(ASSERTION_TYPE), Some(assertion)) => Ok(Some(assertion)),
        (Some(_), None) => Err(OAuthError::new(ErrorCode::InvalidRequest, "client_assertion is missing")),
        (None, Some(_)) => Err(OAuthError::new(ErrorCode::InvalidRequest, "client_assertion_type is missing")),
        (Some(_), Some(_)) => {
            Err(OAuthError::new(ErrorCode::InvalidClient, "client_assertion_type is not one this server knows"))
        }
    }
}

/// Decides whether a secret, or nothing, proves the client that was found under its `client_id`. Answers the method; an
/// assertion proves nothing here.
///
/// Unknown, disabled and unproven clients get one and the same answer; a known one that sends its secret the wrong way
/// is told so, since its developer has no other way to find out.
pub fn authenticate(client: &Client, proof: &Proof, now: Timestamp) -> Result<AuthenticationMethod, OAuthError> {
    if !client.enabled {
        return Err(UNKNOWN.because("The client is disabled."));
    }
    if matches!(proof, Proof::Secret(_, Via::Basic)) && !dialect::accepts_basic(client.dialect) {
        return Err(OAuthError::new(ErrorCode::InvalidClient, "this client sends its secret in the body"));
    }
    let method = match proof {
        Proof::Nothing => AuthenticationMethod::None,
        Proof::Secret(shown, _) if has_secret(client, *shown, now) => AuthenticationMethod::ClientSecret,
        Proof::Secret(..) | Proof::Assertion(_) => return Err(UNKNOWN.because(why_not(client))),
    };
    // A public client that shows a secret is not the one that was registered.
    if client.authentication_methods.contains(method) {
        return Ok(method);
    }
    let offered: Vec<_> = client.authentication_methods.iter().map(AuthenticationMethod::as_str).collect();
    let (shown, offered) = (method.as_str(), offered.join(" or "));
    Err(UNKNOWN.because(format!("The client authenticated by {shown}; it is registered with {offered}.")))
}

/// Why a secret did not prove a client. Whether it is an old one is not said: each would have to be compared.
fn why_not(client: &Client) -> &'static str {
    if !client.authentication_methods.contains(AuthenticationMethod::ClientSecret) {
        return "The client showed a secret, and is registered without one.";
    }
    if client.registration == Registration::Dynamic {
        return "The secret is not the one the client got when it registered itself.";
    }
    "The secret is not the client's, or no longer: compare what was typed in where the client runs, or give it a new \
     one."
}

fn has_secret(client: &Client, shown: Digest, now: Timestamp) -> bool {
    client
        .secrets
        .iter()
        .filter(|secret| secret.expires_at.is_none_or(|end| now < end))
        // Counted, not sought: every secret is compared, so the time tells nothing about which one matched.
        .filter(|secret| secret.digest == shown)
        .count()
        > 0
}

/// Whether the method is less than is asked of a client whose family has had that one: it may only get stronger. What
/// the client no longer offers cannot be asked of it.
pub fn falls_short(method: AuthenticationMethod, had: AuthenticationMethod, offered: AuthenticationMethods) -> bool {
    method < had && offered.contains(had)
}

/// The methods a family may have had until now when its client authenticates by this one, which does not fall short of
/// them. Padded with the method itself.
pub fn formerly(offered: AuthenticationMethods, method: AuthenticationMethod) -> [AuthenticationMethod; 2] {
    let mut others = AuthenticationMethod::ALL
        .into_iter()
        .filter(|other| *other != method && !falls_short(method, *other, offered))
        .chain([method, method]);
    [others.next().unwrap_or(method), others.next().unwrap_or(method)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use AuthenticationMethod::{ClientSecret, None as Nothing, PrivateKeyJwt};

    #[test]
    fn a_method_only_gets_stronger_unless_the_stronger_one_is_no_longer_offered() {
        let both: AuthenticationMethods = [Nothing, PrivateKeyJwt].into_iter().collect();
        assert_eq!(formerly(both, PrivateKeyJwt), [Nothing, ClientSecret]);
        assert!(!formerly(both, Nothing).contains(&PrivateKeyJwt));
        // Its document stopped offering the key.
        assert!(formerly(Nothing.into(), Nothing).contains(&PrivateKeyJwt));
        assert_eq!(formerly(ClientSecret.into(), ClientSecret), [Nothing, PrivateKeyJwt]);
    }

    #[test]
    fn one_credential_and_no_more() {
        let parameters = |text: &str| Parameters::from_form(text.as_bytes()).unwrap();
        let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let basic = || Some(Basic { client_id: "c".into(), client_secret: "s".into() });
        let read = |basic, text: &str| Credentials::read(basic, &parameters(text), None);
        assert!(read(basic(), "client_secret=s").is_err());
        assert!(read(basic(), &format!("{kind}&client_assertion=a")).is_err());
        assert!(read(None, &format!("client_id=c&client_secret=s&{kind}&client_assertion=a")).is_err());
        assert!(read(None, "client_id=c&client_assertion=a").is_err(), "no type");
        assert!(read(None, "client_id=c&client_assertion=a&client_assertion_type=saml").is_err());
        assert!(read(None, &format!("client_id=c&{kind}")).is_err(), "no assertion");
        let good = read(None, &format!("client_id=c&{kind}&client_assertion=a")).unwrap();
        assert!(good.proof == Proof::Assertion("a".into()) && good.client_id == "c");
        let named = Credentials::read(None, &parameters(&format!("{kind}&client_assertion=a")), Some("sub".into()));
        assert_eq!(named.unwrap().client_id, "sub");
    }
}
