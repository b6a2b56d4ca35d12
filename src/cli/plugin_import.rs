//! `consentry plugin import`: a plugin from its owner's `ai-plugin.json`, its API's description and its logo.
//!
//! Everything is read and checked before anything is kept, and all mistakes are told together.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use url::Url;

use super::{
    answer::Answer,
    desk::{Desk, audit},
    failure::Failure,
    flags::key_and_value,
    plugin::{manifest_url, summary},
};
use crate::{
    model::{
        id::PluginId,
        plugin::{Document, DocumentKind, Host, Plugin, PluginState, SubjectSalt},
        scope::{Catalogue, Scope, Scopes},
    },
    outbound::{Limits, Outbound},
    pictures::{self, PictureError},
    protocol::manifest::{self, OwnersWords, openapi},
    random,
    registry::{RegistryError, plugins::accent},
    store::plugins::{ImportPlugin, PluginImport},
};

/// What fetching a logo may cost. The operator waits for it.
const LOGO_LIMITS: Limits = Limits { bytes_max: pictures::BYTES_MAX, patience: Duration::from_secs(10) };

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The owner's ai-plugin.json
    file: PathBuf,
    /// The host the plugin's documents are served on: api.example.com, localhost:8080
    #[arg(long)]
    host: String,
    /// The API itself, behind the gate
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The API's description; its scopes are taken over
    #[arg(long, value_name = "FILE")]
    openapi: Option<PathBuf>,
    /// The picture shown at installation and on the consent page: PNG, JPEG or WebP. Left out, the one that the
    /// manifest names is fetched, unless that is what this server answers at /logo.png itself
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// The colour of the page on which people agree, as #rrggbb, or `none` for the server's own; left out, it stays
    #[arg(long, value_name = "COLOUR")]
    accent_color: Option<String>,
    /// A scope and what it lets a client do, in plain words; may be repeated
    #[arg(long = "scope", value_name = "NAME=WORDS", value_parser = key_and_value)]
    scopes: Vec<(String, String)>,
}

/// What was read, once all of it is good.
struct Material {
    words: OwnersWords,
    scopes: Vec<Scope>,
    documents: Vec<Document>,
}

pub(super) async fn run(arguments: Import, desk: &Desk) -> Result<Answer, Failure> {
    let host: Host = arguments.host.parse().map_err(|error| Failure::not_done(format!("--host: {error}")))?;
    let Material { words, scopes, mut documents } = read(&arguments, &host)?;
    if arguments.logo.is_none() {
        documents.extend(fetch_logo(&words, &host, desk).await);
    }
    let mut catalogue = Catalogue::default();
    for scope in scopes {
        catalogue.put(scope).map_err(|error| Failure::not_done(error.to_string()))?;
    }
    let accent_color = match arguments.accent_color.as_deref() {
        Some("none") => None,
        Some(typed) => accent(typed).map_err(RegistryError::from)?,
        None => desk.store.plugin_by_slug(&words.slug).await?.and_then(|known| known.accent_color),
    };
    let at = desk.clock.now();
    let resource = format!("{}://{host}", desk.scheme(&host));
    let state = if publishes_a_token(&words) { PluginState::Published } else { PluginState::Draft };
    let plugin = Plugin {
        id: PluginId(random::id(at)),
        slug: words.slug,
        host,
        state,
        upstream: arguments.upstream,
        routes: None,
        resource,
        subject_salt: SubjectSalt(random::bytes()),
        scopes: catalogue,
        manifest: words.manifest,
        accent_color,
        version: 1,
    };
    let import = PluginImport::of(plugin, documents, at);
    match desk.store.import_plugin(&import, &audit(at)).await? {
        ImportPlugin::Created(plugin) => Ok(answer("Registered", &plugin, desk)),
        ImportPlugin::Updated(plugin) => Ok(answer("Changed", &plugin, desk)),
        ImportPlugin::HostTaken { slug } => Err(Failure::not_done(format!(
            "--host: {} belongs to the plugin \"{slug}\" already; each plugin has a host of its own",
            import.plugin.host
        ))),
        ImportPlugin::ResourceTaken { slug } => Err(Failure::not_done(format!(
            "--host: {} is a resource of the plugin \"{slug}\" already; see `consentry resource list`",
            import.plugin.resource
        ))),
        // It was to be neither new nor at a version.
        ImportPlugin::KeysWouldMove => Err(RegistryError::Unproven.into()),
        ImportPlugin::SlugTaken | ImportPlugin::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile.into()),
        ImportPlugin::CatalogueFull => Err(Failure::not_done(
            "the plugin would have too many scopes together with those it had before; codes have room for 128",
        )),
    }
}

fn publishes_a_token(words: &OwnersWords) -> bool {
    words
        .manifest
        .pointer("/auth/verification_tokens")
        .and_then(|tokens| tokens.as_object())
        .is_some_and(|t| !t.is_empty())
}

fn answer(done: &str, plugin: &Plugin, desk: &Desk) -> Answer {
    let scopes: Vec<&str> = plugin.scopes.iter().map(|scope| scope.name.as_str()).collect();
    let scopes = if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") };
    let text = format!(
        "{done} the plugin \"{}\" on {} ({}). Scopes: {scopes}.\nIts manifest is served at {}\nNext: consentry client add \
         --plugin {} --preset plugin --name NAME --callback URL",
        plugin.slug,
        plugin.host,
        plugin.state.as_str(),
        manifest_url(desk, plugin),
        plugin.slug,
    );
    Answer { json: summary(plugin), text }
}

/// Reads every file and flag; what is wrong with any of them is told together.
fn read(arguments: &Import, host: &Host) -> Result<Material, Failure> {
    let mut problems = Vec::new();
    let mut documents = Vec::new();
    let mut scopes = Vec::new();
    let words = keep(&mut problems, read_words(&arguments.file, host));
    if let Some(path) = &arguments.openapi
        && let Some((document, described)) = keep(&mut problems, read_openapi(path))
    {
        documents.push(document);
        scopes.extend(described);
    }
    if let Some(path) = &arguments.logo {
        documents.extend(keep(&mut problems, read_logo(path)));
    }
    for (name, words) in &arguments.scopes {
        let scope = openapi::scope(name, words).map_err(|error| vec![format!("--scope {name}: {error}")]);
        scopes.extend(keep(&mut problems, scope));
    }
    if let Some(upstream) = &arguments.upstream {
        keep(&mut problems, check_upstream(upstream).map_err(|problem| vec![format!("--upstream: {problem}")]));
    }
    match words {
        Some(words) if problems.is_empty() => {
            add_undescribed(&words, &mut scopes);
            Ok(Material { words, scopes, documents })
        }
        _ => Err(Failure::list("nothing was imported:", &problems)),
    }
}

fn keep<T>(problems: &mut Vec<String>, outcome: Result<T, Vec<String>>) -> Option<T> {
    outcome.map_err(|told| problems.extend(told)).ok()
}

fn read_words(path: &Path, host: &Host) -> Result<OwnersWords, Vec<String>> {
    let shown = path.display();
    let bytes = read_file(path, manifest::BYTES_MAX)?;
    let (words, warnings) = manifest::read(&bytes, host)
        .map_err(|mistakes| mistakes.iter().map(|mistake| format!("{shown}: {mistake}")).collect::<Vec<_>>())?;
    for warning in warnings {
        eprintln!("warning: {shown}: {warning}");
    }
    Ok(words)
}

fn read_openapi(path: &Path) -> Result<(Document, Vec<Scope>), Vec<String>> {
    let body = read_file(path, openapi::BYTES_MAX)?;
    let description = openapi::read(&body).map_err(|error| vec![format!("{}: {error}", path.display())])?;
    let content_type = description.content_type.to_owned();
    Ok((Document { kind: DocumentKind::OpenApi, content_type, body }, description.scopes))
}

fn read_logo(path: &Path) -> Result<Document, Vec<String>> {
    let body = read_file(path, pictures::BYTES_MAX)?;
    logo(&body).map_err(|error| vec![format!("{}: {error}", path.display())])
}

/// Fetches the picture the manifest names, once. A plugin does without one rather than not at all, so what goes wrong
/// is a warning. The place this server answers itself has what was given to it before, or nothing.
async fn fetch_logo(words: &OwnersWords, host: &Host, desk: &Desk) -> Option<Document> {
    let url = words.manifest.get("logo_url").and_then(|url| url.as_str()).and_then(|url| Url::parse(url).ok())?;
    let origin = url.origin().ascii_serialization();
    let is_here = origin.split_once("://").and_then(|(_, of)| of.parse::<Host>().ok()).as_ref() == Some(host);
    if is_here && url.path() == "/logo.png" {
        return None;
    }
    let fetched = async {
        let outbound = Outbound::new(desk.outbound.clone()).map_err(|error| error.to_string())?;
        let fetched = outbound.get(&url, LOGO_LIMITS).await.map_err(|error| error.to_string())?;
        logo(&fetched.body).map_err(|error| error.to_string())
    };
    fetched
        .await
        .inspect_err(|problem| eprintln!("warning: there is no logo from {url}: {problem}; --logo takes a file"))
        .ok()
}

fn logo(bytes: &[u8]) -> Result<Document, PictureError> {
    Ok(Document { kind: DocumentKind::Logo, content_type: "image/png".to_owned(), body: pictures::logo(bytes)? })
}

/// Reads a file, but not one without end.
pub(super) fn read_file(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Vec<String>> {
    let told = |problem: String| vec![format!("{}: {problem}", path.display())];
    let file = File::open(path).map_err(|error| told(format!("it cannot be read ({error})")))?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| told(format!("it cannot be read ({error})")))?;
    if bytes.len() > bytes_max {
        return Err(told(format!("it has more than {bytes_max} bytes")));
    }
    Ok(bytes)
}

fn check_upstream(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "it is not a URL; write http://127.0.0.1:9000")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a user name or password; secrets do not belong into URLs");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or fragment; write it without");
    }
    Ok(())
}

/// What the manifest asks for must exist, or the assistant would ask for something that is not there.
fn add_undescribed(words: &OwnersWords, scopes: &mut Vec<Scope>) {
    let asked = words.manifest.pointer("/auth/scope").and_then(|scope| scope.as_str()).unwrap_or_default();
    // Checked by `manifest::read` already.
    let asked: Scopes = asked.parse().unwrap_or_default();
    for name in asked.iter() {
        if !scopes.iter().any(|scope| scope.name == name) {
            scopes.push(Scope::new(name, openapi::plain_words(name)));
        }
    }
}
