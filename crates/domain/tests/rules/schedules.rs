//! Ladders and exponentials: when a failure is tried again by itself, and when no longer.

use std::collections::BTreeSet;

use domain::{
    Category, ErrorInfo, Exponential, FailureReport, Flow, Interchange, Ladder, NoRetry, Reentry, ReportKind,
    RetryMode, RetryPolicy, Schedule, Timestamp,
};
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;

use super::{at, by_hand, by_schedule, change, failed_at_two, failure, flow, judge_under, kinds, report};

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn with(schedule: Schedule) -> Flow {
    Flow { retry: RetryPolicy { schedule, ..RetryPolicy::default() }, ..flow() }
}

fn rebound(limit: u32) -> Flow {
    with(Schedule::Exponential(Exponential { first: minutes(1), factor: 2.0, cap: minutes(60), limit }))
}

/// Failed at 14:00 with this many automatic retries behind it.
fn tried(automatic: u32) -> Interchange {
    Interchange { automatic, ..failed_at_two() }
}

fn next(flow: &Flow, interchange: &Interchange) -> Result<Timestamp, NoRetry> {
    flow.next_retry(interchange, None, at("14:00")).map(|next| next.at.timestamp())
}

#[test]
fn the_default_ladder_is_climbed_to_its_end_and_then_the_next_retry_is_empty() {
    let flow = flow();
    let mut known = failed_at_two();
    let mut now = at("14:00");
    for (rung, delay) in [5, 10, 60, 300, 1440].into_iter().enumerate() {
        let due = now + delay.minutes();
        assert_eq!(known.next_retry_at.unwrap().timestamp(), due);
        assert_eq!(known.retry_note.as_deref().unwrap()[3..], *" of 5, ladder");
        let sent = known.reenter(Reentry::Retry, &by_schedule(), &flow, due).unwrap().after;
        let mut again = report(sent.attempt, None, ReportKind::Failed(Box::new(failure())));
        again.occurred_at = Some(due);
        let received = domain::Received { queued_at: due, now: due, flow: &flow, epoch: domain::Epoch::FIRST };
        let change = change(domain::receive(Some(sent), &again, received));
        assert_eq!(change.after.exhausted, rung == 4);
        if rung == 4 {
            assert_eq!(kinds(&change), ["failed", "exhausted"]);
        }
        known = change.after;
        now = due;
    }
    assert_eq!((known.next_retry_at, known.due, known.tries), (None, None, 5));
    assert!(known.reenter(Reentry::Retry, &by_hand(), &flow, now).is_ok());
}

#[test]
fn a_manual_attempt_that_fails_leaves_the_ladder_where_it_was() {
    let sent = tried(2).reenter(Reentry::Retry, &by_hand(), &flow(), at("14:10")).unwrap().after;
    let again = report(2, "14:20", ReportKind::Failed(Box::new(failure())));
    let after = change(judge_under(&flow(), Some(&sent), &again, "14:20")).after;
    assert_eq!((after.automatic, after.next_retry_at.unwrap().timestamp()), (2, at("15:20")));
    assert_eq!(after.retry_note.as_deref(), Some("3rd of 5, ladder"));
}

#[test]
fn a_rebound_grows_to_its_cap_and_ends_at_its_limit() {
    let flow = rebound(10);
    let delays = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60];
    for (done, delay) in delays.into_iter().enumerate() {
        let due = at("14:00") + delay.minutes();
        assert_eq!(next(&flow, &tried(u32::try_from(done).unwrap())), Ok(due));
    }
    let rule = "rebound limit exceeded".to_owned();
    assert_eq!(next(&flow, &tried(10)), Err(NoRetry::Exhausted { rule }));
}

#[test]
fn mapping_and_validation_errors_wait_for_a_person() {
    for category in Category::ALL {
        let error = ErrorInfo { category, code: None, message: None };
        let known = Interchange { error, ..failed_at_two() };
        let waits = matches!(category, Category::Mapping | Category::Validation);
        assert_eq!(next(&flow(), &known).is_err(), waits, "{category:?}");
        if waits {
            assert_eq!(next(&flow(), &known), Err(NoRetry::Category(category)));
        }
    }
}

#[test]
fn a_manual_flow_and_a_flow_without_categories_retry_nothing() {
    let manual = Flow { retry: RetryPolicy { mode: RetryMode::Manual, ..RetryPolicy::default() }, ..flow() };
    assert_eq!(next(&manual, &failed_at_two()), Err(NoRetry::Manual));
    let none = Flow { retry: RetryPolicy { categories: BTreeSet::new(), ..RetryPolicy::default() }, ..flow() };
    assert_eq!(next(&none, &failed_at_two()), Err(NoRetry::Category(Category::System)));
}

#[test]
fn a_partners_policy_takes_the_place_of_the_flows() {
    let quick =
        RetryPolicy { schedule: Schedule::Ladder(Ladder { delays: vec![minutes(1)] }), ..RetryPolicy::default() };
    let flow = Flow { partners: [("GLOBEX".to_owned(), quick)].into(), ..flow() };
    let mut known = failed_at_two();
    known.parties.partner = Some("GLOBEX".to_owned());
    let retry = flow.next_retry(&known, None, at("14:00")).unwrap();
    assert_eq!((retry.at.timestamp(), retry.why.as_str()), (at("14:01"), "1st of 1, ladder, partner GLOBEX"));
    known.parties.partner = Some("ACME".to_owned());
    assert_eq!(next(&flow, &known), Ok(at("14:05")));
}

#[test]
fn retry_after_moves_the_next_retry_later_and_never_earlier() {
    for (seconds, due) in [(30, "14:05"), (300, "14:05"), (301, "14:06"), (3600, "15:00")] {
        let asked = FailureReport { retry_after: Some(SignedDuration::from_secs(seconds)), ..failure() };
        let report = report(1, "14:00", ReportKind::Failed(Box::new(asked)));
        let after = change(judge_under(&flow(), None, &report, "14:00")).after;
        assert_eq!(after.next_retry_at.unwrap().timestamp(), at(due));
    }
}

#[test]
fn delays_count_from_the_failure_unless_the_pipelines_clock_is_ahead() {
    let failed = |occurred| report(1, occurred, ReportKind::Failed(Box::new(failure())));
    let due = |occurred, now| change(judge_under(&flow(), None, &failed(occurred), now)).after.next_retry_at;
    assert_eq!(due("13:58", "14:00").unwrap().timestamp(), at("14:03"));
    assert_eq!(due("18:00", "14:00").unwrap().timestamp(), at("14:05"));
    assert_eq!(due("10:00", "14:00:01").unwrap().timestamp(), at("14:01"));
}

proptest! {
    #[test]
    fn a_next_retry_is_a_whole_minute_and_never_in_the_past(
        automatic in 0u32..12, late in 0i64..100_000, limit in 1u32..12, asked in proptest::option::of(1i64..1_000_000)
    ) {
        let now = at("14:00") + late.seconds();
        for flow in [flow(), rebound(limit)] {
            let asked = asked.map(SignedDuration::from_secs);
            if let Ok(retry) = flow.next_retry(&tried(automatic), asked, now) {
                prop_assert!(retry.at.timestamp() >= now);
                prop_assert_eq!(retry.at.timestamp().as_second() % 60, 0);
                if let Some(asked) = asked {
                    prop_assert!(retry.at.timestamp() >= at("14:00") + asked);
                }
            }
        }
    }

    #[test]
    fn jitter_adds_at_most_its_share_and_is_the_same_each_time(automatic in 0u32..5, jitter in 0.0f64..=1.0) {
        let mut flow = flow();
        let plain = next(&flow, &tried(automatic)).unwrap();
        flow.retry.jitter = jitter;
        let spread = next(&flow, &tried(automatic)).unwrap();
        prop_assert!(spread >= plain);
        let delay = plain.duration_since(at("14:00")).as_secs_f64();
        prop_assert!(spread.duration_since(plain).as_secs_f64() <= delay * jitter + 60.0);
        prop_assert_eq!(next(&flow, &tried(automatic)).unwrap(), spread);
    }

    #[test]
    fn a_rebound_never_shrinks(done in 0u32..1_000, factor in 1.0f64..=100.0) {
        let exponential = Exponential { first: minutes(1), factor, cap: minutes(100_000), limit: 2_000 };
        let flow = with(Schedule::Exponential(exponential));
        prop_assert!(next(&flow, &tried(done)).unwrap() <= next(&flow, &tried(done + 1)).unwrap());
    }
}
