//! Queues that somebody outside consumes all the time, as the demo pipeline does.
//!
//! Moving the clock should not outrun them: a day of retries is only worth watching if the pipeline has answered each.
//! But they are not ours, so the patience is short, and whoever was too slow once is not waited for until they caught up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use local_aws::Sqs;
use tokio::time::Instant;

/// How long they are waited for, in real time.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is looked whether they are done.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(crate) struct Consumers(Mutex<Vec<Consumer>>);

struct Consumer {
    queue: String,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    KeepsUp,
    FellBehind,
}

/// How waiting for consumers ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// There was nothing to wait for.
    NotAtAll,
    /// They did something meanwhile, which may have made work.
    AMoment,
}

impl Consumers {
    pub(crate) fn add(&self, queue: &str) {
        self.consumers().push(Consumer { queue: queue.to_owned(), pace: Pace::KeepsUp });
    }

    /// Resolves when every queue is empty, or patience has ended.
    pub(crate) async fn done(&self, sqs: &Sqs) -> Waited {
        if self.are_done(sqs) {
            return Waited::NotAtAll;
        }
        let end = Instant::now() + PATIENCE;
        while !self.are_done(sqs) {
            if Instant::now() >= end {
                self.give_up(sqs);
            }
            tokio::time::sleep(LOOK).await;
        }
        Waited::AMoment
    }

    fn are_done(&self, sqs: &Sqs) -> bool {
        let mut done = true;
        for consumer in self.consumers().iter_mut() {
            if is_empty(sqs, &consumer.queue) {
                consumer.pace = Pace::KeepsUp;
            }
            done &= consumer.pace == Pace::FellBehind || is_empty(sqs, &consumer.queue);
        }
        done
    }

    fn give_up(&self, sqs: &Sqs) {
        for consumer in self.consumers().iter_mut().filter(|consumer| !is_empty(sqs, &consumer.queue)) {
            consumer.pace = Pace::FellBehind;
            tracing::warn!(queue = consumer.queue, "its consumer is slow, so time goes on without it");
        }
    }

    fn consumers(&self) -> MutexGuard<'_, Vec<Consumer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_empty(sqs: &Sqs, queue: &str) -> bool {
    sqs.visible(queue) == 0 && sqs.in_flight(queue) == 0
}
