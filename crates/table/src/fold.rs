//! Folding: count rows of writers that are quiet become one, so that sums stay cheap however many writers came and
//! went. Each fold is one transaction with the condition that nothing changed since it was read; a concurrent change cancels it.
//! What failed long ago is counted wider on the way, and what no failure is left of is dropped (`failure_histogram.rs`).

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, Put};
use domain::{FlowName, Timestamp};

use crate::deltas::GROUP_COUNT;
use crate::failure_histogram::{Bucket, FailureHistogram};
use crate::item::{Item, key, n, number, s, text};
use crate::keys::{self, CHANGED_AT, CHANGES, FLOWS, FOLDED, IF_ABSENT, PK, SHAPE_VERSION, SK};
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError};

/// Rows of one fold: a transaction takes a hundred actions.
const MAX_ROWS: usize = 99;

/// Buckets that a folded row must be able to lose before it is rewritten with nothing to fold into it.
const SPANS_TO_LOSE: usize = 60;

impl Table {
    /// Folds the count rows of all flows and failure groups that were not changed since `quiet_since`. Gives back
    /// how many rows are fewer.
    ///
    /// # Errors
    /// When the table cannot be read or written; what was folded until then stays so.
    pub async fn fold_counts(&self, quiet_since: Timestamp) -> Result<usize, TableError> {
        let rows = self.query_all(self.query(keys::BY_PK).expression_attribute_values(":pk", s(FLOWS))).await?;
        let mut fewer = 0;
        let mut flows = Vec::new();
        for (flow, rows) in by_name(rows)? {
            fewer += self.fold(rows, quiet_since).await?;
            flows.extend(FlowName::new(flow).ok());
        }
        for flow in flows {
            let query = self
                .query(keys::BY_PREFIX)
                .expression_attribute_values(":pk", s(keys::flow(&flow)))
                .expression_attribute_values(":sk", s(keys::GROUP_PREFIX));
            for rows in by_name(self.query_all(query).await?)?.into_values() {
                fewer += self.fold(rows, quiet_since).await?;
            }
        }
        Ok(fewer)
    }

    /// Folds the quiet ones among rows that count the same thing.
    async fn fold(&self, rows: Vec<Item>, quiet_since: Timestamp) -> Result<usize, TableError> {
        let is_quiet = |row: &Item| {
            let changed = text(row, CHANGED_AT).ok().and_then(|t| t.parse::<Timestamp>().ok());
            changed.is_some_and(|changed| changed < quiet_since)
        };
        let (folded, quiet): (Vec<Item>, Vec<Item>) =
            rows.into_iter().filter(|row| is_folded(row) || is_quiet(row)).partition(is_folded);
        let mut folded = folded.into_iter().next();
        if quiet.is_empty() {
            let Some(before) = folded else { return Ok(0) };
            let smaller = merged(&[], Some(&before), quiet_since)?;
            if is_empty_group(&smaller) {
                return Ok(usize::from(self.replace(&[], Some(&before), None).await?));
            }
            if smaller.len() + SPANS_TO_LOSE <= before.len() {
                self.replace(&[], Some(&before), Some(smaller)).await?;
            }
            return Ok(0);
        }
        let mut fewer = 0;
        for quiet in quiet.chunks(MAX_ROWS) {
            let row = merged(quiet, folded.as_ref(), quiet_since)?;
            let row = Some(row).filter(|row| !is_empty_group(row));
            if !self.replace(quiet, folded.as_ref(), row.clone()).await? {
                break;
            }
            fewer += quiet.len() + usize::from(folded.is_some()) - usize::from(row.is_some());
            folded = row;
        }
        Ok(fewer)
    }

    /// Puts `row` in the place of `quiet` and `folded`, or nothing, unless one of them was changed since it was read.
    async fn replace(&self, quiet: &[Item], folded: Option<&Item>, row: Option<Item>) -> Result<bool, TableError> {
        let mut actions = Actions::default();
        let gone = folded.filter(|_| row.is_none());
        for row in quiet.iter().chain(gone) {
            let delete = Delete::builder().table_name(&self.name).set_key(Some(key(text(row, PK)?, text(row, SK)?)));
            let delete = delete
                .condition_expression("#k = :k")
                .expression_attribute_names("#k", CHANGES)
                .expression_attribute_values(":k", n(changes(row)));
            actions.delete(self.built(delete.build())?);
        }
        if let Some(row) = row {
            let put = Put::builder().table_name(&self.name).set_item(Some(row));
            let put = match folded {
                None => put.condition_expression(IF_ABSENT),
                Some(folded) => put
                    .condition_expression("#k = :k")
                    .expression_attribute_names("#k", CHANGES)
                    .expression_attribute_values(":k", n(changes(folded))),
            };
            actions.put(self.built(put.build())?);
        }
        Ok(matches!(self.transact(actions).await?, Transacted::Done))
    }
}

/// Rows by what they count: their sort key without the writer. The row that only registers a flow is left out.
fn by_name(rows: Vec<Item>) -> Result<BTreeMap<String, Vec<Item>>, TableError> {
    let mut by_name: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for row in rows {
        if let Some((name, writer)) = text(&row, SK)?.rsplit_once('#') {
            let rows = by_name.entry(name.to_owned()).or_default();
            if !writer.is_empty() {
                rows.push(row);
            }
        }
    }
    Ok(by_name)
}

/// Whether it is the row of a failure group that has no failure left: it goes, and the sample of its error text with it.
fn is_empty_group(row: &Item) -> bool {
    text(row, SK).is_ok_and(|sk| sk.starts_with(keys::GROUP_PREFIX))
        && number::<i64>(row, GROUP_COUNT).unwrap_or(0) == 0
}

fn is_folded(row: &Item) -> bool {
    text(row, SK).is_ok_and(|sk| sk.rsplit_once('#').is_some_and(|(_, writer)| writer == FOLDED))
}

fn changes(row: &Item) -> i64 {
    number(row, CHANGES).unwrap_or(0)
}

/// One row that says what all of these say together, and tells spans apart as it is done at `now`.
fn merged(quiet: &[Item], folded: Option<&Item>, now: Timestamp) -> Result<Item, TableError> {
    let mut row = Item::new();
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut spans = FailureHistogram::default();
    for part in folded.into_iter().chain(quiet) {
        let name = text(part, SK)?.rsplit_once('#').map_or("", |(name, _)| name);
        row.extend(key(text(part, PK)?, format!("{name}#{FOLDED}")));
        spans.add(part, now);
        for attribute in part.keys().filter(|attribute| Bucket::named(attribute).is_none()) {
            if let Some(by) = number::<i64>(part, attribute) {
                let sum = sums.entry(attribute).or_default();
                // The version of a shape is no count.
                *sum = if attribute == SHAPE_VERSION { by.max(*sum) } else { *sum + by };
            }
            // The sample of a group, and what a later release notes: the first one stays.
            if let (Ok(noted), false) = (text(part, attribute), row.contains_key(attribute)) {
                row.insert(attribute.clone(), s(noted));
            }
        }
        keep(&mut row, part, "seen0", |new, kept| new < kept);
        keep(&mut row, part, "seen1", |new, kept| new > kept);
        keep(&mut row, part, CHANGED_AT, |new, kept| new > kept);
    }
    row.extend(sums.into_iter().map(|(attribute, sum)| (attribute.to_owned(), n(sum))));
    let filled = spans.0.into_iter().filter(|(_, count)| *count != 0);
    row.extend(filled.map(|(span, count)| (span.name(), n(count))));
    Ok(row)
}

/// Takes a time over where it is the one that counts.
fn keep(row: &mut Item, part: &Item, attribute: &str, counts: impl Fn(Timestamp, Timestamp) -> bool) {
    let time = |item: &Item| text(item, attribute).ok().and_then(|t| t.parse::<Timestamp>().ok());
    if let Some(new) = time(part)
        && time(row).is_none_or(|kept| counts(new, kept))
    {
        row.insert(attribute.to_owned(), s(new.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn row(writer: &str, failed: i64, seen: &str) -> Item {
        let mut row = key(FLOWS, format!("orders#{writer}"));
        row.insert("failed".to_owned(), n(failed));
        row.insert(CHANGES.to_owned(), n(1));
        for name in ["seen0", "seen1", CHANGED_AT] {
            row.insert(name.to_owned(), s(seen));
        }
        row
    }

    #[test]
    fn folded_rows_say_together_what_each_said() {
        let (a, b) = (row("a", 5, "2026-11-20T14:00:00Z"), row("b", -2, "2026-11-20T15:00:00Z"));
        let folded = row(FOLDED, 10, "2026-11-20T13:00:00Z");
        let merged = merged(&[a, b], Some(&folded), at("2026-11-20T16:00:00Z")).unwrap();
        assert_eq!(text(&merged, SK).unwrap(), "orders#folded");
        assert_eq!((number::<i64>(&merged, "failed"), number::<i64>(&merged, CHANGES)), (Some(13), Some(3)));
        assert_eq!(text(&merged, "seen0").unwrap(), "2026-11-20T13:00:00Z");
        assert_eq!(text(&merged, "seen1").unwrap(), "2026-11-20T15:00:00Z");
    }
    #[test]
    fn the_row_of_a_group_is_empty_when_none_of_its_failures_is_left() {
        let group = |count: i64| {
            let mut row = key("FLOW#orders", "GROUP#551b49a4eb2fb98e#folded");
            row.insert(GROUP_COUNT.to_owned(), n(count));
            row
        };
        assert!(is_empty_group(&group(0)) && !is_empty_group(&group(2)));
        assert!(!is_empty_group(&row(FOLDED, 0, "2026-11-20T14:00:00Z")), "the row of a flow stays");
    }

    #[test]
    fn a_folded_row_keeps_the_spans_that_failures_are_left_of_as_wide_as_their_age_asks() {
        let minute = |time: &str| Bucket::minute(at(time));
        let with = |writer: &str, counts: &[(&str, i64)]| {
            let mut row = row(writer, 0, "2026-11-20T12:00:00Z");
            row.extend(counts.iter().map(|(time, count)| (minute(time).name(), n(count))));
            row
        };
        let folded = with(FOLDED, &[("2026-11-20T13:01:00Z", 2), ("2026-11-20T04:01:00Z", 1)]);
        let quiet =
            with("a", &[("2026-11-20T13:01:00Z", -2), ("2026-11-20T13:30:00Z", 1), ("2026-11-20T04:59:00Z", 3)]);
        let now = at("2026-11-20T14:00:00Z");
        let merged = merged(&[quiet], Some(&folded), now).unwrap();
        let mut spans = FailureHistogram::default();
        spans.add(&merged, now);
        let hour = minute("2026-11-20T04:00:00Z").at(now);
        assert_eq!(spans.0, [(minute("2026-11-20T13:30:00Z"), 1), (hour, 4)].into());
        assert!(merged.contains_key(&hour.name()) && !merged.contains_key(&minute("2026-11-20T04:01:00Z").name()));
    }
}
