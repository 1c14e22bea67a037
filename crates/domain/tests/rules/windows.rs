//! Windows: runs at fixed times, hourly from the flow's activation or daily by a zone's clock.

use domain::{Flow, NoRetry, RetryPolicy, Schedule, Timestamp, Window, WindowEvery};
use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;

use super::{at, failed_at_two, flow};

fn hourly(interval: i64, lapse: i64) -> Window {
    Window { every: WindowEvery::Hour, interval, lapse: SignedDuration::from_mins(lapse), batch: None, limit: 4 }
}

/// Runs by the clock of Oslo: from 02:30 on, every `interval` hours.
fn daily(interval: i64) -> Window {
    let zone = TimeZone::get("Europe/Oslo").unwrap();
    Window { every: WindowEvery::Day { at: time(2, 30, 0, 0), zone }, ..hourly(interval, 0) }
}

fn utc(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn a_failure_at_two_with_a_lapse_of_twenty_minutes_is_retried_at_three() {
    let window = hourly(1, 20);
    assert_eq!(window.next_run(at("14:00"), at("14:00")), at("15:00"));
    let retry = RetryPolicy { schedule: Schedule::Window(window), ..RetryPolicy::default() };
    let flow = Flow { activated_at: at("14:00"), retry, ..flow() };
    let next = flow.next_retry(&failed_at_two(), None, at("14:00")).unwrap();
    assert_eq!((next.at.timestamp(), next.why.as_str()), (at("15:00"), "1st of 4, window"));
}

#[test]
fn a_failure_takes_part_in_the_first_run_at_or_after_its_lapse() {
    for (interval, lapse, failed, run) in [
        (1, 0, "14:00", "14:00"),
        (1, 0, "14:00:01", "15:00"),
        (1, 60, "14:00", "15:00"),
        (1, 61, "14:00", "16:00"),
        (2, 20, "14:00", "16:00"),
        (5, 0, "14:01", "17:00"),
    ] {
        let next = hourly(interval, lapse).next_run(at(failed), at("12:00"));
        assert_eq!(next, at(run), "every {interval} h, lapse {lapse}, failed {failed}");
    }
}

#[test]
fn nothing_runs_before_the_activation() {
    assert_eq!(hourly(1, 0).next_run(at("10:00"), at("12:30")), at("12:30"));
}

#[test]
fn four_retries_are_made_and_no_more() {
    let schedule = Schedule::Window(hourly(1, 0));
    let flow = Flow { retry: RetryPolicy { schedule, ..RetryPolicy::default() }, ..flow() };
    let mut known = failed_at_two();
    known.automatic = 3;
    assert_eq!(flow.next_retry(&known, None, at("14:00")).unwrap().why, "4th of 4, window");
    known.automatic = 4;
    let rule = "4 retries were made".to_owned();
    assert_eq!(flow.next_retry(&known, None, at("14:00")), Err(NoRetry::Exhausted { rule }));
}

#[test]
fn jitter_does_not_move_a_run() {
    let schedule = Schedule::Window(hourly(1, 20));
    let flow = Flow { retry: RetryPolicy { schedule, jitter: 1.0, ..RetryPolicy::default() }, ..flow() };
    assert_eq!(flow.next_retry(&failed_at_two(), None, at("14:00")).unwrap().at.timestamp(), at("15:00"));
}

#[test]
fn a_days_runs_begin_at_its_time_and_end_before_the_next_days() {
    for (failed, run) in [
        ("2026-11-20T00:00:00Z", "2026-11-20T01:30:00Z"),
        ("2026-11-20T01:30:00Z", "2026-11-20T01:30:00Z"),
        ("2026-11-20T01:31:00Z", "2026-11-20T11:30:00Z"),
        ("2026-11-20T11:31:00Z", "2026-11-20T21:30:00Z"),
        ("2026-11-20T21:31:00Z", "2026-11-21T01:30:00Z"),
    ] {
        assert_eq!(daily(10).next_run(utc(failed), at("12:00")), utc(run), "{failed}");
    }
}

#[test]
fn a_daily_run_follows_its_zone_through_both_changes_of_the_clock() {
    for (failed, run) in [
        ("2026-03-27T22:00:00Z", "2026-03-28T01:30:00Z"),
        // 29 March has no half past two: it runs when that hour has been skipped.
        ("2026-03-28T22:00:00Z", "2026-03-29T01:30:00Z"),
        ("2026-03-29T22:00:00Z", "2026-03-30T00:30:00Z"),
        ("2026-10-23T22:00:00Z", "2026-10-24T00:30:00Z"),
        // 25 October has two of them: it runs at the first.
        ("2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T22:00:00Z", "2026-10-26T01:30:00Z"),
    ] {
        assert_eq!(daily(13).next_run(utc(failed), at("12:00")), utc(run), "{failed}");
    }
}

#[test]
fn every_day_of_a_year_has_one_run_at_half_past_two_in_oslo() {
    let zone = TimeZone::get("Europe/Oslo").unwrap();
    let window = daily(48);
    let mut run = domain::Minute::at_or_after(utc("2025-12-31T23:00:00Z"));
    let mut days = Vec::new();
    for _ in 0..365 {
        run = window.run_after(run, at("12:00"));
        days.push(zone.to_datetime(run.timestamp()));
    }
    for (n, (day, next)) in days.iter().zip(&days[1..]).enumerate() {
        assert_eq!(next.date(), day.date().tomorrow().unwrap(), "one run a day, day {n}");
    }
    assert_eq!((days[0].date().to_string(), days[364].date().to_string()), ("2026-01-01".into(), "2026-12-31".into()));
    let elsewhere: Vec<_> = days.iter().filter(|run| run.time() != time(2, 30, 0, 0)).collect();
    // The clock jumps from two to three on 29 March: the run that has no half past two comes at half past three.
    assert_eq!(elsewhere.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2026-03-29T03:30:00"]);
}

proptest! {
    #[test]
    fn an_hourly_run_is_on_the_grid_and_is_the_first_that_counts(
        interval in 1i64..=23, lapse in 0i64..3_000, failed in 0i64..10_000_000
    ) {
        let window = hourly(interval, lapse);
        let failed = at("12:00") + failed.seconds();
        let run = window.next_run(failed, at("12:00"));
        let eligible = failed + window.lapse;
        prop_assert!(run >= eligible);
        prop_assert!(run.duration_since(eligible).as_secs() < interval * 3_600);
        prop_assert_eq!(run.duration_since(at("12:00")).as_secs() % (interval * 3_600), 0);
    }

    #[test]
    fn a_daily_run_comes_within_the_interval_or_the_day(interval in 1i64..=23, failed in 0i64..40_000_000) {
        let failed = at("12:00") + failed.seconds();
        let run = daily(interval).next_run(failed, at("12:00"));
        prop_assert!(run >= failed);
        prop_assert!(run.duration_since(failed).as_secs() <= interval * 3_600);
        prop_assert_eq!(daily(interval).next_run(run, at("12:00")), run);
    }
}
