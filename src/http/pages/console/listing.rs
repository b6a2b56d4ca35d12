//! The console's page about what a plugin says of itself, when it is registered and afterwards.

use askama::Template;

use super::{super::super::assets, Field, Frame, Layout, Preview, Section, wrong_with};
use crate::{
    model::client::Dialect,
    registry::{Wrong, plugins::PluginForm},
};

/// What a plugin says of itself, `GET /console/new/{kind}` and `/console/plugins/{slug}/listing`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/listing.html")]
pub struct ListingPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// Of which kind the new plugin is to be; none for one that is there.
    pub kind: Option<Dialect>,
    /// The short name of one that is there.
    pub slug: String,
    /// Its version when it was read.
    pub version: i64,
    /// What stands in the fields.
    pub form: PluginForm,
    /// The API's description where it was pasted.
    pub pasted: String,
    /// Where the API's description is to be fetched.
    pub openapi_url: String,
    /// Where the picture is to be fetched.
    pub logo_url: String,
    /// Whether the API's description is kept.
    pub has_openapi: bool,
    /// Whether a picture is.
    pub has_logo: bool,
    /// Where whoever has not lately shown that it is them does so before they move an API to which keys go, after the public
    /// URL.
    pub proof: Option<String>,
    /// What people and assistants would read.
    pub preview: Preview,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

impl ListingPage {
    fn field<'a>(&'a self, name: &'static str, label: &'a str, hint: &'a str) -> Field<'a, &'a str> {
        let form = &self.form;
        let (kind, length_max, value): (_, _, &str) = match name {
            "name" => ("text", 50, &form.name),
            "short_name" => ("text", 50, &form.short_name),
            "api_address" => ("url", 300, &form.api_address),
            "description" => ("text", 120, &form.description),
            "contact_email" => ("email", 254, &form.contact_email),
            "legal_info_url" => ("url", 2000, &form.legal_info_url),
            "accent_color" => ("text", 7, &form.accent_color),
            "openapi_url" => ("url", 2000, &self.openapi_url),
            _ => ("url", 2000, &self.logo_url),
        };
        let required = !matches!(name, "short_name" | "accent_color" | "openapi_url" | "logo_url");
        Field {
            optional: (!required).then_some("optional"),
            hint: Some(hint),
            value,
            wrong: wrong_with(&self.wrong, name),
            ..Field::new(name, label, (kind, length_max))
        }
    }

    fn contact_hint(&self) -> &'static str {
        if self.is_for(Dialect::Plugin) {
            "An address that people may write to. For a classic plugin it must be of the API's own domain."
        } else {
            "An address that people may write to."
        }
    }

    fn legal_hint(&self) -> &'static str {
        if self.is_for(Dialect::Plugin) {
            "A page of yours, with https://. For a classic plugin it must be of the API's own domain."
        } else {
            "A page of yours, with https://."
        }
    }

    fn openapi_hint(&self) -> &'static str {
        if self.has_openapi {
            "One is kept already: leave this empty to keep it. Give it again when the API has changed: JSON or YAML, \
             version 3, where it can be fetched now."
        } else {
            "Where it can be fetched now; JSON or YAML, version 3. It is kept here and served to assistants, and what it \
             says of permissions is proposed to you. Give it again whenever it changes."
        }
    }

    fn logo_hint(&self) -> &'static str {
        if self.has_logo {
            "One is kept already: leave this empty to keep it. Another is fetched now: PNG, JPEG or WebP."
        } else {
            "Where the picture can be fetched now: PNG, JPEG or WebP. It is kept here."
        }
    }

    fn address_label(&self) -> &'static str {
        if self.kind == Some(Dialect::Connector) { "Address of the MCP server" } else { "Address of the API" }
    }

    fn address_hint(&self) -> &'static str {
        if self.kind == Some(Dialect::Connector) {
            "What people paste, such as https://mcp.example.com/mcp. Requests for /.well-known on its host must reach \
             this server."
        } else {
            "Only the beginning, such as https://api.example.com. Its requests to /.well-known, /authorize and /token \
             must reach this server."
        }
    }

    /// Where the form leads.
    fn path(&self) -> String {
        match self.kind {
            Some(kind) => format!("/console/new/{}", kind.as_str()),
            None => format!("/console/plugins/{}/listing", self.slug),
        }
    }

    fn is_for(&self, kind: Dialect) -> bool {
        self.kind.is_none_or(|known| known == kind)
    }

    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }
}
