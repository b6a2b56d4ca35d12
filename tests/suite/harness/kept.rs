//! Two rows of everything that is kept sealed, made as people make them, and whether what stands in one opens for whoever
//! needs it: telling a webhook, sending a mail, looking at a code.

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    factors::app_codes::{AppKey, KEY_LENGTH},
    mail::Security,
    model::{
        audit::Origin,
        id::{AccountId, MailId, PluginId, SecretVersionId},
    },
    random,
    registry::{
        plugin_secrets::{self, SettingsForm},
        webhooks::{self, Means},
    },
    server::{
        Server,
        factors::{Browser, Shown, Verdict},
        injection::{NotInjected, Route},
        people::{Asked, Asker, ask_for_reset},
    },
    store::{
        mails::{MailTaking, TakenMail},
        webhooks::{TakenWebhook, WebhookTaking},
    },
    vault::SecretValue,
};
use reqwest::header::HeaderMap;
use uuid::Uuid;

use super::{databases::Engine, hooked::Hooked, smtp::SmtpServer};
use crate::store::tables::Tables;

/// A column of a row that is kept sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Of a mail.
    Mail(MailId),
    /// Of an authenticator app.
    App(AccountId),
    /// Of a webhook.
    Secret(PluginId),
    /// Of a webhook.
    OldSecret(PluginId),
    /// Of a version of a plugin's API key.
    ApiKey(PluginId, SecretVersionId),
}

impl Slot {
    /// The row's key.
    pub fn row(self) -> Uuid {
        match self {
            Self::Mail(id) => id.0,
            Self::App(id) => id.0,
            Self::Secret(id) | Self::OldSecret(id) => id.0,
            Self::ApiKey(_, id) => id.0,
        }
    }

    /// Reads it by the row's key.
    pub fn read(self) -> &'static str {
        match self {
            Self::Mail(_) => "select sealed from outgoing_mails where id = $1",
            Self::App(_) => "select sealed from authenticator_apps where account_id = $1",
            Self::Secret(_) => "select secret from plugin_webhooks where plugin_id = $1",
            Self::OldSecret(_) => "select old_secret from plugin_webhooks where plugin_id = $1",
            Self::ApiKey(..) => "select sealed from plugin_secret_versions where id = $1",
        }
    }

    /// Writes it by the row's key.
    pub fn write(self) -> &'static str {
        match self {
            Self::Mail(_) => "update outgoing_mails set sealed = $2 where id = $1",
            Self::App(_) => "update authenticator_apps set sealed = $2 where account_id = $1",
            Self::Secret(_) => "update plugin_webhooks set secret = $2 where plugin_id = $1",
            Self::OldSecret(_) => "update plugin_webhooks set old_secret = $2 where plugin_id = $1",
            Self::ApiKey(..) => "update plugin_secret_versions set sealed = $2 where id = $1",
        }
    }
}

/// Two rows of everything that is kept sealed, with their bytes.
pub struct Kept {
    /// The server, whose clock stands.
    pub it: Hooked,
    /// Its tables.
    pub tables: Tables,
    /// The columns of the rows, and what stood there at first.
    pub slots: Vec<(Slot, Vec<u8>)>,
    _smtp: SmtpServer,
}

const NOBODYS: Browser<'_> =
    Browser { mark: "", devices: "", origin: Origin { address: None, request: None }, user_agent: None };

/// Somebody with an authenticator app.
async fn person_with_app(it: &Hooked, email: &str) -> AccountId {
    let running = &it.world.running;
    let account = running.add_account(email, "Somebody").await;
    let bytes = random::bytes::<KEY_LENGTH>();
    let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::from(bytes.as_slice())).build().unwrap();
    let code = totp.generate(running.server.clock.now().timestamp().try_into().unwrap()).to_string();
    let key = AppKey::new(bytes.to_vec()).unwrap();
    assert_eq!(running.server.add_app(account, (&key, &code), &NOBODYS).await.unwrap(), Some(true));
    account
}

impl Kept {
    /// Makes them.
    pub async fn new(engine: Engine) -> Self {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let it = Hooked::with_mail(engine, clock, Some(smtp.way.clone())).await;
        let server = &it.world.running.server;
        let other = it.world.running.add_plugin_at("other", "other.example").await;
        let ring = server.keyring.current();
        let means = Means { ring: &ring, outbound: &server.teller };
        webhooks::set(&it.registry(), means, (other.id, 0), it.host.url("/hook").as_str()).await.unwrap();
        let plugins = [it.world.plugin.id, other.id];
        let mut slots = Vec::new();
        for id in plugins {
            webhooks::renew_secret(&it.registry(), &ring, (id, 1)).await.unwrap();
            webhooks::send_test(&it.registry(), id).await.unwrap();
            let form = SettingsForm { routes: vec!["* /*".to_owned()], ..SettingsForm::default() };
            let value = SecretValue::new("q7-upstream-Zk2f".to_owned());
            let key = plugin_secrets::put(&it.registry(), &ring, (id, "upstream"), &value, &form).await.unwrap();
            let version = SecretVersionId::of(id, key.id, 1);
            slots.extend([Slot::Secret(id), Slot::OldSecret(id), Slot::ApiKey(id, version)]);
        }
        for email in ["first@example.com", "second@example.com"] {
            slots.push(Slot::App(person_with_app(&it, email).await));
            let asked = ask_for_reset(server, &email.parse().unwrap(), &Asker::default()).await.unwrap();
            assert_eq!(asked, Asked::Taken);
        }
        slots.extend(taken_mails(server).await.iter().map(|mail| Slot::Mail(mail.id)));
        assert_eq!(slots.len(), 10);
        let mut tables = Tables::of(&it.world.database).await;
        let mut with_bytes = Vec::new();
        for slot in slots {
            with_bytes.push((slot, tables.bytes(slot.read(), slot.row()).await));
        }
        Self { it, tables, slots: with_bytes, _smtp: smtp }
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.it.world.running.server
    }

    /// Whether what now stands in the row opens for whoever needs it.
    pub async fn opens(&mut self, slot: Slot) -> bool {
        match slot {
            Slot::App(account) => self.opens_app(account).await,
            Slot::ApiKey(plugin, _) => self.injects(plugin).await,
            // Whatever is kept may be looked at for longer than a mail is worth being sent.
            Slot::Mail(_) => {
                let bytes = self.tables.bytes(slot.read(), slot.row()).await;
                self.would_open(slot, &bytes).await
            }
            Slot::Secret(id) | Slot::OldSecret(id) => {
                let mut webhook = taken_webhook(self.server(), id).await;
                // The other of the two is well, and is not what is asked about.
                match slot {
                    Slot::Secret(_) => webhook.old_secret = None,
                    _ => webhook.secret.clear(),
                }
                self.tells(&webhook).await
            }
        }
    }

    /// Whether these bytes would open if they stood in the row.
    pub async fn would_open(&mut self, slot: Slot, bytes: &[u8]) -> bool {
        match slot {
            Slot::App(account) => {
                self.tables.put(slot.write(), slot.row(), bytes).await;
                self.opens_app(account).await
            }
            Slot::ApiKey(plugin, _) => {
                self.tables.put(slot.write(), slot.row(), bytes).await;
                self.injects(plugin).await
            }
            Slot::Mail(id) => {
                let now = self.server().clock.now();
                let sealed = bytes.to_vec();
                let mail = TakenMail { id, sealed, attempts: 1, created_at: now, expires_at: now + TimeDelta::days(1) };
                self.server().open_mail(&mail).await.unwrap().is_some()
            }
            Slot::Secret(id) | Slot::OldSecret(id) => {
                let webhook = taken_webhook(self.server(), id).await;
                let (secret, old_secret) = match slot {
                    Slot::Secret(_) => (bytes.to_vec(), None),
                    _ => (Vec::new(), Some(bytes.to_vec())),
                };
                self.tells(&TakenWebhook { secret, old_secret, ..webhook }).await
            }
        }
    }

    async fn opens_app(&mut self, account: AccountId) -> bool {
        let (account, _) = self.server().store.account(account).await.unwrap().unwrap();
        let verdict = self.server().look_at_factor(&account, Shown::Code("000000"), &NOBODYS).await.unwrap();
        self.tables.change("delete from sign_in_failures").await;
        match verdict {
            Verdict::Wrong("The authenticator app's key cannot be opened.") => false,
            Verdict::Wrong("The authenticator app's code was wrong.") => true,
            other => panic!("{other:?}"),
        }
    }

    /// Whether a request to the plugin's API gets its key.
    async fn injects(&self, plugin: PluginId) -> bool {
        let (server, mut headers) = (self.server(), HeaderMap::new());
        server.injections.forget(plugin).await;
        let route = Route { method: "GET", path: "/items" };
        match server.inject(plugin, route, &mut headers, &Origin::default()).await {
            Ok(injected) => {
                assert_eq!(injected.len(), 1, "there is a key to put there");
                assert_eq!(headers["authorization"], "Bearer q7-upstream-Zk2f");
                true
            }
            Err(NotInjected::Unreadable(_)) => {
                assert!(headers.is_empty());
                false
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// Whether the plugin's API is told anything. In no turn of its row, so that it is as due as before.
    async fn tells(&self, webhook: &TakenWebhook) -> bool {
        let now = self.server().clock.now();
        let delivery = self.server().store.due_delivery(webhook.plugin_id, now).await.unwrap().unwrap();
        let before = self.it.host.requests();
        let webhook = TakenWebhook { turn: -1, ..webhook.clone() };
        assert!(!self.server().tell(&webhook, &delivery).await.unwrap());
        self.it.host.requests() > before
    }
}

async fn taken_mails(server: &Server) -> Vec<TakenMail> {
    let at = server.clock.now();
    server.store.take_mails(&MailTaking { at, until: at, mails_max: 10 }).await.unwrap()
}

async fn taken_webhook(server: &Server, plugin: PluginId) -> TakenWebhook {
    let at = server.clock.now();
    let taken = server.store.take_webhooks(&WebhookTaking { at, until: at, webhooks_max: 10 }).await.unwrap();
    taken.into_iter().find(|webhook| webhook.plugin_id == plugin).unwrap()
}
