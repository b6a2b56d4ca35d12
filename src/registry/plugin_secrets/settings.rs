//! How and where an API key is used, as it was typed, and what is wrong with it. Command line, console and owners' API fill
//! in the same form.

use chrono::TimeDelta;

use crate::{
    model::{
        plugin_secret::{Injection, NotAnInjection, SecretRoute, SecretSource},
        span::Span,
    },
    registry::Wrong,
    store::plugin_secrets::SecretSettings,
};

/// More than one secret needs: whoever names so many means a pattern.
const ROUTES_MAX: usize = 50;

/// The least time for which the version before is good, unless it ends at once: every node uses the new one after a
/// second, and a request that took the one before gets there.
pub const GRACE_MIN: TimeDelta = TimeDelta::seconds(5);

/// The longest: whoever needs more has two keys.
const GRACE_MAX: TimeDelta = TimeDelta::days(30);

/// What the version before is good for where nobody says.
pub const GRACE_USUAL: &str = "1h";

/// How often a new version can be due.
const AGES: std::ops::RangeInclusive<TimeDelta> = TimeDelta::hours(1)..=TimeDelta::days(3660);

/// How and where a secret is used, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsForm {
    /// The header of a request in which it goes.
    pub header: String,
    /// What stands before it there; the usual where it is not said.
    pub prefix: Option<String>,
    /// Where it is used: a method and a path each.
    pub routes: Vec<String>,
    /// How long the version before is still good beside a new one, such as `1h`.
    pub grace: String,
    /// How old a version becomes before another is due, such as `90d`; empty for never.
    pub rotate_every: String,
    /// Who makes new versions.
    pub source: SecretSource,
}

impl Default for SettingsForm {
    fn default() -> Self {
        Self {
            header: "authorization".to_owned(),
            prefix: None,
            routes: Vec::new(),
            grace: GRACE_USUAL.to_owned(),
            rotate_every: String::new(),
            source: SecretSource::People,
        }
    }
}

impl SettingsForm {
    /// Has it go into this header. What stood before it in another header says nothing of this one.
    pub fn move_to(&mut self, header: String) {
        if !header.trim().eq_ignore_ascii_case(&self.header) {
            self.prefix = None;
        }
        self.header = header;
    }

    /// Has new versions made by this rotator, or by people where none is named.
    pub fn give_to(&mut self, rotator: Option<String>) {
        self.source = rotator.map_or(SecretSource::People, SecretSource::Rotator);
    }
}

impl From<&SecretSettings> for SettingsForm {
    fn from(settings: &SecretSettings) -> Self {
        Self {
            header: settings.injection.header().to_owned(),
            prefix: Some(settings.injection.prefix().to_owned()),
            routes: settings.routes.iter().map(SecretRoute::to_string).collect(),
            grace: Span(settings.grace).to_string(),
            rotate_every: settings.rotate_every.map(|age| Span(age).to_string()).unwrap_or_default(),
            source: settings.source.clone(),
        }
    }
}

pub(super) fn read(form: &SettingsForm) -> Result<SecretSettings, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let injection = Injection::new(&form.header, form.prefix.as_deref())
        .map_err(|error| {
            let field = if error == NotAnInjection::Prefix { "prefix" } else { "header" };
            wrong.push(Wrong::new(field, error.to_string()));
        })
        .ok();
    let mut routes: Vec<SecretRoute> = Vec::new();
    for text in form.routes.iter().filter(|text| !text.trim().is_empty()) {
        match text.parse::<SecretRoute>() {
            Ok(route) if routes.contains(&route) => {}
            Ok(route) => routes.push(route),
            Err(error) => wrong.push(Wrong::new("routes", format!("\"{}\": {error}", text.trim()))),
        }
    }
    if routes.len() > ROUTES_MAX {
        wrong.push(Wrong::new("routes", format!("name at most {ROUTES_MAX}; \"* /v1/*\" stands for many")));
    }
    let grace = read_grace(&form.grace).map_err(|problem| wrong.push(problem)).ok();
    let rotate_every = match form.rotate_every.trim() {
        "" => None,
        text => match text.parse::<Span>() {
            Ok(Span(age)) if AGES.contains(&age) => Some(age),
            Ok(_) => {
                let (least, most) = (Span(*AGES.start()), Span(*AGES.end()));
                wrong.push(Wrong::new("rotate_every", format!("write a time from {least} to {most}, such as 90d")));
                None
            }
            Err(error) => {
                wrong.push(Wrong::new("rotate_every", error.to_string()));
                None
            }
        },
    };
    if matches!(form.source, SecretSource::Rotator(_)) {
        if form.rotate_every.trim().is_empty() {
            wrong.push(Wrong::new("rotate_every", "say how often, such as 90d: the server makes the new versions"));
        }
        // Or more and more of them would be good at once.
        if rotate_every.zip(grace).is_some_and(|(every, grace)| grace > every) {
            wrong.push(Wrong::new("grace", "it is longer than a version lasts; choose a shorter one"));
        }
    }
    match (injection, grace) {
        (Some(injection), Some(grace)) if wrong.is_empty() => {
            Ok(SecretSettings { injection, routes, grace, rotate_every, source: form.source.clone() })
        }
        _ => Err(wrong),
    }
}

pub(super) fn read_grace(text: &str) -> Result<TimeDelta, Wrong> {
    match text.parse::<Span>() {
        Ok(Span(grace)) if grace.is_zero() || (GRACE_MIN..=GRACE_MAX).contains(&grace) => Ok(grace),
        Ok(_) => {
            let (least, most) = (Span(GRACE_MIN), Span(GRACE_MAX));
            Err(Wrong::new("grace", format!("write 0, to end the version before at once, or {least} to {most}")))
        }
        Err(error) => Err(Wrong::new("grace", error.to_string())),
    }
}
