//! SQS event sources: what Lambda's pollers do between a queue and a function.

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

/// The pollers of a stack, and how to have them settle.
pub(crate) struct Sources {
    probes: Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>,
    /// How many are settling: batch windows end at once while anybody is.
    settling: watch::Sender<usize>,
    activity: Activity,
}

impl Sources {
    /// Starts a poller for each event source; they end with `tasks`.
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
            let visibility = visibility(template, source);
            let poller = Poller {
                source: source.clone(),
                visibility,
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

    /// Resolves when no source has anything to deliver and nothing runs.
    ///
    /// A function may send to a queue that was found empty a moment ago. So what counts is a round in which every source
    /// looks into its queue in vain, with nothing running before, after or in between.
    pub(crate) async fn settle(&self) {
        let _settling = Settling::begin(&self.settling);
        loop {
            let rest = self.activity.rest().await;
            for probe in &self.probes {
                let (answer, looked) = oneshot::channel();
                // A poller that is gone has nothing to deliver.
                if probe.send(answer).is_ok() {
                    let _ = looked.await;
                }
            }
            if self.activity.still(rest) {
                return;
            }
        }
    }
}

struct Settling<'a>(&'a watch::Sender<usize>);

impl<'a> Settling<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

fn visibility(template: &Template, source: &EventSource) -> std::time::Duration {
    let queue = template.queues.iter().find(|queue| queue.name == source.queue);
    queue.map(crate::template::Queue::visibility).unwrap_or_default()
}
