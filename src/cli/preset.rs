//! `consentry preset …`: the callers that are known, from the table of `protocol::presets`. No database is opened.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns},
    failure::Failure,
};
use crate::protocol::presets::{self, KnownBy, PinnedDocument, Preset, Quirk};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the callers that are known, and how they become known to a server
    List,
    /// Show all that is known of one, with the day it was read and where
    Show(Show),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its name in the list
    name: String,
}

pub(super) fn run(command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::List => Ok(list()),
        Command::Show(Show { name }) => show(name),
    }
}

fn list() -> Answer {
    let head = ["PRESET", "CALLER", "SPEAKS AS", "KNOWN BY", "READ"].map(str::to_owned);
    let row = |preset: &Preset| {
        let Preset { name, about, dialect, read_at, .. } = preset;
        [name.clone(), about.clone(), dialect.as_str().to_owned(), known_by(preset), read_at.clone()]
    };
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(presets::all().iter().map(row)).collect();
    let text = format!("{}\n\nAll that is known of one: consentry preset show PRESET", columns(&rows));
    Answer { json: presets::all().iter().map(summary).collect(), text }
}

fn show(name: &str) -> Result<Answer, Failure> {
    let unknown = || Failure::not_done(format!("there is no preset \"{name}\"; see consentry preset list"));
    let preset = presets::named(name).ok_or_else(unknown)?;
    let methods = if preset.methods.is_empty() { "not known".to_owned() } else { preset.methods.join(", ") };
    let mut rows = vec![
        ["Made by".to_owned(), preset.vendor.clone()],
        ["Speaks as".to_owned(), preset.dialect.as_str().to_owned()],
        ["Known by".to_owned(), known_by(preset)],
        ["Proves itself by".to_owned(), methods],
    ];
    let lines = |label: &str, values: Vec<String>| {
        let labels = std::iter::once(label.to_owned()).chain(std::iter::repeat(String::new()));
        labels.zip(values).map(|(label, value)| [label, value]).collect::<Vec<_>>()
    };
    rows.extend(lines("Callbacks", preset.callbacks.clone()));
    rows.extend(lines("Documents", preset.documents.iter().map(|known| known.address.as_str().to_owned()).collect()));
    rows.push(["Read".to_owned(), format!("{}: {}", preset.read_at, preset.source)]);
    let quirks =
        preset.quirks.iter().map(|Quirk { says, read_at, source }| format!("\n- {says}\n  ({read_at}: {source})"));
    let text = format!("{} ({})\n\n{}\n{}", preset.about, preset.name, columns(&rows), quirks.collect::<String>());
    Ok(Answer { json: summary(preset), text })
}

fn summary(preset: &Preset) -> Value {
    let document = |PinnedDocument { address, read_at, source, .. }: &PinnedDocument| {
        let address = address.as_str();
        json!({ "address": address, "read_at": read_at, "source": source })
    };
    json!({
        "name": preset.name,
        "about": preset.about,
        "vendor": preset.vendor,
        "preset": preset.dialect,
        "known_by": preset.known_by,
        "authentication_methods": preset.methods,
        "redirect_uris": preset.callbacks,
        "read_at": preset.read_at,
        "source": preset.source,
        "quirks": preset.quirks,
        "documents": preset.documents.iter().map(document).collect::<Vec<_>>(),
    })
}

fn known_by(preset: &Preset) -> String {
    let in_words = |way: &KnownBy| match way {
        KnownBy::Document => "its document",
        KnownBy::Registration => "registering itself",
        KnownBy::Hand => "client add",
    };
    preset.known_by.iter().map(in_words).collect::<Vec<_>>().join(", ")
}
