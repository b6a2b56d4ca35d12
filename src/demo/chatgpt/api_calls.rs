//! Calling the plugin's API for the person, as ChatGPT does when the conversation needs it.
//! An ended connection still calls, with its old token: the point is to see it refused.

use oauth2::http::header::{self, HeaderValue};
use oauth2::http::{Method, Request};
use oauth2::{AccessToken, HttpRequest};
use serde::Deserialize;
use serde_json::json;

use super::connection::{Connection, Stage, Step};
use super::timeline::Heading;
use super::{ChatGpt, plain_words};

const READ: Heading = Heading {
    title: "ChatGPT calls the API",
    lesson: "The access token comes along. The API checks its signature with the server's public keys, asks the server whether it still stands, and answers for its person only.",
};
const WRITE: Heading = Heading {
    title: "ChatGPT changes something through the API",
    lesson: "The same token, another permission: reading needs todo.read, changing needs todo.write.",
};
const REFUSED: Heading = Heading {
    title: "ChatGPT tries its old token",
    lesson: "A signature stays good until the token expires. So the API also asks the server, on every call, whether the connection still stands.",
};

/// One question in the conversation and what came of it.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) asked: String,
    pub(super) call: &'static str,
    pub(super) status: Option<u16>,
    pub(super) reply: Reply,
}

/// What the assistant says.
#[derive(Debug)]
pub(super) enum Reply {
    List(Vec<Item>),
    Words(&'static str),
}

/// An item of the list, as far as the page needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) text: String,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

/// What the person wants changed.
pub(super) enum Change {
    Add(String),
    Remove(u64),
}

impl Change {
    fn call(&self) -> &'static str {
        match self {
            Self::Add(_) => "POST /todos",
            Self::Remove(_) => "DELETE /todos/{id}",
        }
    }

    fn asked(&self) -> String {
        match self {
            Self::Add(text) => format!("Put “{}” on my list.", text.trim()),
            Self::Remove(_) => "Take that off my list.".to_owned(),
        }
    }

    fn request(&self) -> (Method, String, Vec<u8>) {
        match self {
            Self::Add(text) => {
                let body = json!({ "text": text }).to_string().into_bytes();
                (Method::POST, "/todos".to_owned(), body)
            }
            Self::Remove(id) => (Method::DELETE, format!("/todos/{id}"), Vec::new()),
        }
    }
}

struct Heard {
    status: Option<u16>,
    body: Vec<u8>,
}

impl ChatGpt {
    /// Reads the list.
    pub(super) async fn list(&self, connection: &mut Connection, asked: &str) {
        let ended = matches!(connection.stage, Stage::Ended { .. });
        let heading = if ended { REFUSED } else { READ };
        let request = (Method::GET, "/todos".to_owned(), Vec::new());
        let heard = self.call(connection, heading, request).await;
        if heard.status == Some(200) {
            connection.reach(Step::Call);
        }
        connection.turn =
            Some(Turn { asked: asked.to_owned(), call: "GET /todos", status: heard.status, reply: heard.list() });
    }

    /// Changes the list, then reads it again to show what became of it.
    pub(super) async fn change(&self, connection: &mut Connection, change: Change) {
        let heard = self.call(connection, WRITE, change.request()).await;
        let changed = heard.status.is_some_and(|status| status < 300);
        if changed {
            self.list(connection, "").await;
        }
        let reply = match connection.turn.take() {
            Some(turn) if changed => turn.reply,
            _ => heard.words(),
        };
        connection.turn = Some(Turn { asked: change.asked(), call: change.call(), status: heard.status, reply });
    }

    async fn call(
        &self,
        connection: &mut Connection,
        heading: Heading,
        (method, path, body): (Method, String, Vec<u8>),
    ) -> Heard {
        let nothing = Heard { status: None, body: Vec::new() };
        let (Stage::Connected { .. } | Stage::Ended { .. }) = connection.stage else {
            return nothing;
        };
        let mut url = self.api_base.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let request = match &connection.stage {
            Stage::Connected { tokens, .. } => authorized(&tokens.access, method, body),
            Stage::Ended { access_token, .. } => authorized(access_token, method, body),
            _ => None,
        };
        let Some(request) = request else {
            return nothing;
        };
        let (exchange, answer) = self.wire.send(request, &url).await;
        connection.timeline.tell(heading, exchange);
        match answer {
            Ok(answer) => Heard { status: Some(answer.status().as_u16()), body: answer.into_body() },
            Err(_) => nothing,
        }
    }
}

impl Heard {
    fn list(&self) -> Reply {
        match (self.status, serde_json::from_slice::<List>(&self.body)) {
            (Some(200), Ok(list)) => Reply::List(list.items),
            _ => self.words(),
        }
    }

    fn words(&self) -> Reply {
        Reply::Words(self.status.map_or("I could not reach the API. Is it running?", plain_words::of_api))
    }
}

fn authorized(token: &AccessToken, method: Method, body: Vec<u8>) -> Option<HttpRequest> {
    // A token that is not a header value is not one the API could have been sent anyway.
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret())).ok()?;
    bearer.set_sensitive(true);
    let mut request = Request::new(body);
    *request.method_mut() = method;
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    if !request.body().is_empty() {
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    Some(request)
}
