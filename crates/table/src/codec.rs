//! The head item: an interchange as two JSON documents, one projected into the index and one not.
//!
//! Names are short because a head of up to 1 KB costs half of what a larger one does.

use domain::{
    Category, Claim, Completion, Digest, ErrorInfo, Failure, Fingerprint, Flight, FlowName, Interchange, InterchangeId,
    JobId, Known, Minute, Part, PartStatus, Parties, PayloadMeta, Payloads, Phase, Reentry, ReportDigest, Revision,
    Status, StorageLayout, Timestamp, Trigger, Unknown,
};
use serde::{Deserialize, Serialize};

use crate::item::{Item, b, json, key, n, number, read, s, text, unreadable};
use crate::keys::{self, INDEX_PK, INDEX_SK, PK, REST, ROW, SEEN, SK, TTL, VERSION};
use crate::{TableError, storage_codec, unknown};

/// A payload revision: number, SHA-256 in hexadecimal, bytes, media type, the event that brought it.
pub(crate) type StoredRevision = (u32, String, u64, Option<String>, u64);

fn is_zero(n: &u32) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}

#[derive(Serialize, Deserialize)]
struct StoredRow {
    f: String,
    st: String,
    a: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    t: u32,
    ph: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    or: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    se: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    re: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pa: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    si: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    co: Option<String>,
    at: Timestamp,
    /// Left out where it is `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rec: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nx: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_false")]
    ex: bool,
    g: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    j: Option<String>,
    v: u64,
    ec: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ek: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    em: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sp: Vec<StoredRevision>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rp: Vec<StoredRevision>,
}

#[derive(Serialize, Deserialize)]
struct StoredRest {
    #[serde(default, skip_serializing_if = "is_zero")]
    au: u32,
    sq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ok: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<(String, bool, Option<String>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fl: Option<StoredFlight>,
    /// The job of the row sent it back.
    #[serde(default, skip_serializing_if = "is_false")]
    js: bool,
    /// `assumed`, or the time of the reported completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    at: Vec<StoredRevision>,
    /// `1f 2n 2c`: attempt and outcome.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    known: String,
    /// `< 1 3 +420 -0 s1`: that there is more; the log's newest items, the bytes of the last one, of these its payloads; the
    /// payloads apart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    lg: String,
}

#[derive(Serialize, Deserialize)]
struct StoredFlight {
    /// Retry, not restart.
    r: bool,
    /// Scheduled, not manual.
    s: bool,
    c: String,
    at: Timestamp,
    /// The number of the payload's revision, of the side that the action sends.
    p: u32,
    q: String,
    /// A job waits for its outcome.
    #[serde(default, skip_serializing_if = "is_false")]
    cn: bool,
}

/// The head item of an interchange as version `version`; `ttl` in seconds since 1970.
pub(crate) fn head(interchange: &Interchange, storage: &StorageLayout, version: u64, ttl: Option<i64>) -> Item {
    let mut item = key(keys::interchange(&interchange.id), keys::HEAD);
    let shard = keys::shard(&interchange.id);
    let partition = keys::index_partition(&interchange.flow, keys::index_class(interchange.status), shard);
    if !interchange.is_early() {
        item.insert(INDEX_PK.to_owned(), s(partition));
        item.insert(INDEX_SK.to_owned(), s(keys::index_sort(interchange.failure.at, &interchange.id)));
    }
    if !interchange.seen.is_empty() {
        item.insert(SEEN.to_owned(), b(interchange.seen.iter().flat_map(|digest| digest.0).collect()));
    }
    let (row, rest) = (json(&row(interchange, version)), json(&rest(interchange, storage)));
    item.insert(ROW.to_owned(), s(unknown::with_members(row, &interchange.unknown, ROW)));
    item.insert(REST.to_owned(), s(unknown::with_members(rest, &interchange.unknown, REST)));
    item.insert(VERSION.to_owned(), n(version));
    if let Some(ttl) = ttl {
        item.insert(TTL.to_owned(), n(ttl));
    }
    unknown::put_back(&mut item, &interchange.unknown);
    item
}

/// The attributes of a head item that this release writes.
const ATTRIBUTES: [&str; 9] = [PK, SK, INDEX_PK, INDEX_SK, ROW, REST, SEEN, VERSION, TTL];

/// Reads a head item, whole.
pub(crate) fn interchange(item: &Item) -> Result<Interchange, TableError> {
    let rest: StoredRest = read(item, REST)?;
    let mut interchange = listed(item)?;
    interchange.version = number(item, VERSION).ok_or_else(|| unreadable(item, "no version"))?;
    interchange.automatic = rest.au;
    interchange.sequence = rest.sq;
    interchange.parties.traceparent = rest.tp;
    interchange.parties.order_key = rest.ok;
    interchange.due = rest.due.map(Minute::at_or_after);
    interchange.retry_note = rest.why;
    interchange.sent_by_job = rest.js;
    interchange.parts = rest.parts.into_iter().map(part).collect();
    interchange.flight = rest.fl.map(|f| flight(f, &interchange, item)).transpose()?;
    interchange.completion = rest.done.map(|done| completion(&done, item)).transpose()?;
    interchange.attributes = payloads(rest.at, item)?;
    interchange.seen = seen(item);
    interchange.known = rest.known.split_whitespace().filter_map(known).collect();
    interchange.storage = storage_codec::read(&rest.lg, &interchange);
    let members = [(ROW, unknown::members::<StoredRow>(item, ROW)), (REST, unknown::members::<StoredRest>(item, REST))];
    interchange.unknown.members =
        members.into_iter().filter_map(|(name, members)| Some((name.to_owned(), members?))).collect();
    interchange.unknown.attributes = unknown::attributes(item, &ATTRIBUTES);
    Ok(interchange)
}

/// Reads an item of the index: what lists show, without what only the head has.
pub(crate) fn listed(item: &Item) -> Result<Interchange, TableError> {
    let row: StoredRow = read(item, ROW)?;
    let bad = |what: &str| unreadable(item, &format!("no {what}"));
    let category = Category::from_word(&row.ec);
    Ok(Interchange {
        id: id(item)?,
        flow: FlowName::new(row.f).map_err(|_| bad("flow"))?,
        status: Status::from_word(&row.st).ok_or_else(|| bad("status"))?,
        attempt: row.a,
        tries: row.t,
        automatic: 0,
        phase: Phase::from_word(&row.ph).ok_or_else(|| bad("phase"))?,
        origin: row.or,
        parties: Parties {
            sender: row.se,
            receiver: row.re,
            partner: row.pa,
            source_id: row.si,
            correlation_id: row.co,
            traceparent: None,
            order_key: None,
        },
        error: ErrorInfo { category: category.unwrap_or(Category::Unknown), code: row.ek, message: row.em },
        group: Fingerprint::kept(row.g),
        parts: Vec::new(),
        failure: Failure { at: row.at, recorded_at: row.rec.unwrap_or(row.at) },
        flight: None,
        completion: None,
        due: None,
        next_retry_at: row.nx.map(Minute::at_or_after),
        retry_note: None,
        exhausted: row.ex,
        job: row.j.map(JobId),
        sent_by_job: false,
        sender_payloads: payloads(row.sp, item)?,
        receiver_payloads: payloads(row.rp, item)?,
        attributes: Payloads::default(),
        known: Vec::new(),
        seen: Vec::new(),
        sequence: 0,
        version: row.v,
        storage: StorageLayout::default(),
        unknown: Unknown { category: Some(row.ec).filter(|_| category.is_none()), ..Unknown::default() },
    })
}

/// The interchange that an item belongs to.
pub(crate) fn id(item: &Item) -> Result<InterchangeId, TableError> {
    let id = text(item, PK)?.strip_prefix("INTERCHANGE#").and_then(|id| InterchangeId::new(id).ok());
    id.ok_or_else(|| unreadable(item, "no id"))
}

fn row(i: &Interchange, version: u64) -> StoredRow {
    StoredRow {
        f: i.flow.to_string(),
        st: i.status.as_str().to_owned(),
        a: i.attempt,
        t: i.tries,
        ph: i.phase.as_str().to_owned(),
        or: i.origin.clone(),
        se: i.parties.sender.clone(),
        re: i.parties.receiver.clone(),
        pa: i.parties.partner.clone(),
        si: i.parties.source_id.clone(),
        co: i.parties.correlation_id.clone(),
        at: i.failure.at,
        rec: Some(i.failure.recorded_at).filter(|recorded| *recorded != i.failure.at),
        nx: i.next_retry_at.map(Minute::timestamp),
        ex: i.exhausted,
        g: i.group.to_string(),
        j: i.job.as_ref().map(|job| job.0.clone()),
        v: version,
        ec: i.unknown.category.clone().unwrap_or_else(|| i.error.category.as_str().to_owned()),
        ek: i.error.code.clone(),
        em: i.error.message.clone(),
        sp: stored_payloads(&i.sender_payloads),
        rp: stored_payloads(&i.receiver_payloads),
    }
}

fn rest(i: &Interchange, storage: &StorageLayout) -> StoredRest {
    StoredRest {
        au: i.automatic,
        sq: i.sequence,
        tp: i.parties.traceparent.clone(),
        ok: i.parties.order_key.clone(),
        due: i.due.map(Minute::timestamp),
        why: i.retry_note.clone(),
        parts: i.parts.iter().map(|p| (p.id.clone(), p.status == PartStatus::Completed, p.message.clone())).collect(),
        fl: i.flight.as_ref().map(|f| StoredFlight {
            r: f.action == Reentry::Retry,
            s: f.trigger == Trigger::Scheduled,
            c: f.claim.to_string(),
            at: f.sent_at,
            p: f.payload.number,
            q: f.queue_url.clone(),
            cn: f.canary,
        }),
        js: i.sent_by_job,
        done: i.completion.map(|completion| match completion {
            Completion::Assumed => "assumed".to_owned(),
            Completion::Reported(at) => at.to_string(),
        }),
        at: stored_payloads(&i.attributes),
        known: i.known.iter().map(known_text).collect::<Vec<_>>().join(" "),
        lg: storage_codec::text(storage, i),
    }
}

fn stored_payloads(payloads: &Payloads) -> Vec<StoredRevision> {
    payloads.0.iter().map(stored_revision).collect()
}

pub(crate) fn stored_revision(revision: &Revision) -> StoredRevision {
    let meta = &revision.meta;
    (revision.number, meta.digest.to_string(), meta.bytes, meta.content_type.clone(), revision.event)
}

fn payloads(stored: Vec<StoredRevision>, item: &Item) -> Result<Payloads, TableError> {
    stored.into_iter().map(|s| revision(s, item)).collect::<Result<_, _>>().map(Payloads)
}

pub(crate) fn revision(stored: StoredRevision, item: &Item) -> Result<Revision, TableError> {
    let (number, digest, bytes, content_type, event) = stored;
    let digest = Digest::from_hex(&digest).ok_or_else(|| unreadable(item, "payload digest"))?;
    Ok(Revision { number, meta: PayloadMeta { digest, bytes, content_type }, event })
}

fn part((id, completed, message): (String, bool, Option<String>)) -> Part {
    Part { id, status: if completed { PartStatus::Completed } else { PartStatus::Failed }, message }
}

fn flight(stored: StoredFlight, of: &Interchange, item: &Item) -> Result<Flight, TableError> {
    let action = if stored.r { Reentry::Retry } else { Reentry::Restart };
    let payload = of.payloads(action.side()).revision(stored.p).cloned();
    Ok(Flight {
        action,
        trigger: if stored.s { Trigger::Scheduled } else { Trigger::Manual },
        claim: Claim::from_text(&stored.c),
        sent_at: stored.at,
        payload: payload.ok_or_else(|| unreadable(item, "no such payload revision"))?,
        queue_url: stored.q,
        canary: stored.cn,
    })
}

fn completion(stored: &str, item: &Item) -> Result<Completion, TableError> {
    if stored == "assumed" {
        return Ok(Completion::Assumed);
    }
    stored.parse().map(Completion::Reported).map_err(|_| unreadable(item, "completion"))
}

/// Eight bytes each.
fn seen(item: &Item) -> Vec<ReportDigest> {
    let bytes = item.get(SEEN).and_then(|value| value.as_b().ok());
    let digests = bytes.map(|bytes| bytes.as_ref().chunks_exact(8));
    digests.into_iter().flatten().filter_map(|bytes| bytes.try_into().ok()).map(ReportDigest).collect()
}

fn known_text((attempt, outcome): &(u32, Known)) -> String {
    let letter = match outcome {
        Known::Failed => 'f',
        Known::InNetwork => 'n',
        Known::Completed => 'c',
    };
    format!("{attempt}{letter}")
}

fn known(word: &str) -> Option<(u32, Known)> {
    let (attempt, letter) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let outcome = match letter {
        "f" => Known::Failed,
        "n" => Known::InNetwork,
        "c" => Known::Completed,
        _ => return None,
    };
    Some((attempt.parse().ok()?, outcome))
}
