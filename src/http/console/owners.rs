//! `/console/plugins/{slug}/owners`: who owns a plugin, and who is invited to; `/console/invitations`: what one is
//! invited to.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, is_confirmed, take, text, visit};
use crate::{
    http::{
        extract::{language, peer},
        failure::PageError,
        pages::console::{
            Notice, Question, Section, isolated,
            people::{InvitationLine, InvitationsPage, InvitedLine, OwnerLine, OwnersPage},
            times,
        },
    },
    model::{
        account::Role,
        audit::{Actor, Origin},
        id::{AccountId, PluginId},
        plugin::Plugin,
    },
    protocol::parameters::Parameters,
    registry::{Registry, RegistryError, RegistryResult, Wrong, owners},
    server::{
        Server,
        people::{Invited, PeopleError, invite_owner},
    },
};

/// The longest address read, in bytes; what it may be is the registry's to say.
const EMAIL_MAX: usize = 1024;

/// Shows who owns it.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        render(entry, &plugin, "", Vec::new()).await
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let registry = entry.registry();
    let email = text(fields, "email", EMAIL_MAX)?;
    let done = match fields.required("change", 16).map_err(PageError::Incomplete)? {
        "invite" => match invite(entry.server, entry.request, &registry, (plugin.id, email)).await? {
            Ok(Invited::NotOffered) => return Err(PageError::NotOffered),
            asked => asked.map(|_| Notice::Invited),
        },
        "add" => owners::add(&registry, plugin.id, email).await.map(|_| Notice::Saved),
        "withdraw" => {
            let address = owners::address(email).map_err(|_| PageError::NotThere)?;
            owners::end_invitation(&registry, plugin.id, &address).await.map(|()| Notice::Saved)
        }
        "remove" => {
            let owner = AccountId(id(fields, "owner")?);
            if !is_confirmed(fields) {
                return ask(entry, &plugin, owner).await;
            }
            let removed = owners::remove(&registry, plugin.id, owner).await;
            if removed.is_ok() && owner == entry.account.id && entry.account.role != Role::Admin {
                return Ok(entry.lead_to("", Notice::Left));
            }
            removed.map(|()| Notice::Saved).map_err(above_the_form)
        }
        _ => return Err(PageError::NotThere),
    };
    match done {
        Ok(notice) => Ok(entry.lead_to(&format!("/plugins/{}/owners", plugin.slug), notice)),
        Err(RegistryError::Wrong(wrong)) => render(entry, &plugin, email, wrong).await,
        Err(error) => Err(error.into()),
    }
}

/// Asks before an owner is removed, or leaves.
async fn ask(entry: &Entry<'_>, plugin: &Plugin, owner: AccountId) -> Outcome {
    let owners = entry.server.store.owners(plugin.id).await?;
    let found = owners.into_iter().find(|it| it.account_id == owner).ok_or(PageError::NotThere)?;
    let leaves = owner == entry.account.id;
    let (question, ends, then, button) = if leaves && entry.account.role == Role::Admin {
        let ends = "You own it no more. An administrator sees and changes everything all the same.".to_owned();
        (format!("Leave {}?", isolated(plugin.name())), ends, "You can add yourself again.", "Leave it")
    } else if leaves {
        let then = "You cannot come back by yourself: another owner has to invite you.";
        (format!("Leave {}?", isolated(plugin.name())), "You see and change it no more.".to_owned(), then, "Leave it")
    } else {
        let ends = format!("{} ({}) sees and changes it no more.", isolated(&found.name), found.email);
        let then = "An owner can invite them again.";
        (format!("Remove {}?", isolated(&found.name)), ends, then, "Remove them")
    };
    let asked = Question {
        question,
        ends,
        then: then.to_owned(),
        action: "/owners".to_owned(),
        fields: vec![("change", "remove".to_owned()), ("owner", owner.to_string())],
        button,
        back: "/owners".to_owned(),
        ..Question::default()
    };
    entry.ask((plugin, Section::Owners), asked)
}

/// What is wrong with removing somebody is no mistake in what was typed.
fn above_the_form(error: RegistryError) -> RegistryError {
    match error {
        RegistryError::Wrong(wrong) => {
            RegistryError::Wrong(wrong.into_iter().map(|it| Wrong { field: "other", ..it }).collect())
        }
        other => other,
    }
}

/// Lets an address be asked. Counted as tries to sign in are: nobody has others mailed without end.
pub(in crate::http) async fn invite(
    server: &Server,
    request: &HttpRequest,
    registry: &Registry<'_>,
    (plugin, email): (PluginId, &str),
) -> Result<RegistryResult<Invited>, PeopleError> {
    let wrong = |problem: &str| Ok(Err(RegistryError::from(Wrong::new("email", problem))));
    let email = match owners::address(email) {
        Ok(email) => email,
        Err(error) => return Ok(Err(error)),
    };
    if server.store.owners(plugin).await?.iter().any(|owner| owner.email == email) {
        return wrong("they are an owner already");
    }
    if server.sign_ins.count(peer::of(request)).is_err() {
        return wrong("you have asked for too much at once; try again in a minute");
    }
    let audit = registry.audit(registry.clock.now());
    let language = language::of(server, request).tag();
    match invite_owner(server, plugin, &email, language, &audit).await? {
        Invited::TooMany => {
            wrong("there are too many invitations, for this address or for this plugin; wait for answers")
        }
        invited => Ok(Ok(invited)),
    }
}

async fn render(entry: &Entry<'_>, plugin: &Plugin, email: &str, wrong: Vec<Wrong>) -> Outcome {
    let store = &entry.server.store;
    let owners = store.owners(plugin.id).await?.into_iter().map(|owner| OwnerLine {
        id: owner.account_id.to_string(),
        name: owner.name,
        email: owner.email.to_string(),
        since: times::minute(owner.added_at),
        is_you: owner.account_id == entry.account.id,
    });
    let invited = store.invitations_of(plugin.id, entry.server.clock.now()).await?.into_iter();
    let invited = invited.map(|it| InvitedLine { email: it.email.to_string(), until: times::minute(it.expires_at) });
    let page = OwnersPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Owners)))?,
        slug: plugin.slug.clone(),
        owners: owners.collect(),
        invited: invited.collect(),
        sends_mail: entry.server.mails.mailer().is_on(),
        is_administrator: entry.account.role == Role::Admin,
        email: email.to_owned(),
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

/// Shows what somebody is invited to.
pub async fn invitations(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let is_verified = entry.account.email_verified_at.is_some();
        let found = if is_verified {
            entry.server.store.invitations_to(&entry.account.email, entry.server.clock.now()).await?
        } else {
            Vec::new()
        };
        let line = |it: crate::store::invitations::InvitedTo| InvitationLine {
            id: it.plugin_id.to_string(),
            name: it.name,
            host: it.host,
            until: times::minute(it.expires_at),
        };
        let page = InvitationsPage {
            layout: entry.layout(),
            frame: entry.frame(None)?,
            invitations: found.into_iter().map(line).collect(),
            is_verified,
        };
        entry.answer(HttpResponse::Ok(), &page)
    };
    visit(&server, &request, show).await
}

/// Takes the answer to one. Whose address is not invited finds nothing.
pub async fn decide(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let carry_out = async |entry: &Entry<'_>, fields: &Parameters| {
        let plugin = PluginId(id(fields, "plugin")?);
        let registry = entry.registry();
        match fields.required("decision", 16).map_err(PageError::Incomplete)? {
            "accept" => {
                owners::accept(&registry, plugin, entry.account.id).await?;
                Ok(entry.lead_to("", Notice::Joined))
            }
            "decline" if entry.account.email_verified_at.is_some() => {
                // Who invited them learns nothing of whoever has the address, and not that anybody has it.
                let unnamed = Registry { actor: Actor::Server, origin: Origin::default(), ..registry };
                owners::end_invitation(&unnamed, plugin, &entry.account.email).await?;
                Ok(entry.lead_to("/invitations", Notice::Declined))
            }
            _ => Err(PageError::NotThere),
        }
    };
    take(&server, &request, payload, carry_out).await
}

/// The row that a form names; a text that is no id is nobody's.
pub(super) fn id(fields: &Parameters, name: &str) -> Result<uuid::Uuid, PageError> {
    let text = fields.required(name, 36).map_err(PageError::Incomplete)?;
    text.parse().map_err(|_| PageError::NotThere)
}
