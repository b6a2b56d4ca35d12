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
    http::{ClientOptions, RetryOptions, Transport},
};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions, models::SecretClientGetSecretOptions};
use zeroize::Zeroizing;

use super::{
    error::SecretError,
    reach::{Environment, TIMEOUT, UNREADABLE, causes, given, in_brackets, in_time, reason, required},
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

/// What an identity of the machine is asked for stands beside it, on an address of this link alone: no proxy knows the way
/// there, and one that answered in its place would be told nothing and believed everything.
fn options_beside() -> Result<ClientOptions, SecretError> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT);
    let client = client.build().map_err(|error| SecretError::Unavailable(reason(&error)))?;
    Ok(ClientOptions { transport: Some(Transport::new(Arc::new(client))), ..options() })
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
        let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options: options_beside()? };
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
    let asked = if is_login { "its login" } else { "it" };
    match answer {
        Some((400 | 404, _)) if !is_login => SecretError::NotThere(reference.clone()),
        Some((403, _)) if !is_login => SecretError::Denied(reference.clone()),
        Some((status @ (400..=404), code)) => {
            SecretError::Refused(format!("{asked} answered {status}{}", in_brackets(code)))
        }
        Some((status, _)) => SecretError::Unavailable(format!("{asked} answered {status}")),
        None => without_answer(error, asked),
    }
}

/// Why there is no answer of theirs. Whoever stands before a service that is down answers in its place, with a page for
/// people: that says nothing of who this server is.
fn without_answer(error: &azure_core::Error, asked: &str) -> SecretError {
    let known = |kinds: &[ErrorKind]| {
        let mut causes = causes(error).filter_map(|cause| cause.downcast_ref::<azure_core::Error>());
        causes.any(|cause| kinds.contains(cause.kind()))
    };
    if known(&[ErrorKind::DataConversion]) {
        return SecretError::Unavailable(UNREADABLE.replacen("it", asked, 1));
    }
    if known(&[ErrorKind::Connection, ErrorKind::Io]) {
        return SecretError::Unavailable(reason(error));
    }
    SecretError::Refused(reason(error))
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
}
