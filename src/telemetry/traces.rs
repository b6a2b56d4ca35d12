//! Traces by OpenTelemetry: spans with the target of `model::traces` go to a collector, by OTLP over HTTP in protobuf.
//!
//! Spans are written by `http::guard::watched` (a request), `store` (an operation) and `outbound` (a fetch). No caller's trace
//! is continued: `traceparent` is a stranger's word, and whoever sends it could have their request stand among another's
//! steps. Nothing that was sent here waits for a collector: what it does not take, or `span_queue` has no room for, is lost,
//! counted, and told of by the log.

use std::{
    future::ready,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId, TraceState, TracerProvider},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider,
        ShouldSample,
    },
};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::runtime::Runtime;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};
use zeroize::Zeroizing;

use super::{
    Collector, TelemetryError,
    span_queue::{Entrance, Exit, Queue},
};
use crate::model::{legible::with_causes, live::Live, traces::TARGET};

/// What a collector finds all this under.
const NAME: &str = "consentry";

/// How long a collector may take for what is sent together.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last spans may take when the program ends.
const LAST: Duration = Duration::from_secs(5);

/// How many spans wait unless the operator says otherwise, and how many that can be.
const ROOM: usize = 2048;
const ROOM_MAX: usize = 1 << 20;

/// Collects spans and sends them together, in a thread of its own.
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Makes ready; the collector is not asked yet.
    pub(super) fn new(collector: Collector) -> Result<Self, TelemetryError> {
        let failed = |error: &dyn std::error::Error| TelemetryError::Traces(with_causes(error));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(collector.endpoint.as_str())
            .with_timeout(TIMEOUT)
            .with_http_client(Sender::new(collector)?)
            .build()
            .map_err(|error| failed(&error))?;
        // Names that the operator gives in `OTEL_RESOURCE_ATTRIBUTES`, such as the node's, come along.
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(NAME).with_attribute(version).build();
        let sampler = Sampler::ParentBased(Box::new(Roots));
        let room = room();
        let queue = Queue::new(room);
        let exit = Exit { queue: Arc::clone(&queue), next: exporter };
        let config = BatchConfigBuilder::default().with_max_queue_size(room).build();
        let next = BatchSpanProcessor::builder(exit).with_batch_config(config).build();
        let builder = SdkTracerProvider::builder().with_span_processor(Entrance { queue, next });
        Ok(Self { provider: builder.with_sampler(sampler).with_resource(resource).build() })
    }

    /// What hears of spans.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(NAME))
            // Where in the code a span was written, and in which thread it ran, is nobody's question.
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
    }

    /// Sends what is left.
    pub(super) fn end(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}

/// How many spans may wait, in the variable in which the library has it with its others.
fn room() -> usize {
    let said = std::env::var("OTEL_BSP_MAX_QUEUE_SIZE").ok().and_then(|text| text.trim().parse().ok());
    said.filter(|room| (1..=ROOM_MAX).contains(room)).unwrap_or(ROOM)
}

/// Which spans may begin a trace: those of requests and fetches. Jobs look into the store every second, and a trace for each
/// of these looks would bury what people did.
#[derive(Clone, Debug)]
struct Roots;

impl ShouldSample for Roots {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        kind: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let is_root = *kind != SpanKind::Internal;
        let decision = if is_root { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

/// Carries what is to be sent. The thread that collects waits for it and is no part of the server's runtime, which may have
/// ended when the last spans are sent; so this has one of its own.
#[derive(Debug)]
struct Sender {
    runtime: Runtime,
    client: reqwest::Client,
    authorization: Option<Live<Zeroizing<String>>>,
    fails: AtomicBool,
}

impl Sender {
    fn new(collector: Collector) -> Result<Self, TelemetryError> {
        let failed = |error: &dyn std::error::Error| TelemetryError::Traces(with_causes(error));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_merge(collector.authorities);
        // A collector on this machine is spoken to without TLS, and by way of nobody.
        let client = if collector.endpoint.scheme() == "http" { client.no_proxy() } else { client };
        Ok(Self {
            runtime: runtime.map_err(|error| failed(&error))?,
            client: client.build().map_err(|error| failed(&error))?,
            authorization: collector.authorization,
            fails: AtomicBool::new(false),
        })
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut request = reqwest::Request::try_from(request)?;
        if let Some(authorization) = &self.authorization {
            let mut value = HeaderValue::try_from(authorization.get().as_str())?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        // Within the runtime from its first line: the time limit is set before anything is waited for.
        let told = self.runtime.block_on(async { self.client.execute(request).await });
        let told = told.map_err(reqwest::Error::without_url);
        let reason = match &told {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answered {}", answer.status().as_u16())),
            Err(error) => Some(with_causes(error)),
        };
        match (&reason, self.fails.swap(reason.is_some(), Ordering::Relaxed)) {
            (Some(reason), false) => tracing::warn!(reason, "traces cannot be sent; they are lost until they can"),
            (None, true) => tracing::info!("traces are sent again"),
            _ => {}
        }
        // What else it says is about single spans, which nobody sends again.
        Ok(Response::builder().status(told?.status().as_u16()).body(Bytes::new())?)
    }
}

impl HttpClient for Sender {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(ready(self.send(request)))
    }
}
