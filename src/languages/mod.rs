//! The languages people are spoken to in, and their messages (Project Fluent), compiled in from `messages/`.
//!
//! A message is plain text. What is marked up on a page comes into it as an argument ([`Said`]), so no translation can
//! break a page or open it to strangers, and one message serves pages and mails alike. The tests hold all languages to
//! the same messages with the same arguments, and templates and handlers to messages that exist.

mod said;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, str::FromStr, sync::LazyLock};

use chrono::Datelike;
use fluent_bundle::{FluentResource, concurrent::FluentBundle};

pub use self::said::Said;
use crate::model::{Timestamp, account::UnknownWord};

/// A language of pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// What is spoken where nothing better is known.
    #[default]
    English,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// Japanese.
    Japanese,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::Spanish, Self::Japanese];

    /// Its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::Japanese => "ja",
        }
    }

    /// What its speakers call it.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Spanish => "Español",
            Self::Japanese => "日本語",
        }
    }

    /// A message, to which arguments can be given.
    pub fn say(self, id: impl Into<Cow<'static, str>>) -> Said {
        Said::new(self, id.into())
    }

    /// A day, as it is written in the language.
    pub fn date(self, time: Timestamp) -> Said {
        let number = |number: u32| i64::from(number);
        let date = self.say("date").number("day", number(time.day())).number("month", number(time.month()));
        date.number("year", i64::from(time.year()))
    }

    fn files(self) -> &'static [&'static str] {
        macro_rules! files {
            ($tag:literal) => {
                &[
                    include_str!(concat!("../../messages/", $tag, "/pages.ftl")),
                    include_str!(concat!("../../messages/", $tag, "/errors.ftl")),
                    include_str!(concat!("../../messages/", $tag, "/account.ftl")),
                    include_str!(concat!("../../messages/", $tag, "/factors.ftl")),
                    include_str!(concat!("../../messages/", $tag, "/settings.ftl")),
                    include_str!(concat!("../../messages/", $tag, "/letters.ftl")),
                    include_str!(concat!("../../messages/", $tag, "/providers.ftl")),
                ]
            };
        }
        match self {
            Self::English => files!("en"),
            Self::German => files!("de"),
            Self::Spanish => files!("es"),
            Self::Japanese => files!("ja"),
        }
    }

    fn spoken(self) -> &'static Spoken {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::Spanish => &SPANISH,
            Self::Japanese => &JAPANESE,
        }
    }
}

impl FromStr for Language {
    type Err = UnknownWord;

    /// Reads a language tag or range; only its first part counts: `de-AT` is German here.
    fn from_str(tag: &str) -> Result<Self, UnknownWord> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
            .ok_or_else(|| UnknownWord::new("language", tag))
    }
}

static ENGLISH: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Language::English));
static GERMAN: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Language::German));
static SPANISH: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Language::Spanish));
static JAPANESE: LazyLock<Spoken> = LazyLock::new(|| Spoken::of(Language::Japanese));

/// A language's messages, ready to be said: on pages, and as they are.
struct Spoken {
    html: FluentBundle<FluentResource>,
    text: FluentBundle<FluentResource>,
}

impl Spoken {
    fn of(language: Language) -> Self {
        let bundle = |escape: Option<fn(&str) -> Cow<'_, str>>| {
            let mut bundle = FluentBundle::new_concurrent(vec![language.tag().parse().unwrap_or_default()]);
            // Pages isolate arguments with an element of their own.
            bundle.set_use_isolating(false);
            bundle.set_transform(escape);
            for file in language.files() {
                // Of a file with a mistake the rest is said; the tests let none come so far.
                let resource = FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(rest, _)| rest);
                bundle.add_resource_overriding(resource);
            }
            bundle
        };
        Self { html: bundle(Some(said::escape)), text: bundle(None) }
    }
}
