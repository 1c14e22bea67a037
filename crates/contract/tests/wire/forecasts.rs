//! A planned configuration.

use contract::api::{FlowPlan, flow_plan};
use domain::{Category, Flow, FlowName, HypotheticalFailure, Phase};
use serde_json::{Value, json};

use super::at;
use super::flows::{NOW, full, read};

fn plan(config: &Value, category: Category) -> Value {
    let flow = Flow { name: FlowName::new("orders").unwrap(), version: 3, ..read(config).unwrap() };
    let now = at(NOW);
    let forecast = |partner| flow.forecast(HypotheticalFailure { partner, category, phase: Phase::Delivery }, 20, now);
    let partners = flow.partners.keys().map(|name| (name.clone(), forecast(Some(name.as_str())))).collect();
    flow_plan(&FlowPlan { default: forecast(None), partners, flow, now, category, phase: Phase::Delivery })
}

#[test]
fn the_retries_stand_beside_the_configuration_for_the_flow_and_each_partner() {
    let by_hand = json!({ "retry": { "mode": "manual" } });
    let config = json!({ "retry": { "schedule": { "delays": ["5m", "1h"] } }, "partners": { "GLOBEX": by_hand } });
    let plan = plan(&config, Category::System);
    assert_eq!((&plan["flow"], &plan["version"], &plan["active"]), (&json!("orders"), &json!(3), &json!(true)));
    let expected = json!({
        "category": "system", "phase": "delivery",
        "default": { "now": NOW, "kind": "ladder", "action": "retry", "exhausted": true,
            "times": ["2026-11-20T14:05:00Z", "2026-11-20T15:05:00Z"], "why": "the last of 2 delays is used up" },
        "partners": { "GLOBEX": { "now": NOW, "kind": "ladder", "times": [], "exhausted": false,
            "why": "retried by hand only" } }
    });
    assert_eq!(plan["retries"], expected);
}

#[test]
fn jitter_shows_how_late_each_may_be() {
    let config = json!({ "retry": { "schedule": { "delays": ["10m", "10m"] }, "jitter": 0.5 } });
    let retries = plan(&config, Category::System)["retries"]["default"].clone();
    assert_eq!(retries["times"], json!(["2026-11-20T14:10:00Z", "2026-11-20T14:20:00Z"]));
    assert_eq!(retries["latest"], json!(["2026-11-20T14:15:00Z", "2026-11-20T14:30:00Z"]));
}

#[test]
fn an_error_that_waits_for_a_person_has_no_times() {
    let retries = plan(&json!({}), Category::Mapping)["retries"].clone();
    assert_eq!((&retries["category"], &retries["default"]["times"]), (&json!("mapping"), &json!([])));
    assert_eq!(retries["default"]["why"], "mapping errors wait for a person");
}

#[test]
fn what_was_planned_may_be_put_as_it_was_answered() {
    let config = full();
    assert_eq!(read(&plan(&config, Category::System)).unwrap(), read(&config).unwrap());
}
