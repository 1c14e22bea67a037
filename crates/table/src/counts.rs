//! Counts by status, failure group and job: changed in the very commit that changes a head (`deltas.rs`), so exact at
//! every moment. A read sums the rows of all writers.

use std::collections::{BTreeMap, HashMap};

use domain::{Fingerprint, FlowName, Status, Timestamp};

use crate::deltas::{COMPLETED, FAILED_AGAIN, GROUP_COUNT, SENT};
use crate::item::{Item, number, s};
use crate::keys::{self, FLOWS, PK, SK, TTL};
use crate::{Table, TableError};

/// How many interchanges of a flow stand where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowCounts(pub BTreeMap<Status, u64>);

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
    /// Every flow that was configured or ever failed, with its counts, in one read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn flow_counts(&self) -> Result<BTreeMap<FlowName, FlowCounts>, TableError> {
        let rows = self.query_all(self.query(keys::BY_PK).expression_attribute_values(":pk", s(FLOWS))).await?;
        let mut flows: BTreeMap<FlowName, BTreeMap<Status, i64>> = BTreeMap::new();
        for row in rows {
            let name = crate::item::text(&row, SK)?.rsplit_once('#').map(|(flow, _)| flow.to_owned());
            let Some(flow) = name.and_then(|name| FlowName::new(name).ok()) else { continue };
            let counts = flows.entry(flow).or_default();
            for status in Status::ALL {
                *counts.entry(status).or_default() += number::<i64>(&row, status.as_str()).unwrap_or(0);
            }
        }
        Ok(flows.into_iter().map(|(flow, counts)| (flow, FlowCounts(positive(counts)))).collect())
    }

    /// One flow's counts.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn counts_of(&self, flow: &FlowName) -> Result<FlowCounts, TableError> {
        let query = self.query(keys::BY_PREFIX);
        let query = query
            .expression_attribute_values(":pk", s(FLOWS))
            .expression_attribute_values(":sk", s(keys::flow_row(flow, "")));
        let mut counts = BTreeMap::new();
        for row in self.query_all(query).await? {
            for status in Status::ALL {
                *counts.entry(status).or_default() += number::<i64>(&row, status.as_str()).unwrap_or(0);
            }
        }
        Ok(FlowCounts(positive(counts)))
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
        message: crate::item::text(row, "msg").ok().filter(|m| !m.is_empty()).map(str::to_owned),
        category: crate::item::text(row, "cat").ok()?.to_owned(),
        count: 0,
        first_seen_at: seen("seen0")?,
        last_seen_at: seen("seen1")?,
    })
}

fn positive(counts: BTreeMap<Status, i64>) -> BTreeMap<Status, u64> {
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(status, count)| (status, count.unsigned_abs())).collect()
}
