//! The bodies of actions, and jobs as they are shown.

use contract::api::{JobRequest, job, read_job_request, read_reason};
use domain::{FlowName, Job, JobAction, JobCounts, JobId, JobLimits, JobStatus, Selection};
use serde_json::{Value, json};

use super::at;

fn reason(json: &Value) -> Result<String, contract::FieldError> {
    read_reason(json.to_string().as_bytes())
}

#[test]
fn a_reason_is_required_and_says_something() {
    assert_eq!(reason(&json!({ "reason": "é".repeat(500) })).unwrap().chars().count(), 500);
    for body in [json!({}), json!({ "reason": "" }), json!({ "reason": " \n" }), json!({ "reason": "é".repeat(501) })]
    {
        assert_eq!(reason(&body).unwrap_err().field, "reason", "{body}");
    }
    let unknown = reason(&json!({ "reason": "x", "reaso": 1 })).unwrap_err();
    assert_eq!(unknown.to_string(), "`reaso` is not known here: only reason is allowed");
    assert_eq!(read_reason(b"").unwrap_err().field, "body");
    assert_eq!(read_reason(b"[]").unwrap_err().field, "body");
}

#[test]
fn a_job_request_is_read_with_all_it_may_say() {
    let body = json!({ "reason": "partner is back", "selection": { "all": true }, "rate": 50, "cap": 1000,
        "canary": 1, "asOf": "2026-11-20T14:00:00Z" });
    let expected = JobRequest {
        reason: "partner is back".to_owned(),
        selection: Selection::All,
        limits: JobLimits { rate: Some(50), cap: Some(1000), canary: Some(1) },
        as_of: Some(at("2026-11-20T14:00:00Z")),
    };
    assert_eq!(read_job_request(body.to_string().as_bytes()).unwrap(), expected);
    let body = json!({ "reason": "partner is back", "selection": { "all": true } });
    let bare = JobRequest { limits: JobLimits::default(), as_of: None, ..expected };
    assert_eq!(read_job_request(body.to_string().as_bytes()).unwrap(), bare);
}

#[test]
fn a_whole_number_may_be_written_with_a_fraction_of_nothing() {
    let cap =
        |cap: &str| read_job_request(format!(r#"{{"reason":"x","selection":{{"all":true}},"cap":{cap}}}"#).as_bytes());
    for (written, number) in [("50", 50), ("50.0", 50), ("5e1", 50), ("4294967295.0", 4_294_967_295)] {
        assert_eq!(cap(written).unwrap().limits.cap, Some(number), "{written}");
    }
    for written in ["50.5", "0.0", "-1.0", "4294967296.0", "1e300"] {
        assert_eq!(cap(written).unwrap_err().field, "cap", "{written}");
    }
}

#[test]
fn a_wrong_field_of_a_job_request_is_named() {
    for (name, value) in [
        ("reason", json!(1)),
        ("selection", json!({})),
        ("cap", json!(0)),
        ("rate", json!(0)),
        ("rate", json!("50")),
        ("canary", json!(-1)),
        ("asOf", json!("now")),
        ("asOf", json!("-000001-12-31T23:59:59Z")),
        ("speed", json!(1)),
    ] {
        let mut body = json!({ "reason": "x", "selection": { "all": true } });
        body[name] = value;
        assert_eq!(read_job_request(body.to_string().as_bytes()).unwrap_err().field, name);
    }
}

#[test]
fn a_job_is_shown_with_its_counts() {
    let asked = Job {
        id: JobId("j-1".to_owned()),
        flow: FlowName::new("orders").unwrap(),
        action: JobAction::Delete,
        selection: Selection::All,
        reason: "test data".to_owned(),
        actor: "ann".to_owned(),
        as_of: at("2026-11-20T14:00:00Z"),
        limits: JobLimits { rate: Some(50), ..JobLimits::default() },
        halt: None,
        stuck: false,
        status: JobStatus::Running,
        created_at: at("2026-11-20T14:00:01Z"),
        started_at: Some(at("2026-11-20T14:00:02Z")),
        ended_at: None,
    };
    let mut counts = JobCounts { matched: 5, sent: 1, completed: 1, failed_again: 0, ..JobCounts::default() };
    let bare = job(&asked, &JobCounts::default());
    assert_eq!(bare.get("skips"), None);
    counts.skips = [("not-failed".to_owned(), 3), ("not-found".to_owned(), 1)].into();
    let expected = json!({
        "id": "j-1", "flow": "orders", "action": "delete", "status": "running", "reason": "test data", "actor": "ann",
        "selection": { "all": true }, "asOf": "2026-11-20T14:00:00Z", "createdAt": "2026-11-20T14:00:01Z",
        "startedAt": "2026-11-20T14:00:02Z", "rate": 50,
        "counts": { "matched": 5, "sent": 1, "skipped": 4, "completed": 1, "failedAgain": 0 },
        "skips": { "not-failed": 3, "not-found": 1 } });
    assert_eq!(job(&asked, &counts), expected);
}
