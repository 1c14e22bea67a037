//! Restart, retry or delete of one interchange: done when answered, or certain to be done.
//!
//! A re-entry has its work item on the jobs queue before it is committed, delayed until this function has ended. So the
//! function may die at any point, and SQS may leave it without an answer: what was claimed and has no recorded send is
//! sent by that work item.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{
    Actor, Cause, Claim, Digest, Flow, Interchange, InterchangeId, JobAction, Refusal, Stages, Status, Timestamp,
    Trigger,
};
use queues::{StageQueues, WorkItem, WorkQueue};
use table::{RequestBegun, Table};
use uuid::Uuid;

use crate::execute::{Decision, Executor, Tally, UNSTORABLE};
use crate::{AppError, Slots, journal};

/// Seconds until the work item of a request comes: longer than a function that answers people lives.
pub const SEND_DELAY: u32 = 60;

/// Acts on single interchanges.
#[derive(Debug)]
pub struct Actions {
    table: Table,
    work: WorkQueue,
    executor: Executor,
    defaults: Stages,
}

/// An action on one interchange, as it was asked for.
#[derive(Debug, Clone)]
pub struct ActOrder {
    /// On which.
    pub id: InterchangeId,
    /// What to do.
    pub action: JobAction,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub actor: String,
    /// The caller's Idempotency-Key and the digest of its request.
    pub idempotency: Option<(String, String)>,
}

/// Why an action on one interchange was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No interchange has this id.
    #[error("there is no interchange {0}")]
    NotFound(InterchangeId),
    /// The domain refuses it.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The interchange as it stands.
        interchange: Box<Interchange>,
    },
    /// SQS refused the message; the interchange is failed again.
    #[error("the stage queue refused the message: {cause}")]
    NotSent {
        /// What SQS said.
        cause: String,
    },
    /// The Idempotency-Key was used for another request.
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// A service failed.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<table::TableError> for ActError {
    fn from(error: table::TableError) -> Self {
        Self::App(error.into())
    }
}

impl From<queues::QueueError> for ActError {
    fn from(error: queues::QueueError) -> Self {
        Self::App(error.into())
    }
}

/// A request that acts: its name, and whether it may have begun before.
struct RequestId {
    id: String,
    is_repeat: bool,
}

impl Actions {
    /// Acts on interchanges of `table`.
    #[must_use]
    pub fn new(table: Table, slots: Slots, stages: StageQueues, work: WorkQueue, defaults: Stages) -> Self {
        Self { executor: Executor::new(table.clone(), slots, stages), table, work, defaults }
    }

    /// Does an action and gives back the interchange as the API shows it, JSON. A request that comes again with its
    /// Idempotency-Key gets the answer that the first one got, and nothing is done twice.
    ///
    /// # Errors
    /// [`ActError`]; with anything but `App` and `NotSent` nothing has changed.
    pub async fn act(&self, order: &ActOrder, now: Timestamp) -> Result<String, ActError> {
        let Some((key, digest)) = &order.idempotency else {
            let request = RequestId { id: Uuid::new_v4().to_string(), is_repeat: false };
            return self.answer(order, &request, now).await;
        };
        let is_repeat = match self.table.begin_request(key, digest, now).await? {
            RequestBegun::First => false,
            RequestBegun::Again => true,
            RequestBegun::Answered(answer) => return Ok(answer),
            RequestBegun::KeyReused => return Err(ActError::KeyReused),
        };
        let request = RequestId { id: Digest::of(key.as_bytes()).to_string(), is_repeat };
        let answer = self.answer(order, &request, now).await?;
        if let Err(error) = self.table.answer_request(key, &answer).await {
            tracing::warn!(
                error = crate::chain(&error),
                "an answer was not kept, a repeat is told how things stand then"
            );
        }
        Ok(answer)
    }

    async fn answer(&self, order: &ActOrder, request: &RequestId, now: Timestamp) -> Result<String, ActError> {
        let done = self.carry_out(order, request, now).await;
        let (id, action, actor) = (&order.id, order.action, order.actor.as_str());
        match done {
            Ok(after) => Ok(contract::api::interchange(&after).to_string()),
            Err(ActError::Refused { refusal, interchange }) => {
                if request.is_repeat && self.was_done(&order.action, &interchange, request).await? {
                    return Ok(contract::api::interchange(&interchange).to_string());
                }
                journal::refused(id, action, actor, refusal.slug());
                Err(ActError::Refused { refusal, interchange })
            }
            Err(error) => {
                if matches!(error, ActError::NotFound(_)) {
                    journal::refused(id, action, actor, "not-found");
                }
                Err(error)
            }
        }
    }

    /// Whether an earlier delivery of the same request did what this one is refused.
    async fn was_done(
        &self,
        action: &JobAction,
        interchange: &Interchange,
        request: &RequestId,
    ) -> Result<bool, ActError> {
        match action {
            JobAction::Delete => Ok(interchange.status == Status::Deleted),
            JobAction::Reenter(_) | JobAction::Reschedule => Ok(self.table.is_known_request(&request.id).await?),
        }
    }

    async fn carry_out(&self, order: &ActOrder, request: &RequestId, now: Timestamp) -> Result<Interchange, ActError> {
        let id = &order.id;
        let head = self.table.head(id).await?.ok_or_else(|| ActError::NotFound(id.clone()))?;
        let flow = self.table.flow(&head.flow).await?;
        let flow = flow.unwrap_or_else(|| Flow::registered(head.flow.clone(), &self.defaults, now));
        let claim = Claim::Request(request.id.clone());
        if head.is_claimed_by(&claim) {
            return Ok(head);
        }
        let cause = Cause {
            claim,
            actor: Actor::Person(order.actor.clone()),
            trigger: Trigger::Manual,
            reason: Some(order.reason.clone()),
            job: None,
            canary: false,
        };
        let act = |current: Interchange| match order.action {
            JobAction::Reenter(action) => current.reenter(action, &cause, &flow, now),
            JobAction::Delete => current.delete(&cause, &flow, now),
            JobAction::Reschedule => current.replan(&cause, &flow, now),
        };
        if matches!(order.action, JobAction::Reenter(_)) && act(head.clone()).is_ok() {
            let item = WorkItem::Send { interchange: id.to_string(), request: request.id.clone() };
            self.work.send_later(vec![(item, SEND_DELAY)]).await?;
        }
        let stopped = Mutex::new(None);
        let decide = |current: Interchange| {
            let stop = |stop: Stopped, why| {
                *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
                Decision::Skip(why)
            };
            if current.is_claimed_by(&cause.claim) {
                return stop(Stopped::Claimed(Box::new(current)), "claimed");
            }
            match act(current.clone()) {
                Ok(change) => Decision::Commit(Box::new(change)),
                Err(refusal) => stop(Stopped::Refused(refusal, Box::new(current)), refusal.slug()),
            }
        };
        let mut tally = Tally::default();
        let loaded = HashMap::from([(id.clone(), head)]);
        let executed = self.executor.execute(std::slice::from_ref(id), Some(loaded), decide, &mut tally, now).await;
        match stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
            // The same request, running beside this one, sees to it.
            Some(Stopped::Claimed(interchange)) => return Ok(*interchange),
            Some(Stopped::Refused(refusal, interchange)) => {
                if order.action == JobAction::Delete && interchange.status == Status::Deleted {
                    // The first request may have died before the payloads were gone.
                    self.table.retire([&*interchange], now).await?;
                }
                return Err(ActError::Refused { refusal, interchange });
            }
            None => {}
        }
        self.conclude(order, request, executed, tally, now).await
    }

    /// What a request is answered whose change is committed, or may be.
    async fn conclude(
        &self,
        order: &ActOrder,
        request: &RequestId,
        executed: Result<(), AppError>,
        tally: Tally,
        now: Timestamp,
    ) -> Result<Interchange, ActError> {
        let id = &order.id;
        match executed {
            Ok(()) => match tally.changed.into_iter().next() {
                Some(after) if after.status.is_failed() && matches!(order.action, JobAction::Reenter(_)) => {
                    Err(ActError::NotSent { cause: after.error.message.unwrap_or_default() })
                }
                Some(after) => {
                    if tally.sent.contains(id)
                        && let Err(error) = self.table.finish_request(&request.id, now).await
                    {
                        tracing::warn!(error = crate::chain(&error), "a send was not recorded, it may be made twice");
                    }
                    Ok(after)
                }
                None if tally.skipped.iter().any(|(_, why)| *why == UNSTORABLE) => {
                    let cause = "DynamoDB does not take it as it would be".to_owned();
                    Err(table::TableError::Unstorable { id: id.to_string(), cause }.into())
                }
                None => Err(ActError::NotFound(id.clone())),
            },
            // Nobody knows whether SQS has it: the work item of the request sends it if need be.
            Err(AppError::Unsent { cause, .. }) => {
                tracing::warn!(cause, "SQS did not take the message now, it is sent by its work item");
                self.table.head(id).await?.ok_or_else(|| ActError::NotFound(id.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Why nothing was committed.
enum Stopped {
    /// The same request has claimed it already.
    Claimed(Box<Interchange>),
    /// The domain refuses it.
    Refused(Refusal, Box<Interchange>),
}
