//! `/console/plugins/{slug}/verification`: the token an assistant has shown, whether it finds it where it looks, and the
//! proof of the domain that connectors' vendors ask for. `registry::verification` has the steps.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, take, text, visit};
use crate::{
    http::{
        failure::PageError,
        pages::console::{Notice, Section, VerificationPage, times},
    },
    model::{
        id::PluginId,
        plugin::{Plugin, PluginState},
    },
    protocol::{manifest, parameters::Parameters},
    registry::{RegistryError, RegistryResult, Wrong, verification},
    server::Server,
};

/// The longest token that is read, in bytes.
const TOKEN_MAX: usize = 4096;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| render(entry, entry.plugin().await?, Default::default()).await;
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

/// What was typed and is not kept.
#[derive(Default)]
struct Typed {
    token: String,
    challenge: String,
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let token = text(fields, "token", TOKEN_MAX)?;
    let change = fields.required("change", 32).map_err(PageError::Incomplete)?;
    let registry = entry.registry();
    let done: RegistryResult<Notice> = match change {
        "token" => {
            let Ok(seen) = text(fields, "version", 32)?.parse() else { return Err(PageError::NotThere) };
            let seen = (plugin.id, Some(seen));
            let set = verification::set_verification_token(&registry, seen, manifest::SERVICE, token).await;
            set.map(|_| Notice::TokenPublished)
        }
        "challenge" => {
            let seen = text(fields, "seen", TOKEN_MAX)?;
            let set = verification::set_challenge(&registry, (plugin.id, Some(seen)), token).await;
            set.map(|()| Notice::ChallengeServed)
        }
        "verify" => verify(entry, plugin.id).await,
        _ => return Err(PageError::NotThere),
    };
    let mut typed = Typed::default();
    let wrong = match done {
        Ok(notice) => return Ok(entry.lead_to(&format!("/plugins/{}/verification", plugin.slug), notice)),
        // Both forms have a field of that name.
        Err(RegistryError::Wrong(wrong)) if change == "challenge" => {
            token.clone_into(&mut typed.challenge);
            wrong.into_iter().map(|it| Wrong { field: "challenge", ..it }).collect()
        }
        Err(RegistryError::Wrong(wrong)) => wrong,
        Err(RegistryError::ChangedMeanwhile) if change == "token" => {
            token.clone_into(&mut typed.token);
            vec![Wrong::new(
                "other",
                "Somebody else has changed this plugin since you opened this page, perhaps its token. Yours is not \
                 published; it is below, to be published if it is the right one",
            )]
        }
        Err(RegistryError::ChangedMeanwhile) if change == "challenge" => {
            token.clone_into(&mut typed.challenge);
            vec![Wrong::new(
                "other",
                "Somebody else has set another text since you opened this page. Yours is not served; it is below, to be \
                 served if it is the right one",
            )]
        }
        Err(RegistryError::ChangedMeanwhile) => {
            vec![Wrong::new("other", "The plugin was changed while it was checked. Check it again")]
        }
        Err(error) => return Err(error.into()),
    };
    // Looking, or somebody else, may have changed it meanwhile.
    render(entry, entry.plugin().await?, (typed, wrong)).await
}

/// Looks once. The host is one that an owner has typed, so looks are counted as the doctor's are.
async fn verify(entry: &Entry<'_>, plugin: PluginId) -> RegistryResult<Notice> {
    let Ok(_turn) = entry.server.examinations.begin(plugin, entry.account.id) else {
        return Err(Wrong::new("other", "It was checked often a moment ago. Try again in a minute").into());
    };
    let looked = entry.server.look_for(&entry.registry(), plugin).await?;
    Ok(if looked.plugin.state == PluginState::Verified { Notice::Verified } else { Notice::NotVerified })
}

async fn render(entry: &Entry<'_>, plugin: Plugin, (typed, wrong): (Typed, Vec<Wrong>)) -> Outcome {
    let verification = entry.server.store.remembered_looks(plugin.id).await?;
    let (scheme, _) = entry.server.settings.schemes_of(&plugin.host);
    let place = |path: &str| format!("{scheme}://{}{path}", plugin.host);
    let mut frame = entry.frame(Some((&plugin, Section::Verification)))?;
    if verification.look.is_some() {
        // What a look came to stands on the page, and is not said twice.
        frame.notice = frame.notice.filter(|notice| !matches!(notice, Notice::Verified | Notice::NotVerified));
    }
    let page = VerificationPage {
        layout: entry.layout(),
        frame,
        slug: plugin.slug.clone(),
        version: plugin.version,
        has_token: plugin.state != PluginState::Draft,
        is_verified: plugin.state == PluginState::Verified,
        manifest_url: place(manifest::PLACE),
        challenge_url: place(manifest::CHALLENGE_PLACE),
        challenge: entry.server.store.challenge(&plugin.host).await?.unwrap_or_default(),
        looked_at: verification.look.as_ref().map(|look| times::minute(look.at)),
        says: verification.look.as_ref().map(|look| look.says.clone()),
        findings: verification.look.map(|look| look.findings).unwrap_or_default(),
        next: verification.due_at.map(times::minute),
        typed: typed.token,
        typed_challenge: typed.challenge,
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}
