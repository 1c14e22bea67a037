//! Flow configurations, and which queue or function belongs to which flow.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{Delete, Put};
use domain::{Flow, FlowName, Job, JobId, Phase, Timestamp};
use futures::future::try_join_all;

use crate::heads::MAX_KEYS;
use crate::item::{Item, check_shape, document, key, n, number, read, readable, text, unreadable};
use crate::jobs::NewJob;
use crate::keys::{self, CONFIG, DATA, FLOWS, IF_NO_VERSION, IF_VERSION, PK, SK, SOURCE, VERSION};
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError, unknown};

/// When the flow last became active.
const ACTIVATED: &str = "activatedAt";

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowPut {
    /// It is stored under this version.
    Stored {
        /// The configuration's version.
        version: u64,
    },
    /// Someone else changed the flow first.
    Stale,
    /// A queue or function belongs to another flow already.
    SourceTaken { arn: String },
    /// There was to be a job with it, and the flow has this active one.
    JobActive {
        /// The one that is active.
        job: JobId,
    },
}

/// The flow that a queue or function belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOwner {
    pub flow: FlowName,
    /// Where a message that comes from there has failed, as far as the configuration tells.
    pub phase: Option<Phase>,
}

impl Table {
    /// A flow's configuration; `None` when it has none. One that cannot be read is a flow that says so
    /// ([`Flow::is_unreadable`]) and does nothing by itself.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn flow(&self, name: &FlowName) -> Result<Option<Flow>, TableError> {
        let item = self.get(key(keys::flow(name), CONFIG)).await?;
        Ok(item.as_ref().map(|item| flow(name, item)))
    }

    /// Many flows' configurations, in one round trip; flows without one are left out.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn flows(
        &self,
        names: impl IntoIterator<Item = &FlowName>,
    ) -> Result<HashMap<FlowName, Flow>, TableError> {
        let keys: Vec<Item> = names.into_iter().map(|name| key(keys::flow(name), CONFIG)).collect();
        let batches = try_join_all(keys.chunks(MAX_KEYS).map(|keys| self.get_all(keys.to_vec()))).await?;
        let mut flows = HashMap::new();
        for item in batches.into_iter().flatten() {
            let name = text(&item, keys::PK)?.strip_prefix("FLOW#").and_then(|name| FlowName::new(name).ok());
            let name = name.ok_or_else(|| unreadable(&item, "no flow name"))?;
            let flow = flow(&name, &item);
            flows.insert(name, flow);
        }
        Ok(flows)
    }

    /// Stores a configuration in place of `before`, with the ownership of its queues and functions, and makes `job` the
    /// flow's active one: all of it or nothing. What a later release stored beside `before` stays.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_flow(&self, flow: &Flow, before: Option<&Flow>, job: Option<&Job>) -> Result<FlowPut, TableError> {
        let expected = before.map_or(0, |before| before.version);
        let mut actions = Actions::default();
        actions.put(self.config_put(flow, before, expected)?);
        let registration = document(FLOWS, keys::flow_row(&flow.name, ""), &());
        actions.put(self.built(Put::builder().table_name(&self.name).set_item(Some(registration)).build())?);
        let first_source = actions.0.len();
        let wanted = sources(flow);
        for (arn, phase) in &wanted {
            let item = document(keys::source(arn), SOURCE, &(flow.name.as_str(), phase.map(Phase::as_str)));
            let put = Put::builder().table_name(&self.name).set_item(Some(item));
            let put = put
                .condition_expression("attribute_not_exists(pk) OR begins_with(d, :own)")
                .expression_attribute_values(":own", crate::item::s(format!("[\"{}\",", flow.name)));
            actions.put(self.built(put.build())?);
        }
        for arn in before.map(sources).unwrap_or_default().into_keys().filter(|arn| !wanted.contains_key(arn)) {
            let delete = Delete::builder().table_name(&self.name).set_key(Some(key(keys::source(&arn), SOURCE)));
            actions.delete(self.built(delete.build())?);
        }
        if let Some(job) = job {
            actions.0.extend(self.creation(&NewJob { job, idempotency: None })?.0);
        }
        match self.transact(actions).await? {
            Transacted::Done => Ok(FlowPut::Stored { version: expected + 1 }),
            Transacted::ConditionsFailed(positions) if positions.contains(&0) => Ok(FlowPut::Stale),
            Transacted::ConditionsFailed(positions) => {
                let taken = positions.iter().find_map(|p| wanted.keys().nth(p.checked_sub(first_source)?));
                if let Some(arn) = taken {
                    return Ok(FlowPut::SourceTaken { arn: arn.clone() });
                }
                // The job that was in the way may have ended in the meantime: the caller looks again.
                Ok(self.active_job(&flow.name).await?.map_or(FlowPut::Stale, |job| FlowPut::JobActive { job }))
            }
            Transacted::Refused(_, cause) => Err(TableError::Unstorable { id: flow.name.to_string(), cause }),
        }
    }

    /// The flows that queues and functions belong to; those of no flow are left out.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn source_owners(
        &self,
        arns: impl IntoIterator<Item = &str>,
    ) -> Result<HashMap<String, SourceOwner>, TableError> {
        let keys = arns.into_iter().map(|arn| key(keys::source(arn), SOURCE)).collect();
        let mut owners = HashMap::new();
        owners.extend(readable(&self.get_all(keys).await?, owner));
        Ok(owners)
    }

    fn config_put(&self, flow: &Flow, before: Option<&Flow>, expected: u64) -> Result<Put, TableError> {
        let unknown = before.map(|before| before.unknown.clone()).unwrap_or_default();
        let flow = Flow { unknown, ..flow.clone() };
        let mut item = document(keys::flow(&flow.name), CONFIG, &contract::stored_flow_config(&flow));
        item.insert(VERSION.to_owned(), n(expected + 1));
        item.insert(ACTIVATED.to_owned(), crate::item::s(flow.activated_at.to_string()));
        unknown::put_back(&mut item, &flow.unknown);
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = if expected == 0 {
            put.condition_expression(IF_NO_VERSION)
        } else {
            put.condition_expression(IF_VERSION).expression_attribute_values(":v", n(expected))
        };
        self.built(put.build())
    }
}

/// The attributes of a configuration's item that this release writes.
const ATTRIBUTES: [&str; 5] = [PK, SK, DATA, VERSION, ACTIVATED];

/// Never fails: an activation that cannot be read is in 1970, so that hourly windows run at full hours.
pub(crate) fn flow(name: &FlowName, item: &Item) -> Flow {
    let activated_at = text(item, ACTIVATED).ok().and_then(|at| at.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    let version = number(item, VERSION).unwrap_or(0);
    let config = check_shape(item).and_then(|()| text(item, DATA));
    let mut flow = match config {
        Ok(config) => contract::read_stored_flow(name.clone(), config, activated_at),
        Err(error) => Flow::unreadable(name.clone(), version, activated_at, error.to_string()),
    };
    flow.version = version;
    if !flow.is_understood() {
        let problems =
            flow.problems.iter().map(|it| format!("{} {}", it.field.as_deref().unwrap_or("all"), it.problem));
        let problems = problems.collect::<Vec<_>>().join("; ");
        tracing::warn!(flow = name.as_str(), outcome = "not_understood", problems, "a configuration is not understood");
    }
    if !flow.is_unreadable() {
        flow.unknown.attributes = unknown::attributes(item, &ATTRIBUTES);
    }
    flow
}

fn owner(item: &Item) -> Result<(String, SourceOwner), TableError> {
    let (flow, phase): (String, Option<String>) = read(item, DATA)?;
    let arn = text(item, keys::PK)?.trim_start_matches("SOURCE#").to_owned();
    let flow = FlowName::new(flow).map_err(|_| unreadable(item, "flow"))?;
    Ok((arn, SourceOwner { flow, phase: phase.as_deref().and_then(Phase::from_word) }))
}

fn sources(flow: &Flow) -> BTreeMap<String, Option<Phase>> {
    let queues = flow.dead_letter_queues.iter().map(|queue| (queue.arn.clone(), Some(queue.phase)));
    let functions = flow.functions.iter().map(|arn| (arn.clone(), None));
    queues.chain(functions).collect()
}
