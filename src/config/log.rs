//! What is logged and how: `log`, `log_format`.

use tracing_subscriber::EnvFilter;

use super::reader::Reader;

/// What is logged and how; `telemetry` sets it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Which events, as directives that have been read once already.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Log> {
    let filter = reader.text("log").filter(|filter| {
        let understood = EnvFilter::try_new(filter).is_ok();
        if !understood {
            reader.mistake("log", "it is not understood", "write error, warn, info, debug or trace");
        }
        understood
    });
    let format = match reader.text("log_format")?.as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => {
            reader.mistake("log_format", "there is no such form", "write text or json");
            None
        }
    };
    Some(Log { filter: filter?, format: format? })
}
