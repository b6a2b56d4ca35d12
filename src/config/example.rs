//! `consentry.example.toml`: every key, made from the table, so that it is never out of date.

use std::fmt::Write;

use super::keys::KEYS;

const WIDTH: usize = 100;

/// The text of the example file.
pub fn text() -> String {
    let mut text = String::from(
        "# Consentry's configuration: copy it to consentry.toml and uncomment what you need.\n\
         # Each key can also be set in the environment, as CONSENTRY_ and its name in capitals, and that wins over\n\
         # this file; flags win over both. CONSENTRY_CONFIG names another file than ./consentry.toml.\n",
    );
    for key in &KEYS {
        text.push('\n');
        for line in wrapped(key.sentence) {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "#{} = {}", key.name, key.example);
    }
    text.push_str(TABLES);
    text
}

/// What is no key, and so stands in the file alone. Two signs before each line: these are no defaults.
const TABLES: &str = "
## Whom people may sign in through, a table each, below all other keys (docs/sign-in-through-others.md).
## kind is google, github or facebook, openid with an issuer, or oauth with addresses. What to register there as the
## redirect URI is PUBLIC_URL/sign-in/with/NAME/callback.
##[providers.work]
##kind = \"openid\"
##label = \"Example Inc.\"
##issuer = \"https://login.example.com\"
##client_id = \"consentry\"
##client_secret = \"file:/run/secrets/work_client_secret\"
##sign_up = \"open\"

## Your own sign-in page, for an API that has users already (docs/own-login.md).
##[own_login]
##url = \"https://www.example.com/sign-in-for-consentry\"
##key = \"file:/run/secrets/own_login_key\"
##label = \"Example\"
##only = false

## Who makes new versions of plugins' API keys, a table each (docs/rotators.md). kind is the name of an issuer that is
## known, command with a program and its arguments, or webhook with an address and a key. Owners of plugins may choose it
## where for_owners is true.
##[rotators.upstream]
##kind = \"command\"
##command = [\"/usr/local/bin/new-upstream-key\", \"--live\"]
##for_owners = false
";

fn wrapped(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.len() + word.len() < WIDTH);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn the_file_in_the_repository_is_the_one_made_here() {
        let kept = include_str!("../../consentry.example.toml");
        assert!(kept == text(), "run: cargo run -- config-example > consentry.example.toml");
    }

    #[test]
    fn uncommented_it_is_toml_with_every_key_and_every_default() {
        let uncommented: String = text()
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#'])).unwrap_or(""))
            .collect::<Vec<_>>()
            .join("\n");
        let table: toml::Table = uncommented.parse().unwrap();
        assert_eq!(table.len(), KEYS.len());
        for (name, value) in table {
            let Some(default) = keys::find(&name).unwrap().default else { continue };
            let number = value.as_integer().map(|number| number.to_string());
            assert_eq!(value.as_str().or(number.as_deref()), Some(default), "{name}");
        }
    }
}
