//! A language that was chosen on a page is kept in a cookie, whatever page it was.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};

use super::host;
use crate::{
    http::extract::{cookies, language},
    server::Server,
};

/// Keeps it. Cookies exist on the public URL's host only.
pub async fn keep(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let server = request.app_data::<web::Data<Server>>().cloned();
    let cookie = server.and_then(|server| {
        let settings = &server.settings;
        let is_public = host::of(request.head()).as_ref() == Some(&settings.host);
        let chosen = is_public.then(|| language::chosen(request.request())).flatten()?;
        Some(cookies::set_language(settings, chosen))
    });
    let mut response = next.call(request).await?;
    if let Some(cookie) = cookie {
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response)
}
