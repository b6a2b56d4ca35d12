//! How a reference to a secret is written: `file:PATH`, `env:NAME`, `vault://MOUNT/PATH#FIELD`,
//! `aws-sm://NAME#MEMBER`, `azure-kv://HOST/NAME/VERSION`, `gcp-sm://PROJECT/NAME/VERSION`. A secret itself never stands in
//! a configuration, and what is no reference is not repeated in any message: it may be the secret.

use std::{fmt, path::PathBuf, str::FromStr};

/// How references are written, for whoever wrote none.
pub const HOW_TO_WRITE: &str = "write file:PATH, vault://MOUNT/PATH#FIELD, aws-sm://NAME, azure-kv://HOST/NAME, \
                                gcp-sm://PROJECT/NAME or env:NAME";

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// A file that only its owner can read.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A field of what a vault keeps.
    Vault(VaultPath),
    /// What AWS Secrets Manager keeps.
    AwsSm(AwsSecret),
    /// What Azure Key Vault keeps.
    AzureKv(AzureSecret),
    /// What Google Secret Manager keeps.
    GcpSm(GcpSecret),
}

/// A field of an entry of a key-value engine (version 2) of HashiCorp Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultPath {
    /// Where the engine is mounted: one segment.
    pub mount: String,
    /// The entry's path below it.
    pub path: String,
    /// The entry's field.
    pub field: String,
}

/// A secret of AWS Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsSecret {
    /// Its name or ARN.
    pub id: String,
    /// The member, where it is a JSON object.
    pub member: Option<String>,
}

/// A secret of Azure Key Vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AzureSecret {
    /// The vault's own host: `team.vault.azure.net`.
    pub host: String,
    /// Its name.
    pub name: String,
    /// The version, where it is not the newest.
    pub version: Option<String>,
}

/// A secret of Google Secret Manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GcpSecret {
    /// The project, by its id or number.
    pub project: String,
    /// Its name.
    pub name: String,
    /// The version, by its number or alias, where it is not the newest.
    pub version: Option<String>,
}

/// A text that refers to nothing. It is not repeated: it may be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no reference to a secret")]
pub struct NotASecretRef;

impl FromStr for SecretRef {
    type Err = NotASecretRef;

    fn from_str(text: &str) -> Result<Self, NotASecretRef> {
        let (kind, rest) = text.trim().split_once(':').ok_or(NotASecretRef)?;
        let place = rest.strip_prefix("//");
        let reference = match kind {
            "file" => (!rest.is_empty()).then(|| Self::File(rest.into())),
            "env" => (!rest.is_empty()).then(|| Self::Environment(rest.to_owned())),
            "vault" => place.and_then(vault_path).map(Self::Vault),
            "aws-sm" => place.and_then(aws_secret).map(Self::AwsSm),
            "azure-kv" => place.and_then(azure_secret).map(Self::AzureKv),
            "gcp-sm" => place.and_then(gcp_secret).map(Self::GcpSm),
            _ => None,
        };
        reference.ok_or(NotASecretRef)
    }
}

fn vault_path(text: &str) -> Option<VaultPath> {
    let (place, field) = text.split_once('#')?;
    let (mount, path) = place.split_once('/')?;
    // The path becomes one of a URL: nothing in it may lead out of the mount or begin a query.
    let is_segment = |segment: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !segment.is_empty() && segment.chars().all(is_plain) && !segment.chars().all(|c| c == '.')
    };
    let is_place = is_segment(mount) && path.split('/').all(is_segment);
    (is_place && is_member(field)).then(|| VaultPath {
        mount: mount.to_owned(),
        path: path.to_owned(),
        field: field.to_owned(),
    })
}

fn aws_secret(text: &str) -> Option<AwsSecret> {
    let (id, member) = text.split_once('#').map_or((text, None), |(id, member)| (id, Some(member)));
    // A name has letters, digits and /_+=.@-; an ARN has colons too.
    let is_id = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:".contains(c);
    let is_good = !id.is_empty() && id.chars().all(is_id) && member.is_none_or(is_member);
    is_good.then(|| AwsSecret { id: id.to_owned(), member: member.map(str::to_owned) })
}

fn azure_secret(text: &str) -> Option<AzureSecret> {
    let (host, name, version) = in_three(text)?;
    // The host is told a token: a name with a domain, as vaults have it, and nothing that a URL would read otherwise.
    let is_label = |label: &str| !label.is_empty() && is_of(label, "-");
    let is_host = host.contains('.') && host.split('.').all(is_label);
    let is_good = is_host && is_of(name, "-") && version.is_none_or(|version| is_of(version, ""));
    is_good.then(|| AzureSecret { host: host.to_owned(), name: name.to_owned(), version: version.map(str::to_owned) })
}

fn gcp_secret(text: &str) -> Option<GcpSecret> {
    let (project, name, version) = in_three(text)?;
    // Old projects stand below a domain: `example.com:shop`.
    let is_project = is_of(project, "-.:") && project.contains(|c: char| c.is_ascii_alphanumeric());
    let is_good = is_project && is_of(name, "_-") && version.is_none_or(|version| is_of(version, "_-"));
    let owned = |text: &str| text.to_owned();
    is_good.then(|| GcpSecret { project: owned(project), name: owned(name), version: version.map(owned) })
}

/// Two segments and perhaps a third, none of them empty.
fn in_three(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (place, rest) = text.split_once('/')?;
    let (name, version) = rest.split_once('/').map_or((rest, None), |(name, version)| (name, Some(version)));
    let is_whole = !place.is_empty() && !name.is_empty() && version != Some("");
    is_whole.then_some((place, name, version))
}

/// Whether it has only letters, digits and these.
fn is_of(text: &str, more: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// Whether that can be the name of a field or member.
fn is_member(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#')
}

impl fmt::Display for SecretRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "file:{}", path.display()),
            Self::Environment(name) => write!(out, "env:{name}"),
            Self::Vault(VaultPath { mount, path, field }) => write!(out, "vault://{mount}/{path}#{field}"),
            Self::AwsSm(AwsSecret { id, member: None }) => write!(out, "aws-sm://{id}"),
            Self::AwsSm(AwsSecret { id, member: Some(member) }) => write!(out, "aws-sm://{id}#{member}"),
            Self::AzureKv(AzureSecret { host, name, version }) => {
                write!(out, "azure-kv://{host}/{name}")?;
                version.iter().try_for_each(|version| write!(out, "/{version}"))
            }
            Self::GcpSm(GcpSecret { project, name, version }) => {
                write!(out, "gcp-sm://{project}/{name}")?;
                version.iter().try_for_each(|version| write!(out, "/{version}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_secrets() {
        assert_eq!("file:/run/x".parse(), Ok(SecretRef::File("/run/x".into())));
        assert_eq!(" env:X ".parse(), Ok(SecretRef::Environment("X".into())));
        for text in ["", "file:", "env:", "hunter2", "q83vEjRWeJA=", "aws:x"] {
            assert_eq!(text.parse::<SecretRef>(), Err(NotASecretRef), "{text}");
        }
    }

    #[test]
    fn a_field_of_a_vault_has_a_mount_a_path_and_a_name() {
        let reference: SecretRef = "vault://secret/consentry/mail#password".parse().unwrap();
        let expected = VaultPath { mount: "secret".into(), path: "consentry/mail".into(), field: "password".into() };
        assert_eq!(reference, SecretRef::Vault(expected));
        assert_eq!(reference.to_string(), "vault://secret/consentry/mail#password");
        for text in [
            "vault:secret/a#b",
            "vault://secret#b",
            "vault://secret/#b",
            "vault://secret/a",
            "vault://secret/a#",
            "vault:///a#b",
            "vault://secret//a#b",
            "vault://secret/../sys/a#b",
            "vault://secret/a?version=1#b",
            "vault://secret/a%2fb#b",
            "vault://u:p@secret/a#b",
            "vault://secret/a#b c",
        ] {
            assert_eq!(text.parse::<SecretRef>(), Err(NotASecretRef), "{text}");
        }
    }

    #[test]
    fn a_secret_of_aws_has_a_name_or_an_arn_and_perhaps_a_member() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:consentry/mail-AbCdEf";
        for (text, id, member) in [
            ("aws-sm://consentry/mail", "consentry/mail", None),
            ("aws-sm://consentry/mail#password", "consentry/mail", Some("password")),
            (&format!("aws-sm://{arn}#password"), arn, Some("password")),
        ] {
            let expected = AwsSecret { id: id.to_owned(), member: member.map(str::to_owned) };
            let reference: SecretRef = text.parse().unwrap();
            assert_eq!((reference.to_string().as_str(), reference), (text, SecretRef::AwsSm(expected)));
        }
        for text in ["aws-sm:a", "aws-sm://", "aws-sm://a b", "aws-sm://a?region=x", "aws-sm://a#", "aws-sm://#b"] {
            assert_eq!(text.parse::<SecretRef>(), Err(NotASecretRef), "{text}");
        }
    }

    #[test]
    fn a_secret_of_azure_has_a_vault_a_name_and_perhaps_a_version() {
        let version = "0123456789abcdef0123456789abcdef";
        for (text, version) in [
            ("azure-kv://team.vault.azure.net/mail-password".to_owned(), None),
            (format!("azure-kv://team.vault.azure.net/mail-password/{version}"), Some(version.to_owned())),
        ] {
            let (host, name) = ("team.vault.azure.net".to_owned(), "mail-password".to_owned());
            let reference: SecretRef = text.parse().unwrap();
            assert_eq!(
                (reference.to_string(), reference),
                (text, SecretRef::AzureKv(AzureSecret { host, name, version }))
            );
        }
        for text in [
            "azure-kv:team.vault.azure.net/a",
            "azure-kv://team/a",
            "azure-kv://team.vault.azure.net",
            "azure-kv://team.vault.azure.net/",
            "azure-kv://team.vault.azure.net//a",
            "azure-kv://team.vault.azure.net/a/",
            "azure-kv://team.vault.azure.net/a/b/c",
            "azure-kv://team.vault.azure.net/../a",
            "azure-kv://team.vault.azure.net/a_b",
            "azure-kv://team.vault.azure.net:8443/a",
            "azure-kv://u@team.vault.azure.net/a",
            "azure-kv://team..net/a",
            "azure-kv://team.vault.azure.net/a?b",
            "azure-kv://team.vault.azure.net/a#b",
        ] {
            assert_eq!(text.parse::<SecretRef>(), Err(NotASecretRef), "{text}");
        }
    }

    #[test]
    fn a_secret_of_google_has_a_project_a_name_and_perhaps_a_version() {
        for (text, project, name, version) in [
            ("gcp-sm://shop-1234/mail_password", "shop-1234", "mail_password", None),
            ("gcp-sm://123456789012/mail/7", "123456789012", "mail", Some("7")),
            ("gcp-sm://example.com:shop/mail/current", "example.com:shop", "mail", Some("current")),
        ] {
            let [project, name] = [project, name].map(str::to_owned);
            let expected = GcpSecret { project, name, version: version.map(str::to_owned) };
            let reference: SecretRef = text.parse().unwrap();
            assert_eq!((reference.to_string().as_str(), reference), (text, SecretRef::GcpSm(expected)));
        }
        for text in [
            "gcp-sm:shop/a",
            "gcp-sm://shop",
            "gcp-sm://shop/",
            "gcp-sm:///a",
            "gcp-sm://../a",
            "gcp-sm://shop/a/",
            "gcp-sm://shop/a/1/2",
            "gcp-sm://shop/a.b",
            "gcp-sm://shop/a/1:access",
            "gcp-sm://shop/a#b",
            "gcp-sm://projects/shop/secrets/a",
        ] {
            assert_eq!(text.parse::<SecretRef>(), Err(NotASecretRef), "{text}");
        }
    }
}
