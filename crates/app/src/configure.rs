//! Storing a flow's configuration.

use contract::FieldError;
use domain::{Flow, FlowName, Stages, Timestamp};
use queues::WorkQueue;
use table::{FlowPut, Table};

use crate::error::TRIES;
use crate::{AppError, Sweeper};

/// Stores configurations.
#[derive(Debug)]
pub struct Configure {
    table: Table,
    sweeper: Sweeper,
    defaults: Stages,
}

/// Why a configuration was not stored.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// A field is wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// `If-Match` names another version than the flow has.
    #[error("the flow has version {version}")]
    VersionMismatch {
        /// The version it has; 0 when it has no configuration.
        version: u64,
    },
    /// A service did not do its part.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<table::TableError> for ConfigureError {
    fn from(error: table::TableError) -> Self {
        Self::App(error.into())
    }
}

impl Configure {
    /// Stores at `table`; what was held of a flow that becomes active goes to `work`.
    #[must_use]
    pub fn new(table: Table, work: WorkQueue, defaults: Stages) -> Self {
        Self { sweeper: Sweeper::new(table.clone(), work), table, defaults }
    }

    /// Replaces the configuration of `name` by `body`; with `if_match` only when the flow has that version.
    ///
    /// # Errors
    /// [`ConfigureError`]; with anything but `App` nothing was stored.
    pub async fn put(
        &self,
        name: &FlowName,
        body: &[u8],
        if_match: Option<u64>,
        now: Timestamp,
    ) -> Result<Flow, ConfigureError> {
        for _ in 0..TRIES {
            let before = self.table.flow(name).await?;
            let version = before.as_ref().map_or(0, |before| before.version);
            if if_match.is_some_and(|wanted| wanted != version) {
                return Err(ConfigureError::VersionMismatch { version });
            }
            let mut flow = contract::read_flow(name.clone(), body, &self.defaults, now)?;
            let was_active = before.as_ref().filter(|before| before.active);
            if let Some(before) = was_active.filter(|_| flow.active) {
                flow.activated_at = before.activated_at;
            }
            match self.table.put_flow(&flow, before.as_ref()).await? {
                FlowPut::Stored { version } => {
                    flow.version = version;
                    if flow.active && was_active.is_none() && before.is_some() {
                        self.sweeper.release(name, now).await?;
                    }
                    return Ok(flow);
                }
                FlowPut::Stale => {}
                FlowPut::SourceTaken { arn } => return Err(taken(&flow, &arn).into()),
            }
        }
        Err(AppError::Overtaken { id: name.to_string(), tries: TRIES }.into())
    }
}

fn taken(flow: &Flow, arn: &str) -> FieldError {
    let queue = flow.dead_letter_queues.iter().position(|queue| queue.arn == arn);
    let function = flow.functions.iter().position(|function| function == arn);
    let field = match (queue, function) {
        (Some(i), _) => format!("deadLetterQueues[{i}].arn"),
        (None, Some(i)) => format!("functions[{i}]"),
        (None, None) => "deadLetterQueues".to_owned(),
    };
    FieldError { field, problem: format!("is `{arn}`, which belongs to another flow already") }
}
