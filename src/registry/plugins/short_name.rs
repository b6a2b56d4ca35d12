//! The short name of a plugin whose owner gave none.

/// A short name made of a name: `To-do list!` becomes `to_do_list`.
pub(super) fn short_name(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    let letters: String = letters.collect();
    let words: Vec<&str> = letters.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_").chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_made_of_a_name() {
        for (name, short) in [("To-do list!", "to_do_list"), ("  A  ", "a"), ("Ärger", "rger"), ("!!", "")] {
            assert_eq!(short_name(name), short, "{name}");
        }
    }
}
