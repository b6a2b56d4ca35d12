//! A collector of traces, as far as OTLP over HTTP goes: takes `POST /v1/traces` in protobuf, and remembers every span. It is
//! written from the protocol; the types are those of OpenTelemetry's own definition.

use std::{
    fmt::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One that ends with the test.
pub struct Collector {
    address: String,
    heard: Arc<Heard>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    refuses: AtomicBool,
    holds: AtomicBool,
    heads: Mutex<Vec<String>>,
    spans: Mutex<Vec<Span>>,
    /// Everything that was sent, as text: whatever is in no span has nowhere to hide.
    all: Mutex<String>,
}

/// What a test looks at.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Which spans belong together.
    pub trace: Vec<u8>,
    /// Its own id.
    pub id: Vec<u8>,
    /// The span it stands under; nothing for a root.
    pub parent: Vec<u8>,
    /// 2 for a server's, 3 for a client's, 1 for one within.
    pub kind: i32,
    /// 2 for an error.
    pub status: i32,
    /// What is said about it, numbers as text.
    pub attributes: Vec<(String, String)>,
}

impl Span {
    /// An attribute; empty where there is none.
    pub fn is(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::<Heard>::default();
        let hearing = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let hearing = Arc::clone(&hearing);
                tokio::spawn(async move { drop(take(stream, &hearing).await) });
            }
        });
        Self { address, heard, accepting }
    }

    /// How a server is told of it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        // Sent together after a tenth of a second, and not after five.
        vec![("CONSENTRY_OTLP_ENDPOINT", self.address.clone()), ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned())]
    }

    /// From now on takes nothing, or takes everything again.
    pub fn refuse(&self, refuses: bool) {
        self.heard.refuses.store(refuses, Ordering::SeqCst);
    }

    /// From now on answers nobody, or answers again.
    pub fn hold(&self, holds: bool) {
        self.heard.holds.store(holds, Ordering::SeqCst);
    }

    /// What came so far.
    pub fn spans(&self) -> Vec<Span> {
        self.heard.spans.lock().unwrap().clone()
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        self.heard.all.lock().unwrap().clone()
    }

    /// The heads of the requests that came.
    pub fn heads(&self) -> Vec<String> {
        self.heard.heads.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn take(mut stream: TcpStream, heard: &Heard) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await?);
    }
    let top = String::from_utf8_lossy(&bytes).into_owned();
    let lines = top.lines().filter_map(|line| line.split_once(": "));
    let length =
        lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).find_map(|(_, n)| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let is_asked_well = top.starts_with("POST /v1/traces HTTP/1.1")
        && top.to_lowercase().contains("content-type: application/x-protobuf");
    let told = ExportTraceServiceRequest::decode(&body[..]).ok().filter(|_| is_asked_well);
    let status = match told {
        None => 400,
        Some(_) if heard.refuses.load(Ordering::SeqCst) => 401,
        Some(told) => {
            let _ = writeln!(heard.all.lock().unwrap(), "{told:?}");
            let scopes = told.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            heard.spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans).map(read));
            200
        }
    };
    heard.heads.lock().unwrap().push(top);
    while heard.holds.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let answer = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await
}

fn read(span: opentelemetry_proto::tonic::trace::v1::Span) -> Span {
    Span {
        name: span.name,
        trace: span.trace_id,
        id: span.span_id,
        parent: span.parent_span_id,
        kind: span.kind,
        status: span.status.map_or(0, |status| status.code),
        attributes: span.attributes.into_iter().map(attribute).collect(),
    }
}

fn attribute(pair: KeyValue) -> (String, String) {
    let value = match pair.value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    (pair.key, value)
}
