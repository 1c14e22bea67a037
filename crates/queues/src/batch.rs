//! Packs messages into SQS batches of at most ten entries and 1 MiB, attributes included.

/// Entries of one SQS batch call.
pub(crate) const MAX_BATCH_ENTRIES: usize = 10;

/// Bytes of one message and of one batch, attributes included.
pub(crate) const MAX_BYTES: usize = 1_048_576;

/// The properties of a message that decide which batch it goes into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchItem<'a> {
    /// Bytes of the message, attributes included.
    pub(crate) size: usize,
    /// The FIFO group; `None` for a standard queue.
    pub(crate) group: Option<&'a str>,
}

/// Splits messages into batches and keeps their order. Each batch is a list of positions in `items`.
///
/// A message that is larger than a batch gets its own batch, so that SQS refuses that message only. A batch has at most
/// one message of a FIFO group, because SQS may fail one entry of a batch and accept the entries after it.
pub(crate) fn pack_batches(items: &[BatchItem<'_>]) -> Vec<Vec<usize>> {
    let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
    for (position, BatchItem { size, group }) in items.iter().enumerate() {
        let has_same_group = |batch: &[usize]| group.is_some() && batch.iter().any(|i| items[*i].group == *group);
        match batches.last_mut() {
            Some((sum, batch))
                if batch.len() < MAX_BATCH_ENTRIES && *sum + size <= MAX_BYTES && !has_same_group(batch) =>
            {
                *sum += size;
                batch.push(position);
            }
            _ => batches.push((*size, vec![position])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack_sizes(sizes: &[usize]) -> Vec<Vec<usize>> {
        pack_batches(&sizes.iter().map(|size| BatchItem { size: *size, group: None }).collect::<Vec<_>>())
    }

    #[test]
    fn ten_small_messages_share_a_batch_and_the_eleventh_starts_the_next() {
        assert_eq!(pack_sizes(&[1; 11]).iter().map(Vec::len).collect::<Vec<_>>(), [10, 1]);
    }

    #[test]
    fn a_message_that_is_too_large_gets_its_own_batch() {
        assert_eq!(pack_sizes(&[10, 2_000_000, 10]), [vec![0], vec![1], vec![2]]);
        assert_eq!(pack_sizes(&[600_000, 600_000]), [vec![0], vec![1]]);
    }

    #[test]
    fn messages_of_one_group_never_share_a_batch() {
        let groups = ["a", "b", "a", "a", "c"];
        let items = groups.map(|group| BatchItem { size: 1, group: Some(group) });
        assert_eq!(pack_batches(&items), [vec![0, 1], vec![2], vec![3, 4]]);
    }
}
