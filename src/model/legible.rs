//! Legible text: what people read on a consent page or in a terminal must look like what it is.

/// Whether a character is invisible and changes how the text around it reads: a control character, a zero-width one,
/// or one that reverses the direction of writing.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_of_every_script_is_legible_and_tricks_are_not() {
        assert!(!"Grüße, 你好, שלום, emoji 🙂 - \u{a0}".chars().any(deceives));
        for c in ['\0', '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}'] {
            assert!(deceives(c), "{c:?}");
        }
    }
}
