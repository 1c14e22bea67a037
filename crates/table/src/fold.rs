//! Folding: count rows of writers that are quiet become one, so that sums stay cheap however many writers came and
//! went. Each fold is one transaction on the condition of what it read; whoever adds meanwhile makes it not happen.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, Put};
use domain::{FlowName, Timestamp};

use crate::item::{Item, key, n, number, s, text};
use crate::keys::{self, CHANGED_AT, CHANGES, FLOWS, FOLDED, IF_ABSENT, PK, SK};
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError};

/// Rows of one fold: a transaction takes a hundred actions.
const MOST_ROWS: usize = 99;

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
        let (folded, mut quiet): (Vec<Item>, Vec<Item>) =
            rows.into_iter().filter(|row| is_folded(row) || is_quiet(row)).partition(is_folded);
        quiet.truncate(MOST_ROWS);
        if quiet.is_empty() {
            return Ok(0);
        }
        let mut actions = Actions::default();
        for row in &quiet {
            let delete = Delete::builder().table_name(&self.name).set_key(Some(key(text(row, PK)?, text(row, SK)?)));
            let delete = delete
                .condition_expression("#k = :k")
                .expression_attribute_names("#k", CHANGES)
                .expression_attribute_values(":k", n(changes(row)));
            actions.delete(self.built(delete.build())?);
        }
        let before = folded.first();
        let put = Put::builder().table_name(&self.name).set_item(Some(merged(&quiet, before)?));
        let put = match before {
            None => put.condition_expression(IF_ABSENT),
            Some(before) => put
                .condition_expression("#k = :k")
                .expression_attribute_names("#k", CHANGES)
                .expression_attribute_values(":k", n(changes(before))),
        };
        actions.put(self.built(put.build())?);
        let made = usize::from(before.is_none());
        match self.transact(actions).await? {
            Transacted::Done => Ok(quiet.len() - made),
            Transacted::ConditionsFailed(_) | Transacted::Refused(..) => Ok(0),
        }
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

fn is_folded(row: &Item) -> bool {
    text(row, SK).is_ok_and(|sk| sk.rsplit_once('#').is_some_and(|(_, writer)| writer == FOLDED))
}

fn changes(row: &Item) -> i64 {
    number(row, CHANGES).unwrap_or(0)
}

/// One row that says what all of these say together.
fn merged(quiet: &[Item], folded: Option<&Item>) -> Result<Item, TableError> {
    let first = &quiet[0];
    let name = text(first, SK)?.rsplit_once('#').map_or("", |(name, _)| name);
    let mut row = key(text(first, PK)?, format!("{name}#{FOLDED}"));
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for part in folded.into_iter().chain(quiet) {
        for attribute in part.keys() {
            if let Some(by) = number::<i64>(part, attribute) {
                *sums.entry(attribute).or_default() += by;
            }
        }
        for attribute in ["msg", "cat"] {
            if let (Ok(told), false) = (text(part, attribute), row.contains_key(attribute)) {
                row.insert(attribute.to_owned(), s(told));
            }
        }
        keep(&mut row, part, "seen0", |new, kept| new < kept);
        keep(&mut row, part, "seen1", |new, kept| new > kept);
        keep(&mut row, part, CHANGED_AT, |new, kept| new > kept);
    }
    row.extend(sums.into_iter().map(|(attribute, sum)| (attribute.to_owned(), n(sum))));
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
        let merged = merged(&[a, b], Some(&folded)).unwrap();
        assert_eq!(text(&merged, SK).unwrap(), "orders#folded");
        assert_eq!((number::<i64>(&merged, "failed"), number::<i64>(&merged, CHANGES)), (Some(13), Some(3)));
        assert_eq!(text(&merged, "seen0").unwrap(), "2026-11-20T13:00:00Z");
        assert_eq!(text(&merged, "seen1").unwrap(), "2026-11-20T15:00:00Z");
    }
}
