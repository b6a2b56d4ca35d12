//! `consentry audit export`: the log as it is stored, for somewhere else.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use chrono::{DateTime, NaiveDate, NaiveTime};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    answer::{self, Answer, shown},
    desk::Desk,
    failure::Failure,
};
use crate::{
    audit::export::{Export, Exported, Part},
    model::Timestamp,
    registry::log::cell,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One JSON object a line, or a table
    #[arg(long, value_enum)]
    format: Format,
    /// Only what concerns this plugin
    #[arg(long, value_name = "SLUG")]
    plugin: Option<String>,
    /// Only what happened then or later: a day in UTC, or a time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only what happened before
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Where to; it must not be there yet
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// The fields, in the order of the table's columns.
const FIELDS: [&str; 14] = [
    "id",
    "at",
    "action",
    "actor",
    "actor_id",
    "token_id",
    "token_name",
    "address",
    "request_id",
    "account_id",
    "client_id",
    "plugin_id",
    "detail",
    "link",
];

pub(super) async fn run(arguments: &Arguments, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = match &arguments.plugin {
        Some(slug) => Some(desk.plugin(slug).await?.id),
        None => None,
    };
    let part = Part { plugin, since: arguments.since, until: arguments.until };
    let mut export = Export::of(&desk.store, part);
    let Some(path) = &arguments.output else {
        return match write(&mut export, arguments.format, &mut BufWriter::new(io::stdout().lock())).await? {
            // A reader that has seen enough, like `head`, is no failure.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::not_done(error.to_string())),
            _ => Ok(Answer::nothing()),
        };
    };
    let refused = |error: io::Error| Failure::not_done(format!("--output: {}: {error}", path.display()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(refused)?;
    let mut file = BufWriter::new(file);
    let events = write(&mut export, arguments.format, &mut file).await?.map_err(refused)?;
    file.into_inner().map_err(|error| refused(error.into_error()))?.sync_all().map_err(refused)?;
    let text = format!("Wrote {events} events to {}.", path.display());
    Ok(Answer { json: json!({ "events": events, "output": path }), text })
}

/// Writes all of it, and says how many events that were.
async fn write(export: &mut Export<'_>, format: Format, to: &mut impl Write) -> Result<io::Result<u64>, Failure> {
    let mut events = 0;
    if matches!(format, Format::Csv)
        && let Err(error) = to.write_all(head().as_bytes())
    {
        return Ok(Err(error));
    }
    loop {
        let page = export.page().await?;
        if page.is_empty() {
            return Ok(to.flush().map(|()| events));
        }
        events += page.len() as u64;
        let lines: String = page.iter().map(|one| line(format, one)).collect();
        if let Err(error) = to.write_all(lines.as_bytes()) {
            return Ok(Err(error));
        }
    }
}

fn head() -> String {
    FIELDS.map(cell).join(",") + "\r\n"
}

fn line(format: Format, one: &Exported) -> String {
    let fields = fields(one);
    match format {
        Format::Jsonl => {
            let object: serde_json::Map<String, Value> =
                FIELDS.iter().map(|name| (*name).to_owned()).zip(fields).collect();
            answer::escaped(&Value::Object(object)) + "\n"
        }
        Format::Csv => {
            let text = |field: &Value| match field {
                Value::Null => String::new(),
                Value::String(text) => answer::legible(text),
                other => answer::escaped(other),
            };
            fields.iter().map(|field| cell(&text(field))).collect::<Vec<_>>().join(",") + "\r\n"
        }
    }
}

fn fields(Exported { event, link }: &Exported) -> [Value; 14] {
    [
        json!(event.id),
        json!(shown(event.at)),
        json!(event.action),
        json!(event.actor),
        json!(event.actor_id),
        json!(event.token_id),
        json!(event.token_name),
        json!(event.address),
        json!(event.request_id),
        json!(event.account_id),
        json!(event.client_id),
        json!(event.plugin_id),
        event.detail.clone(),
        json!(link),
    ]
}

fn time(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let time = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    day()
        .or_else(time)
        .ok_or_else(|| "write a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_and_a_time_has_its_zone() {
        assert_eq!(time("2027-01-31").map(shown), Ok("2027-01-31T00:00:00.000Z".to_owned()));
        assert_eq!(time("2027-01-31T12:00:00.5+02:00").map(shown), Ok("2027-01-31T10:00:00.500Z".to_owned()));
        assert!(["", "yesterday", "2027-02-30", "2027-01-31T12:00:00"].iter().all(|text| time(text).is_err()));
    }
}
