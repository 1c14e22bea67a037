//! Packing messages into SQS batches: ten entries and 1 MiB, attributes counted.

/// Most entries of one batch.
const MOST_ENTRIES: usize = 10;

/// Most bytes of one message and of one batch.
pub(crate) const MOST_BYTES: usize = 1_048_576;

/// What decides which messages share a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'a> {
    /// Bytes, attributes counted.
    pub(crate) size: usize,
    /// The FIFO group, where the queue keeps an order.
    pub(crate) group: Option<&'a str>,
}

/// Splits messages into batches, in order; the answer holds positions. A message that is larger than a batch stands
/// alone, so that SQS's refusal concerns nothing else. A batch has one message of a group: SQS may fail one entry of a
/// batch and take those behind it.
pub(crate) fn packed(parcels: &[Parcel<'_>]) -> Vec<Vec<usize>> {
    let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
    for (position, Parcel { size, group }) in parcels.iter().enumerate() {
        let meets_its_group = |batch: &[usize]| group.is_some() && batch.iter().any(|i| parcels[*i].group == *group);
        match batches.last_mut() {
            Some((sum, batch))
                if batch.len() < MOST_ENTRIES && *sum + size <= MOST_BYTES && !meets_its_group(batch) =>
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

    fn of_sizes(sizes: &[usize]) -> Vec<Vec<usize>> {
        packed(&sizes.iter().map(|size| Parcel { size: *size, group: None }).collect::<Vec<_>>())
    }

    #[test]
    fn ten_small_messages_share_a_batch_and_the_eleventh_opens_the_next() {
        assert_eq!(of_sizes(&[1; 11]).iter().map(Vec::len).collect::<Vec<_>>(), [10, 1]);
    }

    #[test]
    fn a_message_that_is_too_large_stands_alone() {
        assert_eq!(of_sizes(&[10, 2_000_000, 10]), [vec![0], vec![1], vec![2]]);
        assert_eq!(of_sizes(&[600_000, 600_000]), [vec![0], vec![1]]);
    }

    #[test]
    fn messages_of_one_group_never_share_a_batch() {
        let groups = ["a", "b", "a", "a", "c"];
        let parcels = groups.map(|group| Parcel { size: 1, group: Some(group) });
        assert_eq!(packed(&parcels), [vec![0, 1], vec![2], vec![3, 4]]);
    }
}
