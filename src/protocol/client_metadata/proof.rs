//! How a client will prove itself at the token endpoint: methods, keys and algorithm (RFC 7591 §2, OpenID Connect
//! Relying Party Metadata Choices §2).

use super::{Keys, MetadataError, members::Members};
use crate::model::{
    client::{AuthenticationMethod, AuthenticationMethods},
    key_set::KeySet,
    public_key::SigningAlgorithm,
};

/// One method, as a client names it.
pub(super) const SINGULAR: &str = "token_endpoint_auth_method";
/// All methods it is able to use.
pub(super) const PLURAL: &str = "token_endpoint_auth_methods_supported";
const ALGORITHM: &str = "token_endpoint_auth_signing_alg";

/// The methods a client can be registered with, in the registry's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEndpointAuthMethod {
    /// A public client.
    None,
    /// A secret in the body.
    ClientSecretPost,
    /// A secret in the `Authorization` header.
    ClientSecretBasic,
    /// A signed assertion (RFC 7523 §2.2).
    PrivateKeyJwt,
}

impl TokenEndpointAuthMethod {
    /// All that are supported here.
    pub const ALL: [Self; 4] = [Self::None, Self::ClientSecretPost, Self::ClientSecretBasic, Self::PrivateKeyJwt];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method of a word, if it is supported here.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }

    /// What is remembered of it: where a secret stands is not worth remembering.
    pub fn method(self) -> AuthenticationMethod {
        match self {
            Self::None => AuthenticationMethod::None,
            Self::ClientSecretPost | Self::ClientSecretBasic => AuthenticationMethod::ClientSecret,
            Self::PrivateKeyJwt => AuthenticationMethod::PrivateKeyJwt,
        }
    }
}

/// What a client proves itself with.
pub(super) struct Proof {
    pub methods: AuthenticationMethods,
    pub keys: Keys,
    pub signing_algorithm: Option<SigningAlgorithm>,
}

impl Proof {
    /// Completes the offered methods by the keys and the algorithm they need. A client that signs only in a way that is
    /// not verified here is left with its other methods; its keys may then be of any kind.
    pub fn read(members: &Members, offered: AuthenticationMethods) -> Result<Self, MetadataError> {
        let algorithm = members.text(ALGORITHM)?;
        if !offered.contains(AuthenticationMethod::PrivateKeyJwt) {
            return Ok(Self { methods: offered, keys: read_keys(members, Use::Other)?, signing_algorithm: None });
        }
        let Ok(signing_algorithm) = algorithm.map(str::parse).transpose() else {
            return Self::without_signing(offered, read_keys(members, Use::Other)?);
        };
        let keys = read_keys(members, Use::Signing)?;
        if keys == Keys::None {
            return Err(MetadataError::metadata(
                "jwks_uri is missing, and jwks too; private_key_jwt needs one of them",
            ));
        }
        Ok(Self { methods: offered, keys, signing_algorithm })
    }

    fn without_signing(offered: AuthenticationMethods, keys: Keys) -> Result<Self, MetadataError> {
        let others = offered.iter().filter(|method| *method != AuthenticationMethod::PrivateKeyJwt);
        let methods: AuthenticationMethods = others.collect();
        if methods.is_empty() {
            let ours = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
            return Err(MetadataError::metadata(format_args!("{ALGORITHM} is none of those supported here: {ours}")));
        }
        Ok(Self { methods, keys, signing_algorithm: None })
    }
}

/// What a client's keys are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// They prove who it is.
    Signing,
    /// Whatever else: encryption, or what it tells other servers.
    Other,
}

/// RFC 7591 §2: `jwks_uri` and `jwks` must not both be there.
fn read_keys(members: &Members, used: Use) -> Result<Keys, MetadataError> {
    match (members.https("jwks_uri")?, members.value("jwks")) {
        (None, None) => Ok(Keys::None),
        (Some(url), None) => Ok(Keys::Uri(url)),
        (None, Some(jwks)) => match KeySet::of_value(jwks) {
            Ok(set) => Ok(Keys::Inline(set)),
            Err(problem) if problem.is_of_other_kinds && used == Use::Other => Ok(Keys::None),
            Err(problem) => Err(MetadataError::metadata(problem.under("jwks"))),
        },
        (Some(_), Some(_)) => Err(MetadataError::metadata("jwks and jwks_uri are both there; publish one of them")),
    }
}
