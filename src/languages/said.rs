//! A message with its arguments: as a piece of a page, or as text.

use std::{borrow::Cow, fmt};

use askama::filters::{Escaper, Html, HtmlSafe};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use super::Language;

/// A message with its arguments. Displayed, it is a piece of a page: its words and what came from strangers are escaped.
#[derive(Clone, Debug)]
pub struct Said {
    language: Language,
    id: Cow<'static, str>,
    /// A part of the message (Fluent calls it an attribute) in its place.
    part: Option<&'static str>,
    arguments: Vec<(&'static str, Argument)>,
}

#[derive(Clone, Debug)]
enum Argument {
    /// A text of somebody else's, isolated on pages from the sentence it stands in, whichever way it runs.
    Text { class: &'static str, text: String },
    /// A link of ours with words of ours.
    Link { href: String, words: Box<Said> },
    /// Another message.
    Said(Box<Said>),
    /// A number, by which a language may also choose its words.
    Number(i64),
}

impl Said {
    pub(super) fn new(language: Language, id: Cow<'static, str>) -> Self {
        Self { language, id, part: None, arguments: Vec::new() }
    }

    /// The part of the message that has this name.
    #[must_use]
    pub fn part(self, name: &'static str) -> Self {
        Self { part: Some(name), ..self }
    }

    /// What somebody or something is called.
    #[must_use]
    pub fn name(self, argument: &'static str, text: impl fmt::Display) -> Self {
        self.with(argument, Argument::Text { class: "", text: text.to_string() })
    }

    /// The name of a host, or another address that has to be read letter by letter.
    #[must_use]
    pub fn host(self, argument: &'static str, text: impl fmt::Display) -> Self {
        self.with(argument, Argument::Text { class: "host", text: text.to_string() })
    }

    /// A link to a page of this server; what it says is another message.
    #[must_use]
    pub fn link(self, argument: &'static str, href: impl fmt::Display, words: Self) -> Self {
        self.with(argument, Argument::Link { href: href.to_string(), words: Box::new(words) })
    }

    /// Another message, such as a date.
    #[must_use]
    pub fn said(self, argument: &'static str, said: Self) -> Self {
        self.with(argument, Argument::Said(Box::new(said)))
    }

    /// A number.
    #[must_use]
    pub fn number(self, argument: &'static str, number: i64) -> Self {
        self.with(argument, Argument::Number(number))
    }

    fn with(mut self, argument: &'static str, value: Argument) -> Self {
        self.arguments.push((argument, value));
        self
    }

    /// Whether the message is there at all: a part may be left out.
    pub fn is_there(&self) -> bool {
        self.format(&self.language.spoken().text, Argument::text).is_some()
    }

    /// The message as plain text, for mails.
    pub fn text(&self) -> String {
        self.format(&self.language.spoken().text, Argument::text).unwrap_or_else(|| self.id.to_string())
    }

    fn format(
        &self,
        bundle: &FluentBundle<FluentResource>,
        value: impl Fn(&Argument) -> FluentValue<'static>,
    ) -> Option<String> {
        let message = bundle.get_message(&self.id)?;
        let pattern = match self.part {
            None => message.value()?,
            Some(part) => message.get_attribute(part)?.value(),
        };
        let arguments: FluentArgs<'_> =
            self.arguments.iter().map(|(name, argument)| (*name, value(argument))).collect();
        Some(bundle.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is missing is said by its name: that is better than no page, and the tests let none be missing.
        out.write_str(&self.format(&self.language.spoken().html, Argument::html).unwrap_or_else(|| self.id.to_string()))
    }
}

impl HtmlSafe for Said {}

impl Argument {
    fn text(&self) -> FluentValue<'static> {
        match self {
            Self::Text { text, .. } => text.clone().into(),
            Self::Link { words: said, .. } | Self::Said(said) => said.text().into(),
            Self::Number(number) => (*number).into(),
        }
    }

    fn html(&self) -> FluentValue<'static> {
        match self {
            Self::Text { class: "", text } => format!("<bdi>{}</bdi>", escape(text)).into(),
            Self::Text { class, text } => format!("<bdi class=\"{class}\">{}</bdi>", escape(text)).into(),
            Self::Link { href, words } => format!("<a href=\"{}\">{words}</a>", escape(href)).into(),
            Self::Said(said) => said.to_string().into(),
            Self::Number(number) => (*number).into(),
        }
    }
}

/// Escapes what stands between tags or in quotation marks.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let mut escaped = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = Html.write_escaped_str(&mut escaped, text);
    Cow::Owned(escaped)
}
