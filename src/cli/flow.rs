//! `consentry flow …`: attempts to connect, each told as a timeline, with one sentence for every refusal.

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::{
        attempt::Attempt,
        flow::{FlowEvent, FlowId, Outcome},
    },
    store::flows::{BeforeQuery, FlowQuery},
};

/// Documents read so long before a flow began may have been read for it.
const DISCOVERY_BEFORE: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the newest attempts to connect
    List(List),
    /// Tell one from its first step to its last
    Show(Show),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this client
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Only those in which something was refused, or failed
    #[arg(long)]
    refused: bool,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The flow's id, or that of a connection: `family` in an access token, `family.id` in the log
    id: Uuid,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<Answer, Failure> {
    match command {
        Command::List(arguments) => list(arguments, desk).await,
        Command::Show(arguments) => show(&arguments, desk).await,
    }
}

fn summary(flow: &Attempt) -> Value {
    let (first, last) = (flow.events.first(), flow.events.last());
    json!({
        "flow_id": flow.id,
        "began_at": first.map(|event| shown(event.at)),
        "last_at": last.map(|event| shown(event.at)),
        "client_id": flow.client(),
        "resource": flow.resource(),
        "state": flow.standing().as_str(),
        "step": last.map(|event| event.step),
        "says": last.map(|event| &event.says),
    })
}

fn row(flow: &Attempt) -> [String; 5] {
    let last = flow.events.last();
    [
        flow.id.to_string(),
        flow.events.first().map(|event| shown(event.at)).unwrap_or_default(),
        flow.client().unwrap_or("-").to_owned(),
        format!("{} at {}", flow.standing().as_str(), last.map_or("", |event| event.step.as_str())),
        last.map(|event| event.says.clone()).unwrap_or_default(),
    ]
}

async fn list(arguments: List, desk: &Desk) -> Result<Answer, Failure> {
    let List { client, refused, limit } = arguments;
    let query = FlowQuery { client_id: client, refused, flows_max: limit };
    let flows = Attempt::sort(desk.store.flows(&query).await?);
    let json = flows.iter().map(summary).collect();
    let text = if flows.is_empty() {
        "Nobody has tried to connect, or not within a week.".to_owned()
    } else {
        let head = ["FLOW", "BEGAN", "CLIENT", "STATE", "LAST"].map(str::to_owned);
        columns(&std::iter::once(head).chain(flows.iter().map(row)).collect::<Vec<_>>())
    };
    Ok(Answer { json, text })
}

async fn show(arguments: &Show, desk: &Desk) -> Result<Answer, Failure> {
    let id = FlowId::of(arguments.id);
    let flow = Attempt { id, events: desk.store.flow(id).await? };
    if flow.events.is_empty() {
        return Err(Failure::not_done(format!("nothing is known of {id}; flows are kept for a week")));
    }
    let query = BeforeQuery {
        client_id: flow.client().map(str::to_owned),
        resource: flow.resource().map(str::to_owned),
        from: id.began_at() - DISCOVERY_BEFORE,
        until: id.began_at(),
    };
    let before = desk.store.before_a_flow(id, &query).await?;
    let mut json = summary(&flow);
    json["events"] = flow.events.iter().map(told).collect();
    json["before"] = before.iter().map(told).collect();
    Ok(Answer { json, text: timeline(&flow, &before) })
}

fn told(event: &FlowEvent) -> Value {
    json!({
        "at": shown(event.at),
        "step": event.step,
        "outcome": event.outcome,
        "says": event.says,
        "address": event.address,
        "user_agent": event.user_agent,
        "request_id": event.request_id,
    })
}

fn timeline(flow: &Attempt, before: &[FlowEvent]) -> String {
    let mut lines = vec![
        format!("{} of {}, for {}", flow.id, flow.client().unwrap_or("nobody known"), flow.resource().unwrap_or("-")),
        String::new(),
    ];
    if !before.is_empty() {
        lines.push("Shortly before, for this or another attempt:".to_owned());
        lines.extend(before.iter().map(line));
        lines.push(String::new());
    }
    lines.extend(flow.events.iter().map(line));
    lines.push(String::new());
    lines.push(flow.standing().says().to_owned());
    lines.join("\n")
}

fn line(event: &FlowEvent) -> String {
    let mark = match event.outcome {
        Outcome::Done => "✓",
        Outcome::Refused | Outcome::Failed => "✗",
    };
    let by = event.user_agent.as_deref().unwrap_or("no user agent");
    let from = event.address.as_deref().unwrap_or("an unknown address");
    let step = event.step.as_str();
    format!("  {}  {mark} {step:<14} {}\n{:>30}({by}, from {from})", shown(event.at), event.says, "")
}
