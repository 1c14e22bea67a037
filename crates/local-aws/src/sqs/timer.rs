//! Wakes those who wait for a queue when a delayed or invisible message appears, where the clock flows. A waiter only
//! looks again, so waking one too many costs little and none too few is what counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::Sqs;

/// Not more often than this, however many messages appear at instants of their own.
const SHORTEST: Duration = Duration::from_millis(20);
const NEVER: i64 = i64::MAX;

/// The earliest instant somebody is waiting for.
#[derive(Debug, Clone)]
pub(super) struct Timer {
    armed: Arc<AtomicI64>,
    earlier: Arc<Notify>,
}

impl Timer {
    pub(super) fn new() -> Self {
        Self { armed: Arc::new(AtomicI64::new(NEVER)), earlier: Arc::default() }
    }

    /// Something becomes visible at `at`.
    pub(super) fn arm(&self, at: i64) {
        if self.armed.fetch_min(at, Ordering::SeqCst) > at {
            self.earlier.notify_one();
        }
    }
}

/// Runs until `stopped`.
pub(super) async fn keep_time(sqs: Sqs, mut stopped: watch::Receiver<bool>) {
    let mut moves = sqs.clock().moves();
    loop {
        let timer = sqs.timer();
        let now = sqs.clock().millis();
        timer.armed.store(NEVER, Ordering::SeqCst);
        match sqs.next_visible(now) {
            Ok(Some(next)) => {
                timer.armed.fetch_min(next, Ordering::SeqCst);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "cannot find out when the next message appears"),
        }
        let next = timer.armed.load(Ordering::SeqCst);
        let pause = Duration::from_millis(u64::try_from(next.saturating_sub(now)).unwrap_or_default());
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause.max(SHORTEST)) => sqs.wake_due(),
            () = timer.earlier.notified() => {}
            moved = moves.changed() => if moved.is_err() { return },
        }
    }
}
