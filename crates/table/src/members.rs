//! The members of a slot's batch, packed: dozens of ids are less than a kilobyte then, and a batch is written four times.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::InterchangeId;

use crate::TableError;
use crate::item::{Item, b, check_shape, json, read, unreadable};
use crate::keys::DATA;

/// Fast: more would save nothing, as ids are mostly chance.
const LEVEL: i32 = 1;

/// More than the members of one batch can be.
const MAX_BYTES: usize = 1 << 20;

/// When the members failed, in batches of an earlier release whose ids are a text.
const EARLIER_FAILED: &str = "f";

/// A member: when it failed, in microseconds since 1970, and its id.
pub(crate) type Member = (i64, InterchangeId);

/// What the attribute [`DATA`] of a batch holds.
pub(crate) fn packed(members: &[Member]) -> Result<AttributeValue, TableError> {
    let first = members.first().map_or(0, |(at, _)| *at);
    let ids: Vec<&str> = members.iter().map(|(_, id)| id.as_str()).collect();
    let after_first: Vec<i64> = members.iter().map(|(at, _)| at - first).collect();
    let packed = zstd::bulk::compress(json(&(first, after_first, ids)).as_bytes(), LEVEL);
    packed.map(b).map_err(|error| TableError::Unstorable {
        id: members.first().map(|(_, id)| id.to_string()).unwrap_or_default(),
        cause: error.to_string(),
    })
}

/// The members of a batch.
pub(crate) fn members(item: &Item) -> Result<Vec<Member>, TableError> {
    check_shape(item)?;
    let Some(packed) = item.get(DATA).and_then(|value| value.as_b().ok()) else { return earlier_members(item) };
    let text = zstd::bulk::decompress(packed.as_ref(), MAX_BYTES).map_err(|e| unreadable(item, &e.to_string()))?;
    let (first, after_first, ids): (i64, Vec<i64>, Vec<String>) =
        serde_json::from_slice(&text).map_err(|e| unreadable(item, &e.to_string()))?;
    named(item, after_first.into_iter().map(|after| first + after).zip(ids))
}

fn earlier_members(item: &Item) -> Result<Vec<Member>, TableError> {
    let ids: Vec<String> = read(item, DATA)?;
    let failed: Vec<i64> = if item.contains_key(EARLIER_FAILED) { read(item, EARLIER_FAILED)? } else { Vec::new() };
    let first = failed.first().copied().unwrap_or(0);
    let times = std::iter::once(first).chain(failed.iter().skip(1).map(|after| first + after));
    named(item, times.chain(std::iter::repeat(first)).zip(ids))
}

fn named(item: &Item, members: impl Iterator<Item = (i64, String)>) -> Result<Vec<Member>, TableError> {
    let named = members.map(|(at, id)| Ok((at, InterchangeId::new(id)?)));
    named.collect::<Result<_, domain::InvalidName>>().map_err(|e| unreadable(item, &e.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::item::s;

    fn id(text: &str) -> InterchangeId {
        InterchangeId::new(text).unwrap()
    }

    #[test]
    fn what_is_packed_is_read_again() {
        let given: Vec<Member> = (0..100).map(|n| (1_700_000_000_000_000 + n * 7, id(&format!("o-{n}")))).collect();
        let item = HashMap::from([(DATA.to_owned(), packed(&given).unwrap())]);
        assert_eq!(members(&item).unwrap(), given);
        let item = HashMap::from([(DATA.to_owned(), packed(&[]).unwrap())]);
        assert_eq!(members(&item).unwrap(), []);
    }

    #[test]
    fn a_batch_of_random_ids_is_below_a_kilobyte() {
        let given: Vec<Member> = (0..34).map(|n| (n * 1_000, id(&uuid::Uuid::new_v4().to_string()))).collect();
        let size = packed(&given).unwrap().as_b().unwrap().as_ref().len();
        assert!(size < 900, "{size}");
    }

    #[test]
    fn batches_of_an_earlier_release_are_read() {
        let mut item: Item = HashMap::from([(DATA.to_owned(), s(r#"["a","b"]"#))]);
        assert_eq!(members(&item).unwrap(), [(0, id("a")), (0, id("b"))]);
        item.insert(EARLIER_FAILED.to_owned(), s("[1000,5]"));
        assert_eq!(members(&item).unwrap(), [(1000, id("a")), (1005, id("b"))]);
    }
}
