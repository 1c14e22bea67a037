//! Wakes waiting receivers when a delayed or invisible message becomes visible, if the clock flows. A woken receiver just
//! checks its queue again, so an unnecessary wake-up is cheap, but a missed one is not allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::Sqs;

/// The shortest pause between two wake-ups, even if many messages become visible at different times.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const NEVER: i64 = i64::MAX;

/// The earliest time at which a message becomes visible.
#[derive(Debug, Clone)]
pub(super) struct Timer {
    armed: Arc<AtomicI64>,
    earlier: Arc<Notify>,
}

impl Timer {
    pub(super) fn new() -> Self {
        Self { armed: Arc::new(AtomicI64::new(NEVER)), earlier: Arc::default() }
    }

    /// Sets the timer to `at`, at which a message becomes visible, if that is earlier than its current time.
    pub(super) fn arm(&self, at: i64) {
        if self.armed.fetch_min(at, Ordering::SeqCst) > at {
            self.earlier.notify_one();
        }
    }
}

/// Wakes receivers as time passes, until `stopped` becomes true.
pub(super) async fn run_timer(sqs: Sqs, mut stopped: watch::Receiver<bool>) {
    let mut moves = sqs.clock().subscribe();
    loop {
        let timer = sqs.timer();
        let now = sqs.clock().millis();
        timer.armed.store(NEVER, Ordering::SeqCst);
        match sqs.next_visible(now) {
            Ok(Some(next)) => {
                timer.armed.fetch_min(next, Ordering::SeqCst);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "cannot read when the next message becomes visible"),
        }
        let next = timer.armed.load(Ordering::SeqCst);
        let pause = Duration::from_millis(u64::try_from(next.saturating_sub(now)).unwrap_or_default());
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause.max(MIN_PAUSE)) => sqs.wake_all(),
            () = timer.earlier.notified() => {}
            moved = moves.changed() => if moved.is_err() { return },
        }
    }
}
