//! Automatic retries by the default schedule.

use serde_json::json;
use tests::{RECEIVER_STAGE, World, report};

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_fails_again_after_every_delay_of_the_ladder_is_exhausted() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    for (attempt, delay) in [(2, "5m"), (3, "10m"), (4, "60m"), (5, "5h"), (6, "24h")] {
        world.advance(delay).await;
        let sent = world.drain(RECEIVER_STAGE).await;
        assert_eq!(sent.len(), 1, "attempt {attempt}");
        assert_eq!(sent[0].reprise["attempt"], attempt);
        assert_eq!(sent[0].reprise["trigger"], "scheduled");
        let now = world.stack.aws().clock().now().to_string();
        world.report(report("4711", "orders", json!({ "attempt": attempt, "occurredAt": now }))).await;
    }
    let interchange = world.interchange("4711").await;
    assert_eq!(interchange["status"], "failed");
    assert_eq!(interchange["exhausted"], true);
    assert_eq!(interchange["tries"], 5);
    assert!(interchange.get("nextRetryAt").is_none(), "{interchange}");
    world.advance("72h").await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.stop().await;
}
