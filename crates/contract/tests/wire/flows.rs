//! A flow's configuration: what it may say, what it is when it says nothing, and how it is written.

use contract::api::{FlowFacts, Group, flow_summary, group};
use contract::{FieldError, flow_config, read_flow};
use domain::{Category, ConfirmationMode, Fingerprint, Flow, FlowName, Minute, Phase, RetryMode, Stages, Status};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::at;

pub(crate) const NOW: &str = "2026-11-20T14:00:00Z";

pub(crate) fn defaults() -> Stages {
    let url = |name: &str| Some(format!("https://sqs.eu-west-1.amazonaws.com/000000000000/{name}"));
    Stages { sender: url("reprise-sender-stage"), receiver: url("reprise-receiver-stage") }
}

pub(crate) fn read(json: &Value) -> Result<Flow, FieldError> {
    read_flow(FlowName::new("orders").unwrap(), json.to_string().as_bytes(), &defaults(), at(NOW))
}

pub(crate) fn full() -> Value {
    json!({
        "active": false, "displayName": "Orders inbound",
        "stages": {
            "sender": { "queueUrl": "https://sqs.eu-west-1.amazonaws.com/000000000000/orders" },
            "receiver": { "queueUrl": "http://127.0.0.1:4566/000000000000/orders-out.fifo" } },
        "deadLetterQueues": [
            { "arn": "arn:aws:sqs:eu-west-1:000000000000:orders-dlq", "phase": "processing" },
            { "arn": "arn:aws:sqs:eu-west-1:000000000000:orders-out-dlq.fifo", "phase": "delivery" } ],
        "functions": ["arn:aws:lambda:eu-west-1:000000000000:function:orders"],
        "senders": ["AROAEXAMPLEORDERS000:mapper", "AIDAEXAMPLEALICE0000", "arn:aws:sqs:eu-west-1:000000000000:orders-out"],
        "mask": { "patterns": ["Patient \\w+", "[0-9]{10}"], "fields": ["error.code", "parts.message"] },
        "confirmation": { "mode": "silent", "within": "30m", "inNetworkWithin": "none" },
        "retry": { "mode": "automatic", "schedule": { "kind": "ladder", "delays": ["5m", "24h"] },
            "categories": ["system"], "jitter": 0.1, "action": "restart" },
        "partners": { "GLOBEX": { "retry": { "mode": "manual", "jitter": 0.0,
            "schedule": { "kind": "ladder", "delays": ["5m", "10m", "60m", "5h", "24h"] },
            "categories": ["system", "business", "no_outcome", "unknown"] } } }
    })
}

#[test]
fn a_whole_configuration_is_read_and_written_as_it_was() {
    let flow = read(&full()).unwrap();
    assert_eq!((flow.active, flow.display_name.as_deref()), (false, Some("Orders inbound")));
    assert_eq!(flow.dead_letter_queues[1].phase, Phase::Delivery);
    assert_eq!(flow.confirmation.mode, ConfirmationMode::Silent);
    assert_eq!(flow.confirmation.within, SignedDuration::from_mins(30));
    assert_eq!(flow.confirmation.in_network_within, None);
    assert_eq!(flow.retry_for(Some("GLOBEX")).mode, RetryMode::Manual);
    assert_eq!((flow.version, flow.activated_at), (0, at(NOW)));
    assert_eq!(flow_config(&flow), full());
}

#[test]
fn an_empty_configuration_is_a_flow_as_it_is_registered() {
    let registered = Flow::registered(FlowName::new("orders").unwrap(), &defaults(), at(NOW));
    assert_eq!(read(&json!({})).unwrap(), registered);
    assert_eq!(read(&flow_config(&registered)).unwrap(), registered);
    let config = flow_config(&registered);
    assert_eq!(config["retry"]["schedule"], json!({ "kind": "ladder", "delays": ["5m", "10m", "60m", "5h", "24h"] }));
    assert_eq!(config["retry"]["categories"], json!(["system", "business", "no_outcome", "unknown"]));
    assert_eq!(config["confirmation"], json!({ "mode": "confirms", "within": "15m", "inNetworkWithin": "24h" }));
    assert_eq!(config.get("displayName"), None);
}

#[test]
fn unassigned_is_manual_and_has_no_stages_until_someone_says_otherwise() {
    let read =
        |json: Value| read_flow(FlowName::unassigned(), json.to_string().as_bytes(), &defaults(), at(NOW)).unwrap();
    let bare = read(json!({}));
    assert_eq!((bare.retry.mode, &bare.stages), (RetryMode::Manual, &Stages::default()));
    assert_eq!(read(json!({ "retry": {} })).retry.mode, RetryMode::Manual);
    assert_eq!(read(json!({ "retry": { "mode": "automatic" } })).retry.mode, RetryMode::Automatic);
    assert_eq!(read(flow_config(&bare)), bare);
}

#[test]
fn stages_left_out_are_the_stacks_and_stages_that_are_told_stand_alone() {
    let sender = json!({ "queueUrl": "https://sqs.eu-west-1.amazonaws.com/000000000000/orders" });
    let url = sender["queueUrl"].as_str().map(str::to_owned);
    for (stages, expected) in [
        (json!(null), defaults()),
        (json!({}), Stages::default()),
        (json!({ "sender": sender }), Stages { sender: url, receiver: None }),
        (json!({ "receiver": null }), Stages::default()),
    ] {
        let flow = read(&json!({ "stages": stages })).unwrap();
        assert_eq!(flow.stages, expected);
        assert_eq!(read(&flow_config(&flow)).unwrap(), flow);
    }
}

#[test]
fn unknown_and_impossible_fields_are_refused_by_name_at_every_level() {
    let queue = "arn:aws:sqs:eu-west-1:000000000000:q";
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:f";
    let url = |url: &str| json!({ "stages": { "sender": { "queueUrl": url } } });
    let table = [
        (json!({ "name": "x" }), "name"),
        (json!({ "flow": "invoices" }), "flow"),
        (json!({ "active": "yes" }), "active"),
        (json!({ "displayName": "é".repeat(257) }), "displayName"),
        (json!({ "stages": [] }), "stages"),
        (json!({ "stages": { "mapper": {} } }), "stages.mapper"),
        (json!({ "stages": { "sender": {} } }), "stages.sender.queueUrl"),
        (json!({ "stages": { "sender": { "queueUrl": "x", "password": "y" } } }), "stages.sender.password"),
        (url("orders"), "stages.sender.queueUrl"),
        (url("ftp://host/1/orders"), "stages.sender.queueUrl"),
        (url("https://host"), "stages.sender.queueUrl"),
        (url("https:///orders"), "stages.sender.queueUrl"),
        (url("https://host/1/orders?x=1"), "stages.sender.queueUrl"),
        (url("https://host/1/or ders"), "stages.sender.queueUrl"),
        (url("https://host/1/.fifo"), "stages.sender.queueUrl"),
        (json!({ "deadLetterQueues": [{ "arn": "orders" }] }), "deadLetterQueues[0].arn"),
        (json!({ "deadLetterQueues": [{ "arn": function }] }), "deadLetterQueues[0].arn"),
        (json!({ "deadLetterQueues": [{ "arn": queue, "phase": "x" }] }), "deadLetterQueues[0].phase"),
        (json!({ "deadLetterQueues": [{ "arn": queue, "url": "x" }] }), "deadLetterQueues[0].url"),
        (json!({ "deadLetterQueues": [{ "arn": queue }, { "arn": queue }] }), "deadLetterQueues[1].arn"),
        (json!({ "deadLetterQueues": [queue] }), "deadLetterQueues[0]"),
        (json!({ "functions": [queue] }), "functions[0]"),
        (json!({ "functions": [function, format!("{function}:live")] }), "functions[1]"),
        (json!({ "senders": "AROAEXAMPLEORDERS000" }), "senders"),
        (json!({ "senders": ["arn:aws:iam::000000000000:role/orders"] }), "senders[0]"),
        (json!({ "senders": ["AROAEXAMPLEORDERS000", function] }), "senders[1]"),
        (json!({ "senders": ["000000000000"] }), "senders[0]"),
        (json!({ "senders": ["AROASHORT"] }), "senders[0]"),
        (json!({ "senders": ["AROAEXAMPLEORDERS000:"] }), "senders[0]"),
        (json!({ "senders": ["AROAexampleorders000"] }), "senders[0]"),
        (json!({ "senders": ["AIDAEXAMPLEALICE0000:session"] }), "senders[0]"),
        (json!({ "senders": [queue, "AROAEXAMPLEORDERS000", queue] }), "senders[2]"),
        (json!({ "mask": ["Patient"] }), "mask"),
        (json!({ "mask": { "pattern": "Patient" } }), "mask.pattern"),
        (json!({ "mask": { "patterns": "Patient" } }), "mask.patterns"),
        (json!({ "mask": { "patterns": ["Patient", "(" ] } }), "mask.patterns[1]"),
        (json!({ "mask": { "patterns": [""] } }), "mask.patterns[0]"),
        (json!({ "mask": { "patterns": ["x*"] } }), "mask.patterns[0]"),
        (json!({ "mask": { "patterns": [r"\w{1000}{1000}"] } }), "mask.patterns[0]"),
        (json!({ "mask": { "patterns": ["é".repeat(501)] } }), "mask.patterns[0]"),
        (json!({ "mask": { "fields": ["error.text"] } }), "mask.fields[0]"),
        (json!({ "mask": { "fields": ["error.code", "error.code"] } }), "mask.fields[1]"),
        (json!({ "confirmation": { "mode": "loud" } }), "confirmation.mode"),
        (json!({ "confirmation": { "within": "59s" } }), "confirmation.within"),
        (json!({ "confirmation": { "within": "366d" } }), "confirmation.within"),
        (json!({ "confirmation": { "after": "5m" } }), "confirmation.after"),
        (json!({ "confirmation": { "inNetworkWithin": "59s" } }), "confirmation.inNetworkWithin"),
        (json!({ "confirmation": { "inNetworkWithin": "366d" } }), "confirmation.inNetworkWithin"),
        (json!({ "confirmation": { "inNetworkWithin": "None" } }), "confirmation.inNetworkWithin"),
        (json!({ "confirmation": { "inNetworkWithin": false } }), "confirmation.inNetworkWithin"),
        (json!({ "partners": [] }), "partners"),
        (json!({ "partners": { "": { "retry": {} } } }), "partners."),
        (json!({ "partners": { "A": {} } }), "partners.A.retry"),
        (json!({ "partners": { "A": null } }), "partners.A"),
        (json!({ "partners": { "A": { "retry": {}, "stages": {} } } }), "partners.A.stages"),
        (json!({ "partners": { "A": { "retry": { "mode": "x" } } } }), "partners.A.retry.mode"),
    ];
    for (config, field) in table {
        assert_eq!(read(&config).unwrap_err().field, field, "{config}");
    }
    assert_eq!(read(&json!([])).unwrap_err().field, "body");
}

#[test]
fn a_deadline_in_the_network_is_a_day_unless_it_says_otherwise_or_none() {
    let hours = |hours| Some(SignedDuration::from_hours(hours));
    for (told, expected, written) in [
        (json!({}), hours(24), "24h"),
        (json!({ "inNetworkWithin": null }), hours(24), "24h"),
        (json!({ "inNetworkWithin": "3d" }), hours(72), "3d"),
        (json!({ "inNetworkWithin": "none" }), None, "none"),
    ] {
        let flow = read(&json!({ "confirmation": told })).unwrap();
        assert_eq!(flow.confirmation.in_network_within, expected);
        assert_eq!(flow_config(&flow)["confirmation"]["inNetworkWithin"], written);
        assert_eq!(read(&flow_config(&flow)).unwrap(), flow);
    }
    let refusal = read(&json!({ "confirmation": { "inNetworkWithin": "soon" } })).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "`confirmation.inNetworkWithin` is `\"soon\"`: must be a duration from 1m to 365d, like `90s`, `5m`, `24h`, or `none`"
    );
}

#[test]
fn a_functions_alias_is_left_off_since_records_are_matched_without_it() {
    let config = json!({ "functions": ["arn:aws:lambda:eu-west-1:000000000000:function:f:live"] });
    assert_eq!(read(&config).unwrap().functions, ["arn:aws:lambda:eu-west-1:000000000000:function:f"]);
}

#[test]
fn a_refusal_says_field_value_and_what_is_allowed() {
    let refusal = read(&json!({ "colour": "red" })).unwrap_err().to_string();
    assert!(refusal.starts_with("`colour` is not known here: allowed are active, displayName, stages, "), "{refusal}");
    let refusal = read(&json!({ "confirmation": { "within": "59s" } })).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "`confirmation.within` is `\"59s\"`: must be a duration from 1m to 365d, like `90s`, `5m`, `24h`"
    );
}

#[test]
fn a_flow_is_shown_with_its_facts_and_what_was_shown_can_be_put_back() {
    let flow = Flow { version: 7, ..read(&full()).unwrap() };
    let facts = FlowFacts {
        counts: [(Status::Failed, 3), (Status::Completed, 1)].into(),
        oldest_failure_at: Some(at("2026-11-19T01:00:00Z")),
        newest_failure_at: Some(at("2026-11-20T13:00:00Z")),
        next_run_at: Some(Minute::at_or_after(at("2026-11-20T14:05:00Z"))),
    };
    let shown = flow_summary(&flow, &facts);
    assert_eq!((&shown["flow"], &shown["version"]), (&json!("orders"), &json!(7)));
    assert_eq!((&shown["counts"]["failed"], &shown["counts"]["in_network"]), (&json!(3), &json!(0)));
    assert_eq!(shown["oldestFailureAt"], json!("2026-11-19T01:00:00Z"));
    assert_eq!(shown["newestFailureAt"], json!("2026-11-20T13:00:00Z"));
    assert_eq!(shown["nextRunAt"], json!("2026-11-20T14:05:00Z"));
    assert_eq!(shown["stages"], full()["stages"]);
    assert_eq!(flow_config(&read(&shown).unwrap()), full());
    let bare = flow_summary(&flow, &FlowFacts::default());
    assert_eq!((bare.get("nextRunAt"), bare.get("oldestFailureAt")), (None, None));
}

#[test]
fn a_group_is_shown_without_what_it_lacks() {
    let mut shown = Group {
        fingerprint: Fingerprint::kept("0123456789abcdef".to_owned()),
        message: Some("connect timeout".to_owned()),
        category: Category::System,
        count: 3,
        first_seen_at: Some(at("2026-11-20T13:00:00Z")),
        last_seen_at: Some(at("2026-11-20T14:00:00Z")),
    };
    let expected = json!({ "fingerprint": "0123456789abcdef", "message": "connect timeout", "category": "system",
        "count": 3, "firstSeenAt": "2026-11-20T13:00:00Z", "lastSeenAt": "2026-11-20T14:00:00Z" });
    assert_eq!(group(&shown), expected);
    shown.message = None;
    assert_eq!(group(&shown).get("message"), None);
}

#[test]
fn more_sources_or_partners_than_one_commit_takes_are_refused_by_name() {
    let arns = |count: usize| -> Vec<String> {
        (0..count).map(|i| format!("arn:aws:lambda:eu-west-1:000000000000:function:f{i}")).collect()
    };
    assert!(read(&json!({ "functions": arns(20) })).is_ok());
    assert_eq!(read(&json!({ "functions": arns(21) })).unwrap_err().field, "functions");
    let partners = |count: usize| -> serde_json::Map<String, Value> {
        (0..count).map(|i| (format!("P{i}"), json!({ "retry": { "mode": "manual" } }))).collect()
    };
    assert!(read(&json!({ "partners": partners(500) })).is_ok());
    assert_eq!(read(&json!({ "partners": partners(501) })).unwrap_err().field, "partners");
}

#[test]
fn a_flow_that_lists_no_senders_is_kept_as_it_was_before_flows_could() {
    assert_eq!(flow_config(&read(&json!({})).unwrap()).get("senders"), None);
    assert_eq!(flow_config(&read(&json!({ "senders": [] })).unwrap()).get("senders"), None);
}

#[test]
fn a_flow_that_masks_nothing_is_kept_as_it_was_before_flows_could() {
    for mask in [json!(null), json!({}), json!({ "patterns": [], "fields": [] })] {
        assert_eq!(flow_config(&read(&json!({ "mask": mask })).unwrap()).get("mask"), None);
    }
    let many = |n: usize| json!({ "mask": { "patterns": (0..n).map(|i| format!("p{i}")).collect::<Vec<_>>() } });
    assert!(read(&many(20)).is_ok());
    assert_eq!(read(&many(21)).unwrap_err().field, "mask.patterns");
}

#[test]
fn what_no_flow_claims_has_no_senders_and_a_role_is_listed_by_its_id() {
    let senders = json!({ "senders": ["AROAEXAMPLEORDERS000"] }).to_string();
    let unassigned = read_flow(FlowName::unassigned(), senders.as_bytes(), &defaults(), at(NOW));
    assert_eq!(unassigned.unwrap_err().field, "senders");
    let arn = read(&json!({ "senders": ["arn:aws:iam::000000000000:role/orders"] })).unwrap_err();
    assert!(arn.problem.contains("RoleId"), "{}", arn.problem);
    let many = |n: usize| json!({ "senders": (0..n).map(|i| format!("AROAEXAMPLEORDERS{i:03}")).collect::<Vec<_>>() });
    assert!(read(&many(50)).is_ok());
    assert_eq!(read(&many(51)).unwrap_err().field, "senders");
}

#[test]
fn early_outcomes_are_remembered_unless_it_says_otherwise() {
    for (told, early, written) in [(json!({}), true, None), (json!({ "early": false }), false, Some(false))] {
        let flow = read(&json!({ "confirmation": told })).unwrap();
        assert_eq!(flow.confirmation.early, early);
        assert_eq!(flow_config(&flow)["confirmation"].get("early").and_then(Value::as_bool), written);
        assert_eq!(read(&flow_config(&flow)).unwrap(), flow);
    }
}
