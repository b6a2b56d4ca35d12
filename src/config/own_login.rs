//! The owner's own sign-in page: `[own_login]`, with its `url`, the `key` that is shared with it, a `label`, and whether
//! it is the `only` way to sign in.

use zeroize::Zeroizing;

use super::{master_keys, reader::Reader, table::Table};
use crate::{
    model::provider::OwnLogin,
    vault::{SecretValue, Unfit},
};

const NAME: &str = "own_login";
const KEYS: [&str; 4] = ["url", "key", "label", "only"];

/// Checks it. The key is read only where it is needed.
pub(super) fn read(reader: &mut Reader<'_>, with_secrets: bool) -> Option<OwnLogin> {
    let (table, file) = reader.take_table(NAME)?;
    let table = Table::take(reader, NAME, (table, &file), &KEYS);
    let url = table.url(reader, "url");
    let key = table.secret(reader, "key", with_secrets, key);
    let is_only = match table.text("only").as_deref() {
        None | Some("false") => Some(false),
        Some("true") => Some(true),
        Some(_) => {
            table.mistake(reader, "only", "it is neither true nor false", "write true or false");
            None
        }
    };
    let label = table.text("label").or_else(|| Some(url.as_ref()?.host_str()?.to_owned()));
    let label = label.and_then(|label| crate::model::legible::name(&label));
    if label.is_none() && url.is_some() {
        table.mistake(reader, "label", "it cannot be shown", "write what people know the page by");
    }
    Some(OwnLogin { url: url?, label: label?, key: key?, is_only: is_only? })
}

fn key(value: &SecretValue) -> Result<Zeroizing<Vec<u8>>, Unfit> {
    let cure = "make it with: (umask 077; head -c 32 /dev/urandom | base64 > own_login.key)";
    let key = master_keys::parse(value).map_err(|error| Unfit::new(format!("holds no key: {error}"), cure))?;
    Ok(Zeroizing::new(key.reveal().to_vec()))
}
