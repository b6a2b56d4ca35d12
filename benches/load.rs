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
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use consentry::random;

use crate::{
    prepared::{CALLBACK, Prepared, Registered, prepare},
    process::Place,
};

#[path = "load/people.rs"]
mod people;
#[path = "served/prepared.rs"]
mod prepared;
#[path = "served/process.rs"]
mod process;
#[path = "load/renewal.rs"]
mod renewal;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Form = Vec<(&'static str, String)>;

/// Requests of each kind.
const REQUESTS: usize = 5_000;
/// Callers at the same time.
const CALLERS: usize = 32;

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("consentry-load-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    println!("| engine | step | requests/s | median ms | p99 ms | server CPU µs per request |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let sqlite = format!("sqlite://{}", folder.join("load.db").display());
    let measured = Box::pin(measure("SQLite", &sqlite, &folder)).await;
    if measured.is_ok() {
        match std::env::var("CONSENTRY_BENCH_POSTGRES_URL") {
            Ok(url) => Box::pin(measure("Postgres", &url, &folder)).await?,
            Err(_) => println!("\nPostgres was not measured: CONSENTRY_BENCH_POSTGRES_URL is not set."),
        }
    }
    fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(engine: &str, url: &str, folder: &Path) -> Outcome<()> {
    let place = Place::new(url, folder, random::bytes())?;
    let Prepared { client, service: acting, codes, server } = prepare(&place, "load", REQUESTS).await?;
    people::prepare(&server).await?;
    server.store.close().await;
    let process = place.serve("error", Stdio::inherit()).await?;
    let public_url = place.public_url.as_str();
    let run = |step: &'static str, path: &'static str, forms: Vec<Form>| {
        let (address, pid) = (format!("{public_url}{path}"), process.0.id());
        async move { load(engine, step, &address, pid, forms).await }
    };
    let service = |client: &Registered, more: &[(&'static str, &str)]| -> Form {
        let own = [("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
        own.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let credentials = vec![service(&acting, &[("grant_type", "client_credentials")]); REQUESTS];
    run("client credentials", "/token", credentials).await?;
    let redeem = |code: &String| {
        service(&client, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)])
    };
    let tokens = run("code redeemed", "/token", codes.iter().map(redeem).collect()).await?;
    let refresh = |answer: &serde_json::Value| {
        let token = answer["refresh_token"].as_str().unwrap_or_default();
        service(&client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
    };
    let tokens = tokens.answers;
    let forms: Vec<Form> = tokens.iter().map(refresh).collect();
    let (quiet, stormy) = forms.split_at(forms.len() / 2);
    let alone = run("refresh, rotated", "/token", quiet.to_vec()).await?;
    run("refresh, repeated", "/token", quiet.to_vec()).await?;
    let storm = people::Storm::begin(public_url).await?;
    let beside = run("refresh, rotated, beside sign-ins", "/token", stormy.to_vec()).await?;
    let signed_in = storm.end().await?;
    let ask = |answer: &serde_json::Value| {
        service(&acting, &[("token", answer["access_token"].as_str().unwrap_or_default())])
    };
    run("introspection", "/introspect", tokens.iter().map(ask).collect()).await?;
    let people = people::PEOPLE;
    println!(
        "\n{engine}: p99 of refresh beside {people} who sign in ({signed_in} did): {:.1} times",
        beside.p99 / alone.p99
    );
    let [known, unknown] = people::wrong_passwords(public_url).await?;
    println!("{engine}: median of a wrong password: known addresses {known:.1?}, unknown {unknown:.1?}");
    // The last one: from here on the service has another secret.
    renewal::under_load(engine, public_url, &acting, place.consentry()).await?;
    println!();
    Ok(())
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
