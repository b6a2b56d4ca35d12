//! Installing the plugin: read what it says about itself, send the browser to consent, believe what it brings back.
//! Neighbours: `plugin` understands the manifest, `callback` checks the answer, `tokens` redeems the code.

use oauth2::CsrfToken;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId};
use url::Url;

use super::callback::{self, Answer, Disbelief};
use super::connection::{Connection, Stage, Step};
use super::plugin::{Plugin, Server};
use super::shown::{self, Message};
use super::timeline::Heading;
use super::{ChatGpt, Notice, plain_words};

const MANIFEST: Heading = Heading {
    title: "ChatGPT reads the manifest",
    lesson: "It names the plugin and its two OAuth addresses. Mind the old names: client_url is where your browser goes, authorization_url is where a code becomes tokens.",
};
const METADATA: Heading = Heading {
    title: "ChatGPT reads what the server says about itself",
    lesson: "RFC 8414. The manifest has no word for ending a connection; the server's metadata does, and it promises that every answer names its issuer.",
};
const ROUND_TRIP: Heading = Heading {
    title: "Your browser visits Consentry and comes back",
    lesson: "No secret travels here. The empty scope means the plugin's usual permissions. On return, state proved that this browser asked and iss who answered; the code works once, for a minute.",
};

impl ChatGpt {
    /// Reads manifest and metadata; afterwards the connection is `Away`, or says why it cannot be.
    pub(super) async fn install(&self) -> Connection {
        let mut connection = Connection::new();
        connection.begin();
        match self.read_plugin(&mut connection).await {
            Ok(plugin) => {
                connection.reach(Step::Install);
                connection.stage = self.send_away(plugin);
            }
            Err(why) => {
                connection.notice = Some(Notice::bad("The plugin cannot be installed", why));
            }
        }
        connection
    }

    /// Takes what the browser brought back. What is not believed changes nothing.
    pub(super) async fn come_back(&self, connection: &mut Connection, query: &str) -> Result<(), Disbelief> {
        let Stage::Away { plugin, state, url } = &connection.stage else {
            return Err(Disbelief::Unasked);
        };
        let answer = callback::read(query, state, &plugin.server)?;
        let plugin = plugin.clone();
        let went_and_came = (browser_went(url), self.browser_came(query));
        connection.begin();
        let error = match &answer {
            Answer::Refused { error, .. } => Some(error.as_str()),
            Answer::Code(_) => None,
        };
        connection.timeline.tell_browser(ROUND_TRIP, went_and_came, error);
        match answer {
            Answer::Refused { error, description } => {
                let notice = plain_words::of_authorization(&error, description.as_deref());
                connection.notice = Some(notice);
                connection.stage = Stage::Refused { plugin };
            }
            Answer::Code(code) => {
                connection.reach(Step::Consent);
                self.redeem(connection, plugin, code).await;
            }
        }
        Ok(())
    }

    async fn read_plugin(&self, connection: &mut Connection) -> Result<Plugin, String> {
        let manifest = self.read(&self.manifest_url, MANIFEST, connection).await?;
        let metadata = self.read(&self.metadata_url, METADATA, connection).await?;
        Plugin::read(&manifest, Server::read(&metadata, &self.issuer)?)
    }

    async fn read(&self, url: &Url, heading: Heading, connection: &mut Connection) -> Result<Vec<u8>, String> {
        let (exchange, answer) = self.wire.get(url).await;
        connection.timeline.tell(heading, exchange);
        let answer = answer.map_err(|error| format!("There was no answer: {error}."))?;
        if answer.status().is_success() {
            Ok(answer.into_body())
        } else {
            Err(format!("{url} answered {}.", answer.status()))
        }
    }

    fn send_away(&self, plugin: Plugin) -> Stage {
        let (url, state) = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(plugin.authorization_endpoint.clone()))
            .set_redirect_uri(self.redirect_uri.clone())
            .authorize_url(|| CsrfToken::new((self.random)()))
            // The crate leaves an empty scope out; ChatGPT sends it as it stands in the manifest.
            .add_extra_param("scope", plugin.scope.clone())
            .url();
        Stage::Away { plugin, state, url }
    }

    fn browser_came(&self, query: &str) -> Message {
        let mut url = self.redirect_uri.url().clone();
        url.set_query(Some(query));
        Message { start: format!("Back at {}", shown::place(&url)), headers: Vec::new(), body: shown::query(&url) }
    }
}

fn browser_went(url: &Url) -> Message {
    Message { start: format!("GET {}", shown::place(url)), headers: Vec::new(), body: shown::query(url) }
}
