//! `consentry client callbacks` and what changes them: some callers show their callback only after they were given an id
//! and a secret, and some change it later.

use clap::Args;
use serde_json::json;

use super::{
    answer::{Answer, columns, shown},
    client::{failed, find, summary},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::client::Client,
    registry::clients::{Which, callbacks},
    store::callback_offers::CallbackOffer,
};

#[derive(Debug, Args)]
pub(super) struct AddCallback {
    /// The client's id
    client_id: String,
    /// Where people are sent back to; several may be given
    #[arg(required = true, value_name = "URL")]
    callbacks: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct OneCallback {
    /// The client's id
    client_id: String,
    /// The callback
    #[arg(value_name = "URL")]
    callback: String,
}

pub(super) async fn list(client_id: &str, desk: &Desk) -> Result<Answer, Failure> {
    let client = find(client_id, desk).await?;
    let offers = callbacks::offers(&desk.registry(), &client).await?;
    let offered = |offer: &CallbackOffer| {
        json!({
            "redirect_uri": offer.redirect_uri.as_str(),
            "first_seen_at": shown(offer.first_seen_at),
            "last_seen_at": shown(offer.last_seen_at),
            "seen": offer.seen,
        })
    };
    let mut json = summary(&client, None);
    json["offered"] = offers.iter().map(offered).collect();
    let mut text = may_send(&client);
    if !offers.is_empty() {
        let head = ["  CALLBACK", "FIRST ASKED FOR", "LAST", "TIMES"].map(str::to_owned);
        let row = |offer: &CallbackOffer| {
            let times = [shown(offer.first_seen_at), shown(offer.last_seen_at), offer.seen.to_string()];
            let [first, last, seen] = times;
            [format!("  {}", offer.redirect_uri), first, last, seen]
        };
        let rows: Vec<_> = std::iter::once(head).chain(offers.iter().map(row)).collect();
        text = format!(
            "{text}\n\nAsked for and refused, though they look like its own:\n{}\n\nAnybody can have caused these. Approve \
             one only if it is letter for letter the callback that the client shows: `consentry client approve-callback \
             {client_id} URL`.",
            columns(&rows)
        );
    }
    Ok(Answer { json, text })
}

pub(super) async fn add(arguments: &AddCallback, desk: &Desk) -> Result<Answer, Failure> {
    let id = &arguments.client_id;
    told(callbacks::add(&desk.registry(), which(id), &arguments.callbacks).await.map_err(|error| failed(error, id)))
}

pub(super) async fn remove(arguments: &OneCallback, desk: &Desk) -> Result<Answer, Failure> {
    let OneCallback { client_id: id, callback } = arguments;
    told(callbacks::remove(&desk.registry(), which(id), callback).await.map_err(|error| failed(error, id)))
}

pub(super) async fn approve(arguments: &OneCallback, desk: &Desk) -> Result<Answer, Failure> {
    let OneCallback { client_id: id, callback } = arguments;
    told(callbacks::approve(&desk.registry(), which(id), callback).await.map_err(|error| failed(error, id)))
}

pub(super) async fn dismiss(arguments: &OneCallback, desk: &Desk) -> Result<Answer, Failure> {
    let OneCallback { client_id: id, callback } = arguments;
    callbacks::dismiss(&desk.registry(), id, callback).await.map_err(|error| failed(error, id))?;
    let client = find(id, desk).await?;
    let text = format!("{callback} is offered no more, unless it is asked for again.");
    Ok(Answer { json: summary(&client, None), text })
}

/// A client as it is, whatever its version.
fn which(client_id: &str) -> Which<'_> {
    Which { client_id, seen: None }
}

fn told(outcome: Result<Client, Failure>) -> Result<Answer, Failure> {
    let client = outcome?;
    Ok(Answer { json: summary(&client, None), text: may_send(&client) })
}

fn may_send(client: &Client) -> String {
    let Client { client_id, name, redirect_uris, .. } = client;
    if redirect_uris.is_empty() {
        return format!("{client_id} ({name}) may send people nowhere.");
    }
    let listed: Vec<String> = redirect_uris.iter().map(|uri| format!("  {uri}")).collect();
    format!("{client_id} ({name}) may now send people to:\n{}", listed.join("\n"))
}
