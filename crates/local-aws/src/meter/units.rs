//! Calculates the write units of DynamoDB by the rules of its developer guide ("DynamoDB read and write operations",
//! "Item sizes and formats", "Using global secondary indexes: write capacity").

use std::collections::{BTreeSet, HashMap};

use dynoxide::types::{ProjectionType, item_size};
use dynoxide::{AttributeValue, Item};

/// The size of a write unit, in bytes.
const WRITE_UNIT: usize = 1_024;

/// The properties of a table that determine the cost of writes.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The attributes of its key, partition key first.
    pub(super) keys: Vec<String>,
    pub(super) indexes: Vec<Index>,
}

/// A secondary index, global or local.
#[derive(Debug)]
pub(super) struct Index {
    /// The attributes of its key.
    keys: Vec<String>,
    /// The projected attributes. `None` is all attributes.
    projected: Option<BTreeSet<String>>,
}

impl Index {
    pub(super) fn new(table: &[String], keys: Vec<String>, kind: ProjectionType, included: Vec<String>) -> Self {
        let projected = match kind {
            ProjectionType::ALL => None,
            ProjectionType::KEYS_ONLY => Some(table.iter().chain(&keys).cloned().collect()),
            ProjectionType::INCLUDE => Some(table.iter().chain(&keys).cloned().chain(included).collect()),
        };
        Self { keys, projected }
    }

    /// The index entry of an item. `None` if the item lacks an attribute of the index's key.
    fn entry(&self, item: Option<&Item>) -> Option<Item> {
        let item = item.filter(|item| self.keys.iter().all(|key| item.contains_key(key)))?;
        let held =
            item.iter().filter(|(name, _)| self.projected.as_ref().is_none_or(|projected| projected.contains(*name)));
        Some(held.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The write units of the index for a change from `before` to `after`: none if the index entry is unchanged, a delete
    /// and a put if the index's key changes.
    pub(super) fn units(&self, before: Option<&Item>, after: Option<&Item>) -> u64 {
        match (self.entry(before), self.entry(after)) {
            (None, None) => 0,
            (Some(entry), None) | (None, Some(entry)) => units(item_size(&entry)),
            (Some(before), Some(after)) => {
                let (was, is) = (units(item_size(&before)), units(item_size(&after)));
                if self.keys.iter().any(|key| before.get(key) != after.get(key)) {
                    was + is
                } else if unchanged(&before, &after) {
                    0
                } else {
                    was.max(is)
                }
            }
        }
    }
}

/// The write units for `bytes`: one for each started KB, at least one.
pub(super) fn units(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(WRITE_UNIT)).unwrap_or(u64::MAX).max(1)
}

/// The larger of an item's sizes before and after a write, for which the table charges.
pub(super) fn larger(before: Option<&Item>, after: Option<&Item>) -> usize {
    before.map_or(0, item_size).max(after.map_or(0, item_size))
}

/// Whether two items are equal for DynamoDB, where the members of a set have no order.
fn unchanged(before: &Item, after: &Item) -> bool {
    let same = |(name, value): (&String, &AttributeValue)| after.get(name).is_some_and(|other| same(value, other));
    before.len() == after.len() && before.iter().all(same)
}

fn same(a: &AttributeValue, b: &AttributeValue) -> bool {
    match (a, b) {
        (AttributeValue::SS(a), AttributeValue::SS(b)) | (AttributeValue::NS(a), AttributeValue::NS(b)) => {
            a.iter().collect::<BTreeSet<_>>() == b.iter().collect()
        }
        (AttributeValue::BS(a), AttributeValue::BS(b)) => a.iter().collect::<BTreeSet<_>>() == b.iter().collect(),
        (AttributeValue::L(a), AttributeValue::L(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (AttributeValue::M(a), AttributeValue::M(b)) => {
            let (a, b): (&HashMap<_, _>, &HashMap<_, _>) = (a, b);
            unchanged(a, b)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(json: serde_json::Value) -> Item {
        serde_json::from_value(json).unwrap()
    }

    /// An item of exactly `bytes` bytes, with the attributes in `more`.
    fn sized(bytes: usize, more: serde_json::Value) -> Item {
        let mut item = item(more);
        let rest = bytes - item_size(&item) - "x".len();
        item.insert("x".to_owned(), AttributeValue::S("x".repeat(rest)));
        assert_eq!(item_size(&item), bytes);
        item
    }

    fn index(kind: ProjectionType, included: &[&str]) -> Index {
        let included = included.iter().map(|&name| name.to_owned()).collect();
        Index::new(&["pk".to_owned()], vec!["ip".to_owned()], kind, included)
    }

    /// Developer guide, "DynamoDB read and write operations", capacity unit consumption for write operations: item
    /// sizes are rounded up to the next 1 KB multiple, writing 500 bytes costs what 1 KB does; an item of 1.5 KB takes 2.
    #[test]
    fn a_write_is_rounded_up_to_the_next_kilobyte() {
        let kilobytes = [(1, 1), (500, 1), (1_024, 1), (1_025, 2), (1_536, 2), (6_656, 7), (400 * 1_024, 400)];
        assert_eq!(kilobytes.map(|(bytes, _)| units(bytes)), kilobytes.map(|(_, units)| units));
        assert_eq!(units(0), 1, "a delete of nothing still costs one");
    }

    /// Developer guide, "Capacity unit consumption for write operations", `UpdateItem`: the larger of the sizes before
    /// and after counts, even when only a part of the attributes is written.
    #[test]
    fn a_write_is_sized_on_the_larger_of_before_and_after() {
        let (small, large) = (sized(300, json!({})), sized(2_000, json!({})));
        assert_eq!(units(larger(Some(&large), Some(&small))), 2);
        assert_eq!(units(larger(Some(&small), Some(&large))), 2);
        assert_eq!(units(larger(Some(&large), None)), 2);
        assert_eq!(units(larger(None, None)), 1);
    }

    /// Developer guide, "Item sizes and formats": texts by their UTF-8 bytes, a number by one byte for two significant
    /// digits and one more, null and Boolean one byte, a list or map 3 bytes and one for each element.
    #[test]
    fn an_item_is_sized_by_names_and_values() {
        let sizes = [
            (json!({ "name": { "S": "Grüße" } }), 4 + 7),
            (json!({ "n": { "N": "1234" } }), 1 + 2 + 1),
            (json!({ "n": { "N": "-1234" } }), 1 + 2 + 1 + 1),
            (json!({ "n": { "N": "1000" } }), 1 + 1 + 1),
            (json!({ "b": { "B": "AAEC" } }), 1 + 3),
            (json!({ "t": { "BOOL": true }, "u": { "NULL": true } }), 2 + 2),
            (json!({ "l": { "L": [] }, "m": { "M": {} } }), 4 + 4),
            (json!({ "l": { "L": [{ "S": "ab" }, { "N": "7" }] } }), 1 + 3 + (1 + 2) + (1 + 2)),
            (json!({ "m": { "M": { "key": { "S": "ab" } } } }), 1 + 3 + (1 + 3 + 2)),
            (json!({ "s": { "SS": ["ab", "c"] } }), 1 + 3),
        ];
        for (json, size) in sizes {
            assert_eq!(item_size(&item(json.clone())), size, "{json}");
        }
    }

    /// Developer guide, "Global secondary indexes", write capacity: its five cases.
    #[test]
    fn an_index_charges_only_for_what_changes_in_it() {
        let index = index(ProjectionType::INCLUDE, &["row"]);
        let of = |key: &str, row: &str, rest: &str| {
            item(json!({ "pk": { "S": "1" }, "ip": { "S": key }, "row": { "S": row }, "rest": { "S": rest } }))
        };
        let bare = item(json!({ "pk": { "S": "1" }, "row": { "S": "a" } }));
        let here = of("A", "a", "x");
        let cases = [
            ("a new item defines the key: one put", None, Some(&here), 1),
            ("an update moves the key: a delete and a put", Some(&here), Some(&of("B", "a", "x")), 2),
            ("the key is removed: one delete", Some(&here), Some(&bare), 1),
            ("not in the index before and after: nothing", Some(&bare), Some(&bare), 0),
            ("only what is projected changes: one put", Some(&here), Some(&of("A", "b", "x")), 1),
            ("what changes is not projected: nothing", Some(&here), Some(&of("A", "a", "y")), 0),
            ("the item is deleted: one delete", Some(&here), None, 1),
        ];
        for (what, before, after, units) in cases {
            assert_eq!(index.units(before, after), units, "{what}");
        }
    }

    #[test]
    fn an_index_is_charged_for_its_projected_size() {
        let large = |key: &str| sized(3_000, json!({ "pk": { "S": "1" }, "ip": { "S": key } }));
        let keys_only = index(ProjectionType::KEYS_ONLY, &[]);
        assert_eq!(keys_only.units(None, Some(&large("A"))), 1);
        let all = index(ProjectionType::ALL, &[]);
        assert_eq!(all.units(None, Some(&large("A"))), 3);
        assert_eq!(all.units(Some(&large("A")), Some(&large("B"))), 6);
    }

    #[test]
    fn the_members_of_a_set_have_no_order() {
        let index = index(ProjectionType::ALL, &[]);
        let of =
            |set: [&str; 2]| item(json!({ "pk": { "S": "1" }, "ip": { "S": "A" }, "s": { "L": [{ "SS": set }] } }));
        assert_eq!(index.units(Some(&of(["a", "b"])), Some(&of(["b", "a"]))), 0);
        assert_eq!(index.units(Some(&of(["a", "b"])), Some(&of(["a", "c"]))), 1);
    }
}
