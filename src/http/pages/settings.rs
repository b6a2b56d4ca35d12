//! A person's own account: what it is called, where mail goes, how one signs in; and its end.

use askama::Template;

use super::{super::assets, Layout, SignedIn, field::Field};
use crate::{
    http::account::place::Place,
    languages::{Language, Said},
    model::account::Account,
};

/// A person's own account, `GET /account`, and the answer to its forms.
#[derive(Debug, Clone, Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf` of every form.
    pub csrf: String,
    /// Names the account its forms are for, field `account`: another may have been signed in to since.
    pub id: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// Whether the address was shown to be theirs.
    pub is_verified: bool,
    /// Whether they have a password; who signs in by other means may have none.
    pub has_password: bool,
    /// The language that was chosen.
    pub language: Option<Language>,
    /// Whether mail is sent at all.
    pub sends_mail: bool,
    /// How many characters a password needs.
    pub length_min: usize,
    /// What was typed before as the field at fault.
    pub typed: String,
    /// What became of the form that was sent.
    pub told: Option<Told>,
}

/// What became of a form.
#[derive(Debug, Clone)]
pub enum Told {
    /// It was done.
    Done(Said),
    /// It was not, for no field's fault.
    Refused(Said),
    /// A field is at fault.
    Mistake(At, Said),
}

/// A field that can be at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The name.
    Name,
    /// The new address.
    Email,
    /// The password that a new address asks for.
    EmailPassword,
    /// The password that a new one asks for.
    Password,
    /// The new password.
    NewPassword,
    /// The password that one's data ask for.
    ExportPassword,
}

/// For the password one has, with what is wrong with it.
fn password_field<'a>(id: &'static str, label: Said, error: Option<Said>) -> Field<'a, Said> {
    Field { id, autocomplete: "current-password", ..at_fault(Field::new("password", label, ("password", 1024)), error) }
}

/// The same field with what is wrong with it, if anything; typing goes on there.
fn at_fault(field: Field<'_, Said>, error: Option<Said>) -> Field<'_, Said> {
    Field { takes_focus: error.is_some(), wrong: error.into_iter().collect(), ..field }
}

impl SettingsPage {
    fn error(&self, at: At) -> Option<Said> {
        match &self.told {
            Some(Told::Mistake(known, said)) if *known == at => Some(said.clone()),
            _ => None,
        }
    }

    fn name(&self) -> Field<'_, Said> {
        let error = self.error(At::Name);
        let value = if error.is_some() { &self.typed } else { &self.account.name };
        let field = Field::new("name", self.layout.say("field-name"), ("text", 100));
        at_fault(Field { autocomplete: "name", value, ..field }, error)
    }

    fn email(&self) -> Field<'_, Said> {
        // Whoever mistyped the password need not type the address again.
        let is_typed = self.error(At::Email).or(self.error(At::EmailPassword)).is_some();
        let value = if is_typed { self.typed.as_str() } else { "" };
        let hint = Some(self.layout.say("settings-email-hint"));
        let field = Field::new("email", self.layout.say("settings-email-new"), ("email", 254));
        at_fault(Field { autocomplete: "email", hint, value, ..field }, self.error(At::Email))
    }

    fn email_password(&self) -> Field<'_, Said> {
        let label = self.layout.say("settings-password-current");
        password_field("email-password", label, self.error(At::EmailPassword))
    }

    fn password(&self) -> Field<'_, Said> {
        password_field("password", self.layout.say("settings-password-current"), self.error(At::Password))
    }

    fn new_password(&self) -> Field<'_, Said> {
        let count = i64::try_from(self.length_min).unwrap_or(i64::MAX);
        Field {
            name: "new_password",
            autocomplete: "new-password",
            hint: Some(self.layout.say("links-password-hint").number("count", count)),
            ..password_field("new-password", self.layout.say("links-new-password"), self.error(At::NewPassword))
        }
    }

    fn export_password(&self) -> Field<'_, Said> {
        let label = self.layout.say("settings-password-current");
        password_field("export-password", label, self.error(At::ExportPassword))
    }

    fn is_chosen(&self, language: Language) -> bool {
        self.language == Some(language)
    }

    /// Whether a form stands open: something in it is at fault.
    fn is_open(&self, fields: &[At]) -> bool {
        fields.iter().any(|at| self.error(*at).is_some())
    }
}

/// The last page before an account goes, `GET /account/delete`, and the answer to its form.
#[derive(Debug, Clone, Template)]
#[template(path = "delete_account.html")]
pub struct DeletePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// Names the account, field `account`.
    pub id: String,
    /// Who is signed in.
    pub account: SignedIn,
    /// How many apps lose what they were allowed.
    pub apps: usize,
    /// In how many browsers they are signed in.
    pub sessions: usize,
    /// Whether they may run services here.
    pub is_owner: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// What became of the form.
    pub told: Option<Told>,
}

impl DeletePage {
    fn password(&self) -> Field<'_, Said> {
        let error = match &self.told {
            Some(Told::Mistake(_, said)) => Some(said.clone()),
            _ => None,
        };
        password_field("password", self.layout.say("settings-password-current"), error)
    }

    fn count(&self, id: &'static str, number: usize) -> Said {
        self.layout.say(id).number("count", i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// An account is gone, `GET /account/deleted`.
#[derive(Debug, Clone, Template)]
#[template(path = "account_deleted.html")]
pub struct DeletedPage {
    /// Shared by all pages.
    pub layout: Layout,
}

impl From<&Account> for SignedIn {
    fn from(account: &Account) -> Self {
        Self { name: account.name.clone(), email: account.email.to_string() }
    }
}
