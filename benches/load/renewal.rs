//! A client's secret renewed while its programs ask for 500 tokens a second: from then on half of them show the new one,
//! and none is refused.

use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::RwLock;

use super::{CALLERS, Outcome, prepared::Registered};

/// How many tokens are asked for in a second, by all callers together.
const RATE: u32 = 500;

/// How long; the secret is renewed in the middle.
const LASTS: Duration = Duration::from_secs(20);

/// Asks for tokens all the time, renews the secret with the command line, and fails if anybody was refused.
#[expect(clippy::disallowed_methods, reason = "a load program measures real time")]
pub async fn under_load(engine: &str, public_url: &str, client: &Registered, consentry: Command) -> Outcome<()> {
    let newest = Arc::new(RwLock::new(client.secret.clone()));
    let pace = Duration::from_secs(1) * u32::try_from(CALLERS)? / RATE;
    let begun = Instant::now();
    let callers = (0..CALLERS).map(|number| {
        let (newest, address) = (Arc::clone(&newest), format!("{public_url}/token"));
        let (id, old, http) = (client.id.clone(), client.secret.clone(), reqwest::Client::new());
        tokio::spawn(async move {
            let mut turns = tokio::time::interval(pace);
            let (mut answered, mut refused, mut with_new) = (0_u32, 0_u32, 0_u32);
            while begun.elapsed() < LASTS {
                turns.tick().await;
                let secret = if number % 2 == 0 { newest.read().await.clone() } else { old.clone() };
                let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
                let answer = http.post(&address).form(&form).send().await?;
                answered += 1;
                refused += u32::from(!answer.status().is_success());
                with_new += u32::from(secret != old);
            }
            Outcome::Ok((answered, refused, with_new))
        })
    });
    let callers: Vec<_> = callers.collect();
    tokio::time::sleep(LASTS / 2).await;
    *newest.write().await = renew(consentry, &client.id).await?;
    let (mut answered, mut refused, mut with_new) = (0, 0, 0);
    for caller in callers {
        let counts = caller.await??;
        (answered, refused, with_new) = (answered + counts.0, refused + counts.1, with_new + counts.2);
    }
    let rate = f64::from(answered) / begun.elapsed().as_secs_f64();
    println!(
        "{engine}: a secret renewed beside {rate:.0} token requests/s: {answered} answered, {with_new} of them with the \
         new secret, {refused} refused"
    );
    if refused > 0 { Err("somebody was refused while a secret was renewed".into()) } else { Ok(()) }
}

async fn renew(mut consentry: Command, client_id: &str) -> Outcome<String> {
    consentry.args(["client", "rotate-secret", client_id, "--json"]);
    let output = tokio::task::spawn_blocking(move || consentry.output()).await??;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(json["client_secret"].as_str().ok_or("no new secret")?.to_owned())
}
