//! Pages as a person's browser would read them: their forms, and their links. The tokenizer is html5gum's.

use std::borrow::Cow;

use html5gum::{StartTag, Token, Tokenizer, naive_next_state};
use url::{Url, form_urlencoded};

/// Words of a button that allows, and of one that does not.
const ALLOWING: [&str; 9] =
    ["allow", "accept", "approve", "authorize", "authorise", "agree", "grant", "continue", "yes"];
const DENYING: [&str; 10] = ["deny", "decline", "cancel", "reject", "refuse", "disallow", "don", "not", "no", "false"];

/// What an e-mail field is called where it does not say its type.
const EMAIL_NAMES: [&str; 6] = ["email", "username", "login", "user", "identifier", "account"];

/// What may be filled in.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    kind: String,
    value: String,
    is_checked: bool,
}

/// What may be pressed.
#[derive(Clone, Debug, Default)]
struct Button {
    name: String,
    value: String,
    words: String,
}

/// A form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    action: String,
    is_post: bool,
    fields: Vec<Field>,
    buttons: Vec<Button>,
}

/// A form as it is sent.
#[derive(Debug)]
pub struct Filled {
    /// Where to.
    pub url: Url,
    /// Its names and values; for a form that is not posted they are in the address already.
    pub body: Option<String>,
    /// Whether the password is in it; some servers ask for the e-mail address on a page of its own.
    pub has_password: bool,
}

/// What a page has.
#[derive(Debug, Default)]
pub struct Page {
    /// Its forms, in order.
    pub forms: Vec<Form>,
    /// Where its links lead.
    pub links: Vec<String>,
    has_scripts: bool,
}

impl Page {
    /// Reads a page. What cannot be read is passed over, as browsers do.
    pub fn read(bytes: &[u8]) -> Self {
        let mut page = Self::default();
        let mut is_in_form = false;
        let mut is_in_button = false;
        let mut tokenizer = Tokenizer::new(bytes);
        while let Some(Ok(token)) = tokenizer.next() {
            // What a script or a text field holds is no part of the page. What stands for those without scripts is.
            if let Token::StartTag(tag) = &token
                && tag.name.as_slice() != b"noscript"
                && let Some(state) = naive_next_state(&tag.name)
            {
                tokenizer.set_state(state);
            }
            match token {
                Token::StartTag(tag) => match tag.name.as_slice() {
                    b"form" => {
                        let is_post = attribute(&tag, "method").eq_ignore_ascii_case("post");
                        let action = attribute(&tag, "action");
                        page.forms.push(Form { action, is_post, ..Form::default() });
                        is_in_form = true;
                    }
                    b"a" => page.links.push(attribute(&tag, "href")),
                    b"script" => page.has_scripts = true,
                    b"input" if is_in_form => page.take_input(&tag),
                    b"button" if is_in_form && attribute(&tag, "form").is_empty() => {
                        is_in_button = !attribute(&tag, "type").eq_ignore_ascii_case("button");
                        if is_in_button {
                            page.take_button(&tag, String::new());
                        }
                    }
                    _ => {}
                },
                Token::EndTag(tag) => match tag.name.as_slice() {
                    b"form" => is_in_form = false,
                    b"button" => is_in_button = false,
                    _ => {}
                },
                Token::String(text) if is_in_button => {
                    let button = page.forms.last_mut().and_then(|form| form.buttons.last_mut());
                    if let Some(button) = button {
                        button.words.push_str(&String::from_utf8_lossy(&text));
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// Whether scripts make what a person sees: there are some, and no form.
    pub fn is_made_by_scripts(&self) -> bool {
        self.has_scripts && self.forms.is_empty()
    }

    /// The form in which to sign in, filled.
    pub fn sign_in(&self, at: &Url, email: &str, password: &str) -> Option<Filled> {
        // An address is asked for by newsletters too.
        let with = |has: fn(&Field) -> bool| self.forms.iter().find(|form| form.fields.iter().any(has));
        let form = with(is_password).or_else(|| with(is_email))?;
        let value = |field: &Field| match field {
            field if is_password(field) => password.to_owned(),
            field if is_email(field) => email.to_owned(),
            field => field.value.clone(),
        };
        form.filled(at, value, form.buttons.iter().find(|button| !button.says(&DENYING)))
    }

    /// The form in which to consent, as it is sent by the button that allows.
    pub fn allowing(&self, at: &Url) -> Option<Filled> {
        let mut all = self.forms.iter().flat_map(|form| form.buttons.iter().map(move |button| (form, button)));
        let (form, button) = all.find(|(_, button)| button.allows())?;
        form.filled(at, |field| field.value.clone(), Some(button))
    }

    fn take_input(&mut self, tag: &StartTag<()>) {
        let kind = attribute(tag, "type").to_ascii_lowercase();
        if kind == "submit" {
            return self.take_button(tag, attribute(tag, "value"));
        }
        let is_checked = tag.attributes.contains_key("checked".as_bytes()) || !is_choice(&kind);
        let (name, mut value) = (attribute(tag, "name"), attribute(tag, "value"));
        if is_choice(&kind) && value.is_empty() {
            "on".clone_into(&mut value);
        }
        if let Some(form) = self.forms.last_mut().filter(|_| !name.is_empty() && kind != "button") {
            form.fields.push(Field { name, kind, value, is_checked });
        }
    }

    fn take_button(&mut self, tag: &StartTag<()>, words: String) {
        if let Some(form) = self.forms.last_mut() {
            form.buttons.push(Button { name: attribute(tag, "name"), value: attribute(tag, "value"), words });
        }
    }
}

impl Form {
    fn filled(&self, at: &Url, value: impl Fn(&Field) -> String, button: Option<&Button>) -> Option<Filled> {
        let mut url = if self.action.is_empty() { at.clone() } else { at.join(&self.action).ok()? };
        let mut query = form_urlencoded::Serializer::new(String::new());
        for field in self.fields.iter().filter(|field| field.is_checked) {
            query.append_pair(&field.name, &value(field));
        }
        if let Some(button) = button.filter(|button| !button.name.is_empty()) {
            query.append_pair(&button.name, &button.value);
        }
        let sent = query.finish();
        let has_password = self.fields.iter().any(is_password);
        if self.is_post {
            return Some(Filled { url, body: Some(sent), has_password });
        }
        url.set_query(Some(&sent));
        // In an address a password would stand in every log on the way.
        (!has_password).then_some(Filled { url, body: None, has_password })
    }
}

impl Button {
    fn says(&self, words: &[&str]) -> bool {
        [&self.words, &self.value, &self.name].iter().any(|text| {
            let text = text.to_lowercase();
            text.split(|c: char| !c.is_alphanumeric()).any(|part| words.contains(&part))
        })
    }

    fn allows(&self) -> bool {
        !self.says(&DENYING) && self.says(&ALLOWING)
    }
}

fn is_choice(kind: &str) -> bool {
    kind == "checkbox" || kind == "radio"
}

fn is_password(field: &Field) -> bool {
    field.kind == "password"
}

fn is_email(field: &Field) -> bool {
    let is_text = ["", "text", "email"].contains(&field.kind.as_str());
    field.kind == "email" || (is_text && EMAIL_NAMES.contains(&field.name.to_lowercase().as_str()))
}

fn attribute(tag: &StartTag<()>, name: &str) -> String {
    let value = tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value));
    value.map(Cow::into_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        Page::read(html.as_bytes())
    }

    #[test]
    fn a_sign_in_form_is_filled() {
        let page = page(
            "<form action=/search><input name=q></form>\
             <form method=POST action='/sign-in'><input type=hidden name=csrf value='a&amp;b'>\
             <input name=username><input type=password name=pw><input type=checkbox name=stay>\
             <button type=submit>Sign in</button></form>",
        );
        let filled = page.sign_in(&"https://a.example/x?y".parse().unwrap(), "ada@example.com", "p w").unwrap();
        assert_eq!(filled.url.as_str(), "https://a.example/sign-in");
        assert_eq!(filled.body.as_deref(), Some("csrf=a%26b&username=ada%40example.com&pw=p+w"));
    }

    #[test]
    fn a_form_with_a_password_goes_before_one_that_asks_for_an_address() {
        let page = page(
            "<script>t='<form><input type=password>'</script><title><form></title>\
             <form method=post action=/news><input type=email name=to><button>Subscribe</button></form>\
             <form method=post action=/in><input type=email name=e><input type=password name=p>\
             <button name=a value=cancel>Cancel</button><button name=a value=in>Sign in</button></form>",
        );
        assert_eq!(page.forms.len(), 2, "what a script writes is not there yet");
        let filled = page.sign_in(&"https://a.example/x".parse().unwrap(), "ada@example.com", "p w").unwrap();
        assert_eq!(filled.url.as_str(), "https://a.example/in");
        assert_eq!(filled.body.as_deref(), Some("e=ada%40example.com&p=p+w&a=in"));
    }

    #[test]
    fn a_page_without_forms_may_be_made_by_scripts() {
        assert!(page("<div id=root>Loading</div><script src=login.js></script>").is_made_by_scripts());
        assert!(!page("<p>Closed</p>").is_made_by_scripts());
        assert!(!page("<script></script><form method=post><button>Allow</button></form>").is_made_by_scripts());
    }

    #[test]
    fn the_button_that_allows_is_pressed_and_no_other() {
        let html = "<button form=other>Use another account</button><form method=post>\
             <input type=hidden name=r value=1><button name=decision value=deny>Don’t allow</button>\
             <button name=decision value=allow>Allow</button></form>\
             <form method=post action=/out><button>Sign out</button></form>";
        let at: Url = "https://a.example/consent".parse().unwrap();
        let filled = page(html).allowing(&at).unwrap();
        assert_eq!((filled.url, filled.body.as_deref()), (at.clone(), Some("r=1&decision=allow")));
        for no in ["<button name=allow value=no>No</button>", "<button name=grant value=false>Disallow</button>"] {
            let html = format!("<form method=post>{no}<button name=allow value=yes>Yes</button></form>");
            assert_eq!(page(&html).allowing(&at).unwrap().body.as_deref(), Some("allow=yes"));
        }
        let without_scripts = "<noscript><form method=post><button>Allow</button></form></noscript>";
        assert!(page(without_scripts).allowing(&at).is_some());
        assert!(page("<form method=post><button>Do not allow</button></form>").allowing(&at).is_none());
    }
}
