//! Registration requests (RFC 7591 §3.1), and the metadata a client changes its registration with (RFC 7592 §2.2).
//!
//! Anybody may send one, so it proves nothing. Members nobody here knows are passed over, as the RFC wants; so is a
//! software statement, since nobody here knows who could vouch for a client.

use super::{
    ClientMetadata, MetadataError, TokenEndpointAuthMethod,
    members::Members,
    proof::{PLURAL, SINGULAR},
};
use crate::model::{digest::Digest, json::Bounds};

/// The largest request read. Strangers make these rows and they stay for days, so one must not be large; only a request
/// with a key set inside comes near.
pub const REGISTRATION_BYTES_MAX: usize = 8 * 1024;

const BOUNDS: Bounds = Bounds { bytes: REGISTRATION_BYTES_MAX, depth: 8 };

/// What a client asks to be registered as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// What it says about itself; `methods` holds the one method it is registered with.
    pub metadata: ClientMetadata,
    /// That method in the words of the registry, for the answer.
    pub method: TokenEndpointAuthMethod,
    /// Whether it runs on people's devices, if it said.
    pub application_type: Option<ApplicationType>,
    /// The id it says to have; only a change may have one, and it must be its own (RFC 7592 §2.2).
    pub client_id: Option<String>,
    /// The digest of the secret it says to have; only a change may have one, and it must be its own (RFC 7592 §2.2).
    pub client_secret: Option<Digest>,
}

/// Where a client runs (OpenID Connect Dynamic Client Registration §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationType {
    /// On people's devices.
    Native,
    /// On a server.
    Web,
}

impl ApplicationType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Web => "web",
        }
    }
}

/// Reads a request.
pub fn read_registration(body: &[u8]) -> Result<Registration, MetadataError> {
    let members = Members::read(body, BOUNDS, "the request")?;
    let method = read_method(&members)?;
    Ok(Registration {
        metadata: ClientMetadata::read(&members, method.method().into(), None)?,
        method,
        application_type: read_application_type(&members)?,
        client_id: members.text("client_id")?.map(ToOwned::to_owned),
        client_secret: members.text("client_secret")?.map(Digest::of),
    })
}

/// One method; of several that a client is able to use, the first that is supported here. RFC 7591 §2: without any it
/// is `client_secret_basic`.
fn read_method(members: &Members) -> Result<TokenEndpointAuthMethod, MetadataError> {
    let (member, words) = match (members.text(SINGULAR)?, members.texts(PLURAL)?) {
        (Some(one), _) => (SINGULAR, vec![one]),
        (None, Some(all)) => (PLURAL, all),
        (None, None) => return Ok(TokenEndpointAuthMethod::ClientSecretBasic),
    };
    words.into_iter().find_map(TokenEndpointAuthMethod::of_word).ok_or_else(|| {
        let ours = TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str).join(", ");
        MetadataError::metadata(format_args!("{member} has nothing that is supported here: {ours}"))
    })
}

fn read_application_type(members: &Members) -> Result<Option<ApplicationType>, MetadataError> {
    match members.text("application_type")? {
        None => Ok(None),
        Some("native") => Ok(Some(ApplicationType::Native)),
        Some("web") => Ok(Some(ApplicationType::Web)),
        Some(_) => Err(MetadataError::metadata("application_type is neither native nor web")),
    }
}
