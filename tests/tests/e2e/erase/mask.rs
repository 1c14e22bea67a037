//! What a flow masks in error texts is stored nowhere.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{World, report};

use super::traces::Name;

const PATIENT: &str = "Müller-Ørsted";

fn failure(id: &str, attempt: u32) -> Value {
    report(
        id,
        "admissions",
        json!({
            "attempt": attempt, "status": "partially_failed",
            "error": { "category": "business", "code": format!("E-{PATIENT}"), "message": format!("no bed for Patient {PATIENT}, ward {id}") },
            "parts": [{ "id": "line-1", "status": "failed", "message": format!("Patient {PATIENT} is unknown") }],
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_masks_is_in_no_item_of_the_table_and_in_no_line_of_the_log() {
    let world = World::start().await;
    let mask = json!({ "patterns": [r"Patient [^,]+", r"(?i)müller\S*"], "fields": ["error.code"] });
    world.put("/flows/admissions", json!({ "mask": mask, "retry": { "mode": "manual" } })).await.ok();
    world.report(failure("7", 1)).await;
    world.report(failure("8", 1)).await;
    world.report(failure("7", 2)).await;

    let kept = world.interchange("7").await;
    assert_eq!(kept["error"]["message"], "no bed for ***, ward 7");
    assert_eq!(kept["error"]["code"], "***");
    assert_eq!(kept["parts"][0]["message"], "***");
    assert_eq!(world.get("/flows/admissions").await.ok()["mask"], mask);
    let groups = world.get("/flows/admissions/groups").await.ok();
    assert_eq!(groups["items"][0]["count"], 2, "what is masked is one group: {groups}");
    let name = Name::new(PATIENT);
    assert_eq!(name.in_table(&world), BTreeSet::new());
    assert_eq!(name.in_log(&world).await, Vec::<String>::new());

    world.put("/flows/admissions", json!({ "retry": { "mode": "manual" } })).await.ok();
    world.report(failure("9", 1)).await;
    assert_eq!(name.in_table(&world).len(), 3, "head, log and group of what was reported since");
    world.stop().await;
}
