//! Providers people may sign in through: `[providers.NAME]`, a table each. What is known of well-known ones stands in
//! `providers.json`, as data; their kind is their name there.

use std::{collections::BTreeMap, sync::LazyLock};

use super::{
    reader::{Reader, own},
    table::Table,
};
use crate::model::provider::{EmailSource, Endpoints, OWN, Provider, Speaks};

const KEYS: [&str; 16] = [
    "kind",
    "label",
    "issuer",
    "authorization_url",
    "token_url",
    "userinfo_url",
    "emails_url",
    "client_id",
    "client_secret",
    "client_authentication",
    "scopes",
    "id",
    "name",
    "email",
    "email_verified",
    "sign_up",
];

/// What `email_verified` says of a provider that gives out no other addresses than verified ones.
const ALWAYS: &str = "always";

/// The longest name and label, in characters.
const NAME_LENGTH_MAX: usize = 40;

static KNOWN: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("providers.json")).unwrap_or_default());

/// Checks all of them. Their secrets are read only where they are needed.
pub(super) fn read(reader: &mut Reader<'_>, with_secrets: bool) -> Vec<Provider> {
    let Some((tables, file)) = reader.take_table("providers") else { return Vec::new() };
    let mut providers: Vec<Provider> = Vec::new();
    for (name, value) in tables {
        let shown = format!("providers.{name}");
        let toml::Value::Table(table) = value else {
            reader.mistake_at(&format!("{shown} in {file}"), "it is no table", "write its keys below [providers.NAME]");
            continue;
        };
        if !is_name(&name) {
            let cure = "name it by small letters, digits and hyphens: it stands in addresses";
            reader.mistake_at(&format!("[{shown}] in {file}"), "that is no name of a provider", cure);
        }
        let mut table = Table::take(reader, &shown, (table, &file), &KEYS);
        if let Some(provider) = read_one(reader, &mut table, &name, with_secrets) {
            if providers.iter().any(|other| other.key() == provider.key()) {
                let problem = "another provider has this issuer";
                table.mistake(reader, "issuer", problem, "name each issuer once: its people are the same");
            }
            providers.push(provider);
        }
    }
    providers
}

fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    // The owner's own page goes by that name where people leave and come back.
    (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.chars().all(is_word) && name != OWN
}

fn read_one(reader: &mut Reader<'_>, table: &mut Table, name: &str, with_secrets: bool) -> Option<Provider> {
    let kinds = format!("write one of openid, oauth, {}", KNOWN.keys().cloned().collect::<Vec<_>>().join(", "));
    let kind = table.needed(reader, "kind", &kinds);
    if let Some(known) = kind.as_ref().and_then(|kind| KNOWN.get(kind)) {
        table.presuppose(known);
    }
    let speaks = match kind.as_deref().map(|kind| KNOWN.get(kind).map_or(kind, |known| known["kind"].as_str())) {
        Some("openid") => read_issuer(reader, table).map(|issuer| Speaks::OpenId { issuer }),
        Some("oauth") => read_endpoints(reader, table).map(|endpoints| Speaks::OAuth(Box::new(endpoints))),
        Some(_) => {
            table.mistake(reader, "kind", "there is no such kind", &kinds);
            None
        }
        None => None,
    };
    let label = table.text("label").unwrap_or_else(|| name.to_owned());
    let label = crate::model::legible::name(&label).filter(|label| label.chars().count() <= NAME_LENGTH_MAX);
    if label.is_none() {
        table.mistake(reader, "label", "it cannot be shown", "write what people know it by, 1 to 40 characters");
    }
    let client_id = table.needed(reader, "client_id", "write the id it has given you");
    let client_secret = table.secret(reader, "client_secret", with_secrets, own);
    let makes_accounts = match table.text("sign_up").as_deref() {
        None => Some(false),
        Some("open") => Some(true),
        Some(_) => {
            let cure = "write open, or leave it out for what sign_up says for all";
            table.mistake(reader, "sign_up", "it is not open", cure);
            None
        }
    };
    let openid = matches!(speaks, Some(Speaks::OpenId { .. })).then(|| "openid email profile".to_owned());
    let scopes = table.text("scopes").or(openid).unwrap_or_default();
    Some(Provider {
        name: name.to_owned(),
        label: label?,
        client_id: client_id?,
        client_secret: client_secret?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        makes_accounts: makes_accounts?,
        speaks: speaks?,
    })
}

/// As text: an issuer is compared byte for byte.
fn read_issuer(reader: &mut Reader<'_>, table: &Table) -> Option<String> {
    let url = table.url(reader, "issuer")?;
    if url.query().is_some() {
        table.mistake(reader, "issuer", "it has a query", "write the issuer as its own metadata has it");
        return None;
    }
    table.text("issuer")
}

fn read_endpoints(reader: &mut Reader<'_>, table: &Table) -> Option<Endpoints> {
    let [authorization, token, userinfo] =
        ["authorization_url", "token_url", "userinfo_url"].map(|key| table.url(reader, key));
    let secret_in_body = match table.text("client_authentication").as_deref() {
        None | Some("client_secret_basic") => Some(false),
        Some("client_secret_post") => Some(true),
        Some(_) => {
            let cure = "write client_secret_basic or client_secret_post";
            table.mistake(reader, "client_authentication", "it is neither of the two there are", cure);
            None
        }
    };
    let email = read_email_source(reader, table);
    Some(Endpoints {
        authorization: authorization?,
        token: token?,
        secret_in_body: secret_in_body?,
        userinfo: userinfo?,
        id: table.text("id").unwrap_or_else(|| "id".to_owned()),
        name: table.text("name").unwrap_or_else(|| "name".to_owned()),
        email: email?,
    })
}

fn read_email_source(reader: &mut Reader<'_>, table: &Table) -> Option<EmailSource> {
    if table.text("emails_url").is_some() {
        return table.url(reader, "emails_url").map(EmailSource::List);
    }
    let email = table.text("email").unwrap_or_else(|| "email".to_owned());
    // Nobody is believed about this by default: with it goes whose account it is.
    let cure = "write the member that says whether the address was verified, or \"always\" if you know that this \
                provider gives out no others";
    let verified = table.needed(reader, "email_verified", cure)?;
    Some(if verified == ALWAYS { EmailSource::Trusted { email } } else { EmailSource::Member { email, verified } })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Environment, ServeConfig, Sources};
    use super::*;
    use crate::model::provider::OwnLogin;

    /// What `serve` makes of a file that ends so: the providers and the own login, or every mistake.
    fn read(tables: &str) -> Result<(Vec<Provider>, Option<OwnLogin>), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("consentry.toml");
        fs::write(
            &file,
            format!("public_url = \"https://a.example\"\nmaster_keys = [\"env:CONSENTRY_KEY\"]\n{tables}"),
        )
        .unwrap();
        let mut environment = Environment::from([
            ("CONSENTRY_KEY".into(), "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=".into()),
            ("CONSENTRY_CLIENT".into(), "hunter2 and more".into()),
            ("CONSENTRY_OWN".into(), "Abyd3fABAgOrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=".into()),
            ("CONSENTRY_DATABASE_URL".into(), format!("sqlite://{}/c.db", folder.path().display())),
        ]);
        // A variable that nobody refers to is a misspelled key.
        environment.retain(|name, _| {
            tables.contains(name.as_str()) || ["CONSENTRY_KEY", "CONSENTRY_DATABASE_URL"].contains(&name.as_str())
        });
        let checked = ServeConfig::check(&Sources { file: Some(file), environment, ..Sources::default() });
        checked.map(|checked| (checked.config.providers, checked.config.own_login)).map_err(|error| error.to_string())
    }

    const CLIENT: &str = "client_id = \"consentry\"\nclient_secret = \"env:CONSENTRY_CLIENT\"\n";

    #[test]
    fn what_is_known_of_a_provider_need_not_be_written() {
        for (kind, key) in [
            ("google", "https://accounts.google.com"),
            ("github", "a@https://github.com"),
            ("facebook", "a@https://www.facebook.com"),
        ] {
            let trust = if kind == "facebook" { "email_verified = \"always\"\n" } else { "" };
            let (providers, _) = read(&format!("[providers.a]\nkind = \"{kind}\"\n{CLIENT}{trust}")).unwrap();
            assert_eq!(providers[0].key(), key);
            assert!(!providers[0].scopes.is_empty() && providers[0].client_secret.get().as_str() == "hunter2 and more");
        }
    }

    #[test]
    fn any_other_is_described() {
        let tables = format!(
            "[providers.work]\nkind = \"openid\"\nlabel = \"Example Inc.\"\nissuer = \"https://login.example\"\n{CLIENT}\
             sign_up = \"open\"\n[providers.club]\nkind = \"oauth\"\nauthorization_url = \"https://club.example/a\"\n\
             token_url = \"https://club.example/t\"\nuserinfo_url = \"https://club.example/me\"\n\
             email_verified = \"confirmed\"\nscopes = [\"me\", \"mail\"]\n{CLIENT}"
        );
        let (providers, _) = read(&tables).unwrap();
        let [club, work] = &providers[..] else { panic!("{providers:?}") };
        assert_eq!(club.scopes, ["me", "mail"]);
        assert!(
            matches!(&club.speaks, Speaks::OAuth(endpoints) if matches!(endpoints.email, EmailSource::Member { .. }))
        );
        assert!(work.makes_accounts && !club.makes_accounts);
        assert_eq!((work.label.as_str(), work.key().as_str()), ("Example Inc.", "https://login.example"));
        assert_eq!(work.scopes, ["openid", "email", "profile"]);
    }

    #[test]
    fn every_mistake_is_told_and_no_secret() {
        let error = read(
            "[providers.A_B]\nkind = \"opened\"\nclient_secret = \"hunter2\"\nlabl = \"x\"\n\
             [providers.c]\nkind = \"oauth\"\ntoken_url = \"http://c.example\"\nsign_up = \"off\"\n\
             [providers.d]\nkind = \"facebook\"\nclient_id = \"x\"\nclient_secret = \"env:CONSENTRY_NONE\"\n\
             [own_login]\nurl = \"https://own.example\"\n",
        )
        .unwrap_err();
        for told in [
            "no name of a provider",
            "there is no such kind",
            "no reference to a secret",
            "did you mean label?",
            "authorization_url in [providers.c]",
            "token_url in [providers.c]",
            "it is not open",
            "email_verified in [providers.d]",
            "CONSENTRY_NONE is not set",
            "key in [own_login]",
        ] {
            assert!(error.contains(told), "{told}: {error}");
        }
        assert!(!error.contains("hunter2"), "{error}");
        let twice = format!("[providers.a]\nkind = \"google\"\n{CLIENT}[providers.b]\nkind = \"google\"\n{CLIENT}");
        assert!(read(&twice).unwrap_err().contains("another provider has this issuer"));
        assert!(read("providers = \"google\"\n").unwrap_err().contains("it is no table"));
    }

    #[test]
    fn an_own_login_has_an_address_and_a_key() {
        let table = "[own_login]\nurl = \"https://own.example/consentry\"\nkey = \"env:CONSENTRY_OWN\"\nonly = true\n";
        let own = read(table).unwrap().1.unwrap();
        assert!(own.is_only && own.key.get().len() == 32 && own.label == "own.example");
        let same = table.replace("CONSENTRY_OWN", "CONSENTRY_CLIENT");
        assert!(read(&same).unwrap_err().contains("key in [own_login]"));
    }
}
