//! Consentry: the authorization server that lets ChatGPT into an API with its users' consent.

pub mod http;
