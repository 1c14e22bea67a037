//! Queues with a consumer outside the stack, for example the demo pipeline.
//!
//! A move of the clock waits for these consumers: a day of retries is only useful to watch if the pipeline has answered each
//! retry. They are not part of the stack, so the wait is short. A consumer that was too slow once is not waited for again
//! until its queue is empty.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use local_aws::Sqs;
use tokio::time::Instant;

/// The longest wait for all consumers, in real time.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// The time between two looks at the queues.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(crate) struct ExternalConsumers(Mutex<Vec<Consumer>>);

struct Consumer {
    queue: String,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Normal,
    TooSlow,
}

/// The result of waiting for the consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitResult {
    /// Every queue was already empty, or its consumer is too slow.
    DidNotWait,
    /// The consumers did something during the wait, which may have made new work.
    Waited,
}

impl ExternalConsumers {
    pub(crate) fn add(&self, queue: &str) {
        self.consumers().push(Consumer { queue: queue.to_owned(), pace: Pace::Normal });
    }

    /// Resolves when every queue is empty, or after [`MAX_WAIT`].
    pub(crate) async fn wait_until_done(&self, sqs: &Sqs) -> WaitResult {
        if self.are_done(sqs) {
            return WaitResult::DidNotWait;
        }
        let end = Instant::now() + MAX_WAIT;
        while !self.are_done(sqs) {
            if Instant::now() >= end {
                self.mark_too_slow(sqs);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        WaitResult::Waited
    }

    fn are_done(&self, sqs: &Sqs) -> bool {
        let mut done = true;
        for consumer in self.consumers().iter_mut() {
            if is_empty(sqs, &consumer.queue) {
                consumer.pace = Pace::Normal;
            }
            done &= consumer.pace == Pace::TooSlow || is_empty(sqs, &consumer.queue);
        }
        done
    }

    fn mark_too_slow(&self, sqs: &Sqs) {
        for consumer in self.consumers().iter_mut().filter(|consumer| !is_empty(sqs, &consumer.queue)) {
            consumer.pace = Pace::TooSlow;
            tracing::warn!(
                queue = consumer.queue,
                "the consumer of this queue is slow, so the clock moves on without it"
            );
        }
    }

    fn consumers(&self) -> MutexGuard<'_, Vec<Consumer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_empty(sqs: &Sqs, queue: &str) -> bool {
    sqs.visible(queue) == 0 && sqs.in_flight(queue) == 0
}
