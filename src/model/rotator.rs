//! Rotators: who makes new versions of plugins' secrets, as the operator has configured them. Owners choose one by its name,
//! and nothing else of it.
//!
//! `config::rotators` reads them, the craft `rotators` asks them.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::live::Live;

/// One of them.
#[derive(Clone)]
pub struct Rotator {
    /// Its word in the configuration.
    pub name: String,
    /// Whether owners of plugins may choose it.
    pub for_owners: bool,
    /// How it makes keys.
    pub way: Way,
}

/// How a rotator makes keys, and ends them.
#[derive(Clone)]
pub enum Way {
    /// By the administration API of whoever issues them.
    Recipe(Box<Administration>),
    /// By a program on this machine: its path, and its arguments.
    Command(Vec<String>),
    /// By a service of the operator's own.
    Webhook {
        /// Where it is.
        url: Url,
        /// What signs the requests to it.
        key: Live<Zeroizing<Vec<u8>>>,
    },
}

/// An administration API, and who this server is to it.
#[derive(Clone)]
pub struct Administration {
    /// How it is spoken to.
    pub recipe: Recipe,
    /// What paths begin with.
    pub url: Url,
    /// What stands for the names in the recipe's paths.
    pub parameters: BTreeMap<String, String>,
    /// What it lets this server in by.
    pub admin_key: Live<Zeroizing<String>>,
}

/// How an administration API makes keys, lists them and ends them. Braces stand around names: those of `parameters`, `label`
/// in a body, and `id` in the path by which a key ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What paths begin with, unless the operator says otherwise.
    pub url: String,
    /// What the operator has to name.
    pub parameters: Vec<String>,
    /// How a key is made.
    pub make: Making,
    /// How keys are found by their labels.
    pub list: Listing,
    /// The path at which DELETE ends a key.
    pub end: String,
}

/// How a key is made. What is read out of an answer is named by JSON pointers (RFC 6901).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Making {
    /// The path for POST.
    pub path: String,
    /// What is sent.
    pub body: Value,
    /// Where the answer has the key.
    pub value: String,
    /// Where it has what the key is called there.
    pub id: String,
}

/// How keys are listed, page by page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The path for GET, with its query.
    pub path: String,
    /// Where the answer has the list.
    pub items: String,
    /// Where an entry has what the key is called there.
    pub id: String,
    /// Where it has its label.
    pub label: String,
    /// Where the answer says whether there is more.
    pub more: String,
    /// The parameter of the query that names the last one of the page before.
    pub after: String,
}

impl Rotator {
    /// The one of that name.
    pub fn find<'a>(all: &'a [Self], name: &str) -> Option<&'a Self> {
        all.iter().find(|rotator| rotator.name == name)
    }
}

impl fmt::Debug for Rotator {
    // A command's arguments may be anything.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rotator").field("name", &self.name).finish_non_exhaustive()
    }
}
