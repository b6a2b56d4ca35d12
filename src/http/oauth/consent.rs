//! `/consent`: the person reads who asks for what, and says yes or no.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    authorize::{Asked, Stage, follow, hand_over, leave, open, seal, stage, to_page},
    caller::peer,
    who_asks::WhoAsks,
};
use crate::{
    http::{
        extract::{body, visitor::Visitor},
        failure::{self, PageError},
        guard,
        pages::{self, ConsentPage, Destination, ScopeLine},
        trail,
    },
    model::{audit::Actor, flow::Step, id::ConsentId},
    protocol::{
        authorization::{InFlight, NotAddressed, Redirect},
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    random,
    server::Server,
    store::consents::{ConsentGrant, ConsentKey},
    tokens,
};

/// Shows the page.
pub async fn ask(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    follow(server, request, &query, Step::Consent);
    let r = query.required("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
    let visitor = Visitor::read(server, request).await?;
    let in_flight = open(server, r, &visitor).await?;
    match stage(server, request, in_flight.clone(), &visitor).await? {
        Stage::SignIn(_) => to_page(server, HttpResponse::SeeOther(), "/sign-in", &in_flight),
        Stage::Answer(answered) => Ok(leave(HttpResponse::SeeOther(), &hand_over(server, request, &answered)?)),
        Stage::Refuse(redirect) => Ok(leave(HttpResponse::SeeOther(), &redirect)),
        Stage::Ask(asked) => render(server, request, &visitor, in_flight, &asked).await,
    }
}

async fn render(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    in_flight: InFlight,
    asked: &Asked,
) -> Result<HttpResponse, PageError> {
    let Asked { attended, client, .. } = asked;
    let ring = server.keyring.current();
    let redirect_uri = attended.checked().addressed().redirect_uri();
    let account = &attended.session().account;
    let WhoAsks { name, origin } = WhoAsks::of(client);
    let resource = attended.checked().resource();
    let plugin = server.store.plugin(resource.plugin_id).await?.ok_or(PageError::Unreadable)?;
    let layout = pages::Layout::of(server, request);
    let scopes = attended.scopes().map(|scope| ScopeLine {
        name: scope.name.clone(),
        words: scope.words_in(layout.language.tag()).to_owned(),
        is_new: attended.is_new(&scope.name),
    });
    let scopes = scopes.collect();
    let words = |member| plugin.manifest_text(member).unwrap_or_default().to_owned();
    let page = ConsentPage {
        layout,
        request: seal(server, &in_flight.shown_to(attended.session()).asking(attended.question(client)))?,
        csrf: tokens::form::write(&ring, visitor.browser())?,
        client_name: name,
        client_origin: origin,
        plugin_name: plugin.name().to_owned(),
        plugin_description: words("description_for_human"),
        logo: None,
        destination: Destination::of(redirect_uri),
        scopes,
        account_name: account.name.clone(),
        account_email: account.email.to_string(),
        contact_email: words("contact_email"),
        legal_info_url: words("legal_info_url"),
        api_address: resource.identifier.display_address(),
        connected_apps: None,
    };
    let mut answer = HttpResponse::Ok();
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, Some(redirect_uri))?)
}

/// Takes the answer.
pub async fn decide(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    follow(server, request, &fields, Step::Consent);
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields)?;
    let r = fields.required("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
    let allows = read_decision(&fields)?;
    let in_flight = open(server, r, &visitor).await?;
    match &visitor.session {
        // A form that was shown to another account, or before signing in again, is shown anew and never answered.
        Some(session) if !in_flight.was_shown_to(session) => {
            return to_page(server, HttpResponse::SeeOther(), "/consent", &in_flight.shown_to(session));
        }
        _ => {}
    }
    match stage(server, request, in_flight.clone(), &visitor).await? {
        Stage::SignIn(_) => to_page(server, HttpResponse::SeeOther(), "/sign-in", &in_flight),
        // What is asked for has changed while the person read: their yes was not to that.
        Stage::Ask(asked) if allows && !in_flight.asked(asked.attended.question(&asked.client)) => {
            to_page(server, HttpResponse::SeeOther(), "/consent", &in_flight)
        }
        Stage::Ask(asked) if allows => allow(server, request, *asked).await,
        Stage::Ask(asked) => Ok(leave(HttpResponse::SeeOther(), &deny(request, asked.attended.deny()))),
        // Pressed twice, or agreed to in another tab meanwhile. A "no" is what this request is told; it does not take
        // the earlier "yes" back.
        Stage::Answer(answered) if allows => {
            Ok(leave(HttpResponse::SeeOther(), &hand_over(server, request, &answered)?))
        }
        Stage::Answer(answered) => Ok(leave(HttpResponse::SeeOther(), &deny(request, answered.deny()))),
        Stage::Refuse(redirect) => Ok(leave(HttpResponse::SeeOther(), &redirect)),
    }
}

fn deny(request: &HttpRequest, redirect: Redirect) -> Redirect {
    trail::refused(request, "The person said no; the client is told access_denied.");
    redirect
}

fn read_decision(fields: &Parameters) -> Result<bool, PageError> {
    match fields.required("decision", 16).map_err(PageError::Incomplete)? {
        "allow" => Ok(true),
        "deny" => Ok(false),
        _ => Err(PageError::Incomplete(OAuthError::new(ErrorCode::InvalidRequest, "decision is allow or deny"))),
    }
}

async fn allow(server: &Server, request: &HttpRequest, asked: Asked) -> Result<HttpResponse, PageError> {
    let Asked { attended, client, unkept } = asked;
    let account_id = attended.session().account.id;
    let grant = ConsentGrant {
        id: ConsentId(random::id(server.clock.now())),
        key: ConsentKey {
            account_id,
            client_id: client.id,
            resource: attended.checked().resource().identifier.to_string(),
        },
        scopes: attended.checked().scopes().clone(),
        document: unkept.map(|document| *document),
    };
    let audit = server.audit(Actor::Account(account_id), peer(request));
    let consent = server.store.grant_consent(&grant, &audit).await.map_err(|error| match error {
        // Nobody had consented to it for so long that it was swept just now.
        error if error.is_orphan() => {
            NotAddressed::UnknownClient { client_id: client.client_id.clone(), is_disabled: false }.into()
        }
        error => PageError::from(error),
    })?;
    trail::done(request, Step::Consent, "The person agreed.");
    let answered = attended.allow(&consent, &client);
    Ok(leave(HttpResponse::SeeOther(), &hand_over(server, request, &answered)?))
}
