//! `consentry client add-callback`: for callers that show their callback only after they were given an id and a secret.

use clap::Args;

use super::{
    answer::Answer,
    client::summary,
    client_add::{Callbacks, callbacks},
    desk::{Desk, audit},
    failure::Failure,
};

/// More than any caller is known to use, and few enough to compare at every request.
const TOTAL_MAX: usize = 40;

#[derive(Debug, Args)]
pub(super) struct AddCallback {
    /// The client's id
    client_id: String,
    /// Where people are sent back to; several may be given
    #[arg(required = true, value_name = "URL")]
    callbacks: Vec<String>,
}

pub(super) async fn run(arguments: &AddCallback, desk: &Desk) -> Result<Answer, Failure> {
    let at = desk.clock.now();
    let unknown = || Failure::not_done(format!("there is no client \"{}\"", arguments.client_id));
    let known = desk.store.client(&arguments.client_id, at).await?.ok_or_else(unknown)?;
    let Callbacks { uris, .. } = callbacks(known.dialect, &arguments.callbacks)?;
    let total = known.redirect_uris.len() + uris.iter().filter(|uri| !known.redirect_uris.contains(uri)).count();
    if total > TOTAL_MAX {
        return Err(Failure::not_done(format!("a client can have at most {TOTAL_MAX} callbacks")));
    }
    let client = desk.store.add_redirect_uris(&known.client_id, &uris, &audit(at)).await?.ok_or_else(unknown)?;
    let listed: Vec<String> = client.redirect_uris.iter().map(|uri| format!("  {uri}")).collect();
    let text = format!("{} ({}) may now send people to:\n{}", client.client_id, client.name, listed.join("\n"));
    Ok(Answer { json: summary(&client, None), text })
}
