//! The poller of one event source: receives messages, collects a batch, invokes the function, and deletes the messages that
//! the function handled.
//!
//! The poller retries nothing. SQS delivers a failed message again after its visibility timeout, and moves it to the
//! dead-letter queue after the number of receives in the redrive policy.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use local_aws::Sqs;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::batch::{Batch, BatchMessage};
use super::response::{self, BatchResponse};
use crate::activity::{Activity, ActivityGuard};
use crate::lambda::{Lambda, MAX_ENVIRONMENTS};
use crate::template::{EventSource, PartialFailures};

/// Messages of one receive. Lambda's pollers receive ten at a time, with several receives in parallel.
const MAX_RECEIVE: usize = 100;

/// Polls the queue of one event source.
pub(super) struct Poller {
    pub(super) source: EventSource,
    pub(super) visibility_timeout: Duration,
    pub(super) sqs: Sqs,
    pub(super) lambda: Arc<Lambda>,
    pub(super) activity: Activity,
    pub(super) settling: watch::Receiver<usize>,
}

/// Received messages that did not fit into a batch. They are the first messages of the next batch.
struct Leftover {
    messages: VecDeque<BatchMessage>,
    /// Counts as running work, so that `settle` waits for these messages.
    _activity: ActivityGuard,
}

impl Poller {
    /// Polls until dropped. Answers each probe after it has looked into the queue.
    pub(super) async fn run(mut self, mut probes: mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
        let concurrency = self.source.maximum_concurrency.unwrap_or(MAX_ENVIRONMENTS).min(MAX_ENVIRONMENTS);
        let permits = Arc::new(Semaphore::new(concurrency));
        let mut leftover = None;
        loop {
            // The semaphore is never closed.
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let mut open_probes = Vec::new();
            if leftover.is_none() {
                tokio::select! {
                    probe = probes.recv() => match probe {
                        Some(probe) => open_probes.push(probe),
                        // The stack was dropped.
                        None => return,
                    },
                    () = self.sqs.changed(&self.source.queue) => {}
                }
            }
            while let Ok(probe) = probes.try_recv() {
                open_probes.push(probe);
            }
            let activity = self.activity.begin();
            let batch = self.collect(&mut leftover).await;
            if batch.is_empty() {
                drop(activity);
                for probe in open_probes {
                    let _ = probe.send(());
                }
                continue;
            }
            activity.found_work();
            self.deliver(batch, permit, activity);
            // Answers the probes after found work too: `settle` then starts another round.
            for probe in open_probes {
                let _ = probe.send(());
            }
        }
    }

    /// Receives until the batch is full or its window has ended. Without a window it receives until the queue is empty.
    async fn collect(&mut self, leftover: &mut Option<Leftover>) -> Batch {
        let mut batch = Batch::new();
        let mut received = leftover.take().map(|leftover| leftover.messages).unwrap_or_default();
        let end = Instant::now() + self.source.window;
        loop {
            while let Some(message) = received.pop_front() {
                if let Err(message) = batch.add(message) {
                    received.push_front(message);
                    *leftover = Some(Leftover { messages: received, _activity: self.activity.begin() });
                    return batch;
                }
            }
            let room = (self.source.batch_size - batch.len()).min(MAX_RECEIVE);
            if room == 0 {
                return batch;
            }
            let messages = self.sqs.receive(&self.source.queue, room, self.visibility_timeout).await;
            if messages.is_empty() && (batch.is_empty() || self.window_has_ended(end).await) {
                return batch;
            }
            received.extend(messages.iter().map(|message| BatchMessage::new(message, &self.source.queue_arn)));
        }
    }

    /// Waits for the end of the window or for a change of the queue. Returns whether the window has ended.
    async fn window_has_ended(&mut self, end: Instant) -> bool {
        if self.source.window.is_zero() || Instant::now() >= end {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep_until(end) => true,
            // An error means that the stack was dropped, which ends the window too.
            _ = self.settling.wait_for(|settling| *settling > 0) => true,
            () = self.sqs.changed(&self.source.queue) => false,
        }
    }

    fn deliver(&self, batch: Batch, permit: OwnedSemaphorePermit, activity: ActivityGuard) {
        let (lambda, sqs, source) = (self.lambda.clone(), self.sqs.clone(), self.source.clone());
        tokio::spawn(async move {
            let done = invoke(&lambda, &source, &batch).await;
            sqs.delete_all(&source.queue, &done);
            drop(permit);
            drop(activity);
        });
    }
}

/// Invokes the function and returns the receipt handles of the messages that it handled.
async fn invoke<'a>(lambda: &Lambda, source: &EventSource, batch: &'a Batch) -> Vec<&'a str> {
    let output = match lambda.invoke(&source.function, batch.event()).await {
        Ok(Ok(output)) => output,
        // The function has logged the error.
        Ok(Err(_)) => return Vec::new(),
        Err(error) => {
            tracing::error!(%error, queue = source.queue, "the function of an event source does not exist");
            return Vec::new();
        }
    };
    match source.partial_failures {
        PartialFailures::None => batch.receipt_handles_except(&BTreeSet::new()),
        PartialFailures::Reported => match response::parse(&output, &batch.ids()) {
            BatchResponse::Failed(failed) => batch.receipt_handles_except(&failed),
            BatchResponse::Invalid => {
                tracing::warn!(
                    function = source.function,
                    "the batch response is not valid, so the whole batch will be received again"
                );
                Vec::new()
            }
        },
    }
}
