//! Who asks: the name a person is shown for a client, and who vouches for it.
//!
//! A name is vouched for by the owner who registered it, or by the vendor whose well-known document it stands in. Any
//! other document proves no more than its host, so the host is the name then; what the app calls itself is told beside
//! it.

use crate::{
    http::pages::ClientOrigin,
    model::client::{Client, Registration},
    protocol::presets,
};

/// What a client is called in front of people, and where that comes from.
pub struct WhoAsks {
    /// The name.
    pub name: String,
    /// Who vouches for it.
    pub origin: ClientOrigin,
}

impl WhoAsks {
    /// Looks at how the client became known.
    pub fn of(client: &Client) -> Self {
        Self::known(client.registration, &client.client_id, client.name.clone())
    }

    /// The same of a client of which no more is at hand than this.
    pub fn known(registration: Registration, client_id: &str, own: String) -> Self {
        match (registration, host(client_id)) {
            (Registration::ByHand, _) => Self { name: own, origin: ClientOrigin::Owner },
            (Registration::Document, Some(host)) if presets::document_of(client_id).is_some() => {
                Self { name: own, origin: ClientOrigin::Host(host) }
            }
            (Registration::Document, Some(host)) => {
                Self { name: host, origin: ClientOrigin::Stranger(within_quotation_marks(&own)) }
            }
            (Registration::Dynamic, _) | (Registration::Document, None) => {
                Self { name: own, origin: ClientOrigin::Unproven }
            }
        }
    }
}

/// A name as it may stand within ours: one with quotation marks of its own could close them, and go on in our voice.
fn within_quotation_marks(name: &str) -> String {
    let is_one = |c| {
        matches!(c, '"' | '«' | '»' | '“'..='‟' | '″' | '‴' | '‶' | '‷' | '⁗' | '❝' | '❞' | '❠' | '〃')
            || matches!(c, '「'..='』' | '〝'..='〟' | '＂' | '｢' | '｣' | 'ʺ' | '˝' | '״' | '\u{1f676}'..='\u{1f678}')
    };
    name.chars().map(|c| if is_one(c) { '\'' } else { c }).collect()
}

/// The host a document was read from: that much is proven.
fn host(client_id: &str) -> Option<String> {
    url::Url::parse(client_id).ok()?.host_str().map(str::to_owned)
}
