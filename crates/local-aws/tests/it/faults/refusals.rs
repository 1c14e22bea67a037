//! Faults with an error response.

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::CancellationReason;
use local_aws::{Fault, Match, Recording, Rule, Service};

use super::{Faulty, TABLE, s};
use crate::fixture::{duration, time};

#[tokio::test]
async fn every_service_throttles_with_its_own_code_and_without_effect() {
    let faulty = Faulty::new().await;
    let id = faulty.faults().add(Rule { times: 2, ..Rule::new(Match::default(), Fault::Throttle) });
    for code in ["ProvisionedThroughputExceededException", "ThrottlingException"] {
        let refused = faulty.put("1").send().await.expect_err("refused");
        assert_eq!(refused.raw_response().expect("an answer").status().as_u16(), 400);
        assert_eq!(refused.code(), Some(code));
        assert_eq!(faulty.faults().fired().last().expect("fired").rule, id);
    }
    assert!(!faulty.has("1").await);

    faulty.add(Service::Sqs, Fault::Throttle);
    let refused = faulty.send().send().await.expect_err("refused");
    assert_eq!(refused.raw_response().expect("an answer").status().as_u16(), 400);
    assert!(refused.into_service_error().is_request_throttled());
    assert_eq!(faulty.visible(), 0);

    faulty.add(Service::Scheduler, Fault::Throttle);
    let refused = faulty.schedule("slot").send().await.expect_err("refused");
    assert_eq!(refused.raw_response().expect("an answer").status().as_u16(), 429);
    assert!(refused.into_service_error().is_throttling_exception());
    faulty.fixture.scheduler.get_schedule().name("slot").send().await.expect_err("was not made");
}

#[tokio::test]
async fn sdks_retry_throttled_failed_and_lost_calls() {
    let faulty = Faulty::new().await;
    let faults = [Fault::Throttle, Fault::ServerError, Fault::ServerErrorAfter, Fault::ResetBefore, Fault::ResetAfter];
    for fault in faults {
        for service in [Service::DynamoDb, Service::Sqs, Service::Scheduler] {
            faulty.add(service, fault);
        }
        faulty.faults().record(Recording::On);
        let put = faulty.fixture.dynamodb.put_item().table_name(TABLE).item("pk", s("1")).item("sk", s("HEAD"));
        put.send().await.expect("the retry succeeds");
        faulty
            .fixture
            .sqs
            .send_message()
            .queue_url(&faulty.queue)
            .message_body("x")
            .send()
            .await
            .expect("the retry succeeds");
        faulty.fixture.scheduler.list_schedules().send().await.expect("the retry succeeds");
        assert_eq!(faulty.faults().calls().len(), 6, "{fault:?}: {:?}", faulty.faults().calls());
    }
}

#[tokio::test]
async fn every_service_fails_with_500_before_and_after_the_effect() {
    let faulty = Faulty::new().await;
    for (fault, effect) in [(Fault::ServerError, false), (Fault::ServerErrorAfter, true)] {
        faulty.add(Service::DynamoDb, fault);
        let failed = faulty.put("1").send().await.expect_err("fails");
        assert_eq!(failed.raw_response().expect("an answer").status().as_u16(), 500);
        assert!(failed.into_service_error().is_internal_server_error());
        assert_eq!(faulty.has("1").await, effect);

        faulty.add(Service::Sqs, fault);
        let failed = faulty.send().send().await.expect_err("fails");
        assert_eq!(failed.raw_response().expect("an answer").status().as_u16(), 500);
        assert_eq!(failed.code(), Some("InternalFailure"));
        assert_eq!(faulty.visible(), usize::from(effect));

        faulty.add(Service::Scheduler, fault);
        let failed = faulty.schedule("slot").send().await.expect_err("fails");
        assert_eq!(failed.raw_response().expect("an answer").status().as_u16(), 500);
        assert!(failed.into_service_error().is_internal_server_exception());
        assert_eq!(faulty.fixture.scheduler.get_schedule().name("slot").send().await.is_ok(), effect);
    }
}

/// The codes of a cancelled transaction's reasons.
async fn reasons(faulty: &Faulty) -> Vec<String> {
    let refused = faulty.transact(&["1", "2"]).send().await.expect_err("refused").into_service_error();
    let reasons = match refused {
        aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
            it,
        ) => it.cancellation_reasons.expect("reasons"),
        other => panic!("{other:?}"),
    };
    reasons.iter().map(|reason: &CancellationReason| reason.code().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_transaction_gets_a_conflict_for_its_first_action_and_then_for_all() {
    let faulty = Faulty::new().await;
    faulty.faults().add(Rule { times: 2, ..Rule::new(Match::default(), Fault::TransactionConflict) });
    assert_eq!(reasons(&faulty).await, ["TransactionConflict", "None"]);
    assert_eq!(reasons(&faulty).await, ["TransactionConflict", "TransactionConflict"]);
    faulty.transact(&["1", "2"]).send().await.expect("writes");
}

#[tokio::test]
async fn the_third_throttling_cancels_a_transaction() {
    let faulty = Faulty::new().await;
    faulty.faults().add(Rule { times: 3, ..Rule::new(Match::default(), Fault::Throttle) });
    for code in ["ProvisionedThroughputExceededException", "ThrottlingException"] {
        let refused = faulty.transact(&["1", "2"]).send().await.expect_err("refused");
        assert_eq!(refused.code(), Some(code));
    }
    assert_eq!(reasons(&faulty).await, ["ThrottlingError", "None"]);
}

#[tokio::test]
async fn a_single_write_gets_a_conflict_and_a_read_does_not() {
    let faulty = Faulty::new().await;
    faulty.add(Service::DynamoDb, Fault::TransactionConflict);
    assert!(!faulty.has("1").await);
    let refused = faulty.put("1").send().await.expect_err("refused").into_service_error();
    assert!(refused.is_transaction_conflict_exception());
    assert!(!faulty.has("1").await);
}

#[tokio::test]
async fn the_sdk_retries_a_transaction_in_progress() {
    let faulty = Faulty::new().await;
    faulty.add(Service::DynamoDb, Fault::TransactionInProgress);
    let refused = faulty.transact(&["1"]).send().await.expect_err("refused").into_service_error();
    assert!(refused.is_transaction_in_progress_exception());

    faulty.add(Service::DynamoDb, Fault::TransactionInProgress);
    let items = faulty.transact(&["1"]).get_transact_items().clone();
    let again = faulty.fixture.dynamodb.transact_write_items().set_transact_items(items);
    again.send().await.expect("the retry succeeds");
    assert!(faulty.has("1").await);
}

#[tokio::test]
async fn a_rule_fires_for_the_nth_call_of_an_operation_a_key_and_a_caller() {
    let faulty = Faulty::new().await;
    let matches = Match {
        service: Some(Service::DynamoDb),
        operation: Some("PutItem".to_owned()),
        key_prefix: Some("order-".to_owned()),
        caller: Some("worker".to_owned()),
    };
    faulty.faults().add(Rule { first: 2, ..Rule::new(matches, Fault::Throttle) });
    for pk in ["order-1", "other-1"] {
        faulty.put(pk).send().await.expect("writes");
    }
    let put = faulty.fixture.dynamodb.put_item().table_name(TABLE).item("pk", s("order-2")).item("sk", s("HEAD"));
    put.send().await.expect("another caller");
    faulty.transact(&["order-3"]).send().await.expect("another operation");
    faulty.put("order-4").send().await.expect_err("the second");
    faulty.put("order-5").send().await.expect("the third");
    assert_eq!(faulty.faults().rules()[0].matched, 3);
}

#[tokio::test]
async fn a_rule_ends_at_its_time_of_the_clock() {
    let faulty = Faulty::new().await;
    let until = Some(time("2026-11-20T14:15:00Z"));
    faulty.faults().add(Rule { times: Rule::ALWAYS, until, ..Rule::new(Match::default(), Fault::ServerError) });
    for _ in 0..3 {
        faulty.send().send().await.expect_err("fails");
    }
    faulty.fixture.aws.advance(duration("15m")).await.expect("advances");
    faulty.send().send().await.expect("sends");
}

#[tokio::test]
async fn a_share_of_half_fails_about_half_of_the_calls() {
    let faulty = Faulty::new().await;
    let half = Rule { times: Rule::ALWAYS, one_in: Some((7, 0.5)), ..Rule::new(Match::default(), Fault::ServerError) };
    faulty.faults().add(half);
    let mut sent = 0;
    for _ in 0..40 {
        sent += usize::from(faulty.send().send().await.is_ok());
    }
    assert!((10..=30).contains(&sent), "{sent}");
    assert_eq!(faulty.visible(), sent);
}
