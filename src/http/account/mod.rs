//! The pages around an account: the front page, signing in and signing out.

mod authenticate;
pub mod home;
pub mod sign_in;
pub mod sign_out;
