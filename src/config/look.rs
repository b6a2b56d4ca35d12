//! The operator's own look: `accent_color` and `logo_file`.

use std::{fs::File, io::Read};

use super::reader::Reader;
use crate::{
    model::brand::{Brand, Colour},
    pictures,
};

const ACCENT: &str = "accent_color";
const LOGO: &str = "logo_file";

/// What is wrong with it is a mistake, and then there is no configuration anyway.
pub(super) fn read(reader: &mut Reader<'_>) -> Brand {
    Brand::new(read_accent(reader), read_logo(reader))
}

fn read_accent(reader: &mut Reader<'_>) -> Option<Colour> {
    let colour = reader.text(ACCENT)?.trim().parse().ok();
    if colour.is_none() {
        reader.mistake(ACCENT, "it is not a colour", "write it as #0d6e5f: red, green and blue, two digits each");
    }
    colour
}

fn read_logo(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let path = reader.text(LOGO)?;
    let problem = match read_file(&path) {
        Ok(bytes) if bytes.len() > pictures::BYTES_MAX => format!("it has more than {} bytes", pictures::BYTES_MAX),
        Ok(bytes) => match pictures::logo(&bytes) {
            Ok(logo) => return Some(logo),
            Err(error) => error.to_string(),
        },
        Err(error) => format!("it cannot be read ({error})"),
    };
    reader.mistake(LOGO, format!("{path}: {problem}"), "name a PNG, JPEG or WebP picture, square if it can be");
    None
}

fn read_file(path: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(pictures::BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
