//! `consentry simulate URL --as PRESET`: plays a caller against any server, step by step. No database is opened.

use std::{
    io::{self, BufRead, Read, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use oauth2::{ClientSecret, ResourceOwnerPassword};
use url::Url;

use super::{
    account::read_password,
    answer::{Answer, legible},
    failure::{self, Failure},
    flags::environment,
};
use crate::{
    clock::Clock,
    protocol::presets::{KnownBy, Preset},
    simulate::{
        callers,
        journey::{self, Step, Traveller},
        person::{Account, Person},
        registration::Typed,
        wire::Wire,
    },
    vault::{Keepers, SecretRef, reference::HOW_TO_WRITE},
};

/// More than any address has.
const ADDRESS_BYTES_MAX: u64 = 100_000;

/// In which way the caller is to become known.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    Document,
    Registration,
    Hand,
}

/// Where a client shows its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Place {
    Body,
    Header,
}

/// Who is played, and with what.
#[derive(Debug, Args)]
pub(super) struct Caller {
    /// The address to begin at: the API's, the MCP server's, or the plugin's host
    url: Url,
    /// Whose client is played: a name of `consentry preset list`, or plugin, action or connector
    #[arg(long = "as", value_name = "PRESET", default_value = "connector")]
    preset: String,
    /// How it becomes known; the first way that can work, where nothing is said
    #[arg(long, value_enum)]
    by: Option<Way>,
    /// The id of a client that was registered by hand
    #[arg(long)]
    client_id: Option<String>,
    /// Where its secret is: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REF")]
    client_secret_from: Option<String>,
    /// Where the secret goes; as caller and server can, where nothing is said
    #[arg(long, value_enum, requires = "client_secret_from")]
    client_secret_in: Option<Place>,
    /// The callback, where the preset leaves something open
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<String>,
    /// The scopes to ask for, in place of those the caller would find
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The authorization endpoint, where it is typed in, as into an action's editor
    #[arg(long, requires = "token_url", value_name = "URL")]
    authorization_url: Option<Url>,
    /// The token endpoint
    #[arg(long, requires = "authorization_url", value_name = "URL")]
    token_url: Option<Url>,
    /// A test account, which signs in by itself
    #[arg(long, requires = "password_file")]
    email: Option<String>,
    /// The file with its password
    #[arg(long, requires = "email", value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Caller {
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn preset(&self) -> Result<&'static Preset, Failure> {
        let unknown =
            || Failure::Misconfigured(format!("there is no preset \"{}\"; see consentry preset list", self.preset));
        callers::named(&self.preset).ok_or_else(unknown)
    }

    pub(super) fn typed(&self) -> Result<Typed, Failure> {
        let by = self.by.map(|way| match way {
            Way::Document => KnownBy::Document,
            Way::Registration => KnownBy::Registration,
            Way::Hand => KnownBy::Hand,
        });
        let client_secret = self.client_secret_from.as_deref().map(secret).transpose()?;
        let (client_id, redirect_uri) = (self.client_id.clone(), self.redirect_uri.clone());
        let by_header = self.client_secret_in.map(|place| place == Place::Header);
        let (scope, endpoints) = (self.scope.clone(), self.authorization_url.clone().zip(self.token_url.clone()));
        Ok(Typed { client_id, client_secret, redirect_uri, waiting_at: None, by, by_header, scope, endpoints })
    }

    pub(super) fn account(&self) -> Result<Option<Account>, Failure> {
        let (Some(email), Some(file)) = (&self.email, &self.password_file) else { return Ok(None) };
        let password = ResourceOwnerPassword::new(read_password(file)?.to_string());
        Ok(Some(Account { email: email.clone(), password }))
    }
}

fn secret(text: &str) -> Result<ClientSecret, Failure> {
    let wrong = |why: String| Failure::Misconfigured(format!("--client-secret-from: {why}"));
    let reference: SecretRef =
        text.parse().map_err(|_| wrong(format!("it is no reference to a secret; {HOW_TO_WRITE}")))?;
    let value = Keepers::new(&environment())
        .read_now(&reference)
        .map_err(|error| wrong(format!("{error}; {}", error.cure())))?;
    Ok(ClientSecret::new(value.reveal().to_owned()))
}

pub(super) fn run(caller: &Caller, as_json: bool) -> Result<Answer, Failure> {
    let preset = caller.preset()?;
    let wire = wire(callers::user_agent(preset), &caller.url)?;
    let (typed, account) = (caller.typed()?, caller.account()?);
    let mut steps = Vec::new();
    let mut tell = |step: Step| {
        if !as_json {
            let _ = writeln!(io::stdout(), "{}", told(&step));
        }
        steps.push(step);
    };
    let traveller = Traveller { preset, typed, account, person: &mut AtTerminal };
    let is_good = failure::runtime()?.block_on(journey::go(&wire, &caller.url, traveller, &mut tell));
    let json = serde_json::to_value(&steps).map_err(|error| Failure::not_done(error.to_string()))?;
    let text = if is_good { "It works from the first call to a refresh.".to_owned() } else { String::new() };
    if is_good {
        return Ok(Answer { json, text });
    }
    let failed = steps.iter().find(|step| !step.is_good).map_or("a step", |step| step.name);
    Answer { json, text }.print(as_json);
    Err(Failure::not_done(format!("{failed} failed")))
}

pub(super) fn wire(agent: &'static str, target: &Url) -> Result<Wire, Failure> {
    if !target.username().is_empty() || target.password().is_some() {
        return Err(Failure::Misconfigured("there is a user name in the address; write it without".to_owned()));
    }
    let failed = |error| Failure::not_done(format!("no request can be sent: {error}"));
    Wire::new(agent, Clock::system(), target).map_err(failed)
}

/// A step as lines. What a server says stays within its line, so that it cannot write one that is ours.
fn told(step: &Step) -> String {
    let line = |text: &str| legible(text).replace('\n', "\u{fffd}");
    let mut lines = vec![format!("{} {}: {}", if step.is_good { "✓" } else { "✗" }, step.name, line(&step.outcome))];
    for exchange in &step.exchanges {
        let body = |body: &String| (!body.is_empty()).then(|| format!("      {}", line(body)));
        let header = |header: &String| format!("      {}", line(header));
        lines.push(format!("    {}", line(&exchange.request)));
        lines.extend(exchange.request_headers.iter().map(header));
        lines.extend(body(&exchange.request_body));
        lines.push(format!("    → {}", line(&exchange.answer)));
        lines.extend(exchange.answer_headers.iter().map(header));
        lines.extend(body(&exchange.answer_body));
    }
    lines.join("\n")
}

/// Somebody at a terminal. All is said on standard error, so that `--json` stays JSON.
struct AtTerminal;

impl Person for AtTerminal {
    fn goes(&mut self, url: &Url, waiting_at: &str) {
        eprintln!("Open this in a browser, sign in and allow it:\n\n  {url}\n");
        eprintln!("Waiting for the browser at {waiting_at} …");
    }

    fn goes_and_tells(&mut self, url: &Url) -> Result<String, String> {
        eprintln!("Open this in a browser, sign in and allow it:\n\n  {url}\n");
        eprintln!("The last page may be one that cannot be shown. Paste its address here:");
        let mut line = String::new();
        io::stdin().lock().take(ADDRESS_BYTES_MAX).read_line(&mut line).map_err(|error| error.to_string())?;
        match line.trim() {
            "" => Err("no address was pasted".to_owned()),
            address => Ok(address.to_owned()),
        }
    }
}
