//! The pages around an account: the front page, signing in and out, what is connected, where one is signed
//! in, the account itself and its end.

mod authenticate;
pub mod connected_apps;
pub mod home;
pub mod leaving;
pub mod links;
mod own;
pub mod place;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod sign_out;
