//! Counts by status, time of failure, failure group and job: changed in the very commit that changes a head
//! (`deltas.rs`), so exact at every moment. A read sums the rows of all writers.

use std::collections::{BTreeMap, HashMap};

use domain::{Fingerprint, FlowName, Status, Timestamp};

use crate::deltas::{COMPLETED, FAILED_AGAIN, GROUP_COUNT, SCHEDULED, SENT};
use crate::failure_histogram::FailureHistogram;
use crate::item::{Item, number, s};
use crate::keys::{self, FLOWS, MESSAGE, PK, SK, TTL};
use crate::{Table, TableError};

/// How many interchanges of a flow stand where, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowCounts {
    /// How many by status; those left out are none.
    pub by_status: BTreeMap<Status, u64>,
    /// How many of them have a next automatic retry.
    pub scheduled: u64,
    /// When the oldest failure that is not resolved happened, rounded down: to the minute, to the hour where that is
    /// more than six hours away, to the day (UTC) where it is more than seven days away.
    pub oldest_failure_at: Option<Timestamp>,
    /// When the newest one happened, rounded in the same way.
    pub newest_failure_at: Option<Timestamp>,
}

/// A flow's counts while its rows are summed.
#[derive(Debug, Default)]
struct Sums {
    by_status: BTreeMap<Status, i64>,
    scheduled: i64,
    unresolved: FailureHistogram,
}

impl Sums {
    fn add(&mut self, row: &Item, now: Timestamp) {
        for status in Status::ALL {
            *self.by_status.entry(status).or_default() += number::<i64>(row, status.as_str()).unwrap_or(0);
        }
        self.scheduled += number::<i64>(row, SCHEDULED).unwrap_or(0);
        self.unresolved.add(row, now);
    }

    fn counts(self) -> FlowCounts {
        let ends = self.unresolved.ends();
        let positive = self.by_status.into_iter().filter(|(_, count)| *count > 0);
        FlowCounts {
            by_status: positive.map(|(status, count)| (status, count.unsigned_abs())).collect(),
            scheduled: self.scheduled.max(0).unsigned_abs(),
            oldest_failure_at: ends.map(|(oldest, _)| oldest),
            newest_failure_at: ends.map(|(_, newest)| newest),
        }
    }
}

/// One failure group as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCount {
    /// Which.
    pub fingerprint: Fingerprint,
    /// One of its error texts.
    pub message: Option<String>,
    /// The category of its first failure.
    pub category: String,
    /// Failed interchanges in it now.
    pub count: u64,
    /// When its first failure was recorded.
    pub first_seen_at: Timestamp,
    /// When its newest failure was recorded.
    pub last_seen_at: Timestamp,
}

/// Sums the named numbers of a job's count rows.
pub(crate) fn sum(rows: &[Item]) -> HashMap<String, i64> {
    let mut sums = HashMap::new();
    for row in rows {
        for name in row.keys().filter(|name| ![PK, SK, TTL].contains(&name.as_str())) {
            if let Some(by) = number::<i64>(row, name) {
                *sums.entry(name.clone()).or_default() += by;
            }
        }
    }
    sums
}

/// Reads a job's counts from the sums of its rows; `matched` stands on the job itself.
pub(crate) fn job_counts(sums: &HashMap<String, i64>, matched: u64) -> domain::JobCounts {
    let of = |name: &str| sums.get(name).copied().unwrap_or(0).max(0).unsigned_abs();
    let skips = sums
        .keys()
        .filter_map(|name| name.strip_prefix(SKIP_PREFIX).map(|reason| (reason.to_owned(), of(name))))
        .filter(|(_, count)| *count > 0)
        .collect();
    domain::JobCounts { matched, sent: of(SENT), skips, completed: of(COMPLETED), failed_again: of(FAILED_AGAIN) }
}

/// Before the reason in a skip count's name.
pub(crate) const SKIP_PREFIX: &str = "skip:";

impl Table {
    /// Every flow that was configured or ever failed, with its counts as of `now`, in one read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn flow_counts(&self, now: Timestamp) -> Result<BTreeMap<FlowName, FlowCounts>, TableError> {
        let rows = self.query_all(self.query(keys::BY_PK).expression_attribute_values(":pk", s(FLOWS))).await?;
        let mut flows: BTreeMap<FlowName, Sums> = BTreeMap::new();
        for row in rows {
            let name = crate::item::text(&row, SK)?.rsplit_once('#').map(|(flow, _)| flow.to_owned());
            let Some(flow) = name.and_then(|name| FlowName::new(name).ok()) else { continue };
            flows.entry(flow).or_default().add(&row, now);
        }
        Ok(flows.into_iter().map(|(flow, sums)| (flow, sums.counts())).collect())
    }

    /// One flow's counts as of `now`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn counts_of(&self, flow: &FlowName, now: Timestamp) -> Result<FlowCounts, TableError> {
        let query = self.query(keys::BY_PREFIX);
        let query = query
            .expression_attribute_values(":pk", s(FLOWS))
            .expression_attribute_values(":sk", s(keys::flow_row(flow, "")));
        let mut sums = Sums::default();
        for row in self.query_all(query).await? {
            sums.add(&row, now);
        }
        Ok(sums.counts())
    }

    /// The failure groups of a flow that hold failures now, largest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn groups(&self, flow: &FlowName) -> Result<Vec<GroupCount>, TableError> {
        let query = self.query(keys::BY_PREFIX);
        let query = query
            .expression_attribute_values(":pk", s(keys::flow(flow)))
            .expression_attribute_values(":sk", s(keys::GROUP_PREFIX));
        let mut sums: BTreeMap<String, (i64, Option<GroupCount>)> = BTreeMap::new();
        for row in self.query_all(query).await? {
            let Some(fingerprint) = crate::item::text(&row, SK)?.split('#').nth(1).map(str::to_owned) else { continue };
            let told = told(&row, &fingerprint);
            let (count, group) = sums.entry(fingerprint).or_default();
            *count += number::<i64>(&row, GROUP_COUNT).unwrap_or(0);
            *group = match (group.take(), told) {
                (Some(a), Some(b)) => Some(GroupCount {
                    first_seen_at: a.first_seen_at.min(b.first_seen_at),
                    last_seen_at: a.last_seen_at.max(b.last_seen_at),
                    message: a.message.or(b.message),
                    ..a
                }),
                (a, b) => a.or(b),
            };
        }
        let mut groups: Vec<GroupCount> = sums
            .into_values()
            .filter_map(|(count, group)| Some(GroupCount { count: u64::try_from(count).ok()?, ..group? }))
            .filter(|group| group.count > 0)
            .collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
        Ok(groups)
    }
}

/// What a row tells of its group; nothing where its writer only ever took failures out.
fn told(row: &Item, fingerprint: &str) -> Option<GroupCount> {
    let seen = |name: &str| crate::item::text(row, name).ok().and_then(|t| t.parse::<Timestamp>().ok());
    Some(GroupCount {
        fingerprint: Fingerprint::kept(fingerprint.to_owned()),
        message: crate::item::text(row, MESSAGE).ok().filter(|m| !m.is_empty()).map(str::to_owned),
        category: crate::item::text(row, "cat").ok()?.to_owned(),
        count: 0,
        first_seen_at: seen("seen0")?,
        last_seen_at: seen("seen1")?,
    })
}
