//! The log, as tests hear it. Servers run in threads of their own, so only one listener of the whole process hears them;
//! it hears those of other tests too, so what is sought has to be unique.
//!
//! Where `CONSENTRY_TEST_LOG_DIR` names a folder, whatever the suite's servers and the processes it starts log is kept
//! there, and `scripts/sweep-log` looks for secrets in it after the tests (minted.rs).

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Stdio,
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

/// Where the suite's log is kept, if anywhere.
pub fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::var_os("CONSENTRY_TEST_LOG_DIR").map(PathBuf::from)).as_deref()
}

/// A file of the suite's log, written at its end.
fn file(name: &str) -> Option<File> {
    let path = folder()?.join(name);
    Some(OpenOptions::new().append(true).create(true).open(path).expect("a file in the log's folder"))
}

/// A new file for the log of a process: in the suite's log, or else in a folder of the test's.
pub fn of_a_process(otherwise: &Path) -> PathBuf {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    folder().unwrap_or(otherwise).join(format!("process-{}-{number}.log", std::process::id()))
}

/// The same for a process whose log the test does not read.
pub fn unread() -> Stdio {
    folder().map_or_else(Stdio::null, |folder| File::create(of_a_process(folder)).expect("a log").into())
}

/// Keeps what a command told beside its answer.
pub fn keep(told: &[u8]) {
    if let Some(mut commands) = file(&format!("commands-{}.log", std::process::id())) {
        commands.write_all(told).expect("the commands' log");
    }
}

/// Begins to listen to what the servers tell their operators.
pub fn listen() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        let told = Targets::new()
            .with_target("consentry", LevelFilter::INFO)
            .with_target("consentry_traces", LevelFilter::OFF);
        let lines = |page| fmt::layer().with_ansi(false).with_writer(Page(page));
        let details = dynamic_filter_fn(|about, _| is_listened_to(about));
        let mut pages = vec![lines(&TOLD).with_filter(told).boxed(), lines(&DETAILS).with_filter(details).boxed()];
        // More than operators are told unless they ask: nothing of Consentry's own may hold a secret at any level.
        let kept = file(&format!("suite-{}.log", std::process::id())).map(|kept| {
            // Not the spans that a collector of traces alone hears, under a name that begins so too.
            let all = Targets::new()
                .with_target("consentry", LevelFilter::TRACE)
                .with_target("consentry_traces", LevelFilter::OFF);
            fmt::layer().with_ansi(false).with_writer(kept).with_filter(all).boxed()
        });
        pages.extend(kept);
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
