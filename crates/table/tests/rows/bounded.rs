//! However often an interchange is tried, its head stays small, and nothing of it is out of reach.

use domain::{
    Cause, ErrorInfo, FailureReport, Filter, Interchange, Part, PartStatus, PayloadMeta, PayloadSide, Reentry,
    ReportKind, Timestamp, Verdict,
};
use jiff::ToSpan;
use table::{Order, StoredBody, Work};

use crate::world::{Value, World, at, by_job, change, failure, flow, id, meta, reported, sent_back};

const ATTEMPTS: u32 = 2_000;

/// Attempts whose failures bring a receiver payload of their own.
const REVISIONS: u32 = 60;

/// What a head may have, a good part below DynamoDB's 400 KB.
const MAX_HEAD_BYTES: usize = 350_000;

/// Everything in it is as long as it is taken.
fn longest() -> FailureReport {
    let part = |i| Part { id: format!("line-{i}"), status: PartStatus::Failed, message: Some("é".repeat(1_000)) };
    let error = ErrorInfo { message: Some("é".repeat(10_000)), ..failure().error };
    FailureReport { error, parts: (0..100).map(part).collect(), ..failure() }
}

/// The receiver payload of an attempt: every second one is too large to go with its event.
fn body(attempt: u32) -> (PayloadMeta, Vec<u8>) {
    let blocks = if attempt.is_multiple_of(2) { 100 } else { 1 };
    let bytes: Vec<u8> = (0..blocks).flat_map(|i| meta(format!("{attempt} {i}").as_bytes()).digest.0).collect();
    (PayloadMeta { content_type: Some("x".repeat(100)), ..meta(&bytes) }, bytes)
}

fn minute(attempt: u32) -> Timestamp {
    at("14:00") + i64::from(attempt).minutes()
}

/// Commits an attempt and its failure, in one commit for the sake of time.
async fn fails(world: &World, known: Option<&Interchange>, attempt: u32, told: FailureReport) -> Interchange {
    let now = minute(attempt);
    let (payload, bytes) = body(attempt);
    let brings = attempt <= REVISIONS;
    let told = FailureReport { receiver_payload: brings.then(|| payload.clone()), ..told };
    let kind = ReportKind::Failed(Box::new(told));
    let mut work = match known {
        None => Work::new(None, change(reported(None, &id("4711"), attempt, kind, now))),
        Some(known) => {
            let mut work = Work::new(Some(known.clone()), sent_back(known, now));
            let failed = change(reported(Some(&work.after), &id("4711"), attempt, kind, now));
            work.then(failed);
            work
        }
    };
    if brings && !work.carry(payload.digest, &bytes).unwrap() {
        let (id, version) = (work.after.id.clone(), work.version());
        let _ = world
            .table
            .put_payloads(&[StoredBody { id: &id, version, meta: &payload, bytes: &bytes }], now)
            .await
            .unwrap();
    }
    world.commit_work(work, now).await
}

/// An interchange whose attempts all failed, as it is loaded; the last failures are as long as they can be.
async fn tried(world: &World, attempts: u32) -> Interchange {
    let mut known: Option<Interchange> = None;
    for attempt in 1..=attempts {
        let told = if attempt + 5 > attempts { longest() } else { failure() };
        known = Some(fails(world, known.as_ref(), attempt, told).await);
    }
    let loaded = world.table.head(&id("4711")).await.unwrap().unwrap();
    assert_eq!(Some(&loaded), known.as_ref(), "what is loaded is what was committed");
    loaded
}

fn bytes(item: &std::collections::HashMap<String, Value>) -> usize {
    let size = |value: &Value| match value {
        Value::S(text) | Value::N(text) => text.len(),
        Value::B(blob) => blob.as_ref().len(),
        other => panic!("{other:?}"),
    };
    item.iter().map(|(name, value)| name.len() + size(value)).sum()
}

fn sort_key(item: &std::collections::HashMap<String, Value>) -> &str {
    item["sk"].as_s().unwrap()
}

#[tokio::test]
async fn an_interchange_of_two_thousand_attempts_is_stored_listed_shown_retried_and_completed() {
    let world = World::start().await;
    let known = tried(&world, ATTEMPTS).await;
    let id = id("4711");

    let items = world.items(&id).await;
    let head = items.iter().find(|item| sort_key(item) == "HEAD").unwrap();
    assert!(bytes(head) < MAX_HEAD_BYTES, "the head has {} bytes", bytes(head));
    assert!(items.len() > 1_000, "{} items", items.len());

    let page = world.table.list(&known.flow, &Filter::default(), Order::Oldest, 10, None).await.unwrap();
    assert_eq!(page.items.iter().flatten().map(|i| &i.id).collect::<Vec<_>>(), [&id]);
    let (shown, events) = world.table.interchange_with_log(&id, None).await.unwrap().unwrap();
    assert_eq!((shown.attempt, events.last().unwrap().sequence), (ATTEMPTS, known.sequence));
    let (_, oldest) = world.table.interchange_with_log(&id, Some(3)).await.unwrap().unwrap();
    assert_eq!(oldest.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);

    let now = minute(ATTEMPTS + 1);
    let sent = known.clone().reenter(Reentry::Retry, &by_job("1"), &flow(), now).unwrap();
    let sent = world.commit(Some(&known), sent, now).await;
    let outcome = change(reported(Some(&sent), &id, ATTEMPTS + 1, ReportKind::Completed, now));
    let done = world.commit(Some(&sent), outcome, now).await;
    world.table.set_ttl([&done], now).await.unwrap();
    let expiry = world.table.expires_at(now).to_string();
    for item in world.items(&id).await {
        assert_eq!(item.get("ttl").and_then(|ttl| ttl.as_n().ok()), Some(&expiry), "{}", sort_key(&item));
    }

    let later = minute(ATTEMPTS + 2);
    let failed = ReportKind::Failed(Box::new(failure()));
    let again = change(reported(Some(&done), &id, ATTEMPTS + 2, failed, later));
    world.commit(Some(&done), again, later).await;
    for item in world.items(&id).await {
        assert!(!item.contains_key("ttl"), "{} would go before what is unresolved", sort_key(&item));
    }
    world.stop().await;
}

#[tokio::test]
async fn every_payload_revision_stays_readable_and_all_bytes_go_when_the_interchange_is_deleted() {
    let world = World::start().await;
    let known = tried(&world, 2 * REVISIONS).await;
    let id = id("4711");
    let named: Vec<u32> = known.receiver_payloads.0.iter().map(|revision| revision.number).collect();
    assert_eq!(named, (REVISIONS - 19..=REVISIONS).collect::<Vec<_>>());
    for number in 1..=REVISIONS {
        let is_older = !named.contains(&number);
        assert_eq!(known.receiver_payloads.is_older(number), is_older);
        let logged = world.table.logged_revision(&id, PayloadSide::Receiver, number).await.unwrap().unwrap();
        let (payload, bytes) = body(number);
        assert_eq!((logged.number, &logged.meta), (number, &payload));
        assert_eq!(world.table.payload(&id, &logged).await.unwrap(), Some(bytes), "revision {number}");
    }
    assert!(!known.receiver_payloads.is_older(REVISIONS + 1));
    assert_eq!(world.table.logged_revision(&id, PayloadSide::Receiver, REVISIONS + 1).await.unwrap(), None);

    let now = minute(ATTEMPTS);
    let by_hand = Cause { job: None, ..by_job("1") };
    let deleted = known.clone().delete(&by_hand, &flow(), now).unwrap();
    let deleted = world.commit(Some(&known), deleted, now).await;
    world.table.set_ttl([&deleted], now).await.unwrap();
    for item in world.items(&id).await {
        let bytes = item.iter().find(|(_, value)| matches!(value, Value::B(_)));
        assert_eq!(bytes, None, "{} still has bytes", sort_key(&item));
        assert!(item.contains_key("ttl"), "{} stays", sort_key(&item));
    }
    world.stop().await;
}

#[tokio::test]
async fn of_attempts_that_are_too_old_to_be_remembered_a_report_is_a_repeat_unless_it_brings_bytes() {
    let world = World::start().await;
    let known = tried(&world, 60).await;
    let now = minute(61);
    let told = |attempt, kind| reported(Some(&known), &id("4711"), attempt, kind, now);
    assert_eq!(told(10, ReportKind::Completed), Verdict::Repeat);
    let kept = change(told(11, ReportKind::Completed));
    assert_eq!((kept.after.status, kept.after.attempt), (known.status, 60));
    let unseen = FailureReport { receiver_payload: Some(meta(b"<unseen/>")), ..failure() };
    let brought = change(told(10, ReportKind::Failed(Box::new(unseen))));
    assert_eq!(
        (brought.after.status, brought.after.receiver_payloads.current()),
        (known.status, known.receiver_payloads.current())
    );
    assert!(brought.after.brought_by(meta(b"<unseen/>").digest).is_some());
    world.stop().await;
}

#[tokio::test]
async fn payloads_that_come_at_once_in_a_number_beyond_what_a_head_names_are_all_kept() {
    let world = World::start().await;
    let now = at("14:00");
    let told = |number| {
        let (payload, bytes) = body(number);
        let kind = ReportKind::Failed(Box::new(FailureReport { receiver_payload: Some(payload.clone()), ..failure() }));
        (payload, bytes, kind)
    };
    let mut work = Work::new(None, change(reported(None, &id("4711"), 1, told(1).2, now)));
    for number in 2..=REVISIONS {
        let next = change(reported(Some(&work.after), &id("4711"), number, told(number).2, now));
        work.then(next);
    }
    for number in 1..=REVISIONS {
        let (payload, bytes, _) = told(number);
        assert!(work.names(payload.digest), "revision {number} is to be kept");
        if !work.carry(payload.digest, &bytes).unwrap() {
            let body = StoredBody { id: &id("4711"), version: work.version(), meta: &payload, bytes: &bytes };
            let _ = world.table.put_payloads(&[body], now).await.unwrap();
        }
    }
    let known = world.commit_work(work, now).await;
    assert_eq!(world.table.head(&known.id).await.unwrap(), Some(known.clone()));
    for number in 1..=REVISIONS {
        let logged = world.table.logged_revision(&known.id, PayloadSide::Receiver, number).await.unwrap().unwrap();
        assert_eq!(world.table.payload(&known.id, &logged).await.unwrap(), Some(told(number).1), "revision {number}");
    }
    world.stop().await;
}
