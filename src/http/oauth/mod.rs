//! The OAuth endpoints: `authorize` and `consent` speak to people, `token`, `revoke` and `introspect` to machines.

pub mod assertion;
pub mod authorize;
pub mod caller;
pub mod carried;
pub mod consent;
pub mod introspect;
pub mod register;
pub mod registered;
pub mod resource;
pub mod revoke;
pub mod token;
pub mod who_asks;
