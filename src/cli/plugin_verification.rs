//! `consentry plugin verification-token`, `verify` and `challenge`: what assistants hand out to see whose a plugin is,
//! and whether they will find it.

use clap::Args;
use serde_json::{Value, json};

use super::{
    answer::{Answer, shown},
    desk::Desk,
    failure::Failure,
    flags::secret_from,
    plugin::{manifest_url, summary},
};
use crate::{
    model::{
        plugin::PluginState,
        verification::{Finding, Verification},
    },
    outbound::Outbound,
    protocol::manifest,
    registry::{
        RegistryError,
        verification::{self, Verified},
    },
};

#[derive(Debug, Args)]
pub(super) struct Token {
    /// The plugin's short name
    slug: String,
    /// Where the token is: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REF")]
    from: String,
    /// What the manifest calls whoever hands it out
    #[arg(long, default_value = manifest::SERVICE)]
    service: String,
}

#[derive(Debug, Args)]
pub(super) struct Challenge {
    /// The plugin's short name
    slug: String,
    /// Where the token is: `file:PATH` or `env:NAME`
    #[arg(long, value_name = "REF")]
    from: String,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The plugin's short name
    slug: String,
}

pub(super) async fn set_token(arguments: &Token, desk: &Desk) -> Result<Answer, Failure> {
    let token = secret_from("--from", &arguments.from)?;
    let plugin = desk.plugin(&arguments.slug).await?;
    let set =
        verification::set_verification_token(&desk.registry(), (plugin.id, None), &arguments.service, token.reveal())
            .await;
    let plugin = set.map_err(about_from)?;
    let text = format!(
        "The manifest of \"{}\" publishes the token now: {}\nNext: let the assistant verify it, and see whether it \
         will: consentry plugin verify {}",
        plugin.slug,
        manifest_url(desk, &plugin),
        plugin.slug,
    );
    Ok(Answer { json: summary(&plugin), text })
}

pub(super) async fn set_challenge(arguments: &Challenge, desk: &Desk) -> Result<Answer, Failure> {
    let token = secret_from("--from", &arguments.from)?;
    let plugin = desk.plugin(&arguments.slug).await?;
    verification::set_challenge(&desk.registry(), (plugin.id, None), token.reveal()).await.map_err(about_from)?;
    let place = format!("{}://{}{}", desk.scheme(&plugin.host), plugin.host, manifest::CHALLENGE_PLACE);
    let text = format!("The proof of the domain of \"{}\" is served at {place}", plugin.slug);
    Ok(Answer { json: summary(&plugin), text })
}

pub(super) async fn verify(arguments: &Verify, desk: &Desk, as_json: bool) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let outbound = Outbound::new(desk.outbound.clone()).map_err(|error| Failure::not_done(error.to_string()))?;
    let Verified { plugin, verification } = verification::verify(&desk.registry(), &outbound, plugin.id).await?;
    let mut json = summary(&plugin);
    json["verification"] = remembered(&verification);
    let answer = Answer { json, text: told(&verification) };
    if plugin.state == PluginState::Verified {
        return Ok(answer);
    }
    answer.print(as_json);
    Err(Failure::not_done(format!("the plugin \"{}\" is not verified; it is {}", plugin.slug, plugin.state.as_str())))
}

/// What is remembered, for programs.
pub(super) fn remembered(verification: &Verification) -> Value {
    let look = verification.look.as_ref();
    json!({
        "outcome": look.map(|look| look.outcome),
        "says": look.map(|look| &look.says),
        "findings": look.map(|look| &look.findings),
        "looked_at": look.map(|look| shown(look.at)),
        "verified_at": verification.verified_at.map(shown),
        "next_look_at": verification.due_at.map(shown),
    })
}

/// What is remembered, for people.
pub(super) fn told(verification: &Verification) -> String {
    let Some(look) = &verification.look else { return "Nobody has looked since it was changed.".to_owned() };
    let mut lines = vec![look.says.clone()];
    for Finding { field, says, served, found } in &look.findings {
        lines.push(format!("  {field}: {says}"));
        lines.extend(served.iter().map(|value| format!("      served here: {value}")));
        lines.extend(found.iter().map(|value| format!("      found there: {value}")));
    }
    lines.join("\n")
}

/// What is wrong with the token is said of where it was read.
fn about_from(mut error: RegistryError) -> Failure {
    if let RegistryError::Wrong(wrong) = &mut error {
        wrong.iter_mut().filter(|wrong| wrong.field == "token").for_each(|wrong| wrong.field = "from");
    }
    error.into()
}
