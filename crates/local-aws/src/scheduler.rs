//! EventBridge Scheduler. This file has the handle; its submodules have the API's operations, the schedule expressions and
//! the delivery to targets. All times are those of the clock.

mod cron;
mod definition;
mod delivery;
mod error;
mod firing;
mod groups;
mod local_time;
mod page;
mod schedules;
mod timing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, watch};

pub use self::error::SchedulerError;

use self::firing::{Firing, Functions};
use self::page::Page;
use self::schedules::Filter;
use crate::clock::Clock;
use crate::invoke::InvokerSlot;
use crate::sqs::Sqs;
use crate::store::Store;

/// The longest sleep if nothing is due. Any change wakes the timer.
const MAX_SLEEP: Duration = Duration::from_secs(3_600);

/// Direct access to the schedules. Clones are handles to the same schedules.
#[derive(Clone)]
pub struct Scheduler {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    sqs: Sqs,
    invoker: InvokerSlot,
    /// Held during delivery, so that occurrences are delivered one at a time and in order.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    /// True during an advance: recurring schedules then fire less often while there is no activity.
    reduces_frequency: AtomicBool,
}

impl Scheduler {
    pub(crate) fn open(store: Store, clock: Clock, sqs: Sqs, invoker: InvokerSlot) -> rusqlite::Result<Self> {
        store.transact(|db| groups::create_default(db, clock.millis()))?;
        let inner = Inner {
            store,
            clock,
            sqs,
            invoker,
            turn: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            reduces_frequency: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Creates a schedule from `body` (that of `CreateSchedule`: `ScheduleExpression`, `Target`, `GroupName`, …). Updates it if
    /// it exists and differs. An equal schedule stays unchanged, so its interval does not restart.
    ///
    /// # Errors
    /// The error that AWS would return.
    pub fn create(&self, name: &str, body: Value) -> Result<(), SchedulerError> {
        self.change(|now, db| schedules::ensure(db, name, &body, now))
    }

    /// Creates a group, unless it exists.
    ///
    /// # Errors
    /// The error that AWS would return.
    pub fn create_group(&self, name: &str) -> Result<(), SchedulerError> {
        match self.create_new_group(name, &Value::Null) {
            Ok(_) | Err(SchedulerError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// `GetSchedule` without HTTP.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, group: &str, name: &str) -> Result<Value, SchedulerError> {
        self.inner.store.read(|db| schedules::get(db, group, name))
    }

    /// `DeleteSchedule` without HTTP.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete(&self, group: &str, name: &str) -> Result<(), SchedulerError> {
        self.change(|_, db| schedules::delete(db, group, name)).map(drop)
    }

    /// The names of the schedules in a group, sorted. Empty if the group does not exist.
    pub fn names(&self, group: &str) -> Vec<String> {
        let names = self.inner.store.read(|db| {
            let mut statement = db.prepare_cached("SELECT name FROM schedule WHERE group_name = ?1 ORDER BY name")?;
            statement.query_map([group], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        });
        names.inspect_err(|error| tracing::error!(group, %error, "cannot list the schedules")).unwrap_or_default()
    }
}

impl Scheduler {
    pub(crate) fn create_new(&self, name: &str, body: &Value) -> Result<Value, SchedulerError> {
        self.change(|now, db| schedules::create(db, name, body, now))
    }

    pub(crate) fn update(&self, name: &str, body: &Value) -> Result<Value, SchedulerError> {
        self.change(|now, db| schedules::update(db, name, body, now))
    }

    pub(crate) fn list(
        &self,
        group: Option<String>,
        prefix: Option<String>,
        state: Option<String>,
        page: (Option<String>, Option<String>),
    ) -> Result<Value, SchedulerError> {
        let page = Page::of(page.0.as_deref(), page.1)?;
        self.inner.store.read(|db| schedules::list(db, &Filter { group, prefix, state }, &page))
    }

    pub(crate) fn create_new_group(&self, name: &str, body: &Value) -> Result<Value, SchedulerError> {
        self.change(|now, db| groups::create(db, name, body, now))
    }

    pub(crate) fn get_group(&self, name: &str) -> Result<Value, SchedulerError> {
        self.inner.store.read(|db| groups::get(db, name))
    }

    pub(crate) fn delete_group(&self, name: &str) -> Result<Value, SchedulerError> {
        self.change(|_, db| groups::delete(db, name))
    }

    pub(crate) fn list_groups(
        &self,
        prefix: Option<&str>,
        page: (Option<String>, Option<String>),
    ) -> Result<Value, SchedulerError> {
        let page = Page::of(page.0.as_deref(), page.1)?;
        self.inner.store.read(|db| groups::list(db, prefix, &page))
    }

    pub(crate) fn tags(&self, arn: &str) -> Result<Value, SchedulerError> {
        self.inner.store.read(|db| groups::tags(db, arn))
    }

    pub(crate) fn tag(&self, arn: &str, body: &Value) -> Result<Value, SchedulerError> {
        self.change(|_, db| groups::tag(db, arn, body))
    }

    pub(crate) fn untag(&self, arn: &str, keys: &[String]) -> Result<Value, SchedulerError> {
        self.change(|_, db| groups::untag(db, arn, keys))
    }

    /// Delivers all due occurrences, in order.
    pub(crate) async fn fire_due(&self) -> Result<(), SchedulerError> {
        let _turn = self.inner.turn.lock().await;
        loop {
            let (now, functions) = (self.inner.clock.millis(), self.functions());
            let idle_since =
                self.inner.reduces_frequency.load(Ordering::Relaxed).then(|| self.inner.clock.last_activity());
            let next = self.inner.store.transact(|db| firing::next(db, functions, now, idle_since))?;
            let Some(firing) = next else { return Ok(()) };
            self.fire(&firing).await?;
        }
    }

    /// Makes recurring schedules fire less often while there is no activity, so that an advance by days does not need a
    /// thousand occurrences a day.
    pub(crate) fn reduce_frequency(&self) {
        self.inner.reduces_frequency.store(true, Ordering::Relaxed);
    }

    /// Makes all schedules fire at their own intervals again.
    pub(crate) fn restore_frequency(&self) -> Result<(), SchedulerError> {
        self.inner.reduces_frequency.store(false, Ordering::Relaxed);
        self.restore_intervals(self.inner.clock.millis())
    }

    /// Makes recurring schedules fire at their own intervals again after an activity at `at`.
    pub(crate) fn restore_intervals(&self, at: i64) -> Result<(), SchedulerError> {
        self.inner.store.transact(|db| firing::restore_intervals(db, at))
    }

    /// The time of the next due occurrence or retry.
    pub(crate) fn next_due(&self) -> Result<Option<i64>, SchedulerError> {
        let functions = self.functions();
        Ok(self.inner.store.read(|db| firing::next_due(db, functions))?)
    }

    /// Wakes the timer after a change, to check for due occurrences.
    pub(crate) fn wake(&self) {
        self.inner.changed.notify_one();
    }

    /// Fires due occurrences as time passes, until `stopped` becomes true.
    pub(crate) async fn run_timer(self, mut stopped: watch::Receiver<bool>) {
        let mut moves = self.inner.clock.subscribe();
        loop {
            let pause = match self.fire_due().await.and_then(|()| self.next_due()) {
                Ok(Some(next)) => {
                    let wait = next.saturating_sub(self.inner.clock.millis());
                    Duration::from_millis(u64::try_from(wait).unwrap_or_default()).min(MAX_SLEEP)
                }
                Ok(None) => MAX_SLEEP,
                Err(error) => {
                    tracing::error!(%error, "due schedules cannot be fired");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause) => {}
                () = self.inner.changed.notified() => {}
                moved = moves.changed() => if moved.is_err() { return },
            }
        }
    }

    async fn fire(&self, firing: &Firing) -> Result<(), SchedulerError> {
        if !firing.recurs {
            self.inner.clock.record_activity();
        }
        let outcome = delivery::deliver(firing, &self.inner.sqs, &self.inner.invoker).await;
        let now = self.inner.clock.millis();
        let exhausted = match &outcome {
            Ok(()) => None,
            Err(refused) => match self.inner.store.transact(|db| firing::schedule_retry(db, firing, now))? {
                None => return Ok(()),
                Some(exhausted) => Some((refused, exhausted)),
            },
        };
        if let Some((refused, exhausted)) = exhausted {
            tracing::warn!(schedule = %firing.arn, ?refused, "a schedule was not delivered");
            delivery::send_dead_letter(firing, refused, exhausted, &self.inner.sqs);
        }
        Ok(self.inner.store.transact(|db| firing::finish(db, firing))?)
    }

    fn functions(&self) -> Functions {
        if self.inner.invoker.get().is_some() { Functions::Run } else { Functions::Wait }
    }

    fn change<T>(
        &self,
        change: impl FnOnce(i64, &rusqlite::Connection) -> Result<T, SchedulerError>,
    ) -> Result<T, SchedulerError> {
        let now = self.inner.clock.millis();
        let answer = self.inner.store.transact(|db| change(now, db))?;
        self.wake();
        Ok(answer)
    }
}
