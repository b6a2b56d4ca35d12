//! Legible text: what people read on a consent page or in a terminal must look like what it is.

/// Whether a character is invisible and changes how the text around it reads: a control character, a zero-width or
/// blank one, one that breaks the line, or one that reverses the direction of writing.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The longest text of a stranger's that is quoted in an error.
const QUOTED_MAX: usize = 400;

/// The text with only what an `error_description` may hold (RFC 6749 §5.2: ASCII without quotation marks and
/// backslashes), cut where it grows long.
pub fn in_a_description(text: &str) -> String {
    let allowed = |c| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    text.chars().take(QUOTED_MAX).map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_of_every_script_is_legible_and_tricks_are_not() {
        assert!(!"Grüße, 你好, שלום, नमस्ते, emoji 🙂 - \u{a0}".chars().any(deceives));
        for c in ['\0', '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{200b}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{feff}']
        {
            assert!(deceives(c), "{c:?}");
        }
    }

    #[test]
    fn a_description_holds_only_what_it_may() {
        assert_eq!(in_a_description("a \"b\" \\ ü\n"), "a 'b' ? ??");
        assert_eq!(in_a_description(&"x".repeat(1000)).len(), QUOTED_MAX);
    }
}
