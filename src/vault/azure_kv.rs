//! Azure Key Vault, by Microsoft's own libraries.
//!
//! Where the vault is stands in the reference. Who this server is to it is found in the order of all programs of theirs:
//! an application with a secret (`AZURE_CLIENT_SECRET`), a workload whose platform writes a token into a file
//! (`AZURE_FEDERATED_TOKEN_FILE`), or the identity of the machine or container it runs in; `AZURE_TENANT_ID` and
//! `AZURE_CLIENT_ID` name it, and `AZURE_AUTHORITY_HOST` where it logs in, in other clouds. Whom a token is to be made out
//! to is said by the vault, and the library believes only one that stands in that name.

use std::sync::Arc;

use azure_core::{
    credentials::{Secret, TokenCredential},
    error::ErrorKind,
    http::{ClientOptions, RetryOptions},
};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions, models::SecretClientGetSecretOptions};
use zeroize::Zeroizing;

use super::{
    error::SecretError,
    reach::{Environment, causes, given, in_time, required},
    reference::{AzureSecret, SecretRef},
};
use crate::model::legible::with_causes;

/// Reads a secret: the version that is named, or the newest.
pub(super) async fn read(
    environment: &Environment,
    secret: &AzureSecret,
    reference: &SecretRef,
) -> Result<Zeroizing<String>, SecretError> {
    let unusable = |error: azure_core::Error| SecretError::Refused(with_causes(&error));
    let options = SecretClientOptions { client_options: options(), ..SecretClientOptions::default() };
    let vault = format!("https://{}/", secret.host);
    let client = SecretClient::new(&vault, identity(environment)?, Some(options)).map_err(unusable)?;
    let version = SecretClientGetSecretOptions { secret_version: secret.version.clone(), ..Default::default() };
    let asked = async { client.get_secret(&secret.name, Some(version)).await?.into_model() };
    let told = in_time(asked).await?.map_err(|error| refusal(&error, reference))?;
    told.value.map(Zeroizing::new).ok_or_else(|| SecretError::NotThere(reference.clone()))
}

/// Whoever renews a secret asks again by itself, and a start has patience of its own.
fn options() -> ClientOptions {
    ClientOptions { retry: RetryOptions::none(), ..ClientOptions::default() }
}

/// Who this server is.
fn identity(environment: &Environment) -> Result<Arc<dyn TokenCredential>, SecretError> {
    let client_options = options();
    let made: azure_core::Result<Arc<dyn TokenCredential>> = if let Some(secret) =
        given(environment, "AZURE_CLIENT_SECRET")
    {
        let (tenant, client) = (required(environment, "AZURE_TENANT_ID")?, required(environment, "AZURE_CLIENT_ID")?);
        let options = ClientSecretCredentialOptions { client_options };
        ClientSecretCredential::new(tenant, client.to_owned(), Secret::new(secret.to_owned()), Some(options))
            .map(|identity| identity as _)
    } else if let Some(file) = given(environment, "AZURE_FEDERATED_TOKEN_FILE") {
        let options = WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions { client_options },
            client_id: Some(required(environment, "AZURE_CLIENT_ID")?.to_owned()),
            tenant_id: Some(required(environment, "AZURE_TENANT_ID")?.to_owned()),
            token_file_path: Some(file.into()),
        };
        WorkloadIdentityCredential::new(Some(options)).map(|identity| identity as _)
    } else {
        let user_assigned_id = given(environment, "AZURE_CLIENT_ID").map(|id| UserAssignedId::ClientId(id.to_owned()));
        let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
        ManagedIdentityCredential::new(Some(options)).map(|identity| identity as _)
    };
    made.map_err(|error| SecretError::Refused(with_causes(&error)))
}

/// What the libraries quote of an answer is left out, but for its code: it is not known what stands there.
fn refusal(error: &azure_core::Error, reference: &SecretRef) -> SecretError {
    let causes = || causes(error).filter_map(|cause| cause.downcast_ref::<azure_core::Error>());
    let is_login = causes().any(|cause| *cause.kind() == ErrorKind::Credential);
    let answer = causes().find_map(|cause| match cause.kind() {
        ErrorKind::HttpResponse { status, error_code, .. } => Some((u16::from(*status), error_code.as_deref())),
        _ => None,
    });
    match answer {
        Some((400 | 404, _)) if !is_login => SecretError::NotThere(reference.clone()),
        Some((403, _)) if !is_login => SecretError::Denied(reference.clone()),
        Some((status @ (400..=404), code)) => {
            let asked = if is_login { "its login" } else { "it" };
            SecretError::Refused(format!("{asked} answered {status}{}", in_brackets(code)))
        }
        Some((status, _)) => SecretError::Unavailable(format!("it answered {status}")),
        None if causes().any(|cause| matches!(cause.kind(), ErrorKind::Connection | ErrorKind::Io)) => {
            SecretError::Unavailable(with_causes(error))
        }
        None => SecretError::Refused(with_causes(error)),
    }
}

/// A code as these services have them: `7000215`, `Forbidden`.
fn in_brackets(code: Option<&str>) -> String {
    let is_code = |code: &&str| code.len() <= 60 && code.chars().all(|c| c.is_ascii_alphanumeric() || c == ',');
    code.filter(is_code).map(|code| format!(" ({code})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_this_server_is_must_be_said_wholly() {
        let told = |variables: &[(&str, &str)]| {
            let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            identity(&owned.collect()).err().map(|error| error.to_string())
        };
        let secret = ("AZURE_CLIENT_SECRET", "hunter2");
        let (tenant, client) = (("AZURE_TENANT_ID", "a-tenant"), ("AZURE_CLIENT_ID", "a-client"));
        assert_eq!(told(&[secret, tenant, client]), None);
        assert_eq!(told(&[secret, tenant]).unwrap(), "the variable AZURE_CLIENT_ID is not set");
        assert_eq!(told(&[secret, client]).unwrap(), "the variable AZURE_TENANT_ID is not set");
        let odd = told(&[secret, ("AZURE_TENANT_ID", "a/tenant"), client]).unwrap();
        assert!(odd.contains("a/tenant") && !odd.contains("hunter2"), "{odd}");
        let lost = told(&[("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token"), tenant, client]).unwrap();
        assert!(lost.contains("/nowhere/token"), "{lost}");
        assert_eq!(told(&[]), None, "the machine's own identity");
    }

    #[test]
    fn only_a_code_is_repeated() {
        assert_eq!(in_brackets(Some("7000215,50034")), " (7000215,50034)");
        assert_eq!(in_brackets(Some("AADSTS7000215: Invalid client secret provided")), "");
        assert_eq!(in_brackets(None), "");
    }
}
