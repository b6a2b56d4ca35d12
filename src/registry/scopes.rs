//! What a plugin's clients may ask for, described by its owner.

use super::{
    Registry, RegistryError, RegistryResult, Wrong,
    plugins::{full, keep},
};
use crate::{
    model::{
        plugin::Plugin,
        scope::{CATALOGUE_MAX, Catalogue, Scope},
    },
    protocol::manifest::openapi,
    store::plugins::{Known, PluginImport},
};

/// One scope of a plugin, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeForm {
    /// Its name (RFC 6749 §3.3).
    pub name: String,
    /// What it lets a client do, in a sentence for people.
    pub words: String,
    /// Whether a person may leave it out.
    pub optional: bool,
}

/// Describes a plugin's scopes anew, and adds those it has not. None leaves: codes in flight know them by their place.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong, and [`RegistryError::ChangedMeanwhile`].
pub async fn describe(registry: &Registry<'_>, plugin: &Plugin, forms: &[ScopeForm]) -> RegistryResult<Plugin> {
    // First of all: the rest looks at each beside every other.
    if forms.len() > CATALOGUE_MAX {
        return Err(full().into());
    }
    let mut wrong = Vec::new();
    let mut changed = Catalogue::default();
    for (number, form) in forms.iter().enumerate() {
        if forms[..number].iter().any(|other| other.name == form.name) {
            wrong.push(Wrong::new("scope", format!("the name {} stands twice", form.name)));
        }
        let known = plugin.scopes.iter().find(|scope| scope.name == form.name);
        match openapi::scope(&form.name, &form.words) {
            Ok(scope) => {
                // What the form does not show stays: other languages, and whether it asks for a second factor.
                let mut scope = Scope { optional: form.optional, ..scope };
                if let Some(known) = known {
                    scope.step_up = known.step_up;
                    if known.words == scope.words {
                        scope.translations.clone_from(&known.translations);
                    }
                }
                if changed.put(scope).is_err() {
                    return Err(full().into());
                }
            }
            Err(error) => wrong.push(Wrong::new("scope", error.to_string())),
        }
    }
    if !wrong.is_empty() {
        return Err(RegistryError::Wrong(wrong));
    }
    let known = Known::Version(plugin.version);
    let plugin = Plugin { scopes: changed, ..plugin.clone() };
    keep(registry, PluginImport { plugin, documents: Vec::new(), known, moves_keys: false, at: registry.clock.now() })
        .await
}
