//! The command line: whatever the console can do, done from a shell. One file per group of commands.
//!
//! `flags` and `config` say where everything is, `desk` opens it, a command does one thing and answers, `answer`
//! prints it: for people, or with `--json` for programs. `failure` decides the exit code: 0 done, 1 could not be
//! done, 2 configuration or usage.

#![expect(clippy::print_stderr, reason = "printing is what a command line is for")]

mod account;
mod account_changes;
mod account_import;
mod answer;
mod audit;
mod audit_export;
mod audit_verify;
mod client;
mod client_add;
mod client_callbacks;
mod client_changes;
mod client_keys;
mod client_secrets;
mod config_example;
pub mod demo;
mod desk;
mod doctor;
mod failure;
mod flags;
mod flow;
mod key;
mod key_reseal;
mod migrate;
mod owner_token;
mod plugin;
mod plugin_access;
mod plugin_import;
mod plugin_numbers;
mod plugin_people;
mod plugin_routes;
mod plugin_verification;
mod plugin_webhook;
mod preset;
mod resource;
mod run;
mod secret;
mod secret_list;
pub mod serve;
mod simulate;

use std::{ffi::OsString, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use self::{answer::Answer, desk::Desk, failure::Failure, flags::ConfigFlags};
use crate::{
    config::{Checked, Config, LogFormat},
    telemetry,
};

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
    /// Run everything with nothing configured: a sample API, a sample plugin, sample people
    Demo(Demo),
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
    /// People whom rules of who may connect name together
    #[command(subcommand)]
    Group(plugin_access::Group),
    /// What tokens can be for: each plugin's API, and further ones such as its MCP server
    #[command(subcommand)]
    Resource(resource::Command),
    /// Programs that may ask for access
    #[command(subcommand)]
    Client(client::Command),
    /// Tokens with which owners' programs use the owners' API
    #[command(subcommand)]
    OwnerToken(owner_token::Command),
    /// Callers that are known: their callbacks, their methods, and what is odd about them
    #[command(subcommand)]
    Preset(preset::Command),
    /// Attempts to connect, and where each of them stopped
    #[command(subcommand)]
    Flow(flow::Command),
    /// API keys that go into requests to a plugin's API
    #[command(subcommand)]
    Secret(secret::Command),
    /// Keys that sign, authenticate and seal
    #[command(subcommand)]
    Key(key::Command),
    /// Who changed what, when and from where
    #[command(subcommand)]
    Audit(audit::Command),
    /// Play a caller against any server, step by step
    Simulate(simulate::Caller),
    /// Say what is right about a server, what is wrong, and how to cure it
    Doctor(simulate::Caller),
    /// Print an example configuration with every key
    ConfigExample,
}

#[derive(Debug, Args)]
struct Demo {
    /// The first of three ports on this computer; 0 takes any that are free
    #[arg(long, default_value_t = 8080)]
    port: u16,
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
    let Arguments { config, json, command } = arguments;
    match command {
        Command::Demo(Demo { port }) => {
            failure::runtime()?
                .block_on(demo::run(demo::Options { port, json }))
                .map_err(|error| Failure::not_done(format!("the demo stopped: {error}")))?;
            Ok(Answer::nothing())
        }
        Command::Serve => run_server(&config),
        Command::Migrate => at_desk(&config, Desk::open_unmigrated, async |desk| migrate::run(desk).await),
        Command::Account(command) => at_desk(&config, Desk::open, async |desk| account::run(command, desk).await),
        Command::Plugin(command) => {
            at_desk(&config, Desk::open, async |desk| plugin::run(command, desk, (json, &config)).await)
        }
        Command::Group(command) => at_desk(&config, Desk::open, async |desk| plugin_access::group(command, desk).await),
        Command::Resource(command) => {
            at_desk(&config, Desk::open, async |desk| resource::run(command, desk, &config).await)
        }
        Command::Client(command) => at_desk(&config, Desk::open, async |desk| client::run(command, desk).await),
        Command::OwnerToken(command) => {
            at_desk(&config, Desk::open, async |desk| owner_token::run(command, desk).await)
        }
        Command::Flow(command) => at_desk(&config, Desk::open, async |desk| flow::run(command, desk).await),
        Command::Secret(command) => {
            at_desk(&config, Desk::open, async |desk| secret::run(command, desk, &config).await)
        }
        Command::Key(command) => at_desk(&config, Desk::open, async |desk| key::run(command, desk, &config).await),
        Command::Audit(command) => {
            at_desk(&config, Desk::open, async |desk| audit::run(command, desk, (json, &config)).await)
        }
        Command::Preset(command) => preset::run(&command),
        Command::Simulate(caller) => simulate::run(&caller, json),
        Command::Doctor(caller) => doctor::run(&caller, json),
        Command::ConfigExample => Ok(config_example::run()),
    }
}

/// Checks everything, sets up logging, and serves until it is asked to stop.
fn run_server(flags: &ConfigFlags) -> Result<Answer, Failure> {
    let Checked { config, warnings } = flags.serve_config()?;
    let form = match config.log.format {
        LogFormat::Text => telemetry::Form::Text,
        LogFormat::Json => telemetry::Form::Json,
    };
    let collector = config.traces.as_ref().map(|traces| telemetry::Collector {
        endpoint: traces.endpoint.clone(),
        authorization: traces.authorization.clone(),
        authorities: config.outbound.authorities.clone(),
    });
    let telemetry = telemetry::start(&config.log.filter, form, collector);
    let telemetry = telemetry.map_err(|error| Failure::not_done(error.to_string()))?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let served = failure::runtime()?.block_on(serve::serve(config));
    telemetry.end();
    served?;
    Ok(Answer::nothing())
}

/// Opens the store, does one thing with it, and closes it again whatever came of it.
fn at_desk(
    flags: &ConfigFlags,
    open: impl AsyncFnOnce(&Config) -> Result<Desk, Failure>,
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
