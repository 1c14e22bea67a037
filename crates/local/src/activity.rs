//! Knows whether anything is going on: invocations, and batches in the hands of event sources.
//!
//! Settling waits on it. Two things are told apart: whether something runs *now*, and whether anything has run since a
//! moment that was remembered, so that nobody mistakes the pause between two invocations for rest.

use std::sync::Arc;

use tokio::sync::watch;

/// A shared count of what is going on. Clones count together.
#[derive(Clone, Default)]
pub(crate) struct Activity(Arc<watch::Sender<Counts>>);

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    running: usize,
    /// How often work was found, ever.
    found: u64,
}

/// A moment at which nothing ran; equal moments have seen no work between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest(u64);

/// Something that is going on until this is dropped.
pub(crate) struct Busy(Activity);

impl Activity {
    /// Looks for work, or does it. Looking alone does not count as work: see [`Busy::found_work`].
    pub(crate) fn begin(&self) -> Busy {
        self.0.send_modify(|counts| counts.running += 1);
        Busy(self.clone())
    }

    /// Resolves when nothing is going on.
    pub(crate) async fn rest(&self) -> Rest {
        let mut counts = self.0.subscribe();
        // The sender lives in `self`, so the channel cannot close meanwhile; if it could, all would be at rest.
        let found = counts.wait_for(|counts| counts.running == 0).await.map_or(0, |counts| counts.found);
        Rest(found)
    }

    /// Whether nothing is going on, and nothing has been since `rest`.
    pub(crate) fn still(&self, rest: Rest) -> bool {
        let counts = *self.0.borrow();
        counts.running == 0 && counts.found == rest.0
    }
}

impl Busy {
    /// There was something to do.
    pub(crate) fn found_work(&self) {
        self.0.0.send_modify(|counts| counts.found += 1);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.send_modify(|counts| counts.running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_between_two_rests_is_noticed_though_nothing_runs_at_either() {
        let activity = Activity::default();
        let before = activity.rest().await;
        activity.begin().found_work();
        assert!(!activity.still(before));
        assert!(activity.still(activity.rest().await));
    }

    #[tokio::test]
    async fn looking_in_vain_is_no_work_but_no_rest_either() {
        let activity = Activity::default();
        let before = activity.rest().await;
        let looking = activity.begin();
        assert!(!activity.still(before));
        drop(looking);
        assert!(activity.still(before));
    }

    #[tokio::test]
    async fn rest_comes_when_the_last_one_is_done() {
        let activity = Activity::default();
        let (first, second) = (activity.begin(), activity.begin());
        let waiting = tokio::spawn({
            let activity = activity.clone();
            async move { activity.rest().await }
        });
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        waiting.await.unwrap();
    }
}
