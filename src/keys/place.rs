//! Places: the columns of rows in which something is kept sealed. What is sealed for one opens in no other table,
//! column or row, because the place is part of what is authenticated (`seal`).
//!
//! `store::reseals` lists the same columns, and `registry::resealing` walks them. A new column comes with a variant
//! here and a row there, and the tests say so where one is forgotten.

use uuid::Uuid;

use super::{KeyError, ring::Ring, seal};
use crate::model::{
    Timestamp,
    id::{AccountId, MailId, PluginId, SecretId, SecretVersionId},
    key::Purpose,
};

/// Where a sealed value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `outgoing_mails.sealed`: a whole mail.
    Mail(MailId),
    /// `authenticator_apps.sealed`: what an app and the server share.
    AuthenticatorApp(AccountId),
    /// `plugin_webhooks.secret`: what signs.
    WebhookSecret(PluginId),
    /// `plugin_webhooks.old_secret`: what signs beside it for a while.
    OldWebhookSecret(PluginId),
    /// `plugin_secret_versions.sealed`: a version of an API key.
    PluginSecret(SecretVersionId),
    /// `plugin_secrets.follows_sealed`: where one is kept that is followed.
    SecretReference(SecretId),
}

impl Place {
    /// Seals what is to stand there, with the key that seals what is kept now.
    pub fn seal(self, ring: &Ring, plain: &[u8], now: Timestamp, nonce: [u8; 12]) -> Result<Vec<u8>, KeyError> {
        ring.sealing(Purpose::SealData)?.seal_for(&self.bytes(), plain, now, nonce)
    }

    /// Opens what stands there; `None` where it was sealed for another place, was changed, or its key is not known.
    pub fn open(self, ring: &Ring, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = ring.sealing_of(Purpose::SealData, seal::kid_of(sealed)?)?;
        let opened = key.open_from(&self.bytes(), sealed);
        opened.or_else(|| key.open_from(&self.former_bytes()?, sealed))
    }

    /// Table and column, and the row. Rows hold what was sealed under these bytes, so they never change.
    fn bytes(self) -> Vec<u8> {
        let (column, row) = self.column_and_row();
        [column.as_bytes(), b" ", row.as_bytes()].concat()
    }

    fn column_and_row(self) -> (&'static str, Uuid) {
        match self {
            Self::Mail(id) => ("outgoing_mails sealed", id.0),
            Self::AuthenticatorApp(id) => ("authenticator_apps sealed", id.0),
            Self::WebhookSecret(id) => ("plugin_webhooks.secret", id.0),
            Self::OldWebhookSecret(id) => ("plugin_webhooks.old_secret", id.0),
            Self::PluginSecret(id) => ("plugin_secret_versions.sealed", id.0),
            Self::SecretReference(id) => ("plugin_secrets.follows_sealed", id.0),
        }
    }

    /// Up to version 0.1 both secrets of a webhook were sealed for one place, so that one could be moved to the other's
    /// column. What was sealed then opens in either until it is sealed anew.
    fn former_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::WebhookSecret(id) | Self::OldWebhookSecret(id) => {
                Some([b"plugin_webhooks secret ".as_slice(), id.0.as_bytes()].concat())
            }
            Self::Mail(_) | Self::AuthenticatorApp(_) | Self::PluginSecret(_) | Self::SecretReference(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{master::MasterKey, ring};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn ring() -> Ring {
        let master = MasterKey::new([1; 32]);
        let rows = ring::first_keys(&master, NOW).unwrap();
        Ring::unwrap(&[master], &rows, NOW)
    }

    fn places() -> Vec<Place> {
        let of = |id| {
            let id = Uuid::from_u128(id);
            let (mail, account, plugin) = (MailId(id), AccountId(id), PluginId(id));
            [
                Place::Mail(mail),
                Place::AuthenticatorApp(account),
                Place::WebhookSecret(plugin),
                Place::OldWebhookSecret(plugin),
                Place::PluginSecret(SecretVersionId(id)),
                Place::SecretReference(SecretId(id)),
            ]
        };
        [of(1), of(2)].concat()
    }

    #[test]
    fn what_is_sealed_for_one_place_opens_in_no_other() {
        let ring = ring();
        for from in places() {
            let sealed = from.seal(&ring, b"plain", NOW, [2; 12]).unwrap();
            for to in places() {
                assert_eq!(to.open(&ring, &sealed).is_some(), from == to, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn the_bytes_of_places_stay_what_rows_were_sealed_for() {
        let told: Vec<String> = places()[..6]
            .iter()
            .map(|place| String::from_utf8_lossy(&place.bytes()).replace(['\0', '\u{1}'], ""))
            .collect();
        assert_eq!(
            told,
            [
                "outgoing_mails sealed ",
                "authenticator_apps sealed ",
                "plugin_webhooks.secret ",
                "plugin_webhooks.old_secret ",
                "plugin_secret_versions.sealed ",
                "plugin_secrets.follows_sealed ",
            ]
        );
    }

    #[test]
    fn secrets_that_were_sealed_for_one_place_still_open_in_both() {
        let (ring, id) = (ring(), PluginId(Uuid::from_u128(1)));
        let former = [b"plugin_webhooks secret ".as_slice(), id.0.as_bytes()].concat();
        let sealed = ring.sealing(Purpose::SealData).unwrap().seal_for(&former, b"plain", NOW, [2; 12]).unwrap();
        for place in places() {
            let opens = matches!(place, Place::WebhookSecret(of) | Place::OldWebhookSecret(of) if of == id);
            assert_eq!(place.open(&ring, &sealed).is_some(), opens, "{place:?}");
        }
    }
}
