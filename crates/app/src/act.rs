//! Restart, retry or delete of one interchange: done when answered.

use domain::{
    Actor, Cause, Claim, ConfirmationMode, Flow, Interchange, InterchangeId, JobAction, Refusal, Stages, Status,
    Timestamp, Trigger,
};
use queues::StageQueues;
use table::Table;
use uuid::Uuid;

use crate::execute::{Decision, Executor};
use crate::{AppError, Slots, journal};

/// Acts on single interchanges.
#[derive(Debug)]
pub struct Actions {
    table: Table,
    executor: Executor,
    defaults: Stages,
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
    /// SQS did not take the message; the interchange is failed again.
    #[error("the stage queue did not take the message: {cause}")]
    NotSent {
        /// What SQS said.
        cause: String,
    },
    /// A service did not do its part.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<table::TableError> for ActError {
    fn from(error: table::TableError) -> Self {
        Self::App(error.into())
    }
}

impl Actions {
    /// Acts on interchanges of `table`.
    #[must_use]
    pub fn new(table: Table, slots: Slots, stages: StageQueues, defaults: Stages) -> Self {
        Self { executor: Executor::new(table.clone(), slots, stages), table, defaults }
    }

    /// Does `action` to the interchange, for `reason` as given by `actor`.
    ///
    /// # Errors
    /// [`ActError`]; with anything but `App` nothing was put into the pipeline.
    pub async fn act(
        &self,
        id: &InterchangeId,
        action: JobAction,
        reason: String,
        actor: String,
        now: Timestamp,
    ) -> Result<Interchange, ActError> {
        let done = self.carry_out(id, action, reason, actor.clone(), now).await;
        match &done {
            Err(ActError::NotFound(_)) => journal::refused(id, action, &actor, "not-found"),
            Err(ActError::Refused { refusal, .. }) => journal::refused(id, action, &actor, refusal.slug()),
            Ok(_) | Err(ActError::NotSent { .. } | ActError::App(_)) => {}
        }
        done
    }

    async fn carry_out(
        &self,
        id: &InterchangeId,
        action: JobAction,
        reason: String,
        actor: String,
        now: Timestamp,
    ) -> Result<Interchange, ActError> {
        let head = self.table.head(id).await?.ok_or_else(|| ActError::NotFound(id.clone()))?;
        let flow = self.table.flow(&head.flow).await?;
        let flow = flow.unwrap_or_else(|| Flow::registered(head.flow.clone(), &self.defaults, now));
        let cause = Cause {
            claim: Claim::of_request(&Uuid::new_v4().to_string()),
            actor: Actor::Person(actor),
            trigger: Trigger::Manual,
            reason: Some(reason),
            job: None,
        };
        let refused = std::sync::Mutex::new(None);
        let decide = |current: Interchange| {
            let decided = match action {
                JobAction::Reenter(action) => current.clone().reenter(action, &cause, &flow, now),
                JobAction::Delete => current.clone().delete(&cause, &flow, now),
                JobAction::Reschedule => current.clone().replan(&cause, &flow, now),
            };
            match decided {
                Ok(change) => Decision::Commit(Box::new(change)),
                Err(refusal) => {
                    let slug = refusal.slug();
                    let note = ActError::Refused { refusal, interchange: Box::new(current) };
                    *refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(note);
                    Decision::Skip(slug)
                }
            }
        };
        let done = self.executor.execute(std::slice::from_ref(id), decide, now).await;
        if let Some(refused) = refused.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            if let ActError::Refused { interchange, .. } = &refused
                && action == JobAction::Delete
                && interchange.status == Status::Deleted
            {
                // Whoever asks again may do so because the first time died before the payloads were gone.
                self.table.retire([&**interchange], now).await?;
            }
            return Err(refused);
        }
        match done {
            Ok(tally) => match tally.changed.into_iter().next() {
                Some(after) if after.status.is_failed() => {
                    Err(ActError::NotSent { cause: after.error.message.unwrap_or_default() })
                }
                Some(after) if after.status.is_waiting() && flow.confirmation.mode == ConfirmationMode::Silent => {
                    Ok(self.executor.note_sent(after, now).await?)
                }
                Some(after) => Ok(after),
                None => Err(ActError::NotFound(id.clone())),
            },
            Err(AppError::Unsent { cause: why, .. }) => {
                self.executor.give_up(id, &cause, &why, now).await?;
                Err(ActError::NotSent { cause: why })
            }
            Err(error) => Err(error.into()),
        }
    }
}
