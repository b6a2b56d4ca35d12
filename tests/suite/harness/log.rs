//! The log, as tests hear it. Servers run in threads of their own, so only one listener of the whole process hears them;
//! it hears those of other tests too, so what is sought has to be unique.

use std::{
    io,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing::{Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{Targets, dynamic_filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

/// What an operator is told.
static TOLD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Everything, down to the last detail of the database driver, while somebody listens to that.
static DETAILS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// How many listen to the details. They are many, and nobody else should have to wait while they are written down.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Copy)]
struct Page(&'static Mutex<Vec<u8>>);

impl Page {
    fn text_from(self, beginning: usize) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("the log")[beginning..]).into_owned()
    }
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

/// Begins to listen to what the servers tell their operators.
pub fn listen() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        let told = Targets::new().with_target("consentry", LevelFilter::INFO);
        let lines = |page| fmt::layer().with_ansi(false).with_writer(Page(page));
        let details = dynamic_filter_fn(|about, _| is_listened_to(about));
        let pages = vec![lines(&TOLD).with_filter(told).boxed(), lines(&DETAILS).with_filter(details).boxed()];
        let subscriber = tracing_subscriber::registry().with(pages);
        tracing::subscriber::set_global_default(subscriber).expect("nobody listens yet");
    });
}

fn is_listened_to(about: &Metadata<'_>) -> bool {
    let ours = ["consentry", "sqlx", "actix_web", "actix_http", "actix_server"];
    LISTENERS.load(Ordering::SeqCst) > 0 && ours.iter().any(|name| about.target().starts_with(name))
}

/// What operators were told since somebody began to listen.
pub fn told() -> String {
    Page(&TOLD).text_from(0)
}

/// Somebody who listens to every detail, until dropped.
pub struct Details {
    beginning: usize,
}

impl Details {
    /// Begins.
    pub fn listen() -> Self {
        listen();
        LISTENERS.fetch_add(1, Ordering::SeqCst);
        Self { beginning: DETAILS.lock().expect("the log").len() }
    }

    /// What was written since.
    pub fn written(&self) -> String {
        Page(&DETAILS).text_from(self.beginning)
    }
}

impl Drop for Details {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::SeqCst);
    }
}
