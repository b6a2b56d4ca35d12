//! Resources (RFC 8707): `default_resource`.

use super::reader::Reader;
use crate::model::resource::ResourceIdentifier;

const DEFAULT: &str = "default_resource";

/// What requests mean that name none; `None` inside when nobody chose one, outside when it is a mistake.
#[expect(clippy::option_option, reason = "no default, or a text that is none")]
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Option<ResourceIdentifier>> {
    let Some(text) = reader.text(DEFAULT) else { return Some(None) };
    match text.trim().parse() {
        Ok(identifier) => Some(Some(identifier)),
        Err(error) => {
            reader.mistake(DEFAULT, format!("{error}"), "write it as `consentry resource list` shows it");
            None
        }
    }
}
