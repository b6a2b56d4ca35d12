//! How a reference to a secret is written: `file:PATH`, `env:NAME`, `vault://MOUNT/PATH#FIELD`,
//! `aws-sm://NAME#MEMBER`. A secret itself never stands in a configuration, and what is no reference is not repeated in
//! any message: it may be the secret.

use std::{fmt, path::PathBuf, str::FromStr};

/// How references are written, for whoever wrote none.
pub const HOW_TO_WRITE: &str = "write file:PATH, vault://MOUNT/PATH#FIELD, aws-sm://NAME or env:NAME";

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

/// A text that refers to nothing. It is not repeated: it may be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no reference to a secret")]
pub struct NotASecretRef;

impl FromStr for SecretRef {
    type Err = NotASecretRef;

    fn from_str(text: &str) -> Result<Self, NotASecretRef> {
        match text.trim().split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            Some(("vault", rest)) => rest.strip_prefix("//").and_then(vault_path).map(Self::Vault).ok_or(NotASecretRef),
            Some(("aws-sm", rest)) => {
                rest.strip_prefix("//").and_then(aws_secret).map(Self::AwsSm).ok_or(NotASecretRef)
            }
            _ => Err(NotASecretRef),
        }
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
}
