//! SQS. This file has the handle; its submodules have the API's operations and their shared parts. All times are those of
//! the clock.

mod attribute;
mod batch;
mod call;
mod create;
mod delete;
mod dequeue;
mod describe;
mod digest;
mod error;
mod fifo;
mod message;
mod move_task;
mod queue;
mod receipt;
mod receive;
mod second_delivery;
mod send;
mod settings;
mod text;
mod timer;
mod visibility;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

pub use self::attribute::{Attribute, AttributeValue};
pub use self::error::SqsError;
pub use self::message::Message;

use self::dequeue::InFlightLimit;
use self::error::required;
use self::queue::{Queue, Queues};
use self::settings::Attributes;
use self::timer::Timer;
use crate::clock::Clock;
use crate::faults::Redeliveries;
use crate::names;
use crate::store::Store;

/// Direct access to the queues. Clones are handles to the same queues.
#[derive(Clone)]
pub struct Sqs {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    queues: Queues,
    address: SocketAddr,
    in_flight_limit: InFlightLimit,
    timer: Timer,
    redeliveries: Redeliveries,
    stopped: watch::Receiver<bool>,
}

impl Sqs {
    pub(crate) fn open(
        store: Store,
        clock: Clock,
        address: SocketAddr,
        redeliveries: Redeliveries,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, SqsError> {
        let queues = Queues::open(store.clone())?;
        let (in_flight_limit, timer) = (InFlightLimit::default(), Timer::new());
        let inner = Inner { store, clock, queues, address, in_flight_limit, timer, redeliveries, stopped };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The URL of a queue with this name, even if it does not exist.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{}/{name}", self.inner.address, names::ACCOUNT)
    }

    /// Runs any operation of the API without HTTP: `call("CreateQueue", json!({ "QueueName": "orders" }))`.
    ///
    /// # Errors
    /// The error that AWS would return.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, SqsError> {
        let body = serde_json::to_vec(&input).map_err(|error| SqsError::Serialization(error.to_string()))?;
        let response = call::call(self, None, operation, &body).await?;
        serde_json::from_slice(&response).map_err(SqsError::Stored)
    }

    /// Receives up to `max` messages, without AWS's limit of ten, with the visibility timeout `visibility`. Returns immediately,
    /// with no messages if there are none or the queue does not exist.
    pub async fn receive(&self, queue: &str, max: usize, visibility: Duration) -> Vec<Message> {
        let messages =
            self.inner.queues.get(queue).and_then(|queue| dequeue::dequeue(self, &queue, max, millis(visibility)));
        messages.unwrap_or_else(|error| {
            tracing::warn!(queue, %error, "cannot receive");
            Vec::new()
        })
    }

    /// Waits until a message is receivable. Waits forever if the queue does not exist.
    pub async fn changed(&self, queue: &str) {
        let Some(found) = self.inner.queues.find(queue) else { return std::future::pending().await };
        let mut changes = found.changes();
        while !self.receivable(queue) {
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Whether a receive would return a message. In a FIFO queue, a visible message may be blocked by its group.
    pub fn receivable(&self, queue: &str) -> bool {
        let now = self.inner.clock.millis();
        self.read_queue(queue, |db, queue| dequeue::is_receivable(db, queue, now)).unwrap_or_default()
    }

    /// Deletes a message. A stale receipt handle deletes nothing.
    pub fn delete(&self, queue: &str, receipt: &str) {
        self.delete_all(queue, &[receipt]);
    }

    /// Deletes messages, all in one transaction.
    pub fn delete_all(&self, queue: &str, receipts: &[&str]) {
        let now = self.inner.clock.millis();
        self.change(queue, |found| {
            self.inner.store.transact(|db| {
                for receipt in receipts {
                    ignore_refusal(queue, delete::delete(self, db, found, receipt, now))?;
                }
                Ok::<_, SqsError>(())
            })?;
            delete::deleted(self, found);
            Ok(())
        });
    }

    /// Changes the visibility timeout of a message in flight. Zero makes it visible immediately.
    pub fn change_visibility(&self, queue: &str, receipt: &str, visibility: Duration) {
        let now = self.inner.clock.millis();
        self.change(queue, |found| {
            let change =
                self.inner.store.transact(|db| visibility::change(db, found, receipt, millis(visibility), now));
            visibility::changed(self, found, change?, now);
            Ok(())
        });
    }

    /// The number of visible messages. Zero if the queue does not exist.
    pub fn visible(&self, queue: &str) -> usize {
        let now = self.inner.clock.millis();
        self.read_queue(queue, |db, queue| describe::counts(db, queue, now)).map_or(0, |counts| counts.visible)
    }

    /// The number of messages in flight: received and still invisible. Zero if the queue does not exist.
    pub fn in_flight(&self, queue: &str) -> usize {
        let now = self.inner.clock.millis();
        self.read_queue(queue, |db, queue| dequeue::in_flight(db, queue, now)).unwrap_or_default()
    }

    /// The number of delayed messages that are not yet visible. Zero if the queue does not exist.
    pub fn delayed(&self, queue: &str) -> usize {
        let now = self.inner.clock.millis();
        self.read_queue(queue, |db, queue| describe::counts(db, queue, now)).map_or(0, |counts| counts.delayed)
    }
}

impl Sqs {
    pub(crate) async fn handle(&self, sender: Option<&str>, operation: &str, body: &[u8]) -> Result<Vec<u8>, SqsError> {
        call::call(self, sender, operation, body).await
    }

    /// Sends on behalf of the Scheduler.
    pub(crate) fn deliver(&self, queue: &str, message: Delivery) -> Result<(), SqsError> {
        let text = |value| Attribute { data_type: "String".to_owned(), value: AttributeValue::Text(value) };
        let attributes = message.attributes.into_iter().map(|(name, value)| (name, text(value))).collect();
        let entry = send::Entry::of(message.body, attributes, message.group);
        send::send_to(self, &self.inner.queues.get(queue)?, entry).map(|_| ())
    }

    /// Wakes all waiting receivers, after the clock has reached a time at which messages become visible.
    pub(crate) fn wake_all(&self) {
        self.inner.queues.all().iter().for_each(|queue| queue.wake());
    }

    /// The first time after `now` at which a message becomes visible in any queue.
    pub(crate) fn next_visible(&self, now: i64) -> rusqlite::Result<Option<i64>> {
        let queues = self.inner.queues.all();
        self.inner.store.read(|db| {
            let mut first =
                db.prepare_cached("SELECT min(visible_at) FROM message WHERE queue = ?1 AND visible_at > ?2")?;
            let mut next = None;
            for queue in queues {
                let visible: Option<i64> = first.query_row((queue.id, now), |row| row.get(0))?;
                next = [next, visible].into_iter().flatten().min();
            }
            Ok(next)
        })
    }

    pub(crate) async fn run_timer(self, stopped: watch::Receiver<bool>) {
        timer::run_timer(self, stopped).await;
    }

    fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    fn in_flight_limit(&self) -> &InFlightLimit {
        &self.inner.in_flight_limit
    }

    /// Becomes true when the endpoint stops.
    fn stopped(&self) -> watch::Receiver<bool> {
        self.inner.stopped.clone()
    }

    fn redeliveries(&self) -> &Redeliveries {
        &self.inner.redeliveries
    }

    fn timer(&self) -> &Timer {
        &self.inner.timer
    }

    fn queue_of(&self, url: Option<&str>) -> Result<Arc<Queue>, SqsError> {
        let url = required("QueueUrl", url)?;
        self.inner.queues.get(names::queue_of_url(url).ok_or(SqsError::QueueDoesNotExist)?)
    }

    fn attributes_of(&self, queue: &Queue) -> Result<Attributes, SqsError> {
        let now = self.inner.clock.millis();
        let counts = self.inner.store.transact(|db| {
            dequeue::delete_expired(db, queue, now)?;
            describe::counts(db, queue, now)
        })?;
        Ok(describe::all(queue, counts))
    }

    fn read_queue<T>(
        &self,
        queue: &str,
        read: impl FnOnce(&rusqlite::Connection, &Queue) -> rusqlite::Result<T>,
    ) -> Option<T> {
        let found = self.inner.queues.find(queue)?;
        let answer = self.inner.store.read(|db| read(db, &found));
        answer.inspect_err(|error| tracing::error!(queue, %error, "cannot read the queue")).ok()
    }

    fn change(&self, queue: &str, change: impl FnOnce(&Queue) -> Result<(), SqsError>) {
        let done = self.inner.queues.get(queue).and_then(|found| change(&found));
        if let Err(error) = done {
            tracing::warn!(queue, %error, "cannot change the message");
        }
    }
}

/// A message that the Scheduler sends.
pub(crate) struct Delivery {
    pub(crate) body: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) group: Option<String>,
}

/// Logs a refused receipt handle and goes on, so that the other messages are still deleted.
fn ignore_refusal(queue: &str, result: Result<(), SqsError>) -> Result<(), SqsError> {
    match result {
        Err(error) if error.is_client_error() => {
            tracing::warn!(queue, %error, "cannot delete the message");
            Ok(())
        }
        result => result,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
