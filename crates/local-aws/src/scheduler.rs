//! EventBridge Scheduler. This is the handle; the operations of the API, the expressions and the deliveries are files
//! below. All instants are the clock's.

mod cron;
mod definition;
mod deliver;
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
use crate::aws::Invoker;
use crate::clock::Clock;
use crate::sqs::Sqs;
use crate::store::Store;

/// How long to sleep when nothing is due; anything that changes wakes it.
const IDLE: Duration = Duration::from_secs(3_600);

/// The schedules, for those in the same process. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Scheduler {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    sqs: Sqs,
    invoker: Invoker,
    /// One occurrence is delivered at a time, in order, whoever drives.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    /// The clock is being moved by hand: what recurs is thinned out while nothing happens.
    thins_out: AtomicBool,
}

impl Scheduler {
    pub(crate) fn open(store: Store, clock: Clock, sqs: Sqs, invoker: Invoker) -> rusqlite::Result<Self> {
        store.transact(|db| groups::begin(db, clock.millis()))?;
        let inner = Inner {
            store,
            clock,
            sqs,
            invoker,
            turn: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            thins_out: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Has a schedule exist as `body` (that of `CreateSchedule`: `ScheduleExpression`, `Target`, `GroupName`, …) says: it is
    /// made when it is missing, changed when it differs, and otherwise left alone, its rhythm with it.
    ///
    /// # Errors
    /// What AWS would refuse.
    pub fn create(&self, name: &str, body: Value) -> Result<(), SchedulerError> {
        self.change(|now, db| schedules::ensure(db, name, &body, now))
    }

    /// Has a group exist.
    ///
    /// # Errors
    /// What AWS would refuse.
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

    /// The names in a group, sorted; empty when there is no such group.
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

    /// Delivers what is due, in order, until nothing is.
    pub(crate) async fn fire_due(&self) -> Result<(), SchedulerError> {
        let _turn = self.inner.turn.lock().await;
        loop {
            let (now, functions) = (self.inner.clock.millis(), self.functions());
            let quiet_since = self.inner.thins_out.load(Ordering::Relaxed).then(|| self.inner.clock.last_event());
            let next = self.inner.store.transact(|db| firing::next(db, functions, now, quiet_since))?;
            let Some(firing) = next else { return Ok(()) };
            self.fire(&firing).await?;
        }
    }

    /// From now on what recurs every few minutes occurs less often while nothing else happens, so that moving the clock
    /// by days does not take a thousand occurrences a day.
    pub(crate) fn thin_out(&self) {
        self.inner.thins_out.store(true, Ordering::Relaxed);
    }

    /// From now on everything occurs in its own rhythm.
    pub(crate) fn keep_rhythm(&self) -> Result<(), SchedulerError> {
        self.inner.thins_out.store(false, Ordering::Relaxed);
        self.follow_up(self.inner.clock.millis())
    }

    /// Something happened at `at`: what was thinned out occurs in its own rhythm after it.
    pub(crate) fn follow_up(&self, at: i64) -> Result<(), SchedulerError> {
        self.inner.store.transact(|db| firing::follow_up(db, at))
    }

    /// When something is next due.
    pub(crate) fn next_due(&self) -> Result<Option<i64>, SchedulerError> {
        let functions = self.functions();
        Ok(self.inner.store.read(|db| firing::next_due(db, functions))?)
    }

    /// Something became possible that was not: look again at what is due.
    pub(crate) fn look_again(&self) {
        self.inner.changed.notify_one();
    }

    /// Fires what falls due as time passes, until `stopped`.
    pub(crate) async fn keep_time(self, mut stopped: watch::Receiver<bool>) {
        let mut moves = self.inner.clock.moves();
        loop {
            let pause = match self.fire_due().await.and_then(|()| self.next_due()) {
                Ok(Some(next)) => {
                    let wait = next.saturating_sub(self.inner.clock.millis());
                    Duration::from_millis(u64::try_from(wait).unwrap_or_default()).min(IDLE)
                }
                Ok(None) => IDLE,
                Err(error) => {
                    tracing::error!(%error, "what is due cannot be fired");
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
            self.inner.clock.note_event();
        }
        let outcome = deliver::deliver(firing, &self.inner.sqs, &self.inner.invoker).await;
        let now = self.inner.clock.millis();
        let exhausted = match &outcome {
            Ok(()) => None,
            Err(refused) => match self.inner.store.transact(|db| firing::again(db, firing, now))? {
                None => return Ok(()),
                Some(exhausted) => Some((refused, exhausted)),
            },
        };
        if let Some((refused, exhausted)) = exhausted {
            tracing::warn!(schedule = %firing.arn, ?refused, "a schedule was not delivered");
            deliver::bury(firing, refused, exhausted, &self.inner.sqs);
        }
        Ok(self.inner.store.transact(|db| firing::done(db, firing))?)
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
        self.look_again();
        Ok(answer)
    }
}
