//! `/account`: a person's name, address, password and language, and all that is kept of them as a file. What gives an
//! account away asks for the password again; `server::people` has the steps themselves.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{self, ContentDisposition, DispositionParam, DispositionType},
    web,
};

use super::{own::Own, place::Place};
use crate::{
    http::{
        extract::cookies,
        failure::{self, PageError},
        oauth::authorize::to_path,
        pages::{self, At, SettingsPage, SignedIn, Told},
    },
    languages::Language,
    model::{account::Email, audit::Actor, legible},
    passwords::{self, PasswordError},
    protocol::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    server::{
        Server,
        people::{self, Change, PeopleError, Unproven},
    },
};

/// Longest address read, in bytes.
const EMAIL_LENGTH_MAX: usize = 254;
/// Longest name read, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let shown = async {
        match Own::enter(&server, &request).await? {
            None => Ok(Place::Account.after_signing_in(&server)),
            Some(own) => render(&own, "", None),
        }
    };
    failure::page(&server, &request, shown.await)
}

/// Takes one of its forms.
pub async fn take(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let taken = async {
        match Own::bring(&server, &request, payload).await? {
            None => Ok(Place::Account.after_signing_in(&server)),
            Some((own, fields)) if own.is_for(&fields) => change(own, &fields).await,
            Some((own, _)) => refuse(&own, "settings-other-account"),
        }
    };
    failure::page(&server, &request, taken.await)
}

async fn change(own: Own<'_>, fields: &Parameters) -> Result<HttpResponse, PageError> {
    match fields.required("change", 32).map_err(PageError::Incomplete)? {
        "name" => rename(own, fields).await,
        "verify" => {
            let change = people::ask_to_verify(own.server, &own.account, &own.asker()).await?;
            let email = own.account.email.to_string();
            answer(&own, change, Asked { at: At::Email, done: "settings-mail-sent", typed: &email })
        }
        "email" => change_email(&own, fields).await,
        "password" => change_password(&own, fields).await,
        "set-password" => {
            let change = people::ask_for_password(own.server, &own.account, &own.asker()).await?;
            let email = own.account.email.to_string();
            answer(&own, change, Asked { at: At::Password, done: "settings-mail-sent", typed: &email })
        }
        "language" => choose_language(&own, fields).await,
        "export" => export(&own, fields).await,
        _ => Err(PageError::Incomplete(OAuthError::new(ErrorCode::InvalidRequest, "change is none of ours"))),
    }
}

async fn rename(mut own: Own<'_>, fields: &Parameters) -> Result<HttpResponse, PageError> {
    let typed = fields.one("name", NAME_BYTES_MAX).unwrap_or_default().unwrap_or_default();
    let Some(name) = legible::name(typed) else { return mistake(&own, At::Name, "field-name-wrong", typed) };
    let audit = own.server.audit(Actor::Account(own.account.id), own.person().origin);
    own.server.store.change_name(own.account.id, &name, &audit).await?;
    own.account.name = name;
    let said = own.layout().say("settings-name-saved");
    render(&own, "", Some(Told::Done(said)))
}

async fn change_email(own: &Own<'_>, fields: &Parameters) -> Result<HttpResponse, PageError> {
    let typed = fields.one("email", EMAIL_LENGTH_MAX).unwrap_or_default().unwrap_or_default();
    let Ok(email) = typed.parse::<Email>() else { return mistake(own, At::Email, "field-email-wrong", typed) };
    if email == own.account.email {
        return mistake(own, At::Email, "settings-email-same", typed);
    }
    let password = password(fields, "password");
    let change = people::ask_to_change_email(own.server, &own.person(), password, &email, &own.asker()).await?;
    answer(own, change, Asked { at: At::EmailPassword, done: "settings-email-sent", typed: email.as_str() })
}

async fn change_password(own: &Own<'_>, fields: &Parameters) -> Result<HttpResponse, PageError> {
    let passwords = (password(fields, "password"), password(fields, "new_password"));
    match people::change_password(own.server, &own.person(), passwords).await {
        Ok(change) => {
            let email = own.account.email.to_string();
            answer(own, change, Asked { at: At::Password, done: "settings-password-changed", typed: &email })
        }
        Err(PeopleError::Password(PasswordError::Unfit(unfit))) => {
            mistake(own, At::NewPassword, pages::unfit(unfit), "")
        }
        Err(error) => Err(error.into()),
    }
}

/// The choice is kept with the account, for mails, and in this browser.
async fn choose_language(own: &Own<'_>, fields: &Parameters) -> Result<HttpResponse, PageError> {
    let word = fields.one("language", 32).unwrap_or_default().unwrap_or_default();
    let chosen = word.parse::<Language>().ok();
    own.server.store.choose_language(own.account.id, chosen.map(Language::tag)).await?;
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(match chosen {
        Some(language) => cookies::set_language(&own.server.settings, language),
        None => cookies::remove_language(&own.server.settings),
    });
    Ok(to_path(own.server, answer, &Place::Account.path()))
}

async fn export(own: &Own<'_>, fields: &Parameters) -> Result<HttpResponse, PageError> {
    match people::export(own.server, &own.person(), password(fields, "password")).await? {
        Ok(export) => {
            let file = DispositionParam::Filename("account.json".to_owned());
            let as_a_file = ContentDisposition { disposition: DispositionType::Attachment, parameters: vec![file] };
            Ok(HttpResponse::Ok().insert_header((header::CONTENT_DISPOSITION, as_a_file)).json(export))
        }
        Err(unproven) => answer(own, Change::Unproven(unproven), Asked { at: At::ExportPassword, done: "", typed: "" }),
    }
}

fn password<'a>(fields: &'a Parameters, name: &str) -> &'a str {
    fields.one(name, passwords::LENGTH_MAX).unwrap_or_default().unwrap_or_default()
}

/// What a form asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    /// The field that is at fault if the password is wrong.
    at: At,
    /// The message that says that it was done.
    done: &'static str,
    /// The address it is about.
    typed: &'a str,
}

/// Says what became of it.
fn answer(own: &Own<'_>, change: Change, asked: Asked<'_>) -> Result<HttpResponse, PageError> {
    let layout = own.layout();
    let told = match change {
        Change::Done => Told::Done(layout.say(asked.done).host("email", asked.typed)),
        Change::Unproven(Unproven::Wrong) => Told::Mistake(asked.at, layout.say("settings-wrong-password")),
        Change::Unproven(Unproven::TooMany(too_many)) => {
            let told = Told::Mistake(asked.at, layout.say("sign-in-too-many"));
            return rendered(own, asked.typed, Some(told), pages::too_many(too_many));
        }
        Change::TooManyMails => Told::Refused(layout.say("settings-too-many-mails")),
        Change::Meanwhile => Told::Refused(layout.say("settings-meanwhile")),
        Change::NotOffered => return Err(PageError::NotOffered),
    };
    render(own, asked.typed, Some(told))
}

fn mistake(own: &Own<'_>, at: At, message: &'static str, typed: &str) -> Result<HttpResponse, PageError> {
    let count = i64::try_from(own.server.settings.passwords.length_min).unwrap_or(i64::MAX);
    let said = own.layout().say(message).number("count", count);
    render(own, typed, Some(Told::Mistake(at, said)))
}

fn refuse(own: &Own<'_>, message: &'static str) -> Result<HttpResponse, PageError> {
    render(own, "", Some(Told::Refused(own.layout().say(message))))
}

fn render(own: &Own<'_>, typed: &str, told: Option<Told>) -> Result<HttpResponse, PageError> {
    let answer = match &told {
        None | Some(Told::Done(_)) => HttpResponse::Ok(),
        Some(Told::Mistake(..)) => HttpResponse::UnprocessableEntity(),
        Some(Told::Refused(_)) => HttpResponse::Conflict(),
    };
    rendered(own, typed, told, answer)
}

fn rendered(
    own: &Own<'_>,
    typed: &str,
    told: Option<Told>,
    mut answer: HttpResponseBuilder,
) -> Result<HttpResponse, PageError> {
    let page = SettingsPage {
        layout: own.layout(),
        csrf: own.csrf()?,
        id: own.id(),
        account: SignedIn::from(&own.account),
        is_verified: own.account.email_verified_at.is_some(),
        has_password: own.has_password,
        language: own.account.language.as_deref().and_then(|tag| tag.parse().ok()),
        sends_mail: own.server.mails.mailer().is_on(),
        length_min: own.server.settings.passwords.length_min,
        typed: typed.to_owned(),
        told,
    };
    own.visitor.mark(&own.server.settings, &mut answer);
    Ok(pages::answer(answer, &page, None)?)
}
