//! Spans that wait to be sent: so many and no more, and those that are lost are counted. The library's own processor throws
//! away what its queue has no room for, and says nothing of it.
//!
//! `Entrance` stands before that processor and `Exit` behind it, before whoever sends: between them no more is let in than the
//! queue holds.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};

use super::metrics;

/// How often the log says that spans are lost because too many wait.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// How many spans are between the entrance and the exit.
#[derive(Debug)]
pub(super) struct Queue {
    room: usize,
    waiting: AtomicUsize,
    /// How many found no room since the log last said so.
    turned_away: AtomicUsize,
    said_at: Mutex<Option<SystemTime>>,
}

impl Queue {
    /// One with so much room.
    pub(super) fn new(room: usize) -> Arc<Self> {
        let (waiting, turned_away) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { room, waiting, turned_away, said_at: Mutex::new(None) })
    }

    fn enter(&self) -> bool {
        let enters = |waiting: usize| (waiting < self.room).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enters).is_ok()
    }

    fn leave(&self, number: usize) {
        let left = |waiting: usize| Some(waiting.saturating_sub(number));
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }

    /// How many were turned away, where it is time to say so.
    fn to_be_said(&self, at: SystemTime) -> Option<usize> {
        let mut said_at = self.said_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = said_at.is_none_or(|said| at.duration_since(said).is_ok_and(|since| since >= SAID_EVERY));
        let number = if is_time { self.turned_away.swap(0, Ordering::Relaxed) } else { 0 };
        (number > 0).then(|| {
            *said_at = Some(at);
            number
        })
    }
}

/// Lets in what there is room for.
#[derive(Debug)]
pub(super) struct Entrance<P> {
    pub(super) queue: Arc<Queue>,
    pub(super) next: P,
}

impl<P: SpanProcessor> SpanProcessor for Entrance<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // What is not sent does not wait.
        if !span.span_context.is_sampled() {
            return;
        }
        if self.queue.enter() {
            return self.next.on_end(span);
        }
        // It is said at the exit: here somebody is in the middle of logging.
        self.queue.turned_away.fetch_add(1, Ordering::Relaxed);
        metrics::trace_spans_lost(1);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// Makes room, and counts what is not taken.
#[derive(Debug)]
pub(super) struct Exit<E> {
    pub(super) queue: Arc<Queue>,
    pub(super) next: E,
}

impl<E: SpanExporter> SpanExporter for Exit<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let number = batch.len();
        self.queue.leave(number);
        let latest = batch.iter().map(|span| span.end_time).max();
        if let Some(lost) = latest.and_then(|at| self.queue.to_be_said(at)) {
            tracing::warn!(spans = lost, "traces are lost: more was to be sent than is taken");
        }
        let told = self.next.export(batch).await;
        if told.is_err() {
            metrics::trace_spans_lost(number as u64);
        }
        told
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let queue = Queue::new(3);
        let entered: Vec<bool> = (0..5).map(|_| queue.enter()).collect();
        assert_eq!(entered, [true, true, true, false, false]);
        queue.leave(2);
        assert_eq!([queue.enter(), queue.enter(), queue.enter()], [true, true, false]);
    }

    #[test]
    fn what_is_lost_is_said_once_a_minute() {
        let (queue, start) = (Queue::new(0), SystemTime::UNIX_EPOCH);
        let at = |seconds| start + Duration::from_secs(seconds);
        let lose = |number| queue.turned_away.fetch_add(number, Ordering::Relaxed);
        assert_eq!(queue.to_be_said(at(0)), None);
        lose(2);
        assert_eq!(queue.to_be_said(at(1)), Some(2));
        lose(3);
        lose(4);
        assert_eq!(queue.to_be_said(at(60)), None);
        assert_eq!(queue.to_be_said(at(61)), Some(7));
        assert_eq!(queue.to_be_said(at(600)), None, "nothing was lost since");
    }
}
