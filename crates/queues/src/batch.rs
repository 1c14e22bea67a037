//! Packing messages into SQS batches: ten entries and 1 MiB, attributes counted.

/// Most entries of one batch.
const MOST_ENTRIES: usize = 10;

/// Most bytes of one message and of one batch.
const MOST_BYTES: usize = 1_048_576;

/// Splits messages of these sizes into batches, in order; the answer holds positions. A message that is larger
/// than a batch stands alone, so that SQS's refusal concerns nothing else.
pub(crate) fn packed(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
    for (position, size) in sizes.iter().enumerate() {
        match batches.last_mut() {
            Some((sum, batch)) if batch.len() < MOST_ENTRIES && *sum + size <= MOST_BYTES => {
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

    #[test]
    fn ten_small_messages_share_a_batch_and_the_eleventh_opens_the_next() {
        assert_eq!(packed(&[1; 11]).iter().map(Vec::len).collect::<Vec<_>>(), [10, 1]);
    }

    #[test]
    fn a_message_that_is_too_large_stands_alone() {
        assert_eq!(packed(&[10, 2_000_000, 10]), [vec![0], vec![1], vec![2]]);
        assert_eq!(packed(&[600_000, 600_000]), [vec![0], vec![1]]);
    }
}
