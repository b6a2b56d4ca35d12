//! `consentry client rotate-secret` and `end-secret`: a new secret beside the old one, and the end of the old one.

use chrono::TimeDelta;
use clap::Args;

use super::{
    answer::{Answer, shown},
    client::{self, failed, summary},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::id::ClientSecretId,
    registry::clients::secrets::{self, Rotated},
};

#[derive(Debug, Args)]
pub(super) struct RotateSecret {
    /// The client's id
    client_id: String,
    /// How long the old secret stays valid, so that it can be replaced everywhere; 0 ends it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(0..=2_592_000))]
    keep_old: u32,
}

#[derive(Debug, Args)]
pub(super) struct EndSecret {
    /// The client's id
    client_id: String,
    /// The secret's own id, as `consentry client show` has it; not the secret
    #[arg(value_name = "SECRET_ID")]
    secret: uuid::Uuid,
}

pub(super) async fn rotate(arguments: &RotateSecret, desk: &Desk) -> Result<Answer, Failure> {
    let RotateSecret { client_id: id, keep_old } = arguments;
    let keep = TimeDelta::seconds(i64::from(*keep_old));
    let rotated = secrets::rotate(&desk.registry(), id, keep).await.map_err(|error| failed(error, id))?;
    let Rotated { client, secret, old_expires_at } = rotated;
    let old = match keep_old {
        0 => "The old one is no longer valid.".to_owned(),
        _ => format!("The old one is valid until {}; replace it before.", shown(old_expires_at)),
    };
    let message =
        format!("New secret of {} ({}), shown this once:\n  {}\n{old}", client.client_id, client.name, secret.reveal());
    Ok(Answer { json: summary(&client, Some(&secret)), text: message })
}

pub(super) async fn end(arguments: &EndSecret, desk: &Desk) -> Result<Answer, Failure> {
    let EndSecret { client_id: id, secret } = arguments;
    let ended = secrets::end(&desk.registry(), id, ClientSecretId(*secret)).await;
    let client = ended.map_err(|error| failed(error, id))?;
    let left = client::secrets(&client.secrets);
    let text = format!("Ended. What {} ({}) still has:\n{left}", client.client_id, client.name);
    Ok(Answer { json: summary(&client, None), text })
}
