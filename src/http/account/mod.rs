//! The pages around an account: the front page, signing in and out, by oneself or through others, what is connected,
//! where one is signed in, and how, who one is elsewhere, the account itself and its end.

mod arrival;
mod authenticate;
pub mod connected_apps;
mod half_way;
pub mod home;
pub mod identities;
pub mod leaving;
pub mod links;
pub mod offer;
mod own;
pub mod own_login;
pub mod passkey;
pub mod place;
pub mod second_step;
pub mod security;
pub mod session;
pub mod sessions;
pub mod settings;
mod settling;
pub mod sign_in;
pub mod sign_out;
pub mod through;

use actix_web::HttpRequest;

use crate::{
    http::{extract::visitor::Visitor, oauth::caller::origin},
    server::factors::Browser,
};

/// The browser a request came from, with the marks it holds.
fn browser_of<'a>(request: &HttpRequest, visitor: &'a Visitor, devices: &'a str) -> Browser<'a> {
    Browser { mark: visitor.browser(), devices, origin: origin(request), user_agent: session::user_agent(request) }
}
