//! Half way: somebody has shown the first of two factors. A cookie says so for ten minutes, in this browser alone, and
//! opens nothing but the page that asks for the second.

use actix_web::{HttpRequest, cookie::Cookie};
use serde::{Deserialize, Serialize};

use crate::{
    http::{
        extract::{cookies, visitor::Visitor},
        failure::Fault,
    },
    model::{Generation, account::Account, id::AccountId},
    random,
    server::{Server, factors::PATIENCE},
    tokens::between::{self, Return},
};

/// Who is half way, as they were then.
#[derive(Serialize, Deserialize)]
struct HalfWay {
    account: AccountId,
    generation: Generation,
    session_generation: Generation,
}

/// The cookie for who has shown the first factor.
pub(super) fn begin(server: &Server, visitor: &Visitor, account: &Account) -> Result<Cookie<'static>, Fault> {
    let now = server.clock.now();
    let half_way =
        HalfWay { account: account.id, generation: account.generation, session_generation: account.session_generation };
    let ring = server.keyring.current();
    let bound = (visitor.browser(), now + PATIENCE);
    let text = between::write(&ring, Return::SecondStep, bound, &half_way, (now, random::bytes()))?;
    Ok(cookies::set_second_step(&server.settings, text, PATIENCE))
}

/// Whose second factor is waited for in this browser. Whatever has ended an account's sessions meanwhile, such as a new
/// password, ends this too.
pub(super) async fn find(server: &Server, request: &HttpRequest, visitor: &Visitor) -> Result<Option<Account>, Fault> {
    let (Some(text), Some(browser)) = (cookies::second_step(&server.settings, request), visitor.known_browser()) else {
        return Ok(None);
    };
    let now = server.clock.now();
    let ring = server.keyring.knowing(between::kid(&text), &server.store, now).await?;
    let Some(half_way): Option<HalfWay> = between::read(&ring, Return::SecondStep, (browser, now), &text) else {
        return Ok(None);
    };
    let account = server.store.account(half_way.account).await?.map(|(account, _)| account);
    Ok(account.filter(|account| {
        account.enabled
            && account.generation == half_way.generation
            && account.session_generation == half_way.session_generation
    }))
}
