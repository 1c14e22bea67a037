//! Restart, retry or delete of one interchange: done when answered, or certain to be done.
//!
//! A re-entry has its work item on the jobs queue before it is committed, delayed until this function has ended. So the
//! function may die at any point, and SQS may leave it without an answer: what was claimed and has no recorded send is
//! sent by that work item.

use std::sync::{Mutex, PoisonError};

use domain::{
    Actor, Cause, Claim, Digest, Flow, FlowAccess, Interchange, InterchangeId, JobAction, Refusal, Stages, Status,
    Timestamp, Trigger,
};
use queues::{StageQueues, WorkItem};
use table::{Heads, RequestBegun, Table};
use uuid::Uuid;

use crate::execute::{Decision, Executor, Tally, UNSTORABLE};
use crate::seen::seen;
use crate::{AppError, Slots, WorkSender, journal};

/// Seconds until the work item of a request comes: longer than a function that answers people lives.
pub const SEND_DELAY: u32 = 60;

/// Acts on single interchanges.
#[derive(Debug)]
pub struct Actions {
    table: Table,
    work: WorkSender,
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
    /// No interchange has this id, or none that the caller may see.
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

/// A request for an action, identified by its own id or by its Idempotency-Key.
enum Request<'a> {
    Once(String),
    /// It may come more than once, at the same moment even. `attempt` and `version` are those of the interchange when
    /// the key was seen first, or after SQS had refused its message.
    Keyed {
        key: &'a str,
        attempt: u32,
        version: u64,
    },
}

impl Request<'_> {
    /// Its name when it acts on this attempt: the same for each delivery of one key.
    fn id(&self, attempt: u32) -> String {
        match self {
            Self::Once(id) => id.clone(),
            Self::Keyed { key, .. } => Digest::of(format!("{attempt}#{key}").as_bytes()).to_string(),
        }
    }

    /// Whether another delivery of the request did what it asks for.
    fn was_done(&self, action: JobAction, interchange: &Interchange) -> bool {
        // An erasure is permanent, whichever request did it.
        if action == JobAction::Erase {
            return interchange.status == Status::Erased;
        }
        let &Self::Keyed { attempt, version, .. } = self else { return false };
        match action {
            JobAction::Reenter(_) => {
                let own = || Claim::Request(self.id(interchange.attempt - 1));
                interchange.attempt > attempt && interchange.flight.as_ref().is_none_or(|f| f.claim == own())
            }
            JobAction::Delete => interchange.status == Status::Deleted && interchange.version > version,
            JobAction::Erase | JobAction::Reschedule => false,
        }
    }
}

impl Actions {
    /// Acts on interchanges of `table`.
    #[must_use]
    pub fn new(table: Table, slots: Slots, stages: StageQueues, work: WorkSender, defaults: Stages) -> Self {
        Self { executor: Executor::new(table.clone(), slots, stages), table, work, defaults }
    }

    /// Does an action and gives back the interchange as the API shows it, JSON. A request that comes again with its
    /// Idempotency-Key gets the answer that the first one got, and nothing is done twice. What belongs to a flow that the
    /// caller may not see is not found.
    ///
    /// # Errors
    /// [`ActError`]; with anything but `App` and `NotSent` nothing has changed.
    pub async fn act(&self, order: &ActOrder, access: &FlowAccess, now: Timestamp) -> Result<String, ActError> {
        let Some(head) = seen(access, self.table.head(&order.id).await, |head| &head.flow)? else {
            let error = ActError::NotFound(order.id.clone());
            journal::refused(&order.id, order.action, &order.actor, "not-found");
            return Err(error);
        };
        let Some((key, digest)) = &order.idempotency else {
            return self.answer(order, &Request::Once(Uuid::new_v4().to_string()), head, now).await;
        };
        let key = &access.key_name(&head.flow, key);
        let request = match self.table.begin_request(key, digest, &head, now).await? {
            RequestBegun::Unanswered { attempt, .. } if head.is_send_failed() && head.attempt > attempt => {
                Request::Keyed { key, attempt: head.attempt, version: head.version }
            }
            RequestBegun::Unanswered { attempt, version } => Request::Keyed { key, attempt, version },
            RequestBegun::Answered(answer) => return Ok(answer),
            RequestBegun::KeyReused => return Err(ActError::KeyReused),
        };
        let answer = self.answer(order, &request, head, now).await?;
        if let Err(error) = self.table.answer_request(key, &order.id, &answer, now).await {
            tracing::warn!(
                error = crate::chain(&error),
                "an answer was not kept, a repeat is told how things stand then"
            );
        }
        Ok(answer)
    }

    async fn answer(
        &self,
        order: &ActOrder,
        request: &Request<'_>,
        head: Interchange,
        now: Timestamp,
    ) -> Result<String, ActError> {
        match self.carry_out(order, request, head, now).await {
            Ok(after) => Ok(contract::api::interchange(&after).to_string()),
            Err(error) => {
                if let ActError::Refused { refusal, .. } = &error {
                    journal::refused(&order.id, order.action, &order.actor, refusal.slug());
                }
                Err(error)
            }
        }
    }

    async fn carry_out(
        &self,
        order: &ActOrder,
        request: &Request<'_>,
        head: Interchange,
        now: Timestamp,
    ) -> Result<Interchange, ActError> {
        let id = &order.id;
        let flow = self.table.flow(&head.flow).await?;
        let flow = flow.unwrap_or_else(|| Flow::registered(head.flow.clone(), &self.defaults, now));
        if request.was_done(order.action, &head) {
            return self.done_before(order.action, head, now).await;
        }
        let request_id = request.id(head.attempt);
        let cause = Cause {
            claim: Claim::Request(request_id.clone()),
            actor: Actor::Person(order.actor.clone()),
            trigger: Trigger::Manual,
            reason: Some(order.reason.clone()),
            job: None,
            canary: false,
        };
        let act = |current: Interchange| match order.action {
            JobAction::Reenter(action) => current.reenter(action, &cause, &flow, now),
            JobAction::Delete => current.delete(&cause, &flow, now),
            JobAction::Erase => current.erase(&cause, now),
            JobAction::Reschedule => current.replan(&cause, &flow, now),
        };
        if matches!(order.action, JobAction::Reenter(_)) && act(head.clone()).is_ok() {
            let item = WorkItem::Send { interchange: id.to_string(), request: request_id.clone() };
            self.work.send_later(vec![(item, SEND_DELAY)]).await?;
        }
        let stopped = Mutex::new(None);
        let decide = |current: Interchange| {
            let stop = |stop: Stopped, why| {
                *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
                Decision::Skip(why)
            };
            if request.was_done(order.action, &current) {
                return stop(Stopped::Done(Box::new(current)), "done");
            }
            match act(current.clone()) {
                Ok(change) => Decision::Commit(Box::new(change)),
                Err(refusal) => stop(Stopped::Refused(refusal, Box::new(current)), refusal.slug()),
            }
        };
        let mut tally = Tally::default();
        let loaded = Heads::from(head);
        let executed = self.executor.execute(std::slice::from_ref(id), Some(loaded), decide, &mut tally, now).await;
        match stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Stopped::Done(interchange)) => return self.done_before(order.action, *interchange, now).await,
            Some(Stopped::Refused(refusal, interchange)) => {
                let interchange = Box::new(self.done_before(order.action, *interchange, now).await?);
                return Err(ActError::Refused { refusal, interchange });
            }
            None => {}
        }
        self.conclude(order, &request_id, executed, tally, now).await
    }

    /// Does what the request that did the action may have left undone when it died: removes payloads, sets the expiry of all items.
    async fn done_before(
        &self,
        action: JobAction,
        interchange: Interchange,
        now: Timestamp,
    ) -> Result<Interchange, ActError> {
        if matches!(action, JobAction::Delete | JobAction::Erase) && interchange.status.has_no_payloads() {
            self.table.set_ttl([&interchange], now).await?;
        }
        Ok(interchange)
    }

    /// The answer to a request whose change is committed, or may be.
    async fn conclude(
        &self,
        order: &ActOrder,
        request_id: &str,
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
                        && let Err(error) = self.table.finish_request(request_id, now).await
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
    /// Another delivery of the request was faster.
    Done(Box<Interchange>),
    /// The domain refuses it.
    Refused(Refusal, Box<Interchange>),
}
