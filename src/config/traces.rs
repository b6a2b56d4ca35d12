//! Where traces go: `otlp_endpoint`, `otlp_authorization`.

use reqwest::header::HeaderValue;
use url::Url;
use zeroize::Zeroizing;

use super::reader::{NO_REFERENCE, Reader, own};
use crate::{
    model::{live::Live, private_way::is_private},
    vault::{SecretRef, SecretValue, Unfit, reference::HOW_TO_WRITE},
};

const ENDPOINT: &str = "otlp_endpoint";
const AUTHORIZATION: &str = "otlp_authorization";

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector's address for traces.
    pub endpoint: Url,
    /// What the header `Authorization` shows to it.
    pub authorization: Option<Live<Zeroizing<String>>>,
}

/// Checks everything, and reads what is shown to the collector.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Traces> {
    let endpoint = look_at(reader)?;
    let authorization = match reader.text(AUTHORIZATION) {
        None => None,
        Some(reference) => Some(reader.secret(AUTHORIZATION, &reference, header)?),
    };
    Some(Traces { endpoint, authorization })
}

/// Checks everything but the secret, which only the server needs; answers where traces go, if anywhere.
pub(super) fn look_at(reader: &mut Reader<'_>) -> Option<Url> {
    let secret = reader.text(AUTHORIZATION);
    if secret.as_ref().is_some_and(|text| text.parse::<SecretRef>().is_err()) {
        reader.mistake(AUTHORIZATION, NO_REFERENCE, HOW_TO_WRITE);
        return None;
    }
    let Some(text) = reader.text(ENDPOINT) else {
        if secret.is_some() {
            reader.mistake(AUTHORIZATION, "there is nobody to show it to", "give otlp_endpoint too, or leave it out");
        }
        return None;
    };
    if !cfg!(feature = "otlp") {
        let cure = "build it with --features otlp, or leave it out";
        reader.mistake(ENDPOINT, "this program was built without the feature otlp, which that takes", cure);
        return None;
    }
    let Some(endpoint) = for_traces(&text) else {
        reader.mistake(
            ENDPOINT,
            "it is no address of a collector",
            "write http://127.0.0.1:4318, or its https address",
        );
        return None;
    };
    if secret.is_some() && !is_private(&endpoint) {
        let cure = "use https, or leave otlp_authorization out";
        reader.mistake(ENDPOINT, "what is shown there could be read on the way", cure);
        return None;
    }
    Some(endpoint)
}

/// OTLP/HTTP: the signal's path is put behind the collector's address.
fn for_traces(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let is_good = ["http", "https"].contains(&url.scheme()) && url.has_host() && is_plain && url.fragment().is_none();
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
    url.set_path(&path);
    is_good.then_some(url)
}

fn header(value: &SecretValue) -> Result<Zeroizing<String>, Unfit> {
    let text = own(value)?;
    match HeaderValue::try_from(text.as_str()) {
        Ok(_) => Ok(text),
        Err(_) => Err(Unfit::new("can stand in no header", "put one line into it, such as: Bearer TOKEN")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_below_the_address_of_the_collector() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (" https://otel.example/collector/ ", "https://otel.example/collector/v1/traces"),
        ] {
            assert_eq!(for_traces(text).unwrap().as_str(), expected);
        }
        for text in ["otel.example:4318", "grpc://otel.example", "https://u:p@otel.example", "https://otel.example?a=b"]
        {
            assert_eq!(for_traces(text), None, "{text}");
        }
        assert!(is_private(&Url::parse("http://[::1]:4318").unwrap()));
        assert!(!is_private(&Url::parse("http://otel.example:4318").unwrap()));
    }

    #[test]
    fn what_is_shown_to_a_collector_fits_into_a_header() {
        assert!(header(&SecretValue::new("Bearer c29tZXRoaW5n".to_owned())).is_ok());
        assert!(header(&SecretValue::new("Bearer a\nX-Other: b".to_owned())).is_err());
        assert!(header(&SecretValue::new("changeme".to_owned())).is_err());
    }
}
