//! A load on the real server: token issue, refresh, alone and beside 200 people who sign in, and introspection, on
//! SQLite and on Postgres; a client's secret renewed meanwhile; and how long a wrong password takes with known and with
//! unknown addresses.
//!
//! `cargo bench --bench load`. It starts `consentry serve` as a process of its own on a free loopback port, prepares
//! codes with the library, sends a bounded number of requests from 32 callers, and prints requests per second, the
//! median and the 99th percentile, and the server's own CPU time per request, which does not depend on what else the
//! machine is doing. Postgres is measured when `CONSENTRY_BENCH_POSTGRES_URL` names an empty database.

#![expect(clippy::print_stdout, reason = "a load program prints what it measured")]

use std::{
    collections::VecDeque,
    error::Error,
    fs,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    keys::master::MasterKey,
    model::{
        account::Role,
        audit::Actor,
        client::{AuthenticationMethod, ClientKeys, ClientSecret, Dialect, Registration},
        code::AuthorizationCode,
        digest::Digest,
        family::Birth,
        id::{AccountId, ClientId, ClientSecretId, ConsentId, FamilyId, PluginId},
        plugin::{Plugin, PluginState, SubjectSalt},
        scope::{Catalogue, Scope},
    },
    outbound, random,
    server::{Server, Settings},
    store::{
        OpenOptions, Store,
        accounts::NewAccount,
        clients::{NewClient, OwnWords},
        consents::{ConsentGrant, ConsentKey},
        plugins::PluginImport,
    },
    tokens::{
        self,
        secret::{CLIENT_SECRET, SecretText},
    },
};

#[path = "load/people.rs"]
mod people;
#[path = "load/renewal.rs"]
mod renewal;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Form = Vec<(&'static str, String)>;

/// Requests of each kind.
const REQUESTS: usize = 5_000;
/// Callers at the same time.
const CALLERS: usize = 32;
const CALLBACK: &str = "https://client.example/callback";

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("consentry-load-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    println!("| engine | step | requests/s | median ms | p99 ms | server CPU µs per request |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let sqlite = format!("sqlite://{}", folder.join("load.db").display());
    let measured = measure("SQLite", &sqlite, &folder).await;
    if measured.is_ok() {
        match std::env::var("CONSENTRY_BENCH_POSTGRES_URL") {
            Ok(url) => measure("Postgres", &url, &folder).await?,
            Err(_) => println!("\nPostgres was not measured: CONSENTRY_BENCH_POSTGRES_URL is not set."),
        }
    }
    fs::remove_dir_all(&folder)?;
    measured
}

/// The server as a process, ended with the measurement.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn measure(engine: &str, url: &str, folder: &Path) -> Outcome<()> {
    let master = random::bytes::<32>();
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let public_url = format!("http://localhost:{port}");
    let prepared = prepare(url, &public_url, master).await?;
    let master_keys = write_key(folder, master)?;
    let process = Process(start(url, &public_url, port, &master_keys)?);
    wait_until_ready(&public_url).await?;
    let run = |step: &'static str, path: &'static str, forms: Vec<Form>| {
        let (address, pid) = (format!("{public_url}{path}"), process.0.id());
        async move { load(engine, step, &address, pid, forms).await }
    };
    let service = |client: &Registered, more: &[(&'static str, &str)]| -> Form {
        let own = [("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
        own.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let credentials = vec![service(&prepared.service, &[("grant_type", "client_credentials")]); REQUESTS];
    run("client credentials", "/token", credentials).await?;
    let redeem = |code: &String| {
        service(&prepared.client, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)])
    };
    let tokens = run("code redeemed", "/token", prepared.codes.iter().map(redeem).collect()).await?;
    let refresh = |answer: &serde_json::Value| {
        let token = answer["refresh_token"].as_str().unwrap_or_default();
        service(&prepared.client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
    };
    let tokens = tokens.answers;
    let forms: Vec<Form> = tokens.iter().map(refresh).collect();
    let (quiet, stormy) = forms.split_at(forms.len() / 2);
    let alone = run("refresh, rotated", "/token", quiet.to_vec()).await?;
    run("refresh, repeated", "/token", quiet.to_vec()).await?;
    let storm = people::Storm::begin(&public_url).await?;
    let beside = run("refresh, rotated, beside sign-ins", "/token", stormy.to_vec()).await?;
    let signed_in = storm.end().await?;
    let ask = |answer: &serde_json::Value| {
        service(&prepared.service, &[("token", answer["access_token"].as_str().unwrap_or_default())])
    };
    run("introspection", "/introspect", tokens.iter().map(ask).collect()).await?;
    let people = people::PEOPLE;
    println!(
        "\n{engine}: p99 of refresh beside {people} who sign in ({signed_in} did): {:.1} times",
        beside.p99 / alone.p99
    );
    let [known, unknown] = people::wrong_passwords(&public_url).await?;
    println!("{engine}: median of a wrong password: known addresses {known:.1?}, unknown {unknown:.1?}");
    // The last one: from here on the service has another secret.
    renewal::under_load(engine, &public_url, &prepared.service, consentry(url, &public_url, &master_keys)).await?;
    println!();
    Ok(())
}

struct Registered {
    id: String,
    secret: String,
}

struct Prepared {
    client: Registered,
    service: Registered,
    codes: Vec<String>,
}

/// Makes an account, a plugin, two clients and a code for every redemption, with the server's own library.
async fn prepare(url: &str, public_url: &str, master: [u8; 32]) -> Outcome<Prepared> {
    let store = Store::open(&OpenOptions {
        url: url.to_owned(),
        password: None,
        connections_max: 2,
        patience: Duration::from_secs(5),
    })
    .await?;
    store.migrate().await?;
    let settings = Settings::defaults(public_url, "Load")?;
    let server =
        Server::assemble(settings, Clock::system(), store, vec![MasterKey::new(master)], outbound::Settings::default())
            .await?;
    let now = server.clock.now();
    let audit = || server.audit(Actor::Operator, None);
    let account = NewAccount {
        id: AccountId(random::id(now)),
        email: "load@example.com".parse()?,
        name: "Load".into(),
        role: Role::Person,
        password_hash: "none".into(),
        at: now,
    };
    server.store.add_account(&account, &audit()).await?;
    people::prepare(&server).await?;
    let mut scopes = Catalogue::default();
    scopes.put(Scope::new("todo.read", "See your list"))?;
    let plugin = Plugin {
        id: PluginId(random::id(now)),
        slug: "load".into(),
        host: server.settings.host.clone(),
        state: PluginState::Draft,
        upstream: None,
        resource: public_url.to_owned(),
        subject_salt: SubjectSalt(random::bytes()),
        scopes,
        manifest: serde_json::json!({ "name_for_human": "Load" }),
        version: 1,
    };
    server.store.import_plugin(&PluginImport::of(plugin.clone(), vec![], now), &audit()).await?;
    let (client_row, client) = register(&server, &plugin, Dialect::Plugin).await?;
    let (_, service) = register(&server, &plugin, Dialect::Service).await?;
    let grant = ConsentGrant {
        id: ConsentId(random::id(now)),
        key: ConsentKey { account_id: account.id, client_id: client_row, resource: plugin.resource.clone() },
        scopes: plugin.scopes.names(),
        left_out: consentry::model::scope::Scopes::default(),
        document: None,
    };
    let consent = server.store.grant_consent(&grant, &audit()).await?;
    let resource = server.store.resource(public_url).await?.ok_or("the resource is not registered")?;
    let ring = server.keyring.current();
    let codes = (0..REQUESTS)
        .map(|_| {
            let code = AuthorizationCode {
                id: FamilyId(random::id(now)),
                account_id: account.id,
                client_id: client_row,
                consent_id: consent.id,
                resource_id: resource.id,
                birth: Birth { account: 1, client: 1, consent: 1 },
                redirect_uri: Digest::of(CALLBACK).short(),
                scopes: 1,
                code_challenge: None,
                auth_time: now.timestamp_millis(),
                // Preparing is not measured, so these codes live longer than real ones.
                expires_at: (now + TimeDelta::minutes(30)).timestamp_millis(),
            };
            tokens::code::write(&ring, &code, now, random::bytes())
        })
        .collect::<Result<_, _>>()?;
    server.store.close().await;
    Ok(Prepared { client, service, codes })
}

async fn register(server: &Server, plugin: &Plugin, dialect: Dialect) -> Outcome<(ClientId, Registered)> {
    let now = server.clock.now();
    let id = ClientId(random::id(now));
    let secret = SecretText::new(CLIENT_SECRET, random::bytes());
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name: "Load".into(),
        dialect,
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: vec![CALLBACK.parse()?],
        scopes: Some(plugin.scopes.names()),
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        secret: Some(ClientSecret {
            id: ClientSecretId(random::id(now)),
            digest: secret.digest(),
            created_at: now,
            expires_at: None,
            last_used_at: None,
        }),
        at: now,
    };
    server.store.add_client(&client, &server.audit(Actor::Operator, None)).await?;
    Ok((id, Registered { id: client.client_id, secret: secret.reveal().to_owned() }))
}

fn write_key(folder: &Path, master: [u8; 32]) -> Outcome<String> {
    let path = folder.join("master.key");
    let _ = fs::remove_file(&path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut &file, STANDARD.encode(master).as_bytes())?;
    Ok(format!("file:{}", path.display()))
}

fn start(url: &str, public_url: &str, port: u16, master_keys: &str) -> Outcome<Child> {
    Ok(consentry(url, public_url, master_keys)
        .arg("serve")
        .env("CONSENTRY_LISTEN", format!("127.0.0.1:{port}"))
        .env("CONSENTRY_LOG", "error")
        .stdout(Stdio::null())
        .spawn()?)
}

/// The command line with its configuration in the environment.
fn consentry(url: &str, public_url: &str, master_keys: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    command
        // The program knows its own settings only, and refuses any other of its prefix.
        .env_remove("CONSENTRY_BENCH_POSTGRES_URL")
        .env("CONSENTRY_PUBLIC_URL", public_url)
        .env("CONSENTRY_DATABASE_URL", url)
        .env("CONSENTRY_MASTER_KEYS", master_keys);
    command
}

async fn wait_until_ready(public_url: &str) -> Outcome<()> {
    for _ in 0..100 {
        if reqwest::get(format!("{public_url}/health/ready")).await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the server did not become ready within five seconds".into())
}

/// What a load brought.
struct Loaded {
    answers: Vec<serde_json::Value>,
    /// In milliseconds.
    p99: f64,
}

/// Sends every form once, from many callers at a time, and answers what came back.
#[expect(clippy::disallowed_methods, reason = "a load program measures real time")]
async fn load(engine: &str, step: &str, address: &str, pid: u32, forms: Vec<Form>) -> Outcome<Loaded> {
    let http = reqwest::Client::new();
    let count = forms.len();
    let queue = Arc::new(Mutex::new(VecDeque::from(forms)));
    let cpu_before = cpu_time(pid)?;
    let begun = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let (queue, http, address) = (Arc::clone(&queue), http.clone(), address.to_owned());
        tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let Some(form) = queue.lock().map_err(|_| "a caller broke off")?.pop_front() else {
                    return Outcome::Ok(done);
                };
                let sent = Instant::now();
                let answer = http.post(&address).form(&form).send().await?.error_for_status()?;
                let json: serde_json::Value = answer.json().await?;
                done.push((sent.elapsed(), json));
            }
        })
    });
    let mut times = Vec::with_capacity(count);
    let mut answers = Vec::with_capacity(count);
    for caller in callers.collect::<Vec<_>>() {
        for (time, answer) in caller.await?? {
            times.push(time);
            answers.push(answer);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = cpu_time(pid)?.saturating_sub(cpu_before);
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let requests = f64::from(u32::try_from(count)?);
    println!(
        "| {engine} | {step} | {:.0} | {:.1} | {:.1} | {:.0} |",
        requests / seconds,
        at(50),
        at(99),
        cpu.as_secs_f64() * 1e6 / requests
    );
    Ok(Loaded { answers, p99: at(99) })
}

/// User and system time of a process: fields 14 and 15 of its `stat` (proc(5)), in hundredths of a second.
fn cpu_time(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("an unreadable stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields.get(11).ok_or("a short stat")?.parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}
