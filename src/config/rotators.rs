//! Rotators: `[rotators.NAME]`, a table each. What is known of well-known issuers stands in `recipes.json`, as data; their
//! kind is their name there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::LazyLock,
};

use zeroize::Zeroizing;

use super::{
    master_keys,
    reader::{Reader, own},
    table::Table,
};
use crate::{
    model::rotator::{Administration, Recipe, Rotator, Way},
    vault::{SecretValue, Unfit},
};

/// The keys of every kind; each recipe has its own parameters beside them.
const KEYS: [&str; 6] = ["kind", "for_owners", "url", "admin_key", "key", "command"];

/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 40;

/// What the text of a signing key begins with.
const PREFIX: &str = "whsec_";

static RECIPES: LazyLock<BTreeMap<String, Recipe>> =
    LazyLock::new(|| serde_json::from_str(include_str!("recipes.json")).unwrap_or_default());

/// Checks all of them. Their secrets are read only where they are needed.
pub(super) fn read(reader: &mut Reader<'_>, with_secrets: bool) -> Vec<Rotator> {
    let Some((tables, file)) = reader.take_table("rotators") else { return Vec::new() };
    let mut rotators = Vec::new();
    for (name, value) in tables {
        let shown = format!("rotators.{name}");
        let toml::Value::Table(mut table) = value else {
            reader.mistake_at(&format!("{shown} in {file}"), "it is no table", "write its keys below [rotators.NAME]");
            continue;
        };
        if !is_name(&name) {
            let cure = "name it by small letters, digits and hyphens";
            reader.mistake_at(&format!("[{shown}] in {file}"), "that is no name of a rotator", cure);
        }
        let command = table.remove("command");
        let parameters: BTreeSet<&str> =
            RECIPES.values().flat_map(|recipe| recipe.parameters.iter().map(String::as_str)).collect();
        let keys: Vec<&str> = KEYS.into_iter().chain(parameters).collect();
        let mut table = Table::take(reader, &shown, (table, &file), &keys);
        if let Some((way, for_owners)) = read_one(reader, &mut table, command, with_secrets) {
            rotators.push(Rotator { name, for_owners, way });
        }
    }
    rotators
}

fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.chars().all(is_word)
}

fn read_one(
    reader: &mut Reader<'_>,
    table: &mut Table,
    command: Option<toml::Value>,
    with_secrets: bool,
) -> Option<(Way, bool)> {
    let kinds = format!("write one of command, webhook, {}", RECIPES.keys().cloned().collect::<Vec<_>>().join(", "));
    let kind = table.needed(reader, "kind", &kinds);
    let for_owners = match table.text("for_owners").as_deref() {
        None | Some("false") => Some(false),
        Some("true") => Some(true),
        Some(_) => {
            table.mistake(reader, "for_owners", "it is neither true nor false", "write true or false");
            None
        }
    };
    if command.is_some() && kind.as_deref().is_some_and(|kind| kind != "command") {
        table.mistake(reader, "command", "it is for the kind command alone", "leave it out");
    }
    let way = match kind.as_deref()? {
        "command" => read_command(reader, table, command).map(Way::Command),
        "webhook" => {
            let url = table.url(reader, "url");
            let key = table.secret(reader, "key", with_secrets, signing_key);
            Some(Way::Webhook { url: url?, key: key? })
        }
        kind => {
            let recipe = RECIPES.get(kind);
            if recipe.is_none() {
                table.mistake(reader, "kind", "there is no such kind", &kinds);
            }
            recipe.and_then(|recipe| read_recipe(reader, table, recipe, with_secrets))
        }
    };
    Some((way?, for_owners?))
}

/// As a list: nothing takes it apart, so nothing in it has to be quoted.
fn read_command(reader: &mut Reader<'_>, table: &Table, command: Option<toml::Value>) -> Option<Vec<String>> {
    let cure = "write the program's path and its arguments: [\"/usr/local/bin/new-key\", \"--live\"]";
    let Some(command) = command else {
        table.mistake(reader, "command", "it is missing", cure);
        return None;
    };
    let words = command.as_array().into_iter().flatten().map(|word| word.as_str().map(str::to_owned));
    let words: Option<Vec<String>> = words.collect();
    // Without an environment there is no search path.
    let words = words.filter(|words| words.first().is_some_and(|program| Path::new(program).is_absolute()));
    let words = words.filter(|words| words.iter().all(|word| !word.contains('\0')));
    if words.is_none() {
        table.mistake(reader, "command", "it is no list of texts that begins with a whole path", cure);
    }
    words
}

fn read_recipe(reader: &mut Reader<'_>, table: &mut Table, recipe: &Recipe, with_secrets: bool) -> Option<Way> {
    table.presuppose(&BTreeMap::from([("url".to_owned(), recipe.url.clone())]));
    let url = table.url(reader, "url");
    let admin_key = table.secret(reader, "admin_key", with_secrets, own);
    let mut parameters = BTreeMap::new();
    for name in &recipe.parameters {
        let cure = format!("write the {} as its issuer calls it", name.replace('_', " "));
        let Some(text) = table.needed(reader, name, &cure) else { continue };
        // It becomes a segment of a path, where dots mean another one.
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.chars().all(is_word) && !text.chars().all(|c| c == '.') {
            parameters.insert(name.clone(), text);
        } else {
            table.mistake(reader, name, "it is no name", &cure);
        }
    }
    let is_whole = parameters.len() == recipe.parameters.len();
    let administration = Administration { recipe: recipe.clone(), url: url?, parameters, admin_key: admin_key? };
    is_whole.then(|| Way::Recipe(Box::new(administration)))
}

fn signing_key(value: &SecretValue) -> Result<Zeroizing<Vec<u8>>, Unfit> {
    let cure = "make it with: (umask 077; echo \"whsec_$(head -c 32 /dev/urandom | base64)\" > rotator.key)";
    let encoded = value.reveal().strip_prefix(PREFIX);
    let encoded = encoded.ok_or_else(|| Unfit::new(format!("holds no key: it begins with {PREFIX}"), cure))?;
    let key = master_keys::parse(&SecretValue::new(encoded.to_owned()));
    let key = key.map_err(|error| Unfit::new(format!("holds no key: {error}"), cure))?;
    Ok(Zeroizing::new(key.reveal().to_vec()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Config, Environment, ServeConfig, Sources};
    use super::*;

    /// What `serve` makes of a file that ends so, or every mistake; the commands' check says the same of what it looks at.
    fn read(tables: &str) -> Result<Vec<Rotator>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("consentry.toml");
        let head = "public_url = \"https://a.example\"\nmaster_keys = [\"env:CONSENTRY_KEY\"]\n";
        fs::write(&file, format!("{head}{tables}")).unwrap();
        let key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=";
        let mut environment = Environment::from([
            ("CONSENTRY_KEY".into(), key.into()),
            ("CONSENTRY_ADMIN".into(), "hunter2 and more".into()),
            ("CONSENTRY_SIGNS".into(), format!("whsec_{key}")),
            ("CONSENTRY_DATABASE_URL".into(), format!("sqlite://{}/c.db", folder.path().display())),
        ]);
        environment.retain(|name, _| {
            tables.contains(name.as_str()) || ["CONSENTRY_KEY", "CONSENTRY_DATABASE_URL"].contains(&name.as_str())
        });
        let sources = Sources { file: Some(file), environment, ..Sources::default() };
        let checked = ServeConfig::check(&sources).map_err(|error| error.to_string())?;
        let named = Config::check(&sources).map_err(|error| error.to_string())?.config.rotators;
        assert_eq!(named.len(), checked.config.rotators.len());
        Ok(checked.config.rotators)
    }

    #[test]
    fn what_is_known_of_an_issuer_need_not_be_written() {
        assert_eq!(RECIPES.keys().collect::<Vec<_>>(), ["openai-key", "openai-service-account"]);
        let table = "[rotators.keys]\nkind = \"openai-key\"\nproject = \"proj_1\"\nservice_account = \"svc_1\"\n\
                     admin_key = \"env:CONSENTRY_ADMIN\"\nfor_owners = true\n";
        let rotators = read(table).unwrap();
        let Way::Recipe(administration) = &rotators[0].way else { panic!("{rotators:?}") };
        assert_eq!(administration.url.as_str(), "https://api.openai.com/v1");
        assert_eq!(administration.parameters["service_account"], "svc_1");
        assert!(rotators[0].for_owners && administration.admin_key.get().as_str() == "hunter2 and more");
        let elsewhere = read(&format!("{table}url = \"https://eu.example/v1\"\n")).unwrap();
        let Way::Recipe(administration) = &elsewhere[0].way else { panic!("{elsewhere:?}") };
        assert_eq!(administration.url.as_str(), "https://eu.example/v1");
    }

    #[test]
    fn any_other_is_a_command_or_a_service_of_the_operators_own() {
        let rotators = read(
            "[rotators.a]\nkind = \"command\"\ncommand = [\"/bin/new key\", \"--a,b\"]\n\
             [rotators.b]\nkind = \"webhook\"\nurl = \"https://own.example/keys\"\nkey = \"env:CONSENTRY_SIGNS\"\n",
        );
        let rotators = rotators.unwrap();
        assert!(matches!(&rotators[0].way, Way::Command(words) if *words == ["/bin/new key", "--a,b"]));
        assert!(matches!(&rotators[1].way, Way::Webhook { key, .. } if key.get().len() == 32));
        assert!(!rotators[0].for_owners);
    }

    #[test]
    fn every_mistake_is_told_and_no_secret() {
        let error = read(
            "[rotators.A_B]\nkind = \"opened\"\nfor_owners = \"yes\"\n\
             [rotators.c]\nkind = \"command\"\ncommand = [\"new-key\"]\nkee = \"x\"\n\
             [rotators.d]\nkind = \"openai-key\"\nproject = \"..\"\nadmin_key = \"hunter2\"\ncommand = []\n\
             [rotators.e]\nkind = \"webhook\"\nurl = \"http://own.example\"\nkey = \"env:CONSENTRY_ADMIN\"\n\
             [rotators.f]\nkind = \"command\"\n",
        )
        .unwrap_err();
        for told in [
            "no name of a rotator",
            "there is no such kind",
            "for_owners in [rotators.A_B]",
            "begins with a whole path",
            "did you mean key?",
            "project in [rotators.d]",
            "service_account in [rotators.d]",
            "no reference to a secret",
            "it is for the kind command alone",
            "url in [rotators.e]",
            "holds no key: it begins with whsec_",
            "command in [rotators.f]",
        ] {
            assert!(error.contains(told), "{told}: {error}");
        }
        assert!(!error.contains("hunter2"), "{error}");
        assert!(read("rotators = \"x\"\n").unwrap_err().contains("it is no table"));
    }
}
