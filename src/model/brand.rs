//! A look of one's own: the operator's accent colour and logo on the pages people see, and a plugin's colour on the page
//! on which people agree.
//!
//! A colour is chosen for a brand, not for reading. So it is only where the pages' accents begin: each is made darker
//! or lighter until whatever stands on it, and whatever it stands on, can be read (WCAG 2.2 §1.4.3, AA).

use std::{fmt, str::FromStr};

use super::digest::Digest;

/// The least contrast between a text and what it stands on.
const CONTRAST_MIN: f64 = 4.5;

/// A colour in sRGB, eight bits for each of red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// Why a text is not a colour.
#[derive(Debug, thiserror::Error)]
#[error("it is not a colour")]
pub struct NotAColour;

impl FromStr for Colour {
    type Err = NotAColour;

    /// Reads `#rrggbb`.
    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(NotAColour)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NotAColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(out, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    const WHITE: Self = Self([255; 3]);
    const BLACK: Self = Self([0; 3]);

    /// Its six digits.
    pub fn digits(self) -> String {
        self.to_string().split_off(1)
    }

    /// The contrast to another colour, from 1 to 21 (WCAG 2.2, "contrast ratio").
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// This with so many hundredths of another in it.
    fn mixed(self, other: Self, hundredths: u16) -> Self {
        let mix = |a: u8, b: u8| (u16::from(a) * (100 - hundredths) + u16::from(b) * hundredths) / 100;
        let parts = std::array::from_fn(|at| u8::try_from(mix(self.0[at], other.0[at])).unwrap_or(u8::MAX));
        Self(parts)
    }

    /// This with as much of another in it as it takes to be read on all of these.
    fn readable(self, towards: Self, on: &[Self]) -> Self {
        let mixes = (0..=100).map(|hundredths| self.mixed(towards, hundredths));
        let mut enough = mixes.filter(|mix| on.iter().all(|on| mix.contrast(*on) >= CONTRAST_MIN));
        enough.next().unwrap_or(towards)
    }
}

/// The four colours that the stylesheet makes accents of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accents {
    /// Links, icons and primary buttons.
    pub accent: Colour,
    /// The same under the pointer.
    pub deep: Colour,
    /// What accents stand on in badges and notices.
    pub soft: Colour,
    /// What stands on an accent.
    pub on: Colour,
}

/// What accents stand on, as `static/consentry.css` has it: the ground, the sheet, and what is sunk into that.
const LIGHT: [Colour; 3] = [Colour([0xf4, 0xf6, 0xf5]), Colour::WHITE, Colour([0xf4, 0xf7, 0xf6])];
const DARK: [Colour; 3] = [Colour([0x10, 0x15, 0x14]), Colour([0x19, 0x20, 0x1e]), Colour([0x21, 0x2a, 0x27])];

impl Accents {
    /// For light pages.
    pub fn light(colour: Colour) -> Self {
        let soft = Colour::WHITE.mixed(colour, 12);
        let [ground, sheet, sunken] = LIGHT;
        let accent = colour.readable(Colour::BLACK, &[ground, sheet, sunken, soft]);
        Self { accent, deep: accent.mixed(Colour::BLACK, 25), soft, on: Colour::WHITE }
    }

    /// For dark ones.
    pub fn dark(colour: Colour) -> Self {
        let [ground, sheet, sunken] = DARK;
        let soft = sheet.mixed(colour, 18);
        let accent = colour.readable(Colour::WHITE, &[ground, sheet, sunken, soft]);
        let deep = accent.mixed(Colour::WHITE, 35);
        Self { accent, deep, soft, on: colour.readable(Colour::BLACK, &[accent, deep]) }
    }
}

/// What the pages have of the operator's; nothing by default.
#[derive(Clone, Default)]
pub struct Brand {
    accent: Option<Colour>,
    logo: Option<Vec<u8>>,
    version: String,
}

impl Brand {
    /// A colour, and a PNG that this program wrote.
    pub fn new(accent: Option<Colour>, logo: Option<Vec<u8>>) -> Self {
        let colour = accent.map(|colour| colour.to_string()).unwrap_or_default();
        let digest = Digest::of([colour.as_bytes(), logo.as_deref().unwrap_or_default()].concat());
        let version = format!("{:032x}", u128::from_be_bytes(digest.short()));
        Self { accent, logo, version }
    }

    /// The colour that the accents begin at.
    pub fn accent(&self) -> Option<Colour> {
        self.accent
    }

    /// The logo, as PNG.
    pub fn logo(&self) -> Option<&[u8]> {
        self.logo.as_deref()
    }

    /// Changes whenever one of them does.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Debug for Brand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Brand").field("accent", &self.accent).field("version", &self.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every colour of a grid, among them those that could be read on nothing as they are.
    fn colours() -> impl Iterator<Item = Colour> {
        let steps = || (0..=255).step_by(17).map(|part| u8::try_from(part).unwrap());
        steps().flat_map(move |red| steps().flat_map(move |green| steps().map(move |blue| Colour([red, green, blue]))))
    }

    #[test]
    fn whatever_colour_is_chosen_everything_can_be_read() {
        for colour in colours() {
            for (accents, grounds) in [(Accents::light(colour), LIGHT), (Accents::dark(colour), DARK)] {
                let Accents { accent, deep, soft, on } = accents;
                let mut pairs = vec![(on, accent), (on, deep), (accent, soft), (deep, soft)];
                pairs.extend(grounds.iter().flat_map(|ground| [(accent, *ground), (deep, *ground)]));
                for (text, ground) in pairs {
                    assert!(text.contrast(ground) >= CONTRAST_MIN, "{colour}: {text} on {ground}");
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_is_left_alone() {
        let green: Colour = "#0d6e5f".parse().unwrap();
        assert_eq!(Accents::light(green).accent, green);
    }

    /// The examples of the standard's own understanding document.
    #[test]
    fn contrast_is_wcags() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 0.001);
        let grey: Colour = "#767676".parse().unwrap();
        assert!((4.54..4.55).contains(&grey.contrast(Colour::WHITE)), "{}", grey.contrast(Colour::WHITE));
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        for text in ["", "red", "#fff", "#12345g", "123456", "#1234567", "#+12345", "#123456;}body{x:y"] {
            assert!(text.parse::<Colour>().is_err(), "{text}");
        }
        assert_eq!("#00FF7f".parse::<Colour>().unwrap().to_string(), "#00ff7f");
    }
}
