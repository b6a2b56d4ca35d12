//! People who go on while something else happens: they sign in with a password and a code, their apps refresh, and the
//! plugin's API is told. Whatever is not as it should be is a failure.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use consentry::registry::webhooks;
use tokio::task::JoinHandle;

use super::{
    browser::Browser,
    bulk::Person,
    hooked::Hooked,
    second_factor::{press, sign_in},
};

/// How long after one sign-in the next begins: an address has sixty a minute.
const SIGN_INS_EVERY: Duration = Duration::from_millis(1500);

/// How long after one refresh the next begins, and after one message.
const REFRESHES_EVERY: Duration = Duration::from_millis(20);
const MESSAGES_EVERY: Duration = Duration::from_millis(300);

/// Those who go on, until they are asked how it was.
pub struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<(&'static str, JoinHandle<Done>)>,
}

/// How it was.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// How often it was as it should be.
    pub times: u64,
    /// What was not.
    pub failures: Vec<String>,
}

impl Load {
    /// They begin. Nobody of these people signs in twice within half a minute, since a code is good once.
    pub fn begin(it: &Arc<Hooked>, people: Vec<Person>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        assert!(SIGN_INS_EVERY * u32::try_from(people.len()).unwrap() > Duration::from_secs(31));
        let tasks = vec![
            ("sign-ins", tokio::spawn(signs_in(Arc::clone(it), people, Arc::clone(&stop)))),
            ("refreshes", tokio::spawn(refreshes(Arc::clone(it), Arc::clone(&stop)))),
            ("messages", tokio::spawn(tells(Arc::clone(it), Arc::clone(&stop)))),
        ];
        Self { stop, tasks }
    }

    /// They stop; how it was, by what they did.
    pub async fn end(self) -> Vec<(&'static str, Done)> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for (what, task) in self.tasks {
            all.push((what, task.await.unwrap()));
        }
        all
    }
}

impl Done {
    fn count(&mut self, went_well: bool, told: impl FnOnce() -> String) {
        if went_well {
            self.times += 1;
        } else {
            self.failures.push(told());
        }
    }
}

async fn signs_in(it: Arc<Hooked>, people: Vec<Person>, stop: Arc<AtomicBool>) -> Done {
    let mut done = Done::default();
    for Person { email, key } in people.iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let browser = Browser::new(&it.world.running);
        let page = sign_in(&browser, email, "connected-apps").await;
        let second = page.url.path() == "/second-step";
        let page = if second {
            let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::from(key.as_slice())).build().unwrap();
            let now = it.world.running.server.clock.now().timestamp();
            let code = totp.generate(now.try_into().unwrap()).to_string();
            press(&browser, &page, "/second-step", &[("next", "connected-apps"), ("code", &code)]).await.page()
        } else {
            page
        };
        done.count(second && page.url.path() == "/connected-apps", || format!("{email}: {} {}", page.url, page.html));
        tokio::time::sleep(SIGN_INS_EVERY).await;
    }
    done
}

async fn refreshes(it: Arc<Hooked>, stop: Arc<AtomicBool>) -> Done {
    let mut done = Done::default();
    let (client, mut tokens) = it.connect("grace@example.com").await;
    while !stop.load(Ordering::SeqCst) {
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let (status, next) = it.world.running.refresh(&client, &refresh).await;
        done.count(status == 200, || format!("{status} {next}"));
        if status == 200 {
            tokens = next;
        }
        tokio::time::sleep(REFRESHES_EVERY).await;
    }
    done
}

async fn tells(it: Arc<Hooked>, stop: Arc<AtomicBool>) -> Done {
    let mut done = Done::default();
    while !stop.load(Ordering::SeqCst) {
        webhooks::send_test(&it.registry(), it.world.plugin.id).await.unwrap();
        let before = it.host.messages().len();
        let messages = it.told().await;
        let signed = messages.last().filter(|_| messages.len() > before).is_some_and(|message| {
            let header = |name: &str| message.headers[name].as_str().unwrap().to_owned();
            let at = header("webhook-timestamp").parse().unwrap();
            it.secret.sign(&header("webhook-id"), at, &message.body) == header("webhook-signature")
        });
        let says = it.says().await;
        done.count(signed, || says);
        tokio::time::sleep(MESSAGES_EVERY).await;
    }
    done
}
