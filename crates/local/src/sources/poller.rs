//! One event source at work: receives, gathers batches, invokes, deletes what is done.
//!
//! What is not done is left alone: SQS hides it until its visibility timeout has passed, then it comes again, and after
//! as many receipts as the redrive policy allows it goes to the dead-letter queue. The poller itself retries nothing.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use local_aws::Sqs;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::batch::{Batch, Entry};
use super::response::{self, Verdict};
use crate::activity::{Activity, Busy};
use crate::lambda::{ENVIRONMENTS, Lambda};
use crate::template::{EventSource, PartialFailures};

/// The most messages that are taken in one go. Lambda's pollers take ten, several times side by side.
const RECEIVE: usize = 100;

/// An event source of a function.
pub(super) struct Poller {
    pub(super) source: EventSource,
    pub(super) visibility: Duration,
    pub(super) sqs: Sqs,
    pub(super) lambda: Arc<Lambda>,
    pub(super) activity: Activity,
    pub(super) settling: watch::Receiver<usize>,
}

/// Messages that no longer fitted into a batch: they are the first of the next one.
struct Held {
    entries: VecDeque<Entry>,
    /// They were received, so the source is not at rest.
    _busy: Busy,
}

impl Poller {
    /// Polls until dropped. Each probe is answered after a look into the queue that found nothing.
    pub(super) async fn run(mut self, mut probes: mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
        let most = self.source.maximum_concurrency.unwrap_or(ENVIRONMENTS).min(ENVIRONMENTS);
        let places = Arc::new(Semaphore::new(most));
        let mut held = None;
        loop {
            // Nobody closes the semaphore.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let mut asking = Vec::new();
            if held.is_none() {
                tokio::select! {
                    probe = probes.recv() => match probe {
                        Some(probe) => asking.push(probe),
                        // The stack is gone.
                        None => return,
                    },
                    () = self.sqs.changed(&self.source.queue) => {}
                }
            }
            while let Ok(probe) = probes.try_recv() {
                asking.push(probe);
            }
            let busy = self.activity.begin();
            let batch = self.gather(&mut held).await;
            if batch.is_empty() {
                drop(busy);
                for probe in asking {
                    let _ = probe.send(());
                }
                continue;
            }
            busy.found_work();
            self.deliver(batch, place, busy);
            // Found work is an answer too: whoever settles asks again.
            for probe in asking {
                let _ = probe.send(());
            }
        }
    }

    /// Receives until the batch is full, its window has passed, or, without a window, there is nothing more to be had.
    async fn gather(&mut self, held: &mut Option<Held>) -> Batch {
        let mut batch = Batch::new();
        let mut received = held.take().map(|held| held.entries).unwrap_or_default();
        let end = Instant::now() + self.source.window;
        loop {
            while let Some(entry) = received.pop_front() {
                if let Err(entry) = batch.add(entry) {
                    received.push_front(entry);
                    *held = Some(Held { entries: received, _busy: self.activity.begin() });
                    return batch;
                }
            }
            let room = (self.source.batch_size - batch.len()).min(RECEIVE);
            if room == 0 {
                return batch;
            }
            let messages = self.sqs.receive(&self.source.queue, room, self.visibility).await;
            if messages.is_empty() && (batch.is_empty() || self.window_is_over(end).await) {
                return batch;
            }
            received.extend(messages.iter().map(|message| Entry::new(message, &self.source.queue_arn)));
        }
    }

    /// Waits for more, or for the end of the window. Says whether the window has ended.
    async fn window_is_over(&mut self, end: Instant) -> bool {
        if self.source.window.is_zero() || Instant::now() >= end {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep_until(end) => true,
            // An error means that the stack is gone, and the window with it.
            _ = self.settling.wait_for(|settling| *settling > 0) => true,
            () = self.sqs.changed(&self.source.queue) => false,
        }
    }

    fn deliver(&self, batch: Batch, place: OwnedSemaphorePermit, busy: Busy) {
        let (lambda, sqs, source) = (self.lambda.clone(), self.sqs.clone(), self.source.clone());
        tokio::spawn(async move {
            let done = conclude(&lambda, &source, &batch).await;
            sqs.delete_all(&source.queue, &done);
            drop(place);
            drop(busy);
        });
    }
}

/// Invokes the function and gives the receipts of the messages that are done.
async fn conclude<'a>(lambda: &Lambda, source: &EventSource, batch: &'a Batch) -> Vec<&'a str> {
    let answer = match lambda.invoke(&source.function, batch.event()).await {
        Ok(Ok(answer)) => answer,
        // The function's log has it.
        Ok(Err(_)) => return Vec::new(),
        Err(error) => {
            tracing::error!(%error, queue = source.queue, "an event source without its function");
            return Vec::new();
        }
    };
    match source.partial_failures {
        PartialFailures::None => batch.receipts_without(&BTreeSet::new()),
        PartialFailures::Reported => match response::read(&answer, &batch.ids()) {
            Verdict::Failed(failed) => batch.receipts_without(&failed),
            Verdict::Nothing => {
                tracing::warn!(
                    function = source.function,
                    "its answer about a batch makes no sense, so all of it comes again"
                );
                Vec::new()
            }
        },
    }
}
