//! A text as a QR code, as the path of a drawing: pages may hold no picture from elsewhere, and the text is a secret that
//! has no address of its own.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// The light border that readers need, in squares.
const BORDER: i32 = 4;

/// A drawing of dark squares on light ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// How many squares it is wide and high, with its border.
    pub size: i32,
    /// The dark squares, as the commands of a path in SVG.
    pub path: String,
}

/// Draws a text; none for one that is too long.
pub fn draw(text: &str) -> Option<Drawing> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{},{}h1v1h-1z", x + BORDER, y + BORDER);
        }
    }
    Some(Drawing { size: code.size() + 2 * BORDER, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_its_corners_and_its_border() {
        let drawing = draw("otpauth://totp/Example:ada@example.com?secret=AAAA").unwrap();
        assert!(drawing.path.starts_with("M4,4h1v1h-1z"), "the first of the three squares readers look for");
        assert!(!drawing.path.contains("M3,") && !drawing.path.contains(",3h"));
        assert!(draw(&"x".repeat(5000)).is_none());
    }
}
