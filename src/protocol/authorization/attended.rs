//! Attended: somebody is signed in. Whether a page is still needed is decided here.

use super::{Answered, Checked, Redirect, Refusal, checked::Prompt, in_flight::Question};
use crate::{
    model::{
        Timestamp,
        access::Grants,
        client::{Client, Registration},
        consent::Consent,
        digest::Digest,
        scope::{Scope, Scopes},
        session::Session,
    },
    protocol::{
        admission::{self, Admission},
        error::{ErrorCode, OAuthError},
    },
};

/// Why a request that shows no page came to nothing, whether nobody was asked or nobody could be.
const NOT_AGREED: &str = "the person has not agreed to this";

/// What has to happen before the request can be answered.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an outcome lives for one step in one place; a box would only cost")]
pub enum Attendance {
    /// Somebody must sign in.
    SignIn(Checked),
    /// The person must be asked.
    Ask(Attended),
    /// Consent was given before and nothing new is asked for.
    Answer(Answered),
    /// The client wants no page to be shown, and one would be needed.
    Refuse(Refusal),
}

/// A request with the person who will answer it.
#[derive(Debug)]
pub struct Attended {
    pub(super) checked: Checked,
    pub(super) session: Session,
    /// What was consented to before and still holds.
    standing: Option<Consent>,
    /// What is asked for, and is not theirs to grant.
    withheld: Scopes,
    /// The plugin does not let them in: they may only go back.
    is_closed: bool,
}

impl Checked {
    /// The same where a person answers a page: they are asked, whatever was agreed to before.
    #[must_use]
    pub fn asking(mut self) -> Self {
        if let Prompt::Pages { consent, .. } = &mut self.prompt {
            *consent = true;
        }
        self
    }

    /// Looks at who is signed in, what the plugin lets them grant, and what was consented to. `received_at` is when the request first arrived:
    /// `prompt=login` is satisfied by a sign-in after it.
    pub fn attend(
        mut self,
        person: Option<(Session, Option<Grants>)>,
        consent: Option<Consent>,
        client: &Client,
        received_at: Timestamp,
    ) -> Attendance {
        let (silent, login, ask) = match self.prompt {
            Prompt::None => (true, false, false),
            Prompt::Pages { login, consent } => (false, login, consent),
        };
        let refuse = |checked: &Checked, code, description| {
            Attendance::Refuse(checked.addressed.refuse(OAuthError::new(code, description)))
        };
        let Some((session, grants)) = person.filter(|(session, _)| !login || session.auth_time >= received_at) else {
            if silent {
                return refuse(&self, ErrorCode::LoginRequired, "nobody is signed in");
            }
            return Attendance::SignIn(self);
        };
        let withheld = match admission::decide(grants.as_ref(), &self.scopes) {
            Admission::Open { scopes, withheld } => {
                self.scopes = scopes;
                withheld
            }
            // Where no page is shown nobody has said anything yet, and whoever sends people here is told nothing about
            // them: it is what everybody is told who has not agreed.
            Admission::Closed if silent => return refuse(&self, ErrorCode::ConsentRequired, NOT_AGREED),
            Admission::Closed => {
                return Attendance::Ask(Attended {
                    checked: self,
                    session,
                    standing: None,
                    withheld: Scopes::default(),
                    is_closed: true,
                });
            }
        };
        let standing = consent.filter(|consent| consent.revoked_at.is_none());
        let covered = standing.as_ref().is_some_and(|consent| {
            // For the same reason what is withheld counts here like what was not agreed to.
            self.scopes.is_subset(&consent.scopes) && (!silent || withheld.is_subset(&consent.scopes))
        });
        // Any local program can open a loopback port or a private-use scheme (RFC 8252 §8.6), so there an earlier
        // consent proves nothing about who receives the code now. Nor does it for a client that registered itself: the
        // page showed where one answer went, and it may send the next one elsewhere.
        let provable = self.addressed.redirect_uri().is_website() && client.registration != Registration::Dynamic;
        let attended = Attended { checked: self, session, standing, withheld, is_closed: false };
        match attended.standing.clone() {
            Some(consent) if covered && provable && !ask => {
                Attendance::Answer(Answered::new(attended, &consent, client))
            }
            _ if silent && covered => {
                refuse(&attended.checked, ErrorCode::InteractionRequired, "a page must be shown for this redirect URI")
            }
            _ if silent => refuse(&attended.checked, ErrorCode::ConsentRequired, NOT_AGREED),
            _ => Attendance::Ask(attended),
        }
    }
}

impl Attended {
    /// The request.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// Who is asked.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The scopes that are asked for, in the order they are shown.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        let Checked { resource, scopes, .. } = &self.checked;
        resource.scopes.iter().filter(|scope| scopes.contains(&scope.name))
    }

    /// What is asked for as well, and is not theirs to grant.
    pub fn withheld(&self) -> impl Iterator<Item = &Scope> {
        self.checked.resource.scopes.iter().filter(|scope| self.withheld.contains(&scope.name))
    }

    /// Whether the plugin does not let them in. Nothing is asked of them then, and no yes gives anything.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What the page asks. Where the answer goes stands in the request itself, so nothing can change it.
    pub fn question(&self, client: &Client) -> Question {
        let resource = &self.checked.resource;
        let scopes: Vec<_> = self.scopes().collect();
        let target = (resource.id.to_string(), resource.identifier.as_str(), &resource.plugin_name);
        let text = serde_json::json!([client.name, target, scopes]).to_string();
        Question(Digest::of(text).short())
    }

    /// Whether a scope is asked for the first time, where something was consented to before.
    pub fn is_new(&self, scope: &str) -> bool {
        self.standing.as_ref().is_some_and(|consent| !consent.scopes.contains(scope))
    }

    /// Whether allowing these scopes takes a second factor first: the owner wants one for one of them, and none has been
    /// shown after that time.
    pub fn wants_factor(&self, scopes: &Scopes, since: Timestamp) -> bool {
        let shown = self.session.factor_at.is_some_and(|shown| shown > since);
        // A reviewer's account has no factor to show, and none can be added.
        let could = self.session.account.reviews.is_none();
        could && !shown && self.scopes().any(|scope| scope.step_up && scopes.contains(&scope.name))
    }

    /// What a yes gives with these of the scopes ticked that may be left out. `None` when nothing is left.
    pub fn agreed(&self, ticked: &Scopes) -> Option<Scopes> {
        if self.is_closed {
            return None;
        }
        self.checked.resource.scopes.agreed(&self.checked.scopes, ticked)
    }

    /// The person agreed to these scopes, and this is the consent as it was kept.
    pub fn allow(mut self, agreed: Scopes, consent: &Consent, client: &Client) -> Answered {
        self.checked.scopes = agreed;
        Answered::new(self, consent, client)
    }

    /// The person did not agree, or could not: the client is not told which.
    pub fn deny(&self) -> Redirect {
        self.checked.addressed.deny()
    }
}
