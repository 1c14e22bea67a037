//! Counts running work: invocations, and batches that an event source is handling.
//!
//! Settling waits until nothing runs. It also has to know whether anything has run since an earlier moment, because a pause
//! between two invocations does not mean that the work is finished.

use std::sync::Arc;

use tokio::sync::watch;

/// A shared counter of running work. All clones share one counter.
#[derive(Clone, Default)]
pub(crate) struct Activity(Arc<watch::Sender<Counts>>);

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    running: usize,
    /// How often work was found since the start.
    work_found: u64,
}

/// A moment at which nothing ran. If two marks are equal, no work was found between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdleMark(u64);

/// Counts as running until it is dropped.
pub(crate) struct ActivityGuard(Activity);

impl Activity {
    /// Starts to look for work or to do it. Looking does not count as work: see [`ActivityGuard::found_work`].
    pub(crate) fn begin(&self) -> ActivityGuard {
        self.0.send_modify(|counts| counts.running += 1);
        ActivityGuard(self.clone())
    }

    /// Resolves when nothing is running.
    pub(crate) async fn wait_idle(&self) -> IdleMark {
        let mut counts = self.0.subscribe();
        // `self` owns the sender, so the channel cannot close during the wait. A closed channel would mean that nothing runs.
        let found = counts.wait_for(|counts| counts.running == 0).await.map_or(0, |counts| counts.work_found);
        IdleMark(found)
    }

    /// Whether nothing is running now and no work was found since `mark`.
    pub(crate) fn idle_since(&self, mark: IdleMark) -> bool {
        let counts = *self.0.borrow();
        counts.running == 0 && counts.work_found == mark.0
    }
}

impl ActivityGuard {
    /// Records that there was work to do.
    pub(crate) fn found_work(&self) {
        self.0.0.send_modify(|counts| counts.work_found += 1);
    }
}

impl Drop for ActivityGuard {
    fn drop(&mut self) {
        self.0.0.send_modify(|counts| counts.running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_between_two_idle_moments_is_noticed() {
        let activity = Activity::default();
        let before = activity.wait_idle().await;
        activity.begin().found_work();
        assert!(!activity.idle_since(before));
        assert!(activity.idle_since(activity.wait_idle().await));
    }

    #[tokio::test]
    async fn looking_for_work_is_not_idle_and_finding_none_is_not_work() {
        let activity = Activity::default();
        let before = activity.wait_idle().await;
        let looking = activity.begin();
        assert!(!activity.idle_since(before));
        drop(looking);
        assert!(activity.idle_since(before));
    }

    #[tokio::test]
    async fn the_wait_ends_when_the_last_work_is_done() {
        let activity = Activity::default();
        let (first, second) = (activity.begin(), activity.begin());
        let waiting = tokio::spawn({
            let activity = activity.clone();
            async move { activity.wait_idle().await }
        });
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        waiting.await.unwrap();
    }
}
