//! An API behind the gate, with somebody who may call it.

use std::{net::SocketAddr, time::Duration};

use consentry::{
    model::{client::Dialect, gate::RouteTable, plugin::Plugin},
    store::plugins::PluginImport,
};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    browser::{Browser, authorize, parameter},
    databases::Engine,
    server::{CALLBACK, Options, Registered, Running, World},
    upstream::Upstream,
};

/// The routes of the API, unless a test says otherwise.
pub const ROUTES: &str = "
    GET /todos todo.read
    POST /todos todo.write
    DELETE /todos/{id} todo.write
    GET /status public
    POST /status public
    GET /me
    * /any/* todo.read
    GET /hang todo.read
    * /die todo.read
    GET /die-in-a-chunk todo.read
    * /slam todo.read
    GET /stale todo.read
    GET /garbage todo.read
    GET /two-lengths todo.read
    GET /endless todo.read
    GET /events todo.read
    GET /unauthorized todo.read
    GET /page public
    * /nothing todo.read
    GET /moved todo.read
    POST /early todo.read";

/// The API's host, without its port: nobody but the tests' own clients knows where it is.
const HOST: &str = "api.example";

/// A world with an API behind the gate, on a host of its own.
pub struct Gated {
    pub world: World,
    pub upstream: Upstream,
    /// The plugin.
    pub plugin: Plugin,
    /// A client of it.
    pub client: Registered,
    /// Ada's token, good for all.
    pub token: String,
    /// Where calls go.
    pub at: String,
    http: Client,
}

impl Gated {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, Options::default()).await
    }

    pub async fn with(engine: Engine, options: Options) -> Self {
        let world = World::with(engine, options).await;
        let port = world.running.own.rsplit(':').next().unwrap().to_owned();
        let plugin = world.running.add_plugin_at("gated", &format!("{HOST}:{port}")).await;
        Self::of(world, plugin).await
    }

    /// The same where the API has no host of its own, but that of the pages.
    pub async fn beside_the_pages(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let plugin = world.plugin.clone();
        Self::of(world, plugin).await
    }

    async fn of(world: World, plugin: Plugin) -> Self {
        let upstream = Upstream::start().await;
        let server = &world.running.server;
        let wanted = Plugin { upstream: Some(upstream.url()), ..plugin };
        let import = PluginImport::of(wanted, Vec::new(), server.clock.now());
        server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
        let plugin = server.store.plugin_by_slug(&import.plugin.slug).await.unwrap().unwrap();
        let client = world.running.add_client(&plugin, Dialect::Action, &[CALLBACK]).await;
        let code = world.running.code(&client).await;
        let token = redeemed(&world.running, &client, &code).await;
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = Client::builder().redirect(Policy::none()).no_proxy().resolve(HOST, here).build().unwrap();
        let at = format!("http://{}", plugin.host);
        let gated = Self { world, upstream, plugin, client, token, at, http };
        gated.routes(ROUTES).await;
        gated
    }

    /// Has the API these routes from now on.
    pub async fn routes(&self, lines: &str) {
        let routes: RouteTable = lines.parse().unwrap();
        let store = &self.world.running.server.store;
        assert!(store.set_routes(self.plugin.id, Some(&routes), &self.world.running.operator()).await.unwrap());
    }

    /// Another token of Ada's, good for all.
    pub async fn fresh_token(&self) -> String {
        let code = self.world.running.code(&self.client).await;
        redeemed(&self.world.running, &self.client, &code).await
    }

    /// A token of Ada's that is good for some of it.
    pub async fn token_with(&self, scope: &str) -> String {
        let request = authorize(&[
            ("response_type", "code"),
            ("client_id", &self.client.client_id),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("state", "x"),
        ]);
        let left = Browser::new(&self.world.running).agree(&request, "ada@example.com").await;
        redeemed(&self.world.running, &self.client, &parameter(&left, "code").unwrap()).await
    }

    /// A call without a token.
    pub fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, format!("{}{path}", self.at))
    }

    /// A call with Ada's token.
    pub fn call(&self, method: &str, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.token)
    }

    /// A call as bytes, and the bytes of the answer until the connection ends or nothing more comes.
    pub async fn raw(&self, request: &[u8]) -> String {
        let port = self.at.rsplit(':').next().unwrap().parse().unwrap();
        let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(Ok(read)) = timeout(Duration::from_secs(2), stream.read(&mut bytes)).await {
            if read == 0 {
                break;
            }
            answer.extend_from_slice(&bytes[..read]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

async fn redeemed(running: &Running, client: &Registered, code: &str) -> String {
    let (status, tokens) = running.redeem(client, code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens["access_token"].as_str().unwrap().to_owned()
}
