//! The pages around an account: the front page, signing in and out, by oneself or through others, what is connected,
//! where one is signed in, who one is elsewhere.

mod arrival;
mod authenticate;
pub mod connected_apps;
pub mod home;
pub mod identities;
pub mod links;
pub mod offer;
pub mod own_login;
pub mod place;
pub mod session;
pub mod sessions;
mod settling;
pub mod sign_in;
pub mod sign_out;
pub mod through;
