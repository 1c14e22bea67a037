//! Builds the reports that the pipeline sends to the failures queue.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::config::FLOW;
use crate::order::Order;
use crate::partner::DeliveryError;
use crate::pipeline::Outcome;

const EDIFACT: &str = "application/edifact";
const XML: &str = "application/xml";

/// The report of attempt 1 with all data that Reprise stores. `None` if the order was delivered.
pub(crate) fn of_main_execution(order: &Order, edifact: &str, outcome: &Outcome, now: Timestamp) -> Option<Value> {
    let mut report = failure(&order.number, 1, outcome, now)?;
    report["sender"] = json!(order.buyer);
    report["receiver"] = json!(order.partner);
    report["partner"] = json!(order.partner);
    report["sourceId"] = json!(order.number);
    report["payloads"]["sender"] = json!({ "body": edifact, "contentType": EDIFACT });
    Some(report)
}

/// The reports of a later attempt, which Reprise caused.
pub(crate) fn of_reentry(id: &str, attempt: u64, outcome: &Outcome, now: Timestamp) -> Vec<Value> {
    match failure(id, attempt, outcome, now) {
        Some(failure) => vec![failure],
        None => {
            // The two events happen one after the other, so the second one has a later time.
            let completed = now + SignedDuration::from_millis(1);
            vec![
                report("interchange.in_network", id, attempt, now),
                report("interchange.completed", id, attempt, completed),
            ]
        }
    }
}

fn report(kind: &str, id: &str, attempt: u64, at: Timestamp) -> Value {
    json!({ "type": kind, "interchangeId": id, "flow": FLOW, "attempt": attempt, "occurredAt": at.to_string() })
}

fn failure(id: &str, attempt: u64, outcome: &Outcome, now: Timestamp) -> Option<Value> {
    let mut report = report("interchange.failed", id, attempt, now);
    match outcome {
        Outcome::Delivered => return None,
        Outcome::NotMapped(error) => {
            report["phase"] = json!("processing");
            report["origin"] = json!("Step 2 - mapping");
            report["error"] = json!({ "category": "mapping", "code": "UNMAPPED", "message": error.to_string() });
        }
        Outcome::NotDelivered { xml, error } => {
            report["phase"] = json!("delivery");
            report["origin"] = json!("Step 3 - receiver communication");
            report["payloads"] = json!({ "receiver": { "body": xml, "contentType": XML } });
            add_delivery_error(&mut report, error);
        }
    }
    Some(report)
}

fn add_delivery_error(report: &mut Value, error: &DeliveryError) {
    match error {
        DeliveryError::Unreachable { code, message } => {
            report["error"] = json!({ "category": "system", "code": code, "message": message });
        }
        DeliveryError::LineRefused { id, message } => {
            report["status"] = json!("partially_failed");
            report["error"] = json!({ "category": "business", "code": "REJECTED", "message": message });
            report["parts"] = json!([{ "id": id, "status": "failed", "message": message }]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order;
    use crate::pipeline::{Mapping, Pipeline};

    fn first_report(number: &str) -> Option<Value> {
        let now = "2026-11-20T14:00:00Z".parse().unwrap();
        let order = order::demo_orders().into_iter().find(|order| order.number == number).unwrap();
        let edifact = order.edifact(now);
        let outcome = Pipeline { started: now, mapping: Mapping::Broken }.map_and_deliver(&edifact, now);
        of_main_execution(&order, &edifact, &outcome, now)
    }

    #[test]
    fn a_failed_delivery_is_reported_with_both_payloads() {
        let report = first_report("PO-1001").unwrap();
        assert_eq!(report["type"], "interchange.failed");
        assert_eq!((&report["phase"], &report["partner"]), (&json!("delivery"), &json!("GLOBEX")));
        assert_eq!(report["error"]["category"], "system");
        assert!(report["payloads"]["sender"]["body"].as_str().unwrap().starts_with("UNB+"));
        assert!(report["payloads"]["receiver"]["body"].as_str().unwrap().starts_with("<?xml"));
    }

    #[test]
    fn a_failed_mapping_has_no_receiver_payload() {
        let report = first_report("PO-1004").unwrap();
        assert_eq!((&report["phase"], &report["error"]["category"]), (&json!("processing"), &json!("mapping")));
        assert!(report["payloads"].get("receiver").is_none());
    }

    #[test]
    fn a_refused_line_is_a_part_that_failed() {
        let report = first_report("PO-1007").unwrap();
        assert_eq!(report["status"], "partially_failed");
        assert_eq!(report["parts"][0]["id"], "line-3");
    }

    #[test]
    fn a_delivered_order_has_no_report_at_attempt_1_and_two_at_a_later_attempt() {
        assert_eq!(first_report("PO-1006"), None);
        let now = "2026-11-20T14:00:00Z".parse().unwrap();
        let kinds: Vec<_> = of_reentry("PO-1001", 3, &Outcome::Delivered, now)
            .into_iter()
            .map(|report| (report["type"].clone(), report["attempt"].clone(), report["occurredAt"].clone()))
            .collect();
        assert_eq!(
            kinds,
            [
                (json!("interchange.in_network"), json!(3), json!("2026-11-20T14:00:00Z")),
                (json!("interchange.completed"), json!(3), json!("2026-11-20T14:00:00.001Z")),
            ]
        );
    }
}
