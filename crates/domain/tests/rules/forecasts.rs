//! What a policy says is to come, beside what comes.

use domain::{
    Category, Exponential, Flow, Forecast, ForecastEnd, HypotheticalFailure, Interchange, Ladder, Minute, NoRetry,
    Phase, Reentry, Refusal, RetryMode, RetryPolicy, Schedule, Stages, Window, WindowEvery,
};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::{at, change, failed, failed_at_two, flow, judge_under, report};

const SYSTEM: HypotheticalFailure<'static> =
    HypotheticalFailure { partner: None, category: Category::System, phase: Phase::Delivery };

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn with(schedule: Schedule) -> Flow {
    Flow { retry: RetryPolicy { schedule, ..RetryPolicy::default() }, ..flow() }
}

fn times(minutes: &[Minute]) -> Vec<String> {
    minutes.iter().map(|minute| minute.to_string()[5..16].to_owned()).collect()
}

fn exhausted(forecast: &Forecast) -> bool {
    matches!(forecast.end, Some(ForecastEnd::NoRetry(NoRetry::Exhausted { .. })))
}

/// What really becomes of a failure at 14:00 whose every automatic retry fails as soon as it was due.
fn what_comes(flow: &Flow, most: usize) -> Vec<Minute> {
    let mut interchange = change(judge_under(flow, None, &report(1, "14:00", failed()), "14:00")).after;
    let mut times = Vec::new();
    while let Some(next) = interchange.next_retry_at.filter(|_| times.len() < most) {
        times.push(next);
        let now = next.timestamp();
        let action = interchange.automatic_action(flow);
        let sent = interchange.reenter(action, &crate::by_schedule(), flow, now).unwrap().after;
        let mut report = report(sent.attempt, None, failed());
        report.occurred_at = Some(now);
        let received = domain::Received { queued_at: now, now, flow, epoch: domain::Epoch::FIRST };
        interchange = change(domain::receive(Some(sent), &report, received)).after;
    }
    times
}

#[test]
fn a_ladder_is_shown_to_its_last_rung_and_is_exhausted_then() {
    let forecast = flow().forecast(SYSTEM, 20, at("14:00:30"));
    let expected = ["11-20T14:06", "11-20T14:16", "11-20T15:16", "11-20T20:16", "11-21T20:16"];
    assert_eq!(times(&forecast.earliest), expected);
    assert_eq!(forecast.latest, forecast.earliest);
    assert_eq!(forecast.action, Some(Reentry::Retry));
    assert!(exhausted(&forecast));
}

#[test]
fn what_has_more_retries_than_are_shown_does_not_end() {
    let long = Exponential { first: minutes(1), factor: 1.0, cap: minutes(1), limit: 21 };
    let forecast = with(Schedule::Exponential(long.clone())).forecast(SYSTEM, 20, at("14:00"));
    assert_eq!((forecast.earliest.len(), forecast.end), (20, None));
    let fits = Exponential { limit: 20, ..long };
    let forecast = with(Schedule::Exponential(fits)).forecast(SYSTEM, 20, at("14:00"));
    assert_eq!(forecast.earliest.len(), 20);
    assert!(exhausted(&forecast));
}

#[test]
fn what_is_not_retried_by_itself_has_no_times_and_says_why() {
    let by_hand = Flow { retry: RetryPolicy { mode: RetryMode::Manual, ..RetryPolicy::default() }, ..flow() };
    let forecast = by_hand.forecast(SYSTEM, 20, at("14:00"));
    assert_eq!((forecast.earliest.len(), forecast.action), (0, None));
    assert_eq!(forecast.end, Some(ForecastEnd::NoRetry(NoRetry::Manual)));
    let mapping = HypotheticalFailure { category: Category::Mapping, ..SYSTEM };
    let forecast = flow().forecast(mapping, 20, at("14:00"));
    assert_eq!(forecast.end, Some(ForecastEnd::NoRetry(NoRetry::Category(Category::Mapping))));
}

#[test]
fn a_retry_that_has_no_queue_to_go_to_is_the_last_one() {
    let nowhere = Flow { stages: Stages::default(), ..flow() };
    let forecast = nowhere.forecast(SYSTEM, 20, at("14:00"));
    assert_eq!(times(&forecast.earliest), ["11-20T14:05"]);
    let missing = Refusal::StageNotConfigured { side: domain::PayloadSide::Receiver };
    assert_eq!(forecast.end, Some(ForecastEnd::Refused(missing)));
}

#[test]
fn an_inactive_flow_is_forecast_as_if_it_were_active() {
    let inactive = Flow { active: false, ..flow() };
    assert_eq!(inactive.forecast(SYSTEM, 20, at("14:00")), flow().forecast(SYSTEM, 20, at("14:00")));
}

#[test]
fn the_phase_and_the_policy_say_what_is_done() {
    let processing = HypotheticalFailure { phase: Phase::Processing, ..SYSTEM };
    assert_eq!(flow().forecast(processing, 20, at("14:00")).action, Some(Reentry::Restart));
    let fixed = Flow { retry: RetryPolicy { action: Some(Reentry::Retry), ..RetryPolicy::default() }, ..flow() };
    assert_eq!(fixed.forecast(processing, 20, at("14:00")).action, Some(Reentry::Retry));
}

#[test]
fn a_partners_own_policy_counts_for_it_alone() {
    let ladder = Schedule::Ladder(Ladder { delays: vec![minutes(7)] });
    let mut flow = flow();
    flow.partners.insert("GLOBEX".to_owned(), RetryPolicy { schedule: ladder, ..RetryPolicy::default() });
    let globex = HypotheticalFailure { partner: Some("GLOBEX"), ..SYSTEM };
    assert_eq!(times(&flow.forecast(globex, 20, at("14:00")).earliest), ["11-20T14:07"]);
    assert_eq!(flow.forecast(SYSTEM, 20, at("14:00")).earliest.len(), 5);
}

#[test]
fn the_rung_tells_the_number_of_how_many_and_whose_policy() {
    let mut flow = flow();
    flow.partners.insert("GLOBEX".to_owned(), RetryPolicy::default());
    let mut interchange: Interchange = failed_at_two();
    interchange.automatic = 2;
    assert_eq!(flow.retry_position(&interchange).to_string(), "3rd of 5, ladder");
    interchange.parties.partner = Some("GLOBEX".to_owned());
    assert_eq!(flow.retry_position(&interchange).to_string(), "3rd of 5, ladder, partner GLOBEX");
    interchange.parties.partner = Some("ACME".to_owned());
    assert_eq!(flow.retry_position(&interchange).partner, None);
}

#[test]
fn a_retry_that_a_shorter_schedule_no_longer_has_is_the_last_of_its_count() {
    let mut flow = flow();
    flow.retry.schedule = Schedule::Ladder(Ladder { delays: vec![minutes(7), minutes(7)] });
    let mut interchange: Interchange = failed_at_two();
    interchange.automatic = 2;
    assert_eq!(flow.retry_position(&interchange).to_string(), "3rd of 3, ladder");
}

prop_compose! {
    fn schedules()(
        kind in 0..3, delays in prop::collection::vec(1i64..3000, 1..8), first in 1i64..120, factor in 1.0f64..3.0,
        interval in 1i64..24, lapse in 0i64..300, limit in 1u32..12,
    ) -> Schedule {
        match kind {
            0 => Schedule::Ladder(Ladder { delays: delays.into_iter().map(minutes).collect() }),
            1 => Schedule::Exponential(Exponential { first: minutes(first), factor, cap: minutes(1440), limit }),
            _ => Schedule::Window(Window {
                every: WindowEvery::Hour, interval, lapse: minutes(lapse), batch: None, limit,
            }),
        }
    }
}

proptest! {
    #[test]
    fn what_comes_is_what_was_forecast(schedule in schedules()) {
        let flow = with(schedule);
        prop_assert_eq!(flow.forecast(SYSTEM, 20, at("14:00")).earliest, what_comes(&flow, 20));
    }

    #[test]
    fn with_jitter_what_comes_lies_between_the_two(schedule in schedules(), jitter in 0.0f64..1.0) {
        let mut flow = with(schedule);
        flow.retry.jitter = jitter;
        let forecast = flow.forecast(SYSTEM, 20, at("14:00"));
        let comes = what_comes(&flow, 20);
        prop_assert_eq!((comes.len(), comes.len()), (forecast.earliest.len(), forecast.latest.len()));
        for (time, (earliest, latest)) in comes.iter().zip(forecast.earliest.iter().zip(&forecast.latest)) {
            prop_assert!(earliest <= time && time <= latest);
        }
    }
}
