//! `/consent`: the person reads who asks for what, and says yes or no.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::{
    authorize::{Asked, Stage, follow, hand_over, leave, open, seal, stage, stage_of_answer, to_page},
    caller::origin,
    who_asks::WhoAsks,
};
use crate::{
    http::{
        account::{place::Place, second_step::Why},
        extract::{body, visitor::Visitor},
        failure::{self, PageError},
        guard,
        pages::{self, ClosedPage, ConsentPage, Destination, Lasts, ScopeLine},
        trail,
    },
    model::{
        audit::Actor,
        counts::Refusal,
        flow::Step,
        id::ConsentId,
        plugin::{DocumentKind, Plugin},
        scope::Scopes,
    },
    protocol::{
        admission,
        authorization::{InFlight, NotAddressed, Redirect},
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    random,
    server::{Server, factors::FRESH},
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
        Stage::Ask(asked) if asked.attended.is_closed() => {
            closed(server, request, &visitor, (&in_flight, &asked)).await
        }
        Stage::Ask(asked) => render(server, request, &visitor, &in_flight, &Shown::first(&asked)).await,
    }
}

/// Whether these scopes are allowed only by who has shown a second factor lately.
fn wants_factor(server: &Server, asked: &Asked, scopes: &Scopes) -> bool {
    asked.attended.wants_factor(scopes, server.clock.now() - FRESH)
}

/// What the page shows.
struct Shown<'a> {
    asked: &'a Asked,
    /// The person pressed "allow" and left nothing to be allowed.
    nothing_ticked: bool,
}

impl<'a> Shown<'a> {
    fn first(asked: &'a Asked) -> Self {
        Self { asked, nothing_ticked: false }
    }
}

async fn render(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    in_flight: &InFlight,
    Shown { asked, nothing_ticked }: &Shown<'_>,
) -> Result<HttpResponse, PageError> {
    let Asked { attended, client, .. } = asked;
    let ring = server.keyring.current();
    let redirect_uri = attended.checked().addressed().redirect_uri();
    let account = &attended.session().account;
    let resource = attended.checked().resource();
    let plugin = server.store.plugin(resource.plugin_id).await?.ok_or(PageError::Unreadable)?;
    let has_logo = server.store.document_kinds(plugin.id).await?.contains(&DocumentKind::Logo);
    let layout = pages::Layout::of(server, request);
    let language = layout.language.tag();
    let scopes = attended.scopes().map(|scope| ScopeLine {
        name: scope.name.clone(),
        words: scope.words_in(language).to_owned(),
        is_new: attended.is_new(&scope.name),
        choice: scope.optional.then_some(!nothing_ticked),
    });
    let scopes = scopes.collect();
    let about = About {
        plugin: &plugin,
        has_logo,
        who: WhoAsks::of(client),
        destination: Destination::of(redirect_uri),
        scopes,
        account: (account.name.clone(), account.email.to_string()),
        api_address: resource.identifier.display_address(),
    };
    let page = ConsentPage {
        request: seal(server, &in_flight.clone().shown_to(attended.session()).asking(attended.question(client)))?,
        csrf: tokens::form::write(&ring, visitor.browser())?,
        nothing_ticked: *nothing_ticked,
        withheld: attended.withheld().map(|scope| scope.words_in(language).to_owned()).collect(),
        ..page(server, layout, about)
    };
    let status = if *nothing_ticked { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut answer = HttpResponse::build(status);
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, Some(redirect_uri))?)
}

/// Says that the plugin does not let whoever is signed in connect, and what they can do. Nothing leads on by itself: from
/// here they go back to the client, or sign in to another account.
async fn closed(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    (in_flight, Asked { attended, client, .. }): (&InFlight, &Asked),
) -> Result<HttpResponse, PageError> {
    trail::refused(request, Refusal::AccessDenied, admission::CLOSED);
    let resource = attended.checked().resource();
    let redirect_uri = attended.checked().addressed().redirect_uri();
    let plugin = server.store.plugin(resource.plugin_id).await?.ok_or(PageError::Unreadable)?;
    let account = &attended.session().account;
    let page = ClosedPage {
        layout: pages::Layout::of(server, request),
        request: seal(server, &in_flight.clone().shown_to(attended.session()))?,
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        client_name: WhoAsks::of(client).name,
        plugin_name: plugin.name().to_owned(),
        destination: Destination::of(redirect_uri),
        account_name: account.name.clone(),
        account_email: account.email.to_string(),
        is_verified: account.email_verified_at.is_some(),
        contact_email: plugin.manifest_text("contact_email").unwrap_or_default().to_owned(),
    };
    let mut answer = HttpResponse::Forbidden();
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, Some(redirect_uri))?)
}

/// What stands on the page.
pub(in crate::http) struct About<'a> {
    pub(in crate::http) plugin: &'a Plugin,
    pub(in crate::http) has_logo: bool,
    pub(in crate::http) who: WhoAsks,
    pub(in crate::http) destination: Destination,
    pub(in crate::http) scopes: Vec<ScopeLine>,
    /// Name and address.
    pub(in crate::http) account: (String, String),
    pub(in crate::http) api_address: String,
}

/// The page as it is read; without what an answer needs, it can be shown and not answered.
pub(in crate::http) fn page(server: &Server, mut layout: pages::Layout, about: About<'_>) -> ConsentPage {
    let About { plugin, has_logo, who, destination, scopes, account, api_address } = about;
    let words = |member| plugin.manifest_text(member).unwrap_or_default().to_owned();
    layout.brand.accent = plugin.accent_color.or(layout.brand.accent);
    ConsentPage {
        layout,
        request: String::new(),
        csrf: String::new(),
        client_name: who.name,
        client_origin: who.origin,
        plugin_name: plugin.name().to_owned(),
        plugin_description: words("description_for_human"),
        logo: has_logo.then(|| format!("{}/logos/{}", server.settings.base, plugin.host)),
        destination,
        nothing_ticked: false,
        lasts: Lasts::of(&server.settings),
        scopes,
        withheld: Vec::new(),
        account_name: account.0,
        account_email: account.1,
        contact_email: words("contact_email"),
        legal_info_url: words("legal_info_url"),
        api_address,
        connected_apps: Some(format!("{}{}", server.settings.base, Place::ConnectedApps.path())),
    }
}

/// Takes the answer.
pub async fn decide(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    // Boxed, because it is large: every page that an answer can lead to is inside.
    failure::page(&server, &request, Box::pin(take(&server, &request, payload)).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    follow(server, request, &fields, Step::Consent);
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let r = fields.required("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
    let decision = Decision::read(&fields)?;
    let in_flight = open(server, r, &visitor).await?;
    match &visitor.session {
        // A form that was shown to another account, or before signing in again, is shown anew and never answered.
        Some(session) if !in_flight.was_shown_to(session) => {
            return to_page(server, HttpResponse::SeeOther(), "/consent", &in_flight.shown_to(session));
        }
        _ => {}
    }
    let leave = |redirect: &Redirect| leave(HttpResponse::SeeOther(), redirect);
    // On the heap: the steps with their spans are more than a stack should carry along.
    let stage = Box::pin(stage_of_answer(server, request, in_flight.clone(), &visitor)).await?;
    match (stage, decision) {
        (Stage::SignIn(_), _) => to_page(server, HttpResponse::SeeOther(), "/sign-in", &in_flight),
        (Stage::Ask(asked), Decision::Allow(_)) if asked.attended.is_closed() => {
            closed(server, request, &visitor, (&in_flight, &asked)).await
        }
        // What is asked for has changed while the person read: their yes was not to that.
        (Stage::Ask(asked), Decision::Allow(_)) if !in_flight.asked(asked.attended.question(&asked.client)) => {
            to_page(server, HttpResponse::SeeOther(), "/consent", &in_flight)
        }
        (Stage::Ask(asked), Decision::Allow(ticked)) => {
            if let Some(agreed) = asked.attended.agreed(&ticked) {
                // Asked for after the yes, so that the question can be read, and answered by a no, without one.
                if wants_factor(server, &asked, &agreed) {
                    return to_page(server, HttpResponse::SeeOther(), Why::Again.path(), &in_flight);
                }
                return Ok(leave(&allow(server, request, *asked, agreed).await?));
            }
            let shown = Shown { asked: &asked, nothing_ticked: true };
            render(server, request, &visitor, &in_flight, &shown).await
        }
        // A "no" is what this request is told; it does not take an earlier "yes" back.
        (Stage::Ask(asked), Decision::Deny) if asked.attended.is_closed() => Ok(leave(&asked.attended.deny())),
        (Stage::Ask(asked), Decision::Deny) => Ok(leave(&deny(request, asked.attended.deny()))),
        // Only a request that wants no page comes here, and it was shown none.
        (Stage::Answer(answered), Decision::Allow(_)) => Ok(leave(&hand_over(server, request, &answered)?)),
        (Stage::Answer(answered), Decision::Deny) => Ok(leave(&deny(request, answered.deny()))),
        (Stage::Refuse(redirect), _) => Ok(leave(&redirect)),
    }
}

/// What a person pressed.
enum Decision {
    /// Yes, with these of the scopes ticked that may be left out.
    Allow(Scopes),
    /// No.
    Deny,
}

impl Decision {
    fn read(fields: &Parameters) -> Result<Self, PageError> {
        match fields.required("decision", 16).map_err(PageError::Incomplete)? {
            // A name that nobody asked for gives nothing.
            "allow" => Ok(Self::Allow(fields.all("scope").flatten().collect())),
            "deny" => Ok(Self::Deny),
            _ => Err(PageError::Incomplete(OAuthError::new(ErrorCode::InvalidRequest, "decision is allow or deny"))),
        }
    }
}

fn deny(request: &HttpRequest, redirect: Redirect) -> Redirect {
    trail::refused(request, Refusal::AccessDenied, "The person said no; the client is told access_denied.");
    redirect
}

async fn allow(server: &Server, request: &HttpRequest, asked: Asked, agreed: Scopes) -> Result<Redirect, PageError> {
    let Asked { attended, client, unkept } = asked;
    let account_id = attended.session().account.id;
    let grant = ConsentGrant {
        id: ConsentId(random::id(server.clock.now())),
        key: ConsentKey {
            account_id,
            client_id: client.id,
            resource: attended.checked().resource().identifier.to_string(),
        },
        scopes: agreed.clone(),
        left_out: attended.checked().scopes().without(&agreed),
        document: unkept.map(|document| *document),
    };
    let audit = server.audit(Actor::Account(account_id), origin(request));
    let consent = server.store.grant_consent(&grant, &audit).await.map_err(|error| match error {
        // Nobody had consented to it for so long that it was swept just now.
        error if error.is_orphan() => {
            NotAddressed::UnknownClient { client_id: client.client_id.clone(), is_disabled: false }.into()
        }
        error => PageError::from(error),
    })?;
    let told = if agreed == *attended.checked().scopes() {
        "The person agreed.".to_owned()
    } else {
        format!("The person agreed to {}, and to no more.", trail::told(&agreed))
    };
    trail::done(request, Step::Consent, told);
    let answered = attended.allow(agreed, &consent, &client);
    Ok(hand_over(server, request, &answered)?)
}
