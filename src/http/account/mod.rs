//! The pages around an account: the front page, signing in and out, what is connected, where one is signed in.

mod arrival;
mod authenticate;
pub mod connected_apps;
pub mod home;
pub mod links;
pub mod place;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod sign_out;
