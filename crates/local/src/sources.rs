//! SQS event sources: does what Lambda's pollers do between a queue and a function.

mod batch;
mod event;
mod poller;
mod response;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::activity::Activity;
use crate::lambda::Lambda;
use crate::template::{EventSource, Template};
use poller::Poller;

/// The pollers of a stack.
pub(crate) struct Sources {
    /// One channel to each poller. A poller answers a probe after it has looked into its queue.
    probes: Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>,
    /// The number of running `settle` calls. Batch windows end at once while it is not zero.
    settling: watch::Sender<usize>,
    activity: Activity,
}

impl Sources {
    /// Starts a poller for each event source as a task of `tasks`.
    pub(crate) fn start(
        template: &Template,
        sqs: &local_aws::Sqs,
        lambda: &Arc<Lambda>,
        activity: &Activity,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let settling = watch::Sender::new(0);
        let mut probes = Vec::new();
        for source in &template.sources {
            let (probe, probed) = mpsc::unbounded_channel();
            let visibility_timeout = visibility_timeout(template, source);
            let poller = Poller {
                source: source.clone(),
                visibility_timeout,
                sqs: sqs.clone(),
                lambda: lambda.clone(),
                activity: activity.clone(),
                settling: settling.subscribe(),
            };
            tasks.spawn(poller.run(probed));
            probes.push(probe);
        }
        Self { probes, settling, activity: activity.clone() }
    }

    /// Resolves when no source has a message to deliver and nothing runs.
    ///
    /// A running function may send to a queue that a poller has just found empty. The wait therefore ends only after a round
    /// in which every poller found its queue empty and nothing ran from the start of the round to its end.
    pub(crate) async fn settle(&self) {
        let _settling = SettlingGuard::begin(&self.settling);
        loop {
            let round_start = self.activity.wait_idle().await;
            for probe in &self.probes {
                let (answer, looked) = oneshot::channel();
                // A poller that has ended has nothing to deliver.
                if probe.send(answer).is_ok() {
                    let _ = looked.await;
                }
            }
            if self.activity.idle_since(round_start) {
                return;
            }
        }
    }
}

/// Counts one `settle` call until it is dropped.
struct SettlingGuard<'a>(&'a watch::Sender<usize>);

impl<'a> SettlingGuard<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for SettlingGuard<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

fn visibility_timeout(template: &Template, source: &EventSource) -> std::time::Duration {
    let queue = template.queues.iter().find(|queue| queue.name == source.queue);
    queue.map(crate::template::Queue::visibility_timeout).unwrap_or_default()
}
