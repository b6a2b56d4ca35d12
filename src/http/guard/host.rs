//! Which host a request is for. Pages and cookies live on the public URL's host alone.

use actix_web::{guard::GuardContext, http::header, web};

use crate::{model::plugin::Host, server::Server};

/// The host a request head names: HTTP/2's authority, or the `Host` header. Forwarding headers are not believed.
pub fn of(head: &actix_web::dev::RequestHead) -> Option<Host> {
    let named = head.uri.authority().map(actix_web::http::uri::Authority::as_str);
    let header = || head.headers.get(header::HOST)?.to_str().ok();
    named.or_else(header)?.parse().ok()
}

/// Whether the request came to the public host.
pub fn is_public(context: &GuardContext<'_>) -> bool {
    let public = context.app_data::<web::Data<Server>>().map(|server| &server.settings.host);
    public.is_some() && of(context.head()).as_ref() == public
}
