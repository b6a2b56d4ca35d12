//! The command line: whatever the console can do, done from a shell. One file per group of commands.
//!
//! `flags` and `config` say where everything is, `desk` opens it, a command does one thing and answers, `answer`
//! prints it: for people, or with `--json` for programs. `failure` decides the exit code: 0 done, 1 could not be
//! done, 2 configuration or usage.

#![expect(clippy::print_stderr, reason = "printing is what a command line is for")]

mod account;
mod answer;
mod client;
mod client_add;
mod config_example;
mod desk;
mod failure;
mod flags;
mod migrate;
mod plugin;
mod plugin_import;
mod run;
mod serve;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

use self::{answer::Answer, desk::Desk, failure::Failure, flags::ConfigFlags};

/// Lets assistants into your API with your users' consent.
#[derive(Debug, Parser)]
#[command(name = "consentry", version, arg_required_else_help = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    config: ConfigFlags,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Bring the database up to this version
    Migrate,
    /// People who can sign in
    #[command(subcommand)]
    Account(account::Command),
    /// APIs, and the documents about them
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Programs that may ask for access
    #[command(subcommand)]
    Client(client::Command),
    /// Print an example configuration with every key
    ConfigExample,
}

/// Does what the command line asks and tells the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too, and go to standard output with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let as_json = arguments.json;
    match dispatch(arguments) {
        Ok(answer) => answer.print(as_json),
        Err(failure) => failure.print(),
    }
}

fn dispatch(arguments: Arguments) -> Result<Answer, Failure> {
    let Arguments { config, command, .. } = arguments;
    match command {
        Command::Serve => serve::run(&config),
        Command::Migrate => at_desk(&config, Desk::open_unmigrated, async |desk| migrate::run(desk).await),
        Command::Account(command) => at_desk(&config, Desk::open, async |desk| account::run(command, desk).await),
        Command::Plugin(command) => at_desk(&config, Desk::open, async |desk| plugin::run(command, desk).await),
        Command::Client(command) => at_desk(&config, Desk::open, async |desk| client::run(command, desk).await),
        Command::ConfigExample => Ok(config_example::run()),
    }
}

/// Opens the store, does one thing with it, and closes it again whatever came of it.
fn at_desk(
    flags: &ConfigFlags,
    open: impl AsyncFnOnce(&crate::config::Config) -> Result<Desk, Failure>,
    act: impl AsyncFnOnce(&Desk) -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    let config = flags.command_config()?;
    failure::runtime()?.block_on(async {
        let desk = open(&config).await?;
        let outcome = act(&desk).await;
        desk.store.close().await;
        outcome
    })
}

#[cfg(test)]
mod tests;
