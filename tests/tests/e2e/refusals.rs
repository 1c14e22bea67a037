//! Refused requests get a problem response and change nothing.

mod actions;
mod configuration;
mod jobs;
mod reads;

use serde_json::{Value, json};
use tests::{Answer, FAILURES, RECEIVER_STAGE, SENDER_STAGE, World};

/// Everything that an action could change: the interchanges with their logs, all flows with their counts, their jobs, and the
/// lengths of the queues.
struct Snapshot(Value);

impl Snapshot {
    async fn of(world: &World, ids: &[&str]) -> Self {
        Self(everything(world, ids).await)
    }

    async fn assert_unchanged(&self, world: &World, ids: &[&str], what: &str) {
        world.settle().await;
        let now = everything(world, ids).await;
        assert_eq!(now, self.0, "{what} changed something");
    }
}

async fn everything(world: &World, ids: &[&str]) -> Value {
    let mut all = json!({ "flows": world.get("/flows").await.ok() });
    for id in ids {
        all[format!("interchange {id}")] = world.interchange(id).await;
    }
    for flow in all["flows"]["items"].as_array().cloned().unwrap_or_default() {
        let flow = flow["flow"].as_str().unwrap().to_owned();
        all[format!("jobs of {flow}")] = world.get(&format!("/flows/{flow}/jobs")).await.ok();
    }
    for queue in [SENDER_STAGE, RECEIVER_STAGE, FAILURES, "reprise-jobs", "reprise-jobs-dlq"] {
        all[queue] = world.held(queue).into();
    }
    all
}

fn because() -> Value {
    json!({ "reason": "the partner is back" })
}

async fn act(world: &World, id: &str, action: &str) -> Answer {
    world.post(&format!("/interchanges/{id}/{action}"), because()).await
}
