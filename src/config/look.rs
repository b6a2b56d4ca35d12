//! The operator's own look: `accent_color` and `logo_file`.

use std::{fs::File, io::Read};

use super::reader::Reader;
use crate::{
    model::brand::{Brand, Colour},
    pictures,
};

const ACCENT: &str = "accent_color";
const LOGO: &str = "logo_file";

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Brand> {
    // Both are read before either is missed, so that all mistakes are told.
    let accent = read_accent(reader);
    let logo = read_logo(reader);
    Some(Brand::new(accent?, logo?))
}

fn read_accent(reader: &mut Reader<'_>) -> Option<Option<Colour>> {
    let Some(text) = reader.text(ACCENT) else { return Some(None) };
    let colour = text.trim().parse().ok();
    if colour.is_none() {
        reader.mistake(ACCENT, "it is not a colour", "write it as #0d6e5f: red, green and blue, two digits each");
    }
    colour.map(Some)
}

fn read_logo(reader: &mut Reader<'_>) -> Option<Option<Vec<u8>>> {
    let Some(path) = reader.text(LOGO) else { return Some(None) };
    let problem = match read_file(&path) {
        Ok(bytes) if bytes.len() > pictures::BYTES_MAX => format!("it has more than {} bytes", pictures::BYTES_MAX),
        Ok(bytes) => match pictures::logo(&bytes) {
            Ok(logo) => return Some(Some(logo)),
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
