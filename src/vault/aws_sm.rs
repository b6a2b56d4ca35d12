//! AWS Secrets Manager, by AWS's own libraries.
//!
//! Where it is and who this server is to it is found as in every program of theirs: variables of the environment
//! (`AWS_REGION`, `AWS_ROLE_ARN` with `AWS_WEB_IDENTITY_TOKEN_FILE`, keys), the shared configuration file, or the machine
//! or container it runs in. The value is the one in its stage `AWSCURRENT`, so the service's own rotation is followed.

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use zeroize::Zeroizing;

use super::{
    error::SecretError,
    reach::{TIMEOUT, in_brackets, reason},
    reference::{AwsSecret, SecretRef},
};

/// The stage of the version that is good; where it moves, a rotation has ended.
const CURRENT: &str = "AWSCURRENT";

/// Reads a secret, or a member of one that is a JSON object.
pub(super) async fn read(secret: &AwsSecret, reference: &SecretRef) -> Result<Zeroizing<String>, SecretError> {
    let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).load().await;
    let told = Client::new(&config).get_secret_value().secret_id(&secret.id).version_stage(CURRENT).send().await;
    let text = told.map_err(|error| refusal(&error, reference))?.secret_string.map(Zeroizing::new);
    let not_there = || SecretError::NotThere(reference.clone());
    let text = text.ok_or_else(not_there)?;
    let Some(member) = &secret.member else { return Ok(text) };
    let object: serde_json::Value = serde_json::from_str(&text).map_err(|_| not_there())?;
    object[member].as_str().map(|text| Zeroizing::new(text.to_owned())).ok_or_else(not_there)
}

fn refusal(error: &SdkError<GetSecretValueError>, reference: &SecretRef) -> SecretError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (error.code(), status) {
        (Some("ResourceNotFoundException" | "InvalidRequestException"), _) => SecretError::NotThere(reference.clone()),
        (Some("AccessDeniedException" | "DecryptionFailure"), _) => SecretError::Denied(reference.clone()),
        (Some(code), Some(400..=403)) if !code.starts_with("Throttling") => {
            SecretError::Refused(format!("it answered {code}"))
        }
        (None, Some(status @ (401 | 403))) => SecretError::Refused(format!("it answered {status}")),
        (code, Some(status)) => SecretError::Unavailable(format!("it answered {status}{}", in_brackets(code))),
        (_, None) => SecretError::Unavailable(reason(error)),
    }
}
