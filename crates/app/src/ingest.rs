//! Taking in what pipelines send: read, decide, store payloads, commit. A batch costs a read, its payload writes and
//! its transactions, however many messages it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contract::intake::{Body, Intake, QueueRecord, Source, read, refuse};
use domain::{Epoch, Flow, FlowName, Interchange, InterchangeId, Mask, ReportKind, Stages, Timestamp};
use table::{Committed, FlowPut, SourceOwner, StoredBody, Table, TableError, Upload, Work};

use crate::epochs::Epochs;
use crate::error::TRIES;
use crate::look::Looker;
use crate::senders::turn_away;
use crate::triage::{Arrival, PendingCommit, decide, record_results};
use crate::{AppError, Slots, WorkSender, metric};

/// Takes in reports and dead letters.
#[derive(Debug)]
pub struct Ingest {
    table: Table,
    slots: Slots,
    looker: Looker,
    epochs: Epochs,
    /// The stack's own stage queues, which a flow gets when its first failure registers it.
    defaults: Stages,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ingested {
    /// Interchanges that changed.
    pub changed: usize,
    /// Reports that were known already.
    pub repeats: usize,
    /// Outcomes of what is not known, which are remembered for a while.
    pub early: usize,
    /// Outcomes of what is not known, in flows that remember none.
    pub never_failed: usize,
    /// Message ids of reports whose interchange this release cannot read: they are not judged and must be delivered again.
    pub unreadable: Vec<String>,
}

impl Ingest {
    /// Keeps interchanges at `table` and enrols them in `slots`; jobs that wait for an outcome are looked at through `work`.
    #[must_use]
    pub fn new(table: Table, slots: Slots, work: WorkSender, defaults: Stages) -> Self {
        let epochs = Epochs::new(table.clone());
        Self { looker: Looker::new(table.clone(), work), epochs, table, slots, defaults }
    }

    /// Takes in a batch. When this succeeds every message of it is kept or was known, but for those that are named as
    /// `unreadable`.
    ///
    /// # Errors
    /// When an AWS request fails: the batch must be delivered again; what is stored already is then a repeat.
    pub async fn ingest(&self, records: &[QueueRecord<'_>], now: Timestamp) -> Result<Ingested, AppError> {
        let mut arrivals: Vec<Arrival<'_>> =
            records.iter().map(|record| Arrival { record, intake: read(record) }).collect();
        self.assign(&mut arrivals).await?;
        self.take_all(arrivals, now).await
    }

    /// Stores a message whose report can never be stored as a dead letter of `unassigned`, with the reason `why`.
    ///
    /// # Errors
    /// When an AWS request fails.
    pub async fn set_aside(&self, record: &QueueRecord<'_>, why: &str, now: Timestamp) -> Result<Ingested, AppError> {
        self.take_all(vec![Arrival { record, intake: refuse(record, why) }], now).await
    }

    async fn take_all(&self, mut arrivals: Vec<Arrival<'_>>, now: Timestamp) -> Result<Ingested, AppError> {
        let mut flows = self.flows(&mut arrivals, now).await?;
        mask(&mut arrivals, &flows);
        let mut tally = Ingested::default();
        for _ in 0..TRIES {
            if arrivals.is_empty() {
                return Ok(tally);
            }
            arrivals = self.take(arrivals, &mut flows, &mut tally, now).await?;
        }
        let id = arrivals.first().map_or_else(String::new, |a| a.intake.incoming.report.id.to_string());
        Err(AppError::Overtaken { id, tries: TRIES })
    }

    /// Puts dead letters and failure records under the flows that claim their sources.
    async fn assign(&self, arrivals: &mut [Arrival<'_>]) -> Result<(), AppError> {
        let sources: BTreeSet<String> = arrivals.iter().filter_map(|a| arn(&a.intake)).map(str::to_owned).collect();
        if sources.is_empty() {
            return Ok(());
        }
        let owners = self.table.source_owners(sources.iter().map(String::as_str)).await?;
        for arrival in arrivals {
            let owner = arn(&arrival.intake).and_then(|arn| owners.get(arn));
            if let Some(SourceOwner { flow, phase }) = owner {
                arrival.intake.assign(flow.clone(), *phase);
            }
        }
        Ok(())
    }

    /// The configurations of all flows in the batch, after reports that they do not accept are turned away; flows with their first
    /// failure are registered.
    async fn flows(&self, arrivals: &mut [Arrival<'_>], now: Timestamp) -> Result<HashMap<FlowName, Flow>, AppError> {
        let names: BTreeSet<&FlowName> = arrivals.iter().map(|a| &a.intake.incoming.report.flow).collect();
        let mut flows = self.table.flows(names).await?;
        turn_away(arrivals, &flows);
        for arrival in arrivals {
            let report = &arrival.intake.incoming.report;
            if matches!(report.kind, ReportKind::Failed(_)) && !flows.contains_key(&report.flow) {
                flows.insert(report.flow.clone(), self.register(&report.flow, now).await?);
            }
        }
        Ok(flows)
    }

    async fn register(&self, name: &FlowName, now: Timestamp) -> Result<Flow, AppError> {
        let flow = Flow::registered(name.clone(), &self.defaults, now);
        match self.table.put_flow(&flow, None, None).await? {
            FlowPut::Stored { version } => Ok(Flow { version, ..flow }),
            FlowPut::Stale | FlowPut::SourceTaken { .. } | FlowPut::JobActive { .. } => {
                Ok(self.table.flow(name).await?.unwrap_or(flow))
            }
        }
    }

    /// Decides and commits what it can; returns reports that lost a version conflict or must be kept another way.
    async fn take<'a>(
        &self,
        arrivals: Vec<Arrival<'a>>,
        flows: &mut HashMap<FlowName, Flow>,
        tally: &mut Ingested,
        now: Timestamp,
    ) -> Result<Vec<Arrival<'a>>, AppError> {
        let mut by_id: BTreeMap<InterchangeId, Vec<Arrival<'a>>> = BTreeMap::new();
        for arrival in arrivals {
            by_id.entry(arrival.intake.incoming.report.id.clone()).or_default().push(arrival);
        }
        let mut heads = self.table.heads_and_early(by_id.keys()).await?;
        by_id.retain(|id, arrivals| {
            let is_readable = !heads.is_unreadable(id);
            if !is_readable {
                tally.unreadable.extend(arrivals.iter().map(|arrival| arrival.record.message_id.to_owned()));
            }
            is_readable
        });
        let epoch = self.epoch_of(by_id.values().flatten(), now).await?;
        let mut again = Vec::new();
        for (id, arrivals) in &mut by_id {
            self.set_foreign_aside(heads.get(id).filter(|head| !head.is_early()), arrivals, &mut again, flows, now)
                .await?;
        }
        let mut taken = Vec::new();
        let mut results = Vec::new();
        let mut settled = Vec::new();
        for (id, arrivals) in &by_id {
            let head = heads.remove(id);
            let known = head.clone();
            let decided = decide(head, arrivals, flows, epoch, now);
            match decided.pending {
                Some(work) => {
                    taken.push(work);
                    results.push(decided.results);
                }
                None => {
                    record_results(&decided.results, known.as_ref(), tally);
                    settled.extend(known);
                }
            }
        }
        let upload = self.keep_payloads(&mut taken, now).await?;
        let works: Vec<Work> = taken.into_iter().map(|taken| taken.work).collect();
        self.slots.ensure(&works).await?;
        let outcomes = self.table.commit(&works, now).await?;
        let are_named = outcomes.iter().all(|outcome| matches!(outcome, Committed::Done { .. }));
        // Others may have payloads that nothing names: the sweep looks after a day.
        if let Some(upload) = upload.filter(|_| are_named)
            && let Err(error) = self.table.finish_upload(upload).await
        {
            tracing::warn!(
                error = crate::chain(&error),
                "a registration of payloads was not removed, the sweep removes it"
            );
        }
        let (mut overtaken, mut unstorable) = (Vec::new(), None);
        let mut canaries = BTreeSet::new();
        for ((work, results), outcome) in works.into_iter().zip(results).zip(outcomes) {
            match outcome {
                Committed::Done { version, .. } => {
                    tally.changed += 1;
                    metric::committed(&work.events);
                    canaries.extend(work.ends_canary().cloned());
                    record_results(&results, Some(&work.after), tally);
                    settled.push(work.committed(version));
                }
                Committed::Stale => overtaken.push(work.after.id),
                Committed::Unstorable(cause) => {
                    unstorable = Some(TableError::Unstorable { id: work.after.id.to_string(), cause });
                }
            }
        }
        self.looker.request(&canaries).await;
        // This comes after the whole batch is counted: an expiry that cannot be set must not leave the rest uncounted. A report
        // that was known may be one whose first delivery died before this.
        self.table.set_ttl(&settled, now).await?;
        if let Some(error) = unstorable {
            return Err(error.into());
        }
        again.extend(overtaken.into_iter().filter_map(|id| by_id.remove(&id)).flatten());
        Ok(again)
    }

    /// The table's epoch, where a report of the batch names one.
    async fn epoch_of<'a>(
        &self,
        mut arrivals: impl Iterator<Item = &'a Arrival<'a>>,
        now: Timestamp,
    ) -> Result<Epoch, AppError> {
        if arrivals.any(|arrival| arrival.intake.incoming.report.epoch.is_some()) {
            self.epochs.current(now).await
        } else {
            Ok(Epoch::FIRST)
        }
    }

    /// A report whose id belongs to another flow is kept as a dead letter: neither flow's message is touched. An id belongs
    /// to the flow in which it failed first; earlier outcomes count as outcomes of an interchange that never failed, in any flow that they name.
    async fn set_foreign_aside<'a>(
        &self,
        head: Option<&Interchange>,
        arrivals: &mut Vec<Arrival<'a>>,
        again: &mut Vec<Arrival<'a>>,
        flows: &mut HashMap<FlowName, Flow>,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let fails = |a: &Arrival<'_>| matches!(a.intake.incoming.report.kind, ReportKind::Failed(_));
        let first = if head.is_some() { Some(0) } else { arrivals.iter().position(fails) };
        let judged = arrivals.split_off(first.unwrap_or(arrivals.len()));
        let owner = head.map(|head| &head.flow).or_else(|| judged.first().map(|a| &a.intake.incoming.report.flow));
        let Some(owner) = owner.cloned() else { return Ok(()) };
        let (own, foreign): (Vec<_>, Vec<_>) = judged.into_iter().partition(|a| a.intake.incoming.report.flow == owner);
        arrivals.extend(own);
        for Arrival { record, intake } in foreign {
            let why = format!("interchange {} belongs to flow {owner}", intake.incoming.report.id);
            let intake = refuse(record, &why);
            let flow = &intake.incoming.report.flow;
            if !flows.contains_key(flow) {
                flows.insert(flow.clone(), self.register(flow, now).await?);
            }
            again.push(Arrival { record, intake });
        }
        Ok(())
    }

    /// Stores the payloads that the table does not hold yet: small ones go with the commit, the others before it.
    async fn keep_payloads(&self, taken: &mut [PendingCommit<'_>], now: Timestamp) -> Result<Option<Upload>, AppError> {
        let mut apart: Vec<(InterchangeId, u64, &Body)> = Vec::new();
        for PendingCommit { work, bodies: brought } in taken {
            let kept = work.before.as_ref().filter(|before| !before.status.has_no_payloads());
            let is_fresh = |body: &&&Body| {
                let digest = body.meta.digest;
                work.names(digest) && kept.is_none_or(|i| i.brought_by(digest).is_none())
            };
            let fresh: Vec<&Body> = brought.iter().filter(is_fresh).copied().collect();
            for body in fresh {
                if !work.carry(body.meta.digest, &body.bytes)? {
                    apart.push((work.after.id.clone(), work.version(), body));
                }
            }
        }
        let apart: Vec<StoredBody<'_>> = apart
            .iter()
            .map(|(id, version, body)| StoredBody { id, version: *version, meta: &body.meta, bytes: &body.bytes })
            .collect();
        if apart.is_empty() { Ok(None) } else { Ok(Some(self.table.put_payloads(&apart, now).await?)) }
    }
}

/// Masks error texts by the rules of their flows.
fn mask(arrivals: &mut [Arrival<'_>], flows: &HashMap<FlowName, Flow>) {
    let has_rules = |(_, flow): &(&FlowName, &Flow)| !flow.mask.is_empty();
    let masks: HashMap<&FlowName, Mask> =
        flows.iter().filter(has_rules).map(|(name, flow)| (name, Mask::new(&flow.mask))).collect();
    for Arrival { intake, .. } in arrivals {
        let report = &mut intake.incoming.report;
        if let Some(mask) = masks.get(&report.flow) {
            mask.apply(report);
        }
    }
}

fn arn(intake: &Intake) -> Option<&str> {
    intake.source.as_ref().map(|source| match source {
        Source::Queue(arn) | Source::Function(arn) => arn.as_str(),
    })
}
