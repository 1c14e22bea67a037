//! Every key and expression of the table.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `INTERCHANGE#id` | `HEAD` | the interchange; in `by-flow` under `ip` (`FLOW#flow#class#shard`) and `is` (`failedAt#id`). Without a log (`sq` 0): an early outcome, in no index, for 14 days |
//! | `INTERCHANGE#id` | `EVENT#0000000007` | events of a commit and of some later ones, named by the first, and small payloads that came with it |
//! | `INTERCHANGE#id` | `PAYLOAD#digest#0000` | one zstd chunk of a payload, named by its SHA-256 |
//! | `UPLOADS` | `time#uuid` | registers payloads that were written at this time, by the ids of their interchanges, until a commit names them |
//! | `FLOW#flow` | `CONFIG` | the flow's configuration |
//! | `FLOW#flow` | `GROUP#fingerprint#writer` | one writer's count of a failure group |
//! | `FLOW#flow` | `ACTIVE-JOB` | the one job that is active |
//! | `FLOW#flow` | `JOB#created#id` | a pointer to a job of the flow |
//! | `FLOWS` | `flow#writer-hour` | one writer's counts by status and by when it failed; `flow#` alone registers the flow |
//! | `SOURCE#arn` | `SOURCE` | the flow that a dead-letter queue or function belongs to |
//! | `SLOT#flow#minute` | batch | up to 100 ids that fall due then, packed |
//! | `SLOTS` | `minute#flow` | registers a slot until the sweep finds it empty |
//! | `HELD` | `flow#minute` | registers a slot of an inactive flow instead |
//! | `JOB#id` | `JOB` | the job |
//! | `JOB#id` | `CHUNK#00000001` | the ids of one chunk, and whether it is done |
//! | `JOB#id` | `COUNT#writer` | one writer's counts of the job |
//! | `JOB#id` | `LEASE#00000001`, `LEASE#WALK` | the lease on a chunk while it is worked on; that on the walk |
//! | `RUN#flow#minute` | `RUN` | how far the ordered run of a slot is, and its lease |
//! | `WORK#request` | `WORK` | a request to act on one interchange: its lease, and when its send was recorded |
//! | `SENT#claim` | `SENT` | when the send of a slot's batch was recorded |
//! | `JOBS` | job id | registers a job until it ends |
//! | `IDEMPOTENCY#key` | `REQUEST` | the job that an Idempotency-Key made, or what its action on one interchange found |
//! | `INTERCHANGE#id` | `ANSWER#key` | what the action of an Idempotency-Key answered |
//! | `SETTINGS` | `CURSOR-KEY` | the key that signs cursors |
//! | `SETTINGS` | `WORK-KEY` | the key that signs work on the jobs queue, and from when on work must be signed |
//! | `SETTINGS` | `EPOCH` | the number of the table's epoch; not there where the table was never restored |

use domain::{Claim, Digest, FlowName, InterchangeId, JobId, Slot, Status, Timestamp};

use crate::item::Item;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
/// Partition key of the index `by-flow`.
pub(crate) const INDEX_PK: &str = "ip";
/// Sort key of the index `by-flow`.
pub(crate) const INDEX_SK: &str = "is";
pub(crate) const INDEX: &str = "by-flow";
/// What a list row shows and its filters read, JSON; projected into the index.
pub(crate) const ROW: &str = "row";
/// What only the interchange's own page and its next transition need, JSON.
pub(crate) const REST: &str = "rest";
/// Digests of reports that were seen, 8 bytes each.
pub(crate) const SEEN: &str = "seen";
pub(crate) const VERSION: &str = "v";
/// The version of an item's shape. An item without one has version 1, which is what this release writes.
pub(crate) const SHAPE_VERSION: &str = "sv";
/// The highest version of a shape that this release reads: that of the next release, which adds only what this one may
/// pass over.
pub(crate) const MAX_SHAPE_VERSION: u32 = 2;
/// Seconds since 1970 at which DynamoDB may remove the item.
pub(crate) const TTL: &str = "ttl";
/// How often a count row was changed.
pub(crate) const CHANGES: &str = "k";
/// When a count row was changed last.
pub(crate) const CHANGED_AT: &str = "at";
/// When a payload chunk was written, as sortable text.
pub(crate) const WRITTEN_AT: &str = "at";
/// The writer whose rows hold what the sweep folded.
pub(crate) const FOLDED: &str = "folded";
/// The body of every item that is read whole: JSON.
pub(crate) const DATA: &str = "d";
/// The error text that shows what a failure group is about.
pub(crate) const MESSAGE: &str = "msg";
/// A payload chunk's bytes.
pub(crate) const BYTES: &str = "b";
/// From when on work must be signed, RFC 3339.
pub(crate) const SIGNED_FROM: &str = "signedFrom";
/// The number of the table's epoch.
pub(crate) const EPOCH_NUMBER: &str = "epoch";
/// How many chunks a payload has.
pub(crate) const CHUNKS: &str = "n";

/// The worker that holds a lease.
pub(crate) const WORKER: &str = "w";
/// When a lease ends, in milliseconds since 1970.
pub(crate) const LEASED_UNTIL: &str = "u";
/// What a worker left behind that gave up in the middle, JSON.
pub(crate) const LEFT: &str = "left";

pub(crate) const HEAD: &str = "HEAD";
pub(crate) const CONFIG: &str = "CONFIG";
pub(crate) const ACTIVE_JOB: &str = "ACTIVE-JOB";
pub(crate) const JOB: &str = "JOB";
pub(crate) const SOURCE: &str = "SOURCE";
pub(crate) const REQUEST: &str = "REQUEST";
pub(crate) const FLOWS: &str = "FLOWS";
pub(crate) const SLOTS: &str = "SLOTS";
pub(crate) const HELD: &str = "HELD";
pub(crate) const JOBS: &str = "JOBS";
pub(crate) const UPLOADS: &str = "UPLOADS";
pub(crate) const WALK_LEASE: &str = "LEASE#WALK";
pub(crate) const LEASE_PREFIX: &str = "LEASE#";
pub(crate) const CHUNK_PREFIX: &str = "CHUNK#";
pub(crate) const RUN: &str = "RUN";
pub(crate) const WORK: &str = "WORK";
pub(crate) const SENT: &str = "SENT";
pub(crate) const SETTINGS: &str = "SETTINGS";
pub(crate) const CURSOR_KEY: &str = "CURSOR-KEY";
pub(crate) const WORK_KEY: &str = "WORK-KEY";
pub(crate) const EPOCH: &str = "EPOCH";

pub(crate) const EVENT_PREFIX: &str = "EVENT#";
pub(crate) const PAYLOAD_PREFIX: &str = "PAYLOAD#";
/// Answers to requests with an Idempotency-Key.
pub(crate) const ANSWER_PREFIX: &str = "ANSWER#";
pub(crate) const GROUP_PREFIX: &str = "GROUP#";
pub(crate) const JOB_PREFIX: &str = "JOB#";
/// Behind the last of a flow's jobs.
pub(crate) const JOB_END: &str = "JOB#~";
pub(crate) const COUNT_PREFIX: &str = "COUNT#";

/// Projects the key of an item.
pub(crate) const KEY: &str = "pk, sk";
pub(crate) const IF_ABSENT: &str = "attribute_not_exists(pk)";
/// Of an item that is not there, or has lost its version.
pub(crate) const IF_NO_VERSION: &str = "attribute_not_exists(v)";
pub(crate) const IF_VERSION: &str = "v = :v";
pub(crate) const BY_PK: &str = "pk = :pk";
pub(crate) const BY_PREFIX: &str = "pk = :pk AND begins_with(sk, :sk)";
pub(crate) const BETWEEN: &str = "pk = :pk AND sk BETWEEN :first AND :last";
pub(crate) const FROM_SK: &str = "pk = :pk AND sk >= :sk";
pub(crate) const UP_TO_SK: &str = "pk = :pk AND sk < :sk";
pub(crate) const BY_INDEX: &str = "ip = :ip";
pub(crate) const BY_INDEX_AFTER: &str = "ip = :ip AND #is > :is";
pub(crate) const BY_INDEX_BEFORE: &str = "ip = :ip AND #is < :is";

/// Index shards of one flow and status: a single time-ordered key takes 1,000 writes a second, and a throttled
/// index throttles the table.
pub(crate) const SHARDS: u8 = 8;

/// What an item is about, by its partition key: `interchange`, `flow`, `job`, or `item` for all others, and which.
pub(crate) fn named(pk: &str) -> (&'static str, &str) {
    match pk.split_once('#') {
        Some(("INTERCHANGE", id)) => ("interchange", id),
        Some(("FLOW", name)) => ("flow", name),
        Some(("JOB", id)) => ("job", id),
        _ => ("item", pk),
    }
}

pub(crate) fn interchange(id: &InterchangeId) -> String {
    format!("INTERCHANGE#{id}")
}

pub(crate) fn event(first_sequence: u64) -> String {
    format!("{EVENT_PREFIX}{first_sequence:010}")
}

pub(crate) fn payload(digest: Digest) -> String {
    format!("{PAYLOAD_PREFIX}{digest}#")
}

pub(crate) fn payload_chunk(digest: Digest, chunk: usize) -> String {
    format!("{PAYLOAD_PREFIX}{digest}#{chunk:04}")
}

pub(crate) fn flow(flow: &FlowName) -> String {
    format!("FLOW#{flow}")
}

pub(crate) fn flow_row(flow: &FlowName, writer: &str) -> String {
    format!("{flow}#{writer}")
}

/// What completes the key of a writer's row of this hour (UTC).
pub(crate) fn in_hour(writer: &str, now: Timestamp) -> String {
    format!("{writer}-{}", now.strftime("%Y%m%d%H"))
}

pub(crate) fn group_row(fingerprint: &str, writer: &str) -> String {
    format!("{GROUP_PREFIX}{fingerprint}#{writer}")
}

pub(crate) fn source(arn: &str) -> String {
    format!("SOURCE#{arn}")
}

pub(crate) fn slot(slot: &Slot) -> String {
    format!("SLOT#{}#{}", slot.flow, slot.minute)
}

pub(crate) fn slot_registration(slot: &Slot) -> String {
    format!("{}#{}", slot.minute, slot.flow)
}

pub(crate) fn job(id: &JobId) -> String {
    format!("JOB#{}", id.0)
}

pub(crate) fn job_pointer(created_at: Timestamp, id: &JobId) -> String {
    format!("{JOB_PREFIX}{}#{}", sortable(created_at), id.0)
}

pub(crate) fn chunk(number: u64) -> String {
    format!("{CHUNK_PREFIX}{number:08}")
}

pub(crate) fn chunk_lease(number: u64) -> String {
    format!("{LEASE_PREFIX}{number:08}")
}

pub(crate) fn run(slot: &Slot) -> String {
    format!("RUN#{}#{}", slot.flow, slot.minute)
}

pub(crate) fn request(id: &str) -> String {
    format!("WORK#{id}")
}

pub(crate) fn sent(claim: &Claim) -> String {
    format!("SENT#{claim}")
}

pub(crate) fn held_slot(slot: &Slot) -> String {
    format!("{}#{}", slot.flow, slot.minute)
}

pub(crate) fn count(writer: &str) -> String {
    format!("{COUNT_PREFIX}{writer}")
}

/// The answer to a request stands with its interchange, so that it is found when that is erased.
pub(crate) fn answer(key: &str) -> String {
    format!("{ANSWER_PREFIX}{key}")
}

pub(crate) fn idempotency(key: &str) -> String {
    format!("IDEMPOTENCY#{key}")
}

/// The shard of an interchange: the same for every status, so that a walk can follow it.
pub(crate) fn shard(id: &InterchangeId) -> u8 {
    Digest::of(id.as_str().as_bytes()).0[0] % SHARDS
}

/// The part of the index that a status stands in. All that is unresolved stands together, so that a re-entry and the
/// failure that follows it change a row and do not move it: half the index writes. A list passes over the others.
pub(crate) fn index_class(status: Status) -> &'static str {
    match status {
        Status::Completed | Status::Deleted | Status::Erased => status.as_str(),
        Status::Failed
        | Status::PartiallyFailed
        | Status::WaitingForRetry
        | Status::WaitingForRestart
        | Status::InNetwork => "unresolved",
    }
}

pub(crate) fn index_partition(flow: &FlowName, class: &str, shard: u8) -> String {
    format!("FLOW#{flow}#{class}#{shard}")
}

/// Whether a head stands among the erased ones.
pub(crate) fn is_erased(head: &Item) -> bool {
    let partition = head.get(INDEX_PK).and_then(|value| value.as_s().ok());
    partition.and_then(|partition| partition.rsplit('#').nth(1)) == Some(index_class(Status::Erased))
}

/// The flow whose partition of the index this is.
pub(crate) fn flow_of_index(partition: &str) -> Option<FlowName> {
    let (name, _) = partition.strip_prefix("FLOW#")?.split_once('#')?;
    FlowName::new(name).ok()
}

pub(crate) fn index_sort(failed_at: Timestamp, id: &InterchangeId) -> String {
    format!("{}#{id}", sortable(failed_at))
}

/// A time whose text sorts as the time does: fixed width, microseconds, nothing before 1970.
pub(crate) fn sortable(time: Timestamp) -> String {
    let time = time.max(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sortable_times_have_one_width_and_sort_as_the_times_do() {
        let texts: Vec<String> =
            ["1960-01-01T00:00:00Z", "2026-11-20T14:00:00Z", "2026-11-20T14:00:00.000001Z", "9999-01-01T00:00:00Z"]
                .map(|t| sortable(t.parse().unwrap()))
                .to_vec();
        assert!(texts.is_sorted(), "{texts:?}");
        assert!(texts.iter().all(|t| t.len() == texts[0].len()), "{texts:?}");
    }
}
