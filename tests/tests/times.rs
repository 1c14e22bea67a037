//! Checks the times in the template on which the code relies: time-outs of functions, visibility timeouts of queues, and the
//! schedules of the sweeps.

#![cfg(test)]

use std::collections::BTreeMap;
use std::time::Duration;

use local::template::{Function, Queue, StackContext, Template};

/// AWS requires a visibility timeout of this many function time-outs.
const MIN_TIMEOUTS: u32 = 6;

/// How much longer than the function's time-out a lease must last, as clocks may differ by 30 s.
const LEASE_MARGIN: Duration = Duration::from_secs(45);

#[test]
fn visibility_timeouts_are_six_function_time_outs_plus_the_batching_window() {
    let template = template();
    assert_eq!(template.sources.len(), 3);
    for source in &template.sources {
        let function = function(&template, &source.function);
        let queue: &Queue = template.queues.iter().find(|queue| queue.name == source.queue).unwrap();
        let min = function.timeout * MIN_TIMEOUTS + source.window;
        assert!(
            queue.visibility_timeout() >= min,
            "{}: {:?}, but {min:?} is needed",
            queue.name,
            queue.visibility_timeout()
        );
    }
}

#[test]
fn a_lease_lasts_longer_than_run_job_can_run() {
    let run_job = function(&template(), "reprise-run-job").timeout;
    assert!(table::LEASE.unsigned_abs() >= run_job + LEASE_MARGIN, "{run_job:?}");
}

#[test]
fn the_work_item_of_a_request_is_delivered_after_the_time_out_of_the_function_that_handles_the_request() {
    let template = template();
    for name in ["reprise-restart", "reprise-retry"] {
        let timeout = function(&template, name).timeout;
        assert!(Duration::from_secs(u64::from(app::SEND_DELAY)) > timeout, "{name}: {timeout:?}");
    }
}

#[test]
fn functions_of_the_api_time_out_before_api_gateway_does() {
    let template = template();
    let handlers = template.routes.iter().map(|route| function(&template, &route.function));
    for function in handlers {
        assert!(function.timeout < Duration::from_secs(30), "{}: {:?}", function.name, function.timeout);
    }
}

#[test]
fn each_sweep_has_a_schedule_of_its_own() {
    let schedules = template().schedules;
    let sweeps: BTreeMap<&str, (&str, &str)> = schedules
        .iter()
        .map(|schedule| {
            let text = |pointer| schedule.definition.pointer(pointer).and_then(serde_json::Value::as_str).unwrap();
            (schedule.name.as_str(), (text("/ScheduleExpression"), text("/Target/Input")))
        })
        .collect();
    let expected = [
        ("reprise-sweep-counts", ("rate(15 minutes)", r#"{"sweep":"counts"}"#)),
        ("reprise-sweep-jobs", ("rate(1 minute)", r#"{"sweep":"jobs"}"#)),
        ("reprise-sweep-slots", ("rate(1 minute)", r#"{"sweep":"slots"}"#)),
    ];
    assert_eq!(sweeps, expected.into());
}

fn template() -> Template {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml")).unwrap();
    let [stack, region, account, endpoint] =
        ["reprise", "eu-west-1", "000000000000", "http://127.0.0.1:1"].map(str::to_owned);
    Template::parse(&text, &StackContext { stack, region, account, endpoint }, &BTreeMap::new()).unwrap()
}

fn function<'a>(template: &'a Template, name: &str) -> &'a Function {
    template.functions.iter().find(|function| function.name == name).unwrap_or_else(|| panic!("there is no {name}"))
}
