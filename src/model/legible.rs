//! Legible text: what people read on a consent page or in a terminal must look like what it is.

/// Whether a character is invisible and changes how the text around it reads: a control character, a zero-width or
/// blank one, one that breaks the line, or one that reverses the direction of writing.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The longest name of a person or a client, in characters.
pub const NAME_LENGTH_MAX: usize = 100;

/// A name people are shown, without the space around it: on one line, not too long, and what it looks like.
pub fn name(text: &str) -> Option<String> {
    let name = text.trim();
    let length = name.chars().count();
    (1..=NAME_LENGTH_MAX).contains(&length).then(|| name.to_owned()).filter(|name| !name.chars().any(deceives))
}

/// The longest text of a stranger's that is quoted in an error.
const QUOTED_MAX: usize = 400;

/// An error with its causes, each once, as a program elsewhere may have worded them: what deceives becomes a space, and it
/// is cut where it grows long.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text.chars().map(|c| if deceives(c) { ' ' } else { c }).take(QUOTED_MAX).collect()
}

/// How the secrets of this server and its tokens begin. Whoever writes one in the place of something else is not to find it
/// in an error or in a log.
const SECRETS_BEGIN: [&str; 3] = ["cst_", "whsec_", "eyJ"];

/// The text with only what an `error_description` may hold (RFC 6749 §5.2: ASCII without quotation marks and
/// backslashes), cut where it grows long; of what may be a secret in the wrong place, nothing.
pub fn in_a_description(text: &str) -> String {
    if SECRETS_BEGIN.iter().any(|beginning| text.contains(beginning)) {
        return "(not repeated)".to_owned();
    }
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
    fn a_name_is_short_and_legible() {
        assert_eq!(name(" Ada Lovelace\n").as_deref(), Some("Ada Lovelace"));
        for text in ["", " \t", "a\nb", "a\u{202e}b", &"x".repeat(NAME_LENGTH_MAX + 1)] {
            assert_eq!(name(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_description_holds_only_what_it_may() {
        assert_eq!(in_a_description("a \"b\" \\ ü\n"), "a 'b' ? ??");
        assert_eq!(in_a_description(&"x".repeat(1000)).len(), QUOTED_MAX);
        for secret in ["cst_rt_AAAA", "it is cst_cs_x", "whsec_abc", "eyJhbGciOiJFUzI1NiJ9.e30."] {
            assert_eq!(in_a_description(secret), "(not repeated)");
        }
    }
}
