//! Retry policies and schedules.

use contract::flow_config;
use domain::{Schedule, Window, WindowEvery};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::at;
use super::flows::read;

fn schedule(json: &Value) -> Result<Schedule, contract::FieldError> {
    read(&json!({ "retry": { "schedule": json } })).map(|flow| flow.retry.schedule)
}

fn window(json: &Value) -> Window {
    match schedule(json).unwrap() {
        Schedule::Window(window) => window,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_schedule_reads_back_from_what_is_written() {
    for json in [
        json!({ "kind": "ladder", "delays": ["1m", "365d"] }),
        json!({ "kind": "exponential", "first": "1m", "factor": 1.7, "cap": "24h", "limit": 3 }),
        json!({ "kind": "window", "every": "hour", "interval": 23, "lapse": "20m", "batch": 100, "limit": 9 }),
        json!({ "kind": "window", "every": "day", "interval": 2, "at": "06:30", "timezone": "Europe/Berlin", "lapse": "0s",
            "limit": 4 }),
        json!({ "kind": "window", "every": "day", "at": "00:00", "timezone": "UTC", "lapse": "90s", "limit": 4 }),
    ] {
        let flow = read(&json!({ "retry": { "schedule": json } })).unwrap();
        assert_eq!(flow_config(&flow)["retry"]["schedule"], json);
        assert_eq!(read(&flow_config(&flow)).unwrap(), flow);
    }
}

#[test]
fn what_a_schedule_leaves_out_is_the_default() {
    let with =
        |json| flow_config(&read(&json!({ "retry": { "schedule": json } })).unwrap())["retry"]["schedule"].clone();
    let ladder = json!({ "kind": "ladder", "delays": ["5m", "10m", "60m", "5h", "24h"] });
    assert_eq!(with(json!({})), ladder);
    assert_eq!(with(json!({ "kind": "ladder" })), ladder);
    assert_eq!(with(json!({ "delays": ["2m"] })), json!({ "kind": "ladder", "delays": ["2m"] }));
    assert_eq!(with(json!({ "kind": "exponential", "first": "1m", "factor": 2, "cap": "60m" }))["limit"], json!(10));
    assert_eq!(
        with(json!({ "kind": "window", "every": "hour" })),
        json!({ "kind": "window", "every": "hour", "interval": 1, "lapse": "0s", "limit": 4 })
    );
}

#[test]
fn impossible_schedules_are_refused_by_name() {
    let exponential = |name: &str, value: Value| {
        let mut json = json!({ "kind": "exponential", "first": "5m", "factor": 2, "cap": "60m" });
        json[name] = value;
        json
    };
    let hour = |name: &str, value: Value| {
        let mut json = json!({ "kind": "window", "every": "hour", "interval": 1 });
        json[name] = value;
        json
    };
    let day = |name: &str, value: Value| {
        let mut json = json!({ "kind": "window", "every": "day", "at": "06:00", "timezone": "Europe/Berlin" });
        json[name] = value;
        json
    };
    let table = [
        (json!({ "kind": "cron" }), "kind"),
        (json!({ "kind": "ladder", "delays": [] }), "delays"),
        (json!({ "kind": "ladder", "delays": vec!["5m"; 101] }), "delays"),
        (json!({ "kind": "ladder", "delays": ["5m", "10m", "59s"] }), "delays[2]"),
        (json!({ "kind": "ladder", "delays": ["366d"] }), "delays[0]"),
        (json!({ "kind": "ladder", "delays": [5] }), "delays[0]"),
        (json!({ "kind": "ladder", "limit": 3 }), "limit"),
        (exponential("first", json!("30s")), "first"),
        (exponential("first", json!(null)), "first"),
        (exponential("factor", json!(0.9)), "factor"),
        (exponential("factor", json!(101)), "factor"),
        (exponential("factor", json!(null)), "factor"),
        (exponential("cap", json!("4m")), "cap"),
        (exponential("cap", json!("366d")), "cap"),
        (exponential("limit", json!(0)), "limit"),
        (exponential("limit", json!(1001)), "limit"),
        (exponential("delays", json!(["5m"])), "delays"),
        (hour("every", json!("week")), "every"),
        (hour("every", json!(null)), "every"),
        (hour("interval", json!(0)), "interval"),
        (hour("interval", json!(24)), "interval"),
        (hour("at", json!("06:00")), "at"),
        (hour("timezone", json!("UTC")), "timezone"),
        (hour("lapse", json!("366d")), "lapse"),
        (hour("batch", json!(0)), "batch"),
        (hour("batch", json!(1_000_001)), "batch"),
        (hour("limit", json!(1001)), "limit"),
        (hour("factor", json!(2)), "factor"),
        (day("interval", json!(24)), "interval"),
        (day("at", json!(null)), "at"),
        (day("at", json!("6:00")), "at"),
        (day("at", json!("24:00")), "at"),
        (day("at", json!("06:00:00")), "at"),
        (day("timezone", json!(null)), "timezone"),
        (day("timezone", json!("Europe/Atlantis")), "timezone"),
        (day("timezone", json!("Etc/Unknown")), "timezone"),
    ];
    for (json, field) in table {
        assert_eq!(schedule(&json).unwrap_err().field, format!("retry.schedule.{field}"), "{json}");
    }
    let refusal = schedule(&hour("interval", json!(24))).unwrap_err();
    assert_eq!(refusal.problem, "is `24`: must be a whole number from 1 to 23");
}

#[test]
fn impossible_policies_are_refused_by_name() {
    for (json, field) in [
        (json!({ "mode": "sometimes" }), "mode"),
        (json!({ "jitter": 1.1 }), "jitter"),
        (json!({ "jitter": -0.1 }), "jitter"),
        (json!({ "categories": "system" }), "categories"),
        (json!({ "categories": ["system", "weather"] }), "categories[1]"),
        (json!({ "categories": ["system", "mapping", "system"] }), "categories[2]"),
        (json!({ "action": "delete" }), "action"),
        (json!({ "schedule": "ladder" }), "schedule"),
        (json!({ "limit": 3 }), "limit"),
    ] {
        let refusal = read(&json!({ "retry": json })).unwrap_err();
        assert_eq!(refusal.field, format!("retry.{field}"), "{json}");
    }
}

#[test]
fn a_time_zone_is_known_by_its_proper_name_however_it_was_typed() {
    let json = json!({ "kind": "window", "every": "day", "at": "06:00", "timezone": "europe/berlin" });
    let WindowEvery::Day { zone, .. } = window(&json).every else { panic!() };
    assert_eq!(zone, TimeZone::get("Europe/Berlin").unwrap());
}

#[test]
fn a_daily_window_without_an_interval_runs_once_a_day_on_the_long_day_too() {
    let json = json!({ "kind": "window", "every": "day", "at": "02:30", "timezone": "Europe/Berlin", "lapse": "0m" });
    let window = window(&json);
    assert_eq!(window.lapse, SignedDuration::ZERO);
    let next = |failed: &str| window.next_run(at(failed), at("2026-01-01T00:00:00Z"));
    // The clocks go back on 25 October 2026 at 01:00 UTC: half past two comes twice, and the first counts.
    assert_eq!(next("2026-10-24T00:31:00Z"), at("2026-10-25T00:30:00Z"));
    assert_eq!(next("2026-10-25T00:31:00Z"), at("2026-10-26T01:30:00Z"));
    assert_eq!(next("2026-10-26T01:30:00Z"), at("2026-10-26T01:30:00Z"));
    assert_eq!(next("2026-10-26T01:31:00Z"), at("2026-10-27T01:30:00Z"));
}

proptest! {
    #[test]
    fn any_numbers_read_back_to_the_last_digit(factor in 1.0f64..=100.0, jitter in 0.0f64..=1.0, first in 60i64..=86_400) {
        let json = json!({ "retry": { "jitter": jitter, "schedule": { "kind": "exponential", "first": format!("{first}s"),
            "factor": factor, "cap": "365d" } } });
        let flow = read(&json).unwrap();
        prop_assert_eq!(flow.retry.jitter, jitter);
        let written = flow_config(&flow).to_string();
        let again = read(&serde_json::from_str(&written).unwrap()).unwrap();
        prop_assert_eq!(again, flow);
    }
}
