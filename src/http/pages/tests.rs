//! What every page must keep to, read from the rendered HTML.

use super::samples::{consent, filled_with, html, samples, sign_in};
use super::*;

const SCRIPT: &str = "<script>alert('x')</script>\"&";
const SCRIPT_ESCAPED: &str = "&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#34;&#38;";

/// The tags of a page as they stand between their angle brackets. Escaping keeps both brackets out of everything
/// else, which `strangers_cannot_write_markup` checks.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(|rest| rest.split_once('>').map_or(rest, |(tag, _)| tag))
}

/// The attributes of one tag with their values; empty for those without.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut rest = tag.split_once(char::is_whitespace).map_or("", |(_, attributes)| attributes).trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if let Some(quoted) = after.strip_prefix("=\"") {
            let (value, after) = quoted.split_once('"').expect("a quoted value ends");
            found.push((name, value));
            rest = after.trim_start();
        } else {
            assert!(!after.starts_with('='), "unquoted value in <{tag}>");
            found.push((name, ""));
            rest = after.trim_start();
        }
    }
    found
}

fn attribute<'tag>(tag: &'tag str, name: &str) -> Option<&'tag str> {
    attributes(tag).into_iter().find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// Each form: method and action, then its named fields and buttons as `name` or `name=value`.
fn forms(html: &str) -> Vec<(String, Vec<String>)> {
    let mut forms: Vec<(String, Vec<String>)> = Vec::new();
    for tag in tags(html) {
        if tag.starts_with("form ") {
            let target = format!("{} {}", attribute(tag, "method").unwrap(), attribute(tag, "action").unwrap());
            forms.push((target, Vec::new()));
        } else if let (true, Some(name)) =
            (tag.starts_with("input ") || tag.starts_with("button "), attribute(tag, "name"))
        {
            let (_, fields) = forms.last_mut().expect("fields stand in forms");
            let value = attribute(tag, "value").filter(|_| tag.starts_with("button "));
            fields.push(value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}")));
        }
    }
    forms
}

#[test]
fn every_page_has_its_landmarks_one_heading_and_a_title() {
    for (name, html) in samples() {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        for once in ["<h1", "<main", "<header", "<footer", "<title>", "name=\"color-scheme\"", "name=\"viewport\""] {
            assert_eq!(html.matches(once).count(), 1, "{once} in {name}");
        }
        let title = html.split("<title>").nth(1).and_then(|rest| rest.split(" · Consentry</title>").next()).unwrap();
        assert!(!title.trim().is_empty() && title.len() < 60, "{name}: {title}");
    }
}

/// Whether an address is that of one of our scripts.
fn is_ours(address: &str) -> bool {
    ["/static/passkeys.js?v=", "/static/console.js?v="].iter().any(|script| address.contains(script))
}

/// A page without the one script it may have, which stands in the head and has no text of its own.
fn without_our_script(html: &str) -> String {
    match html.split_once("<script src=\"") {
        Some((before, rest)) => {
            let (address, after) = rest.split_once("\" defer></script>").expect("our script has a shape");
            assert!(is_ours(address) && !address.contains(['<', '>', '"']), "{address}");
            format!("{before}{after}")
        }
        None => html.to_owned(),
    }
}

#[test]
fn strangers_cannot_write_markup() {
    for (name, html) in filled_with(SCRIPT) {
        let html = without_our_script(&html);
        assert!(!html.contains("<script"), "{name}");
        assert!(html.contains(SCRIPT_ESCAPED), "{name}");
        // Every end of such a tag is one of the escaped ones.
        assert!(!html.contains("script>"), "{name}");
        assert_eq!(html.matches("script&#62;").count(), 2 * html.matches(SCRIPT_ESCAPED).count(), "{name}");
    }
}

/// Each field's own sentinel is on the page, so that no field is quietly left out of its template.
#[test]
fn each_field_reaches_its_page() {
    let page = html(&consent());
    let fields = ["ChatGPT", "To-do list", "Keeps your to-do items", "chat.openai.com", "todos:write", "Ada Lovelace"];
    for field in fields.into_iter().chain(["ada@people.example", "help@todo.example", ">todo.example/mcp<", "/legal"]) {
        assert!(page.contains(field), "{field}");
    }
    let page = html(&ConsentPage { logo: Some("/logo/todo.png".to_owned()), ..consent() });
    assert!(page.contains("<img src=\"/logo/todo.png\" alt=\"\""));
    let page = html(&ConsentPage { client_origin: ClientOrigin::Host("app.example".to_owned()), ..consent() });
    assert!(page.contains("published by <bdi class=\"host\">app.example</bdi>"));
    let page = html(&ConsentPage { client_origin: ClientOrigin::Unproven, ..consent() });
    assert!(page.contains("Nobody has checked who made it"));
}

#[test]
fn nothing_is_inline() {
    for (name, html) in samples().into_iter().chain(filled_with(SCRIPT)) {
        for tag in tags(&html) {
            let is_ours = tag.starts_with("script src=\"") && is_ours(tag);
            assert!((is_ours || !tag.starts_with("script")) && !tag.starts_with("style"), "<{tag}> in {name}");
            for (attribute, value) in attributes(tag) {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{attribute} in {name}");
                assert!(!value.trim_start().to_ascii_lowercase().starts_with("javascript:"), "{value} in {name}");
            }
        }
    }
}

#[test]
fn labels_and_descriptions_point_at_something() {
    for (name, html) in samples() {
        let ids: Vec<_> = tags(&html).filter_map(|tag| attribute(tag, "id")).collect();
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "an id stands twice in {name}");
        for tag in tags(&html) {
            for pointer in ["for", "aria-describedby"] {
                for target in attribute(tag, pointer).into_iter().flat_map(str::split_whitespace) {
                    assert!(ids.contains(&target), "{pointer}={target} in {name}");
                }
            }
        }
    }
}

#[test]
fn sign_in_form_keeps_the_contract() {
    let page = html(&sign_in());
    let fields = ["csrf", "r", "email", "password"].map(str::to_owned).to_vec();
    assert_eq!(forms(&page), [("post /sign-in".to_owned(), fields)]);
    assert!(page.contains("value=\"r1.sealed-request\"") && page.contains("value=\"form-token\""));
    assert!(page.contains("autocomplete=\"username\"") && page.contains("autocomplete=\"current-password\""));
}

#[test]
fn consent_forms_keep_the_contract() {
    let page = html(&consent());
    let sign_out = ["csrf", "r"].map(str::to_owned).to_vec();
    let decision = ["csrf", "r", "decision=allow", "decision=deny"].map(str::to_owned).to_vec();
    // The decision comes first, also for whoever reads the page without seeing it.
    assert_eq!(forms(&page), [("post /consent".to_owned(), decision), ("post /sign-out".to_owned(), sign_out)]);
    assert_eq!(page.matches("value=\"r1.sealed-request\"").count(), 2);
    assert_eq!(page.matches("value=\"form-token\"").count(), 2);
}

#[test]
fn every_address_of_ours_begins_with_the_path_of_the_public_url() {
    let layout = || Layout { base: "/auth".to_owned(), ..consent().layout };
    let account = SignedIn { name: "Ada".to_owned(), email: "ada@people.example".to_owned() };
    for page in [
        html(&ConsentPage { layout: layout(), ..consent() }),
        html(&SignInPage { layout: layout(), ..sign_in() }),
        html(&HomePage { layout: layout(), account: Some(account), has_console: true, csrf: "t".to_owned() }),
        html(&SignedOutPage { layout: layout() }),
    ] {
        let addresses = |name| tags(&page).filter_map(move |tag| attribute(tag, name));
        let ours: Vec<_> = ["action", "href", "src"].into_iter().flat_map(addresses).collect();
        let ours: Vec<_> = ours.into_iter().filter(|address| address.starts_with('/')).collect();
        assert!(ours.len() >= 3 && ours.iter().all(|address| address.starts_with("/auth/")), "{ours:?}");
    }
}

#[test]
fn home_offers_sign_out_only_to_somebody() {
    let page = |account| HomePage { layout: consent().layout, account, has_console: true, csrf: "t".to_owned() };
    assert!(forms(&html(&page(None))).is_empty());
    let account = SignedIn { name: "Ada".to_owned(), email: "ada@people.example".to_owned() };
    let fields = ["csrf", "r"].map(str::to_owned).to_vec();
    assert_eq!(forms(&html(&page(Some(account)))), [("post /sign-out".to_owned(), fields)]);
}

#[test]
fn sign_in_marks_the_fields_only_when_they_are_at_fault() {
    let failed = |error| html(&SignInPage { email: "ada@people.example".to_owned(), error: Some(error), ..sign_in() });
    let refused = failed(SignInError::Refused);
    assert_eq!(refused.matches("aria-invalid=\"true\"").count(), 2);
    assert_eq!(refused.matches("role=\"alert\"").count(), 1);
    assert!(refused.contains("value=\"ada@people.example\""));
    assert!(!html(&sign_in()).contains("role=\"alert\""));
}

#[test]
fn consent_without_scopes_still_says_what_is_allowed() {
    let page = html(&ConsentPage { scopes: vec![], ..consent() });
    assert!(page.contains("Use <bdi>To-do list</bdi> in your name"));
    assert_eq!(page.matches("class=\"words\"").count(), 1);
}

#[test]
fn new_is_said_only_where_something_is_old() {
    assert!(!html(&consent()).contains("badge new"));
    let mut page = consent();
    page.scopes[0].is_new = false;
    assert_eq!(html(&page).matches("badge new").count(), 2);
}

#[test]
fn consent_names_where_it_leads_and_warns_off_the_web() {
    let to = |destination| html(&ConsentPage { destination, ..consent() });
    let site = to(Destination::Site("chat.openai.com".to_owned()));
    assert!(site.contains("<bdi class=\"host\">chat.openai.com</bdi>") && !site.contains("Take care:"));
    let here = to(Destination::ThisComputer("127.0.0.1:8123".to_owned()));
    assert!(here.contains("A program on this computer") && here.contains("127.0.0.1:8123"));
    assert!(here.contains("Take care:"));
    let app = to(Destination::App("com.example.app".to_owned()));
    assert!(app.contains("An app on this device") && app.contains("com.example.app") && app.contains("Take care:"));
}

#[test]
fn a_legal_page_is_a_web_page() {
    let page = |legal_info_url: &str| html(&ConsentPage { legal_info_url: legal_info_url.to_owned(), ..consent() });
    assert!(page("https://todo.example/legal").contains("href=\"https://todo.example/legal\""));
    for hostile in ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "/relative", "", "vbscript:x"] {
        assert!(!page(hostile).contains("<dt>Legal</dt>"), "{hostile}");
    }
}

#[test]
fn an_initial_is_a_letter_or_a_dot() {
    assert_eq!(initial("  «ada»"), "A");
    assert_eq!(initial("\u{202e}\u{0336}"), "•");
    assert_eq!(initial(""), "•");
}
