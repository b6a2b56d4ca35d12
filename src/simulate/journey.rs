//! The journey: what a caller does from the address somebody typed to its first call, and one refresh more.
//! Each step is told as soon as it is done, so that whoever waits sees where it stopped.

use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::{
    api::Api,
    arrival::{self, Arrival},
    discovery::Discovery,
    endpoints::{self, Endpoints, Sender},
    exchange::Exchange,
    person::{self, Account, Ended, Person},
    registration::{self, Client, Typed, told},
    tokens::{Counter, Tokens},
    wire::{Heard, Wire},
};
use crate::protocol::presets::Preset;

/// A step that was done.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What it is.
    pub name: &'static str,
    /// What was said, secrets shortened.
    pub exchanges: Vec<Exchange>,
    /// Whether the caller can go on.
    pub is_good: bool,
    /// What came of it.
    pub outcome: String,
}

/// Who goes, and with what.
pub struct Traveller<'a> {
    /// The caller.
    pub preset: &'static Preset,
    /// What its owner typed in.
    pub typed: Typed,
    /// Whose account it is for.
    pub account: Option<Account>,
    /// Who has a browser; asked only without an account.
    pub person: &'a mut dyn Person,
}

/// Whoever is told of each step, without secrets.
pub(super) struct Listener<'a> {
    pub(super) wire: &'a Wire,
    pub(super) tell: &'a mut dyn FnMut(Step),
}

impl Listener<'_> {
    /// Tells what has been said since the last step. Whether the caller can go on.
    pub(super) fn hears(&mut self, name: &'static str, result: &Result<String, String>) -> bool {
        self.hears_after(Vec::new(), name, result)
    }

    /// The same, where something was said elsewhere before.
    fn hears_after(
        &mut self,
        mut exchanges: Vec<Exchange>,
        name: &'static str,
        result: &Result<String, String>,
    ) -> bool {
        let (Ok(sentence) | Err(sentence)) = result;
        exchanges.append(&mut self.wire.said());
        (self.tell)(Step { name, exchanges, is_good: result.is_ok(), outcome: self.wire.clean(sentence) });
        result.is_ok()
    }
}

/// Goes all the way, or as far as it leads. Each step is told when it is done.
pub async fn go(wire: &Wire, target: &Url, mut traveller: Traveller<'_>, tell: &mut dyn FnMut(Step)) -> bool {
    let mut listener = Listener { wire, tell };
    let found = discover(&mut listener, target, traveller.preset, &traveller.typed).await;
    let Some((found, endpoints)) = found else { return false };

    // Before the caller becomes known: a registration names the port.
    let arrival = match waiting(&mut traveller).transpose() {
        Ok(arrival) => arrival,
        Err(why) => return listener.hears("client", &Err(why)),
    };
    let introduced = registration::introduce(wire, &found, traveller.preset, &traveller.typed).await;
    let result = introduced.client.as_ref().map(|client| format!("it is {}", client.id)).map_err(Clone::clone);
    listener.hears("client", &result);
    let Ok(client) = introduced.client else { return false };

    let (walked, result) = authorize(wire, &client, &endpoints, &mut traveller, arrival).await;
    let outcome = result.as_ref().map(|_| CAME_BACK.to_owned()).map_err(Clone::clone);
    listener.hears_after(walked.exchanges, "authorization", &outcome);
    let Ok(code) = result else { return false };

    let Endpoints { asked, token, encoding, .. } = endpoints;
    let counter = Counter { wire, endpoint: token, client: &client, encoding, resource: asked.resource };
    let api = async || Api::of(wire, &found, traveller.preset.dialect).await;
    use_code(&mut listener, &counter, (&code, walked.verifier.as_ref()), api).await
}

/// What is told where a browser came back as it should.
pub(super) const CAME_BACK: &str = "the browser came back with a code";

/// The first step: from the address to the endpoints, or nothing.
pub(super) async fn discover(
    listener: &mut Listener<'_>,
    target: &Url,
    preset: &Preset,
    typed: &Typed,
) -> Option<(Discovery, Endpoints)> {
    let found = Discovery::of(listener.wire, target).await;
    let endpoints = match endpoints::refusal(&found, preset.dialect) {
        Some(why) => Err(why),
        None => Endpoints::of(&found, preset, typed),
    };
    let result = endpoints.as_ref().map(|found| format!("tokens come from {}", found.token)).map_err(Clone::clone);
    listener.hears("discovery", &result);
    Some((found, endpoints.ok()?))
}

/// The last steps: from the code to the first call, and one refresh.
pub(super) async fn use_code(
    listener: &mut Listener<'_>,
    counter: &Counter<'_>,
    (code, verifier): (&str, Option<&oauth2::PkceCodeVerifier>),
    api: impl AsyncFnOnce() -> Result<Option<Api>, String>,
) -> bool {
    let heard = counter.redeem(code, verifier).await;
    if !listener.hears("tokens", &given(&heard)) {
        return false;
    }
    let Some(tokens) = Tokens::of(&heard) else { return false };
    let result = match api().await {
        Ok(Some(api)) => api.told(&api.call(listener.wire, Some(&tokens.access)).await),
        Ok(None) => Ok("nothing was called: no description names anything that can simply be read".to_owned()),
        Err(why) => Err(why),
    };
    let is_good = listener.hears("api", &result);
    let result = match &tokens.refresh {
        Some(refresh) => given(&counter.refresh(refresh).await),
        None => Err("no refresh token came: people sign in again when the token ends".to_owned()),
    };
    listener.hears("refresh", &result) && is_good
}

/// Waits where a person's browser comes back to, if that is this computer. A test account needs nobody to wait.
fn waiting(traveller: &mut Traveller<'_>) -> Option<Result<Arrival, String>> {
    if traveller.account.is_some() {
        return None;
    }
    let arrival = match &traveller.typed.redirect_uri {
        Some(typed) => Arrival::at(typed)?,
        None => traveller.preset.fixed_callbacks().find_map(Arrival::at)?,
    };
    traveller.typed.waiting_at = arrival.as_ref().ok().map(|arrival| arrival.redirect_uri().to_owned());
    Some(arrival)
}

/// What a walk leaves beside its outcome.
#[derive(Default)]
struct Walked {
    exchanges: Vec<Exchange>,
    verifier: Option<oauth2::PkceCodeVerifier>,
}

async fn authorize(
    wire: &Wire,
    client: &Client,
    endpoints: &Endpoints,
    traveller: &mut Traveller<'_>,
    arrival: Option<Arrival>,
) -> (Walked, Result<String, String>) {
    let request = match person::ask(client, &endpoints.asked) {
        Ok(request) => request,
        Err(why) => return (Walked::default(), Err(why)),
    };
    let (ended, exchanges) = match (&traveller.account, arrival) {
        (Some(account), _) => person::walk(wire, &request.url, &client.redirect_uri, account).await,
        (None, Some(arrival)) => {
            traveller.person.goes(&request.url, arrival.redirect_uri());
            (ended(arrival.answer(&request.state, arrival::PATIENCE).await), Vec::new())
        }
        (None, None) => (ended(traveller.person.goes_and_tells(&request.url)), Vec::new()),
    };
    let result = match ended {
        Ended::Stayed(why) => Err(format!("the browser did not come back: {why}")),
        Ended::Beyond(why) => Err(format!("{why}: without --email and --password-file a browser is asked for")),
        Ended::Left(location) => {
            person::learn_code(wire, &location);
            code(&location, &client.redirect_uri, &request.state, endpoints.sender.as_ref())
        }
    };
    (Walked { exchanges, verifier: request.verifier }, result)
}

fn ended(told: Result<String, String>) -> Ended {
    told.map_or_else(Ended::Stayed, Ended::Left)
}

/// The code in the address at which a browser ended.
pub(super) fn code(location: &str, redirect_uri: &str, state: &str, sender: Option<&Sender>) -> Result<String, String> {
    if !person::arrives(location, redirect_uri) {
        return Err(format!("the browser was sent to another address than {redirect_uri}"));
    }
    if person::parameter(location, "state").as_deref() != Some(state) {
        return Err("state came back changed, so the answer is thrown away".to_owned());
    }
    sender.map_or(Ok(()), |sender| sender.sent(location))?;
    person::parameter(location, "code").ok_or_else(|| {
        let error = person::parameter(location, "error").unwrap_or_else(|| "neither code nor error".to_owned());
        let more = person::parameter(location, "error_description").unwrap_or_default();
        format!("the server said {error}. {more}")
    })
}

fn given(heard: &Heard) -> Result<String, String> {
    let answer = heard.as_ref().map_err(ToString::to_string)?;
    let body = answer.object().unwrap_or(Value::Null);
    if Tokens::of(heard).is_none() {
        return Err(format!("it was answered {}: {}", answer.status, told(&body)));
    }
    let lasts = body["expires_in"].as_i64().map_or("of unsaid length".into(), |seconds| format!("for {seconds} s"));
    Ok(format!(
        "an access token {lasts}, {} a refresh token",
        if body["refresh_token"].is_string() { "with" } else { "without" }
    ))
}
