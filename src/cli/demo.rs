//! `consentry demo`: everything with nothing configured. The real server on the embedded store, a sample API, a sample
//! plugin, an owner and two people, and a page that plays ChatGPT. Every secret is made on the spot.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::run::until_stopped;
use crate::{
    clock::Clock,
    demo::{
        self, Secret,
        chatgpt::{CALLBACK_PATH, ChatGpt, ChatGptConfig},
        servers,
        todo_api::{TodoApi, TodoApiConfig},
    },
    http,
    keys::master::MasterKey,
    mail::{Mailer, Sender},
    model::{
        account::{Role, SignUps},
        audit::{Actor, Origin},
        client::{AuthenticationMethod, ClientKeys, ClientSecret, Dialect, Registration},
        id::{AccountId, ClientId, ClientSecretId, PluginId},
        plugin::{Document, DocumentKind, Host, Plugin, PluginState, SubjectSalt},
        scope::Catalogue,
    },
    outbound,
    protocol::{bearer::resource_metadata_url, dialect, manifest},
    random,
    server::{Server, Settings},
    store::{
        OpenOptions, Store,
        accounts::NewAccount,
        clients::{NewClient, OwnWords},
        plugins::ImportPlugin,
        plugins::PluginImport,
    },
    tokens::secret::{CLIENT_SECRET, SecretText},
};

/// What the operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The first of three ports: the server, the sample API, the page that plays ChatGPT; 0 takes any.
    pub port: u16,
    /// Whether the screen is JSON.
    pub json: bool,
}

/// Why the demo does not run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Somebody to sign in as.
#[derive(Debug, Serialize)]
struct Person {
    #[serde(skip)]
    id: AccountId,
    name: &'static str,
    email: &'static str,
    role: Role,
    password: String,
}

/// The one screen.
#[derive(Debug, Serialize)]
struct Screen {
    public_url: String,
    api_url: String,
    chatgpt_url: String,
    client_id: String,
    people: Vec<Person>,
    folder: PathBuf,
}

/// Runs the demo until it is stopped.
pub async fn run(options: Options) -> Result<(), Failure> {
    let [ours, api, player] = listeners(options.port)?;
    let folder = Folder::make()?;
    let public_url = url(&ours)?;
    let server = assemble(&public_url, &folder.0).await?;
    let people = add_people(&server).await?;
    let plugin = import_plugin(&server, &public_url, &url(&api)?).await?;
    for owner in people.iter().filter(|person| person.role == Role::Owner) {
        server.store.add_owner(plugin.id, owner.id, &server.audit(Actor::Operator, Origin::default())).await?;
    }
    let chatgpt_url = url(&player)?;
    let callback = format!("{chatgpt_url}{CALLBACK_PATH}");
    let (chatgpt, chatgpt_secret) = add_client(&server, &plugin, Dialect::Plugin, Some(&callback)).await?;
    let (service, service_secret) = add_client(&server, &plugin, Dialect::Service, None).await?;

    let todo = TodoApi::new(TodoApiConfig {
        issuer: public_url.clone(),
        audience: plugin.resource.clone(),
        resource_metadata: resource_metadata_url(&plugin.resource.parse()?),
        introspection: (service, Secret::new(service_secret.reveal())),
        now: || Clock::system().now(),
    })?;
    let play = ChatGpt::new(ChatGptConfig {
        issuer: public_url.clone(),
        manifest_url: format!("{public_url}/.well-known/ai-plugin.json"),
        client_id: chatgpt.clone(),
        client_secret: Secret::new(chatgpt_secret.reveal()),
        redirect_uri: callback,
        api_base: url(&api)?,
        random: || URL_SAFE_NO_PAD.encode(random::bytes::<24>()),
    })?;
    let screen =
        Screen { api_url: url(&api)?, public_url, chatgpt_url, client_id: chatgpt, people, folder: folder.0.clone() };
    let todo = tokio::spawn(servers::serve_todo_api(todo, api)?);
    let play = tokio::spawn(servers::serve_chatgpt(play, player)?);
    show(&screen, options.json)?;
    let listening = vec![http::listen(Arc::clone(&server), ours)?];
    until_stopped(server, listening, None).await?;
    todo.abort();
    play.abort();
    drop(folder);
    Ok(())
}

/// The three ports asked for, or any three if one of them is taken.
fn listeners(port: u16) -> io::Result<[TcpListener; 3]> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let asked = || -> io::Result<_> { Ok([bind(port)?, bind(port.saturating_add(1))?, bind(port.saturating_add(2))?]) };
    let any = || Ok([bind(0)?, bind(0)?, bind(0)?]);
    if port == 0 { any() } else { asked().or_else(|_| any()) }
}

fn url(listener: &TcpListener) -> io::Result<String> {
    Ok(format!("http://localhost:{}", listener.local_addr()?.port()))
}

/// A folder of the demo's own, readable by nobody else, gone when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Self> {
        let name = format!("consentry-demo-{:016x}", u64::from_be_bytes(random::bytes()));
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a folder that does not go; it is in the temporary folder for that case.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn assemble(public_url: &str, folder: &Path) -> Result<Arc<Server>, Failure> {
    let store = Store::open(&OpenOptions {
        url: format!("sqlite://{}", folder.join("consentry.db").display()),
        password: None,
        connections_max: 4,
        patience: Duration::from_secs(5),
        watch: None,
    })
    .await?;
    store.migrate().await?;
    let settings = Settings::defaults(public_url, "Consentry Demo")?;
    let master = write_master_key(&folder.join("master.key"))?;
    let sender = Sender {
        from: "consentry@example.com".parse()?,
        name: settings.server_name.clone(),
        host: settings.host.as_str().to_owned(),
    };
    let settings = Settings { sign_ups: SignUps::Open, ..settings };
    // What the owner has looked at and tries out is on this computer, like all of the demo.
    let allow = vec![Ipv4Net::new(Ipv4Addr::LOCALHOST, 8)?.into(), Ipv6Net::new(Ipv6Addr::LOCALHOST, 128)?.into()];
    let outbound = outbound::Settings { allow, ..outbound::Settings::default() };
    let server = Server::assemble(settings, Clock::system(), store, vec![master], outbound).await?;
    Ok(Arc::new(server.with_mailer(Mailer::log(sender)?)))
}

/// The master key in a file, as `serve` would be given it.
fn write_master_key(path: &Path) -> io::Result<MasterKey> {
    use io::Write;
    let bytes = random::bytes::<32>();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", STANDARD.encode(bytes))?;
    Ok(MasterKey::new(bytes))
}

async fn add_people(server: &Server) -> Result<Vec<Person>, Failure> {
    let password = || {
        let [a, b, c, d] = random::bytes::<8>().as_chunks::<2>().0.try_into().unwrap_or([[0; 2]; 4]);
        [a, b, c, d].map(|pair| format!("{:04x}", u16::from_be_bytes(pair))).join("-")
    };
    let now = server.clock.now();
    let person = |name, email, role| Person { id: AccountId(random::id(now)), name, email, role, password: password() };
    let people = vec![
        person("Ada Lovelace", "ada@example.com", Role::Person),
        person("Grace Hopper", "grace@example.com", Role::Person),
        person("Olive Owner", "olive@example.com", Role::Owner),
    ];
    for person in &people {
        let account = NewAccount {
            id: person.id,
            email: person.email.parse()?,
            name: person.name.to_owned(),
            role: person.role,
            password_hash: server.passwords.hash(&person.password).await?,
            at: now,
        };
        server.store.add_account(&account, &server.audit(Actor::Operator, Origin::default())).await?;
    }
    Ok(people)
}

/// Imports the sample plugin, as `plugin import` would, with this run's ports in its addresses.
async fn import_plugin(server: &Server, public_url: &str, api_url: &str) -> Result<Plugin, Failure> {
    let here = |text: &str| text.replace("http://localhost:8080", public_url).replace("http://localhost:8081", api_url);
    let host: Host = server.settings.host.clone();
    let (words, _) = manifest::read(here(demo::MANIFEST).as_bytes(), &host)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let openapi = here(demo::OPENAPI);
    let description = manifest::openapi::read(openapi.as_bytes())?;
    let mut scopes = Catalogue::default();
    for scope in description.scopes {
        scopes.put(scope)?;
    }
    let now = server.clock.now();
    let plugin = Plugin {
        id: PluginId(random::id(now)),
        slug: words.slug,
        resource: format!("{}://{host}", server.settings.scheme()),
        host,
        state: PluginState::Draft,
        upstream: Some(api_url.to_owned()),
        routes: None,
        subject_salt: SubjectSalt(random::bytes()),
        scopes,
        manifest: words.manifest,
        accent_color: None,
        version: 1,
    };
    let document = |kind, content_type: &str, body: &[u8]| Document {
        kind,
        content_type: content_type.to_owned(),
        body: body.to_vec(),
    };
    let documents = vec![
        document(DocumentKind::OpenApi, description.content_type, openapi.as_bytes()),
        document(DocumentKind::Logo, "image/png", demo::LOGO),
    ];
    let import = PluginImport::of(plugin, documents, now);
    match server.store.import_plugin(&import, &server.audit(Actor::Operator, Origin::default())).await? {
        ImportPlugin::Created(plugin) | ImportPlugin::Updated(plugin) => Ok(plugin),
        other => Err(format!("the sample plugin could not be imported: {other:?}").into()),
    }
}

async fn add_client(
    server: &Server,
    plugin: &Plugin,
    dialect: Dialect,
    callback: Option<&str>,
) -> Result<(String, SecretText), Failure> {
    let now = server.clock.now();
    let id = ClientId(random::id(now));
    let secret = SecretText::new(CLIENT_SECRET, random::bytes());
    let method = dialect::authentication_method(dialect);
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name: if dialect == Dialect::Service { "To-do API".to_owned() } else { "ChatGPT".to_owned() },
        dialect,
        authentication_methods: method.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: callback.into_iter().map(str::parse).collect::<Result<_, _>>()?,
        scopes: Some(plugin.scopes.names()),
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        secret: (method == AuthenticationMethod::ClientSecret).then(|| ClientSecret {
            id: ClientSecretId(random::id(now)),
            digest: secret.digest(),
            created_at: now,
            expires_at: None,
            last_used_at: None,
        }),
        at: now,
    };
    server.store.add_client(&client, &server.audit(Actor::Operator, Origin::default())).await?;
    Ok((client.client_id, secret))
}

#[expect(clippy::print_stdout, reason = "the command line speaks on standard output")]
fn show(screen: &Screen, json: bool) -> serde_json::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(screen)?);
        return Ok(());
    }
    let people = screen.people.iter().map(|person| {
        let role = if person.role == Role::Owner { "   (owns the plugin)" } else { "" };
        format!("       {:<20} {}{role}", person.email, person.password)
    });
    println!(
        "
  Consentry demo. Everything runs on this computer; every secret was made a moment ago.

    1  Open     {chatgpt}
    2  Press    Install plugin
    3  Sign in as one of
{people}
    4  Say yes, and watch: the code, the tokens, the API's answer; then Refresh, Disconnect, and call again.

  What runs
       Consentry: sign-in, consent, tokens    {ours}
       Its console, for who owns the plugin   {ours}/console
       To-do API, which trusts only tokens    {api}
       A page that plays ChatGPT              {chatgpt}

  Its data is in {folder} and goes when you press Ctrl-C.
",
        chatgpt = screen.chatgpt_url,
        ours = screen.public_url,
        api = screen.api_url,
        people = people.collect::<Vec<_>>().join("\n"),
        folder = screen.folder.display(),
    );
    Ok(())
}
