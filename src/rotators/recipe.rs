//! Administration APIs, spoken to by recipes: what is known of each is data (`config/recipes.json`), so that another issuer
//! is an entry there and no code.

use std::time::Duration;

use reqwest::{
    Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use super::{Made, RotateError, is_id};
use crate::{
    model::rotator::Administration,
    outbound::{Limits, Outbound},
    vault::SecretValue,
};

/// What one answer may cost; the largest are pages of a list.
const LIMITS: Limits = Limits { bytes_max: 256 * 1024, patience: Duration::from_secs(10) };

/// How many pages of a list are looked through.
const PAGES_MAX: usize = 20;

/// Has a key made.
pub(super) async fn make(
    outbound: &Outbound,
    administration: &Administration,
    label: &str,
) -> Result<Made, RotateError> {
    let making = &administration.recipe.make;
    let url = url(administration, &making.path, None)?;
    let body = labelled(&making.body, label);
    let mut answer = ask(outbound, administration, Method::POST, (url, Some(body))).await?;
    let id = text(&answer, &making.id).filter(|id| is_id(id)).ok_or(RotateError::Unreadable("name for the key"))?;
    let value = match answer.pointer_mut(&making.value).map(Value::take) {
        Some(Value::String(value)) => SecretValue::new(value),
        _ => return Err(RotateError::Unreadable("key")),
    };
    Ok(Made { value, id: Some(id) })
}

/// Ends a key. One that is not there any more has ended.
pub(super) async fn end(outbound: &Outbound, administration: &Administration, id: &str) -> Result<(), RotateError> {
    let url = url(administration, &administration.recipe.end, Some(id))?;
    match ask(outbound, administration, Method::DELETE, (url, None)).await {
        Ok(_) | Err(RotateError::Status(404 | 410)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Ends all keys with these labels.
pub(super) async fn abandon(
    outbound: &Outbound,
    administration: &Administration,
    labels: &[String],
) -> Result<(), RotateError> {
    // All are found before any is ended: where one ends, the pages after it begin elsewhere.
    for id in find(outbound, administration, labels).await? {
        end(outbound, administration, &id).await?;
    }
    Ok(())
}

async fn find(
    outbound: &Outbound,
    administration: &Administration,
    labels: &[String],
) -> Result<Vec<String>, RotateError> {
    let listing = &administration.recipe.list;
    let (mut found, mut last) = (Vec::new(), None::<String>);
    for _ in 0..PAGES_MAX {
        let mut url = url(administration, &listing.path, None)?;
        if let Some(last) = &last {
            url.query_pairs_mut().append_pair(&listing.after, last);
        }
        let answer = ask(outbound, administration, Method::GET, (url, None)).await?;
        let items = answer.pointer(&listing.items).and_then(Value::as_array);
        for item in items.ok_or(RotateError::Unreadable("list of keys"))? {
            let id = text(item, &listing.id).filter(|id| is_id(id)).ok_or(RotateError::Unreadable("names of keys"))?;
            if text(item, &listing.label).is_some_and(|label| labels.contains(&label)) {
                found.push(id.clone());
            }
            last = Some(id);
        }
        let more = answer.pointer(&listing.more).and_then(Value::as_bool);
        if last.is_none() || !more.unwrap_or(false) {
            return Ok(found);
        }
    }
    Err(RotateError::TooMany)
}

/// Asks for something, and reads what is answered; nothing where nothing is said.
async fn ask(
    outbound: &Outbound,
    administration: &Administration,
    method: Method,
    (url, body): (Url, Option<Value>),
) -> Result<Value, RotateError> {
    let mut request = Request::new(method, url);
    let bearer = Zeroizing::new(format!("Bearer {}", administration.admin_key.get().as_str()));
    let mut bearer =
        HeaderValue::from_str(&bearer).map_err(|_| RotateError::Unreadable("key that goes into a header"))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    if let Some(body) = body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.to_string().into());
    }
    let mut answered = outbound.exchange(request, LIMITS).await?;
    let read = match answered.status {
        status if !status.is_success() => Err(RotateError::Status(status.as_u16())),
        StatusCode::NO_CONTENT => Ok(Value::Null),
        _ => serde_json::from_slice(&answered.body).map_err(|_| RotateError::Unreadable("JSON")),
    };
    answered.body.zeroize();
    read
}

/// A path of the recipe with what stands for the names in it; each is one segment, whatever is in it.
fn url(administration: &Administration, path: &str, id: Option<&str>) -> Result<Url, RotateError> {
    let misspelled = || RotateError::Unreadable("good recipe");
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = administration.url.clone();
    {
        let mut segments = url.path_segments_mut().map_err(|()| misspelled())?;
        segments.pop_if_empty();
        for segment in path.split('/').skip(1) {
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                None => segments.push(segment),
                Some("id") => segments.push(id.ok_or_else(misspelled)?),
                Some(name) => segments.push(administration.parameters.get(name).ok_or_else(misspelled)?),
            };
        }
    }
    url.set_query(query);
    Ok(url)
}

/// The body with the label in its place.
fn labelled(body: &Value, label: &str) -> Value {
    match body {
        Value::String(text) => Value::String(text.replace("{label}", label)),
        Value::Array(values) => values.iter().map(|value| labelled(value, label)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), labelled(value, label))).collect(),
        other => other.clone(),
    }
}

fn text(answer: &Value, pointer: &str) -> Option<String> {
    answer.pointer(pointer)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{live::Live, rotator::Recipe};

    #[test]
    fn whatever_a_key_is_called_is_one_segment_of_the_path() {
        let recipes: BTreeMap<String, Recipe> = serde_json::from_str(include_str!("../config/recipes.json")).unwrap();
        let administration = Administration {
            recipe: recipes["openai-key"].clone(),
            url: Url::parse("https://admin.example/v1/").unwrap(),
            parameters: BTreeMap::from([("project".to_owned(), "p/1".to_owned())]),
            admin_key: Live::default(),
        };
        let end = url(&administration, &administration.recipe.end, Some("a/../b?c#d")).unwrap();
        assert_eq!(end.as_str(), "https://admin.example/v1/organization/projects/p%2F1/api_keys/a%2F..%2Fb%3Fc%23d");
        let list = url(&administration, &administration.recipe.list.path, None).unwrap();
        assert_eq!(list.query(), Some("limit=100&owner_project_access=any"));
        assert!(url(&administration, &administration.recipe.make.path, None).is_err(), "an account is missing");
        assert_eq!(labelled(&administration.recipe.make.body, "x-1"), serde_json::json!({ "name": "x-1" }));
    }
}
