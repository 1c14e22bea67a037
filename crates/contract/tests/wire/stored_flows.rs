//! A stored configuration, of whatever release: what is unknown is kept, what is not understood does nothing by itself.

use contract::{flow_config, read_stored_flow, stored_flow_config};
use domain::{Flow, FlowName, Reentry, RetryMode};
use serde_json::{Value, json};

use super::at;
use super::flows::{NOW, full, read};

fn stored(json: &Value) -> Flow {
    read_stored_flow(FlowName::new("orders").unwrap(), &json.to_string(), at(NOW))
}

/// The fields that are not understood.
fn problems(flow: &Flow) -> Vec<&str> {
    flow.problems.iter().filter_map(|problem| problem.field.as_deref()).collect()
}

/// The whole configuration with `value` at the JSON pointer `at`.
fn with(at: &str, value: Value) -> Value {
    let mut config = full();
    let (parent, name) = at.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[name] = value;
    config
}

#[test]
fn what_this_release_stores_is_read_back_as_it_is_sent() {
    let schedules = [
        json!({ "kind": "ladder", "delays": ["5m"] }),
        json!({ "kind": "exponential", "first": "2m", "factor": 2.0, "cap": "24h", "limit": 3 }),
        json!({ "kind": "window", "every": "hour", "interval": 2, "lapse": "20m", "batch": 5, "limit": 4 }),
        json!({ "kind": "window", "every": "day", "at": "06:30", "timezone": "Europe/Berlin", "interval": 6,
                "lapse": "20m", "batch": 5, "limit": 4 }),
    ];
    for schedule in schedules {
        let sent = read(&with("/retry/schedule", schedule)).unwrap();
        assert_eq!(stored(&stored_flow_config(&sent)), sent);
    }
    let mut sent = read(&with("/confirmation/early", json!(false))).unwrap();
    assert!(!sent.senders.is_empty() && !sent.confirmation.early);
    assert_eq!(stored(&stored_flow_config(&sent)), sent);
    sent.senders.clear();
    assert_eq!(stored(&stored_flow_config(&sent)), sent);
    assert!(stored(&json!({})).is_understood(), "what an older release left out is as it was by default");
}

#[test]
fn members_of_a_later_release_are_kept_and_written_back_and_are_no_problem() {
    for at in ["/calendar", "/confirmation/later", "/retry/outage", "/partners/GLOBEX/note", "/partners/GLOBEX/retry/x"]
    {
        let config = with(at, json!({ "deep": [1, null] }));
        let flow = stored(&config);
        assert!(flow.is_understood(), "{at}: {:?}", flow.problems);
        assert_eq!(flow_config(&flow), full(), "{at} is not shown");
        assert_eq!(stored_flow_config(&flow), config, "{at}");
    }
}

#[test]
fn a_replacement_keeps_what_a_later_release_stored_beside_it_and_nothing_of_what_it_replaces() {
    let mut config = with("/calendar", json!("workdays"));
    config["retry"]["schedule"] = json!({ "kind": "cron", "expression": "0 6 * * *" });
    config["stages"]["receiver"] = json!({ "http": { "url": "https://partner.example" } });
    config["partners"]["GLOBEX"]["note"] = json!("mine");
    let mut replacement = read(&json!({ "partners": {} })).unwrap();
    replacement.unknown = stored(&config).unknown;
    let mut expected = flow_config(&replacement);
    expected["calendar"] = json!("workdays");
    assert_eq!(stored_flow_config(&replacement), expected);
}

#[test]
fn a_schedule_of_an_unknown_kind_is_retried_by_hand_only() {
    let flow = stored(&with("/retry/schedule", json!({ "kind": "cron", "expression": "0 6 * * *" })));
    assert_eq!(
        (flow.retry.mode, flow.is_held(), problems(&flow)),
        (RetryMode::Manual, true, vec!["retry.schedule.kind"])
    );
    assert!(flow.problems[0].problem.contains("cron"), "{:?}", flow.problems);
    let partner = stored(&with("/partners/GLOBEX/retry/schedule", json!({ "kind": "cron" })));
    assert_eq!((partner.retry.mode, partner.retry_for(Some("GLOBEX")).mode), (RetryMode::Automatic, RetryMode::Manual));
    assert!(partner.is_held());
}

#[test]
fn values_that_are_not_understood_cost_their_own_part_alone() {
    for (at, value, field) in [
        ("/active", json!("on weekdays"), "active"),
        ("/stages/receiver", json!({ "http": {} }), "stages.receiver.queueUrl"),
        ("/deadLetterQueues/0/arn", json!("arn:aws:sns:eu-west-1:000000000000:x"), "deadLetterQueues[0].arn"),
        ("/deadLetterQueues/1/phase", json!("mapping"), "deadLetterQueues[1].phase"),
        ("/functions/0", json!(7), "functions[0]"),
        ("/confirmation/mode", json!("response"), "confirmation.mode"),
        ("/retry/categories", json!(["weather"]), "retry.categories[0]"),
        ("/retry/jitter", json!("lots"), "retry.jitter"),
        ("/partners/GLOBEX", json!("see calendar"), "partners.GLOBEX"),
        ("/displayName", json!(7), "displayName"),
    ] {
        let config = match at {
            "/deadLetterQueues/0/arn" | "/deadLetterQueues/1/phase" | "/functions/0" => {
                let mut config = full();
                *config.pointer_mut(at).unwrap() = value;
                config
            }
            _ => with(at, value),
        };
        let flow = stored(&config);
        assert_eq!(problems(&flow), [field]);
        assert!(flow.is_held() && !flow.is_unreadable(), "{field}");
    }
    let flow = stored(&with("/stages/receiver", json!({ "http": {} })));
    assert!(flow.stage(Reentry::Restart).is_some() && flow.stage(Reentry::Retry).is_none());
    let flow = stored(&with("/active", json!("on weekdays")));
    assert!(!flow.active, "what may be off is off");
}

#[test]
fn what_is_no_configuration_at_all_says_so_and_does_nothing_by_itself() {
    for json in ["", "{", "null", "[]", "7"] {
        let flow = read_stored_flow(FlowName::new("orders").unwrap(), json, at(NOW));
        assert!(flow.is_unreadable() && flow.is_held(), "{json}");
        assert_eq!((flow.retry.mode, flow.stage(Reentry::Retry)), (RetryMode::Manual, None));
    }
}

#[test]
fn senders_that_are_not_understood_open_a_flow_to_nobody() {
    for senders in [json!({ "any": "shape" }), json!([{ "role": "r" }]), json!("AROAEXAMPLEORDERS000")] {
        let flow = stored(&with("/senders", senders.clone()));
        assert_eq!(flow.senders, ["-"], "{senders}");
        assert!(!flow.is_understood(), "{senders}");
    }
    let flow = stored(&with("/senders", json!(["a form of the next release"])));
    assert_eq!(flow.senders, ["a form of the next release"], "it matches nobody");
}
