//! Tokens: a code becomes them, refreshing renews them, disconnecting ends them (RFC 6749 §4.1.3 and §6, RFC 7009).
//! The `oauth2` crate writes the requests and reads the answers; `wire` lends it the line.

use std::time::Duration;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ErrorResponseType,
    RefreshToken, RequestTokenError, RevocationUrl, StandardErrorResponse, StandardRevocableToken, TokenResponse,
    TokenUrl,
};
use url::Url;

use super::connection::{Connection, Stage, Step};
use super::plugin::Plugin;
use super::timeline::Heading;
use super::wire::{Encoding, Line, WireError};
use super::{ChatGpt, Notice, plain_words, shown};

const REDEEM: Heading = Heading {
    title: "ChatGPT exchanges the code for tokens",
    lesson: "Server to server, so here the client secret is sent, in the body and encoded as the manifest's authorization_content_type asks. The code is now spent.",
};
const REFRESH: Heading = Heading {
    title: "ChatGPT refreshes",
    lesson: "No browser and no questions: the refresh token buys a new access token, and is itself replaced.",
};
const REVOKE: Heading = Heading {
    title: "ChatGPT disconnects",
    lesson: "RFC 7009. Revoking the refresh token ends the whole connection: every token that came from your consent.",
};

/// What ChatGPT holds for a person. Neither token prints.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access: AccessToken,
    pub(super) refresh: Option<RefreshToken>,
    pub(super) lifetime: Option<Duration>,
    pub(super) scope: String,
}

type TokenClient = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl ChatGpt {
    /// Redeems a code, and calls the API at once: that is what the person came for.
    pub(super) async fn redeem(&self, connection: &mut Connection, plugin: Plugin, code: AuthorizationCode) {
        let line = Line::new(&self.wire, &plugin.token_endpoint, plugin.token_encoding);
        let http = |request| line.call(request);
        let client = self.token_client(&plugin).set_redirect_uri(self.redirect_uri.clone());
        let answer = client.exchange_code(code).request_async(&http).await;
        tell(connection, REDEEM, line);
        match answer {
            Ok(answer) => {
                let tokens = Tokens::of(&answer, None);
                show_claims(connection, &tokens);
                connection.reach(Step::Tokens);
                connection.stage = Stage::Connected { plugin, tokens };
                self.list(connection, "What is on my to-do list?").await;
            }
            Err(error) => {
                connection.notice = Some(why(&error));
                connection.stage = Stage::Refused { plugin };
            }
        }
    }

    /// Renews the tokens. If the server says that the connection is over, it is over here too.
    pub(super) async fn refresh(&self, connection: &mut Connection) {
        connection.begin();
        let Stage::Connected { plugin, tokens } = &connection.stage else {
            return;
        };
        let Some(refresh_token) = &tokens.refresh else {
            connection.notice = Some(Notice::bad(
                "There is nothing to refresh with",
                "The server gave no refresh token, so this connection ends with its access token.",
            ));
            return;
        };
        let plugin = plugin.clone();
        let line = Line::new(&self.wire, &plugin.token_endpoint, plugin.token_encoding);
        let http = |request| line.call(request);
        let client = self.token_client(&plugin);
        let answer = client.exchange_refresh_token(refresh_token).request_async(&http).await;
        tell(connection, REFRESH, line);
        match answer {
            Ok(answer) => {
                connection.reach(Step::Refresh);
                renewed(connection, plugin, &answer);
            }
            Err(error) => {
                connection.notice = Some(why(&error));
                if is_invalid_grant(&error) {
                    end(connection);
                }
            }
        }
    }

    /// Revokes the refresh token, or the access token where there is no other.
    pub(super) async fn disconnect(&self, connection: &mut Connection) {
        connection.begin();
        let Stage::Connected { plugin, tokens } = &connection.stage else {
            return;
        };
        let Some(endpoint) = plugin.server.revocation_endpoint.clone() else {
            connection.notice = Some(Notice::bad(
                "This server cannot be told",
                "Its metadata names no revocation endpoint. Disconnect on the server's own pages.",
            ));
            return;
        };
        let token = tokens.refresh.clone().map_or_else(
            || StandardRevocableToken::AccessToken(tokens.access.clone()),
            StandardRevocableToken::RefreshToken,
        );
        let line = Line::new(&self.wire, &endpoint, Encoding::Form);
        let http = |request| line.call(request);
        let client = self.token_client(plugin).set_revocation_url(RevocationUrl::from_url(on_paper_https(&endpoint)));
        let outcome = match client.revoke_token(token) {
            Ok(request) => request.request_async(&http).await.map_err(|error| why(&error)),
            Err(_) => Err(Notice::bad(
                "The revocation endpoint is not https",
                "Off this machine, a token is only sent over https, even to end it.",
            )),
        };
        tell(connection, REVOKE, line);
        match outcome {
            Ok(()) => {
                connection.reach(Step::Disconnect);
                end(connection);
                connection.notice = Some(Notice::good(
                    "Disconnected",
                    "ChatGPT still has its old access token. Call the API again to see what that is worth.",
                ));
            }
            Err(notice) => connection.notice = Some(notice),
        }
    }

    fn token_client(&self, plugin: &Plugin) -> TokenClient {
        BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.client_secret.expose().to_owned()))
            // Every source shows the plugin dialect with its credentials in the body.
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(plugin.token_endpoint.clone()))
    }
}

impl Tokens {
    /// An answer to a refresh may leave out what has not changed (RFC 6749 §5.1 and §6).
    fn of(answer: &BasicTokenResponse, before: Option<&Self>) -> Self {
        let scope = answer.scopes().map(|scopes| {
            let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            names.join(" ")
        });
        Self {
            access: answer.access_token().clone(),
            refresh: answer.refresh_token().or_else(|| before?.refresh.as_ref()).cloned(),
            lifetime: answer.expires_in(),
            scope: scope.or_else(|| before.map(|before| before.scope.clone())).unwrap_or_default(),
        }
    }
}

fn tell(connection: &mut Connection, heading: Heading, line: Line<'_>) {
    if let Some(exchange) = line.heard() {
        connection.timeline.tell(heading, exchange);
    }
}

fn show_claims(connection: &mut Connection, tokens: &Tokens) {
    if let Some(claims) = shown::claims(tokens.access.secret()) {
        connection.timeline.add_claims(claims);
    }
}

fn renewed(connection: &mut Connection, plugin: Plugin, answer: &BasicTokenResponse) {
    let Stage::Connected { tokens, .. } = &connection.stage else {
        return;
    };
    let tokens = Tokens::of(answer, Some(tokens));
    show_claims(connection, &tokens);
    connection.stage = Stage::Connected { plugin, tokens };
    connection.notice =
        Some(Notice::good("Refreshed", "ChatGPT has a new access token, and you were not asked anything."));
}

fn end(connection: &mut Connection) {
    // What was said while connected must not look as if it could be said again.
    connection.turn = None;
    if let Stage::Connected { plugin, tokens } = &connection.stage {
        connection.stage = Stage::Ended { plugin: plugin.clone(), access_token: tokens.access.clone() };
    }
}

/// The crate revokes over https only. On loopback there is nobody between the two processes,
/// so it is told https and the line goes to the real address; anywhere else its refusal stands.
fn on_paper_https(endpoint: &Url) -> Url {
    let loopback = matches!(endpoint.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let mut on_paper = endpoint.clone();
    if loopback && on_paper.set_scheme("https").is_err() {
        return endpoint.clone();
    }
    on_paper
}

fn why<T>(error: &RequestTokenError<WireError, StandardErrorResponse<T>>) -> Notice
where
    T: ErrorResponseType + std::fmt::Display + AsRef<str> + 'static,
{
    match error {
        RequestTokenError::ServerResponse(answer) => {
            plain_words::of_token(answer.error().as_ref(), answer.error_description().map(String::as_str))
        }
        RequestTokenError::Request(error) => Notice::bad("There was no answer", format!("{error}.")),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Notice::bad(
            "The answer makes no sense",
            "It is not what RFC 6749 says a token endpoint answers. The newest entry shows it as it came.",
        ),
    }
}

fn is_invalid_grant<T>(error: &RequestTokenError<WireError, StandardErrorResponse<T>>) -> bool
where
    T: ErrorResponseType + std::fmt::Display + AsRef<str> + 'static,
{
    matches!(error, RequestTokenError::ServerResponse(answer) if answer.error().as_ref() == "invalid_grant")
}
