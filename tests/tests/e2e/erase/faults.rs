//! Erasures that come twice, at the same moment, or whose function dies before or after its transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use local::local_aws::{Fault, Match, Rule, Service};
use serde_json::json;
use tests::{RECEIVER_STAGE, World};

use super::traces::{Name, expiring};
use super::{PERSON, around, because, erase, manual, personal};

/// Meets the next transaction of the function that erases.
fn at_the_commit(fault: Fault) -> Rule {
    let matches = Match {
        service: Some(Service::DynamoDb),
        operation: Some("TransactWriteItems".to_owned()),
        caller: Some("reprise-delete".to_owned()),
        ..Match::default()
    };
    Rule::new(matches, fault)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_more_than_one_transaction_is_erased_as_a_whole() {
    const ATTEMPTS: usize = 120;
    let world = World::start_faulty().await;
    manual(&world).await;
    let failure = |attempt: usize| {
        let payloads = json!({ "receiver": { "body": format!("attempt {attempt} {}", around(1_500)) } });
        personal("long", json!({ "attempt": attempt, "payloads": payloads })).to_string()
    };
    for attempt in 1..=ATTEMPTS {
        world.send([failure(attempt)]).await;
    }
    let reason = json!({ "reason": format!("asked for by {PERSON}") });
    world.post_once("/interchanges/long/retry", "retry of long", reason).await.ok();
    world.drain(RECEIVER_STAGE).await;
    let name = Name::new(PERSON);
    let kept = name.in_table(&world).into_iter().filter(|key| key.starts_with("INTERCHANGE#long EVENT#"));
    assert!(kept.count() > 80, "its log is more than one transaction holds");

    // The function dies at its transaction, when the log is rewritten already.
    world.stack.aws().faults().add(at_the_commit(Fault::KillBefore));
    assert!(world.post("/interchanges/long/erase", because()).await.status >= 500);
    assert_eq!(world.get("/interchanges/long").await.ok()["status"], "waiting_for_retry");
    let (with_expiry, all) = expiring(&world, "INTERCHANGE#long");
    assert!(with_expiry.iter().all(|key| key.starts_with("PAYLOAD#")) && all > 80, "no log expires: {with_expiry:?}");

    erase(&world, "long").await;
    assert_eq!(name.in_table(&world), BTreeSet::new());
    let (with_expiry, all) = expiring(&world, "INTERCHANGE#long");
    assert_eq!(with_expiry.len(), all, "all of it goes when its retention ends");
    assert_eq!(world.kinds("long").await.last().map(String::as_str), Some("erased"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_kept_late_does_not_bring_back_what_was_erased_meanwhile() {
    let world = World::start_faulty().await;
    manual(&world).await;
    world.report(personal("raced", json!({}))).await;
    let matches = Match {
        operation: Some("PutItem".to_owned()),
        key_prefix: Some("INTERCHANGE#raced".to_owned()),
        caller: Some("reprise-retry".to_owned()),
        ..Match::default()
    };
    let faults = world.stack.aws().faults();
    faults.add(Rule::new(matches, Fault::Hang));
    let reason = json!({ "reason": format!("asked for by {PERSON}") });
    let retried = world.post_once("/interchanges/raced/retry", "retry of raced", reason);
    let erased = async {
        let hangs = async {
            while faults.fired().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), hangs).await.expect("the answer is about to be kept");
        erase(&world, "raced").await
    };
    let (retried, _) = tokio::join!(retried, erased);
    assert!(retried.ok().to_string().contains(PERSON), "its own answer is from before the erasure");
    world.drain(RECEIVER_STAGE).await;
    assert_eq!(Name::new(PERSON).in_table(&world), BTreeSet::new());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_whose_commit_never_came_is_deleted_after_a_day() {
    let world = World::start_faulty().await;
    manual(&world).await;
    let matches = Match {
        operation: Some("TransactWriteItems".to_owned()),
        key_prefix: Some("INTERCHANGE#lost".to_owned()),
        caller: Some("reprise-ingest-failure".to_owned()),
        ..Match::default()
    };
    world.stack.aws().faults().add(Rule { times: Rule::ALWAYS, ..Rule::new(matches, Fault::ServerError) });
    world.send([personal("lost", json!({})).to_string()]).await;
    world.advance("2h").await;
    assert_eq!(world.held("reprise-failures-dlq"), 1, "the report is set aside");
    let payloads = || expiring(&world, "INTERCHANGE#lost").1;
    let written = payloads();
    assert!(written > 0, "its payload was written before");

    world.advance("21h").await;
    assert_eq!(payloads(), written);
    world.advance("3h").await;
    assert_eq!(payloads(), 0);
    assert_eq!(Name::new(PERSON).in_table(&world), BTreeSet::new());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn erasures_at_the_same_moment_and_one_whose_answer_is_lost_are_one_erasure() {
    let world = World::start_faulty().await;
    manual(&world).await;
    world.report(personal("twice", json!({}))).await;
    let request = || world.post("/interchanges/twice/erase", because());
    let (first, second) = tokio::join!(request(), request());
    assert_eq!((first.ok()["status"].clone(), second.ok()["status"].clone()), (json!("erased"), json!("erased")));
    assert_eq!(world.kinds("twice").await.iter().filter(|kind| *kind == "erased").count(), 1);

    world.report(personal("lost", json!({}))).await;
    world.stack.aws().faults().add(at_the_commit(Fault::KillAfter));
    assert!(world.post("/interchanges/lost/erase", because()).await.status >= 500);
    erase(&world, "lost").await;
    assert_eq!(world.kinds("lost").await.iter().filter(|kind| *kind == "erased").count(), 1);
    assert_eq!(Name::new(PERSON).in_table(&world), BTreeSet::new());
    world.stop().await;
}
