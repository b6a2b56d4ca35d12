//! Which language a browser is answered in: the one chosen on a page, the one chosen before, or the first of those it
//! asks for (RFC 9110 §12.5.4).

use actix_web::{
    HttpRequest,
    http::header::{AcceptLanguage, Header, Preference},
};

use super::cookies;
use crate::{languages::Language, server::Server};

/// The field in which a page's own links name a language.
const FIELD: &str = "language=";

/// The language of the answer.
pub fn of(server: &Server, request: &HttpRequest) -> Language {
    chosen(request)
        .or_else(|| cookies::language(&server.settings, request))
        .or_else(|| asked_for(request))
        .unwrap_or_default()
}

/// The language that the address names.
pub fn chosen(request: &HttpRequest) -> Option<Language> {
    request.query_string().split('&').find_map(|pair| pair.strip_prefix(FIELD)?.parse().ok())
}

fn asked_for(request: &HttpRequest) -> Option<Language> {
    let ranked = AcceptLanguage::parse(request).ok()?.ranked();
    ranked.into_iter().find_map(|wanted| match wanted {
        Preference::Specific(tag) => tag.primary_language().parse().ok(),
        Preference::Any => None,
    })
}

/// The query of an address, with a language in it.
pub fn query_with(query: &str, language: Language) -> String {
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(FIELD));
    let named = format!("{FIELD}{}", language.tag());
    format!("?{}", others.chain([named.as_str()]).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_best_of_the_languages_a_browser_asks_for_is_taken() {
        for (asked, expected) in [
            ("de-AT,de;q=0.9,en;q=0.5", Some(Language::German)),
            ("fr-FR, ja;q=0.8, es;q=0.9", Some(Language::Spanish)),
            ("JA", Some(Language::Japanese)),
            ("fr, *", None),
            ("", None),
            ("*;q=x,,", None),
        ] {
            let request = TestRequest::default().insert_header(("accept-language", asked)).to_http_request();
            assert_eq!(asked_for(&request), expected, "{asked}");
        }
    }

    #[test]
    fn a_language_changes_nothing_else_of_an_address() {
        assert_eq!(query_with("", Language::German), "?language=de");
        assert_eq!(query_with("r=a%26b&language=es&language=ja", Language::German), "?r=a%26b&language=de");
    }
}
