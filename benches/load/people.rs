//! People at the sign-in page: a storm of them beside the token endpoint, and how long a wrong password takes with an
//! address that is known and with one that is not.

use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use consentry::{model::account::Role, server::Server};
use tokio::task::JoinHandle;

use super::{Outcome, prepared::account};

/// How many there are, and how many tries of each kind.
pub const PEOPLE: usize = 200;

const PASSWORD: &str = "a password of some length";

fn email(number: usize) -> String {
    format!("person{number}@example.com")
}

/// Makes the accounts; tries at one are few at a time, so each person has their own.
pub async fn prepare(server: &Server) -> Outcome<()> {
    let password_hash = server.passwords.hash(PASSWORD).await?;
    for number in 0..PEOPLE {
        account(server, &email(number), Role::Person, &password_hash).await?;
    }
    Ok(())
}

/// A browser before the form.
struct Browser {
    http: reqwest::Client,
    address: String,
    csrf: String,
}

impl Browser {
    async fn open(public_url: &str) -> Outcome<Self> {
        let redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().cookie_store(true).redirect(redirects).build()?;
        let address = format!("{public_url}/sign-in");
        let page = http.get(&address).send().await?.text().await?;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").ok_or("a page without its form")?;
        let csrf = rest.split('"').next().unwrap_or_default().to_owned();
        Ok(Self { http, address, csrf })
    }

    async fn sign_in(&self, email: &str, password: &str) -> Outcome<u16> {
        let form = [("email", email), ("password", password), ("csrf", &self.csrf)];
        Ok(self.http.post(&self.address).form(&form).send().await?.status().as_u16())
    }
}

/// People who sign in again and again, each as soon as they are answered.
pub struct Storm {
    is_over: Arc<AtomicBool>,
    signed_in: Arc<AtomicUsize>,
    people: Vec<JoinHandle<Outcome<()>>>,
}

impl Storm {
    /// Begins, and waits until all stand before the form.
    pub async fn begin(public_url: &str) -> Outcome<Self> {
        let (is_over, signed_in) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut people = Vec::with_capacity(PEOPLE);
        for number in 0..PEOPLE {
            let browser = Browser::open(public_url).await?;
            let (is_over, signed_in) = (Arc::clone(&is_over), Arc::clone(&signed_in));
            people.push(tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    match browser.sign_in(&email(number), PASSWORD).await? {
                        303 => signed_in.fetch_add(1, Ordering::Relaxed),
                        503 => 0,
                        other => return Err(format!("a sign-in was answered with {other}").into()),
                    };
                }
                Ok(())
            }));
        }
        Ok(Self { is_over, signed_in, people })
    }

    /// Ends, and answers how many signed in.
    pub async fn end(self) -> Outcome<usize> {
        self.is_over.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await??;
        }
        Ok(self.signed_in.load(Ordering::Relaxed))
    }
}

/// The median time of a wrong password, with known addresses and with unknown ones, one after the other in turn.
#[expect(clippy::disallowed_methods, reason = "a load program measures real time")]
pub async fn wrong_passwords(public_url: &str) -> Outcome<[Duration; 2]> {
    let browser = Browser::open(public_url).await?;
    let mut times = [Vec::with_capacity(PEOPLE), Vec::with_capacity(PEOPLE)];
    for number in 0..PEOPLE {
        for (address, times) in [email(number), format!("nobody{number}@example.com")].iter().zip(&mut times) {
            let sent = Instant::now();
            let status = browser.sign_in(address, "a wrong password of some length").await?;
            times.push(sent.elapsed());
            if status != 422 {
                return Err(format!("a wrong password was answered with {status}").into());
            }
        }
    }
    Ok(times.map(|mut times| {
        times.sort_unstable();
        times[PEOPLE / 2]
    }))
}
