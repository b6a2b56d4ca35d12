//! Google Secret Manager, by Google's own libraries.
//!
//! Who this server is to it is found as by every program of theirs (Application Default Credentials): the file that
//! `GOOGLE_APPLICATION_CREDENTIALS` names, the one that `gcloud auth application-default login` leaves, or the metadata
//! server of the machine or container it runs in. Another endpoint than the usual one is said as to `gcloud`.

use google_cloud_auth::{credentials, errors::CredentialsError};
use google_cloud_gax::{client_builder::internal::with_follow_redirects, retry_policy::NeverRetry};
use google_cloud_secretmanager_v1::{Error as GoogleError, client::SecretManagerService, model::SecretPayload};
use zeroize::Zeroizing;

use super::{
    error::SecretError,
    reach::{Environment, address, causes, in_time, reason},
    reference::{GcpSecret, SecretRef},
};

/// What is read where no version is named: the newest.
const NEWEST: &str = "latest";

/// Where the service is reached by another way than the public one, in the variable of its own tools.
const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER";

/// Reads a secret: the version that is named, or the newest.
pub(super) async fn read(
    environment: &Environment,
    secret: &GcpSecret,
    reference: &SecretRef,
) -> Result<Zeroizing<String>, SecretError> {
    let payload = in_time(ask(environment, secret, reference)).await??;
    let text = payload.and_then(|payload| String::from_utf8(payload.data.into()).ok());
    text.map(Zeroizing::new).ok_or_else(|| SecretError::NotThere(reference.clone()))
}

async fn ask(
    environment: &Environment,
    secret: &GcpSecret,
    reference: &SecretRef,
) -> Result<Option<SecretPayload>, SecretError> {
    let problem = "leads to no credentials that can be used";
    let identity = credentials::Builder::default()
        .build()
        .map_err(|_| SecretError::Settings { variable: "GOOGLE_APPLICATION_CREDENTIALS", problem })?;
    // Whoever renews a secret asks again by itself, and a start has patience of its own.
    let mut builder = SecretManagerService::builder().with_credentials(identity).with_retry_policy(NeverRetry);
    if let Some(endpoint) = address(environment, ENDPOINT)? {
        builder = builder.with_endpoint(endpoint);
    }
    // The service sends nobody elsewhere; who is sent on would believe whoever is there.
    let builder = with_follow_redirects(builder, false);
    let client = builder.build().await.map_err(|error| SecretError::Unavailable(reason(&error)))?;
    let version = secret.version.as_deref().unwrap_or(NEWEST);
    let name = format!("projects/{}/secrets/{}/versions/{version}", secret.project, secret.name);
    let told = client.access_secret_version().set_name(name).send().await;
    Ok(told.map_err(|error| refusal(&error, reference))?.payload)
}

/// What the libraries quote of an answer is left out: it is not known what stands there.
fn refusal(error: &GoogleError, reference: &SecretRef) -> SecretError {
    let status = causes(error).find_map(|cause| {
        let told = cause.downcast_ref::<GoogleError>().and_then(GoogleError::http_status_code);
        told.or_else(|| Some(cause.downcast_ref::<reqwest::Error>()?.status()?.as_u16()))
    });
    let may_pass = causes(error).filter_map(|cause| cause.downcast_ref()).any(CredentialsError::is_transient);
    match (error.is_authentication(), status) {
        (true, Some(status)) if may_pass => SecretError::Unavailable(format!("its login answered {status}")),
        (true, Some(status)) => SecretError::Refused(format!("its login answered {status}")),
        (true, None) if !may_pass => SecretError::Refused(reason(error)),
        // A version that was disabled or destroyed is a 400.
        (false, Some(400 | 404)) => SecretError::NotThere(reference.clone()),
        (false, Some(403)) => SecretError::Denied(reference.clone()),
        (false, Some(401)) => SecretError::Refused("it answered 401".to_owned()),
        (false, Some(status)) => SecretError::Unavailable(format!("it answered {status}")),
        (_, None) => SecretError::Unavailable(reason(error)),
    }
}
