//! The files behind `/static/`, compiled into the binary so that pages and stylesheet always fit each other; the
//! operator's logo, if they have one; and a stylesheet for each colour that somebody may have chosen (`model::brand`).
//! The pages (`pages`) name them with a version made from their bytes, so they may be cached for ever.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};

use super::absent;
use crate::{
    model::brand::{Accents, Colour},
    server::Server,
};

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The stylesheet of every page, served at `/static/consentry.css` as `text/css; charset=utf-8`.
pub const STYLESHEET: &str = include_str!("../../static/consentry.css");

/// The small mark and favicon, served at `/static/mark.svg` as `image/svg+xml`.
pub const MARK: &str = include_str!("../../static/mark.svg");

/// Passkeys in the browser, served at `/static/passkeys.js` as `text/javascript; charset=utf-8`.
pub const PASSKEYS: &str = include_str!("../../static/passkeys.js");

/// Changes whenever [`PASSKEYS`] does.
pub const PASSKEYS_VERSION: u64 = fingerprint(PASSKEYS.as_bytes());

/// The console's script, served at `/static/console.js` as `text/javascript; charset=utf-8`.
pub const CONSOLE: &str = include_str!("../../static/console.js");

/// Changes whenever [`CONSOLE`] does.
pub const CONSOLE_VERSION: u64 = fingerprint(CONSOLE.as_bytes());

/// Changes whenever [`STYLESHEET`] does.
pub const STYLESHEET_VERSION: u64 = fingerprint(STYLESHEET.as_bytes());

/// Changes whenever [`MARK`] does.
pub const MARK_VERSION: u64 = fingerprint(MARK.as_bytes());

/// Serves a file.
pub async fn asset(server: web::Data<Server>, request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    let brand = &server.settings.brand;
    let found = match file.as_str() {
        "consentry.css" => Some((CSS, Bytes::from_static(STYLESHEET.as_bytes()))),
        "passkeys.js" => Some((SCRIPT, Bytes::from_static(PASSKEYS.as_bytes()))),
        "console.js" => Some((SCRIPT, Bytes::from_static(CONSOLE.as_bytes()))),
        "mark.svg" => Some(("image/svg+xml", Bytes::from_static(MARK.as_bytes()))),
        "brand.png" => brand.logo().map(|logo| ("image/png", Bytes::copy_from_slice(logo))),
        file => coloured(file).map(|(what, colour)| (CSS, Bytes::from(accents(what, colour)))),
    };
    let Some((content_type, body)) = found else { return absent::not_found(&server, &request) };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .content_type(content_type)
        .body(body)
}

/// What `accent-rrggbb.css` colours, and `picture-rrggbb.css`: a whole page, or the picture of one on another. There is
/// one for every colour: it says nothing of whose it is.
fn coloured(file: &str) -> Option<(&'static str, Colour)> {
    let (what, digits) = file.strip_suffix(".css")?.split_once('-')?;
    let what = match what {
        "accent" => ":root",
        "picture" => ".picture",
        _ => return None,
    };
    Some((what, format!("#{digits}").parse().ok()?))
}

/// Accents that begin at a colour, in the place of ours; `consentry.css` has what they are for.
fn accents(what: &str, colour: Colour) -> String {
    let root = |Accents { accent, deep, soft, on }: Accents| {
        format!("{what} {{ --accent: {accent}; --accent-deep: {deep}; --accent-soft: {soft}; --on-accent: {on}; }}")
    };
    let (light, dark) = (root(Accents::light(colour)), root(Accents::dark(colour)));
    format!("{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n")
}

/// FNV-1a, because it can run while compiling. It tells releases apart; it protects nothing.
const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vectors of FNV-1a, 64 bits.
    #[test]
    fn fingerprint_is_fnv_1a() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_colour_is_that_of_a_page_or_of_a_picture() {
        for (file, what) in [("accent-aa5500.css", ":root {"), ("picture-aa5500.css", ".picture {")] {
            let (of, colour) = coloured(file).unwrap();
            assert!(accents(of, colour).starts_with(what), "{file}");
        }
        for none in ["other-aa5500.css", "picture-red.css", "picture-aa5500", "aa5500.css"] {
            assert!(coloured(none).is_none(), "{none}");
        }
    }

    /// The pages' policy allows nothing from elsewhere; a stylesheet that asked for it would be broken silently.
    #[test]
    fn assets_load_nothing() {
        for text in [STYLESHEET, MARK, PASSKEYS, CONSOLE, include_str!("../../static/demo.css")] {
            for forbidden in ["url(", "@import", "@font-face", "<script", "data:"] {
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
    }
}
