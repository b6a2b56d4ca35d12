//! What a form would make of a plugin, before anything is kept.

use serde_json::json;
use url::Url;

use super::{PluginForm, accent, host, manifest_of, short_name::short_name};
use crate::{
    model::{
        id::PluginId,
        plugin::{Plugin, PluginState, SubjectSalt},
    },
    protocol::manifest::{self, openapi},
    registry::Registry,
};

/// What a form would make.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// The plugin.
    pub plugin: Plugin,
    /// What its manifest would be refused for.
    pub mistakes: Vec<String>,
}

/// The plugin that a form would make, whatever is wrong with it: nothing is kept, and what cannot be read stands as it
/// was, or for nothing.
pub fn preview(registry: &Registry<'_>, known: Option<&Plugin>, form: &PluginForm) -> Option<Previewed> {
    let address = Url::parse(form.api_address.trim()).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let host = host(registry, &address).ok().or_else(|| known.map(|plugin| plugin.host.clone()));
    let host = host.or_else(|| NOWHERE.parse().ok())?;
    let mut manifest = known.and_then(|plugin| plugin.manifest.as_object().cloned()).unwrap_or_default();
    if known.is_none() {
        let own = form.short_name.trim();
        let name_for_model = if own.is_empty() { short_name(&form.name) } else { own.to_owned() };
        manifest.insert("schema_version".to_owned(), json!("v1"));
        manifest.insert("name_for_model".to_owned(), json!(name_for_model));
    }
    let manifest = manifest_of(registry, form, known, manifest, &host);
    let read = manifest::read_unpublished(manifest.to_string().as_bytes(), &host);
    let (manifest, mistakes) = match read {
        Ok((words, _)) => (words.manifest, Vec::new()),
        Err(mistakes) => (manifest, mistakes.iter().map(ToString::to_string).collect()),
    };
    let described = form.openapi.as_deref().and_then(|body| openapi::read(body).ok());
    let mut scopes = known.map(|plugin| plugin.scopes.clone()).unwrap_or_default();
    let names = scopes.names();
    for scope in described.into_iter().flat_map(|it| it.scopes).filter(|it| !names.contains(&it.name)) {
        // More than a plugin can have are left out.
        let _ = scopes.put(scope);
    }
    let plugin = Plugin {
        id: known.map_or(PluginId(uuid::Uuid::nil()), |plugin| plugin.id),
        slug: known.map(|plugin| plugin.slug.clone()).unwrap_or_default(),
        state: PluginState::Draft,
        upstream: None,
        routes: None,
        resource: format!("{}://{host}", registry.scheme(&host)),
        host,
        subject_salt: SubjectSalt([0; 32]),
        scopes,
        manifest,
        accent_color: accent(&form.accent_color).unwrap_or_default(),
        version: 0,
    };
    Some(Previewed { plugin, mistakes })
}

/// What stands where no host was typed yet.
const NOWHERE: &str = "api.example.com";
