//! Filters and selections, as query parameters and as JSON.

use contract::api::{filter_json, read_filter, read_selection, selection_json};
use domain::{Category, Filter, Fingerprint, InterchangeId, JobId, Phase, Selection, Status};
use serde_json::{Value, json};

use super::at;

fn query(params: &[(&'static str, &'static str)]) -> Result<Filter, contract::FieldError> {
    read_filter(params.iter().copied())
}

fn full() -> Filter {
    Filter {
        status: vec![Status::Failed, Status::Completed],
        from: Some(at("2026-11-20T14:00:00Z")),
        to: Some(at("2026-11-21T00:00:00Z")),
        message: Some("timeout, again".to_owned()),
        sender: Some("ACME".to_owned()),
        receiver: Some("GLOBEX".to_owned()),
        origin: Some("Step 2 - mapping".to_owned()),
        phase: Some(Phase::Delivery),
        category: Some(Category::NoOutcome),
        source_id: Some("PO-1".to_owned()),
        group: Some(Fingerprint::kept("0123456789abcdef".to_owned())),
        job: Some(JobId("j-1".to_owned())),
    }
}

#[test]
fn every_filter_is_read_from_the_query() {
    let filter = query(&[
        ("status", "completed, failed,failed"),
        ("from", "2026-11-20T14:00:00Z"),
        ("to", "2026-11-21T01:00:00+01:00"),
        ("message", "timeout, again"),
        ("sender", "ACME"),
        ("receiver", "GLOBEX"),
        ("origin", "Step 2 - mapping"),
        ("phase", "delivery"),
        ("category", "no_outcome"),
        ("sourceId", "PO-1"),
        ("group", "0123456789abcdef"),
        ("job", "j-1"),
    ]);
    assert_eq!(filter.unwrap(), full());
}

#[test]
fn none_at_all_is_the_default_and_parameters_of_the_page_are_no_filter() {
    assert_eq!(query(&[]).unwrap(), Filter::default());
    for name in ["order", "limit", "cursor", "plan"] {
        assert_eq!(query(&[(name, "1")]).unwrap_err().field, name);
    }
}

#[test]
fn unknown_repeated_and_impossible_parameters_are_refused_by_name() {
    for (params, field) in [
        (&[("stauts", "failed")][..], "stauts"),
        (&[("status", "failed"), ("status", "deleted")], "status"),
        (&[("status", "failed,lost")], "status"),
        (&[("status", "")], "status"),
        (&[("from", "today")], "from"),
        (&[("to", "2026-11-20")], "to"),
        (&[("sender", "")], "sender"),
        (&[("message", "")], "message"),
        (&[("phase", "x")], "phase"),
        (&[("category", "x")], "category"),
        (&[("group", "0123")], "group"),
        (&[("group", "0123456789ABCDEF")], "group"),
    ] {
        assert_eq!(query(params).unwrap_err().field, field);
    }
}

#[test]
fn selections_read_back_from_their_json() {
    let ids = ["1", "a:b"].map(|id| InterchangeId::new(id).unwrap()).to_vec();
    for selection in
        [Selection::Ids(ids), Selection::Filter(full()), Selection::Filter(Filter::default()), Selection::All]
    {
        assert_eq!(read_selection(&selection_json(&selection)).unwrap(), selection);
    }
    assert_eq!(filter_json(&Filter::default()), json!({}));
    assert_eq!(filter_json(&full())["status"], json!(["failed", "completed"]));
}

#[test]
fn a_status_may_be_a_text_in_json_too() {
    let selection = read_selection(&json!({ "filter": { "status": "failed" } })).unwrap();
    assert_eq!(selection, Selection::Filter(Filter { status: vec![Status::Failed], ..Filter::default() }));
}

#[test]
fn an_id_listed_twice_is_one() {
    let Selection::Ids(ids) = read_selection(&json!({ "ids": ["b", "a", "b"] })).unwrap() else { panic!() };
    assert_eq!(ids.iter().map(InterchangeId::as_str).collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn a_selection_is_exactly_one_thing() {
    let many: Vec<String> = (0..1_001).map(|i| i.to_string()).collect();
    for (json, field) in [
        (Value::Null, "selection"),
        (json!("all"), "selection"),
        (json!({}), "selection"),
        (json!({ "all": true, "ids": ["1"] }), "selection"),
        (json!({ "all": false }), "selection.all"),
        (json!({ "all": "yes" }), "selection.all"),
        (json!({ "ids": [] }), "selection.ids"),
        (json!({ "ids": many }), "selection.ids"),
        (json!({ "ids": ["ok", "a b"] }), "selection.ids[1]"),
        (json!({ "every": true }), "selection.every"),
        (json!({ "filter": { "colour": "red" } }), "selection.filter.colour"),
        (json!({ "filter": { "status": ["failed", 1] } }), "selection.filter.status[1]"),
        (json!({ "filter": { "sender": "" } }), "selection.filter.sender"),
        (json!({ "filter": { "status": [] } }), "selection.filter.status"),
    ] {
        assert_eq!(read_selection(&json).unwrap_err().field, field, "{json}");
    }
}

#[test]
fn a_plus_that_a_query_turned_into_a_blank_is_told() {
    for name in ["from", "to"] {
        let refusal = query(&[(name, "2026-11-20T16:00:00 02:00")]).unwrap_err();
        assert_eq!(refusal.field, name);
        assert!(refusal.problem.contains("`%2B`"), "{refusal}");
        assert!(query(&[(name, "2026-11-20T16:00:00+02:00")]).is_ok());
        assert!(!query(&[(name, "2026-11-20 today")]).unwrap_err().problem.contains("%2B"));
    }
}
