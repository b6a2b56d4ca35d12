//! Where the server stands and what it is called: `public_url`, `listen`, `server_name`.

use std::net::SocketAddr;

use super::reader::Reader;
pub use crate::model::public_url::PublicUrl;

/// The longest name that fits the pages' head.
const SERVER_NAME_LENGTH_MAX: usize = 60;

pub(super) fn read_public_url(reader: &mut Reader<'_>) -> Option<PublicUrl> {
    let text = reader.text("public_url")?;
    match PublicUrl::parse(&text) {
        Ok(url) => Some(url),
        Err((problem, cure)) => {
            reader.mistake("public_url", problem, cure);
            None
        }
    }
}

pub(super) fn read_listen(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let address = reader.text("listen")?.parse().ok();
    if address.is_none() {
        reader.mistake(
            "listen",
            "it is not an address and port",
            "write 127.0.0.1:8080, or 0.0.0.0:8080 to be reached from other machines",
        );
    }
    address
}

pub(super) fn read_server_name(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text("server_name")?.trim().to_owned();
    let length = name.chars().count();
    if length == 0 || length > SERVER_NAME_LENGTH_MAX || name.chars().any(char::is_control) {
        let cure = format!("write 1 to {SERVER_NAME_LENGTH_MAX} characters on one line");
        reader.mistake("server_name", "it is empty, too long, or has control characters", cure);
        return None;
    }
    Some(name)
}
