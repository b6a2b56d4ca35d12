//! `consentry plugin numbers`: how a plugin is used, over a day, a month or a year.

use clap::{Args, builder::PossibleValuesParser};
use serde_json::json;

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
};
use crate::model::counts::{Grain, Numbers, Period, Refusal, Slot};

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The plugin's short name
    slug: String,
    /// Over how long: 24 hours, 30 days or 12 months
    #[arg(long, value_name = "PERIOD", default_value = "day", value_parser = PossibleValuesParser::new(Period::ALL.map(Period::as_str)))]
    over: String,
}

pub(super) async fn run(arguments: &Show, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let period: Period = arguments.over.parse().map_err(|error| Failure::not_done(format!("--over: {error}")))?;
    let now = desk.clock.now();
    let from = period.starts(now).first().copied().unwrap_or(now);
    let rows = desk.store.counts(plugin.id, period.grain(), from).await?;
    let numbers = Numbers::of(period, now, &rows);
    let connected = desk.store.connected(plugin.id).await?;
    let (people, connections) = connected.map_or((0, 0), |connected| (connected.people, connected.connections));
    let json = json!({
        "plugin_id": plugin.id,
        "slug": plugin.slug,
        "over": period,
        "connected_people": people,
        "connections": connections,
        "counted_at": connected.map(|connected| shown(connected.counted_at)),
        "parts": numbers.slots.iter().map(|slot| json!({
            "starts_at": shown(slot.starts_at),
            "connected_people": slot.people,
            "connections_new": slot.gained,
            "connections_lost": slot.lost,
            "token_requests": slot.token_requests,
            "refused": slot.refused,
        })).collect::<Vec<_>>(),
        "refusals": numbers.refusals.iter().map(|(reason, count)| json!({
            "reason": reason.as_str(),
            "says": reason.says(),
            "count": count,
        })).collect::<Vec<_>>(),
    });
    let head = ["FROM (UTC)", "PEOPLE", "NEW", "LOST", "TOKEN REQUESTS", "REFUSED"].map(str::to_owned);
    let mut text = format!(
        "People connected to {}: {people}, by {connections} connections.\n\n{}",
        plugin.slug,
        columns(
            &std::iter::once(head)
                .chain(numbers.slots.iter().map(|slot| row(period.grain(), slot)))
                .collect::<Vec<_>>()
        )
    );
    if !numbers.refusals.is_empty() {
        let told = |(reason, count): &(Refusal, i64)| {
            [count.to_string(), reason.as_str().to_owned(), reason.says().to_owned()]
        };
        let head = ["REFUSED", "REASON", ""].map(str::to_owned);
        let lines: Vec<[String; 3]> = std::iter::once(head).chain(numbers.refusals.iter().map(told)).collect();
        text = format!("{text}\n\n{}", columns(&lines));
    }
    Ok(Answer { json, text })
}

fn row(grain: Grain, slot: &Slot) -> [String; 6] {
    let shape = match grain {
        Grain::Hour => "%Y-%m-%d %H:%M",
        Grain::Day => "%Y-%m-%d",
        Grain::Month => "%Y-%m",
    };
    [
        slot.starts_at.format(shape).to_string(),
        slot.people.map_or_else(|| "-".to_owned(), |people| people.to_string()),
        slot.gained.to_string(),
        slot.lost.to_string(),
        slot.token_requests.to_string(),
        slot.refused.to_string(),
    ]
}
