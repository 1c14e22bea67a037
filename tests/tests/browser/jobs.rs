//! Jobs: ordered, watched, left alone, cancelled, and seen by others.

use serde_json::json;

use crate::desk::{Desk, at_a_desk_of};
use crate::orders::{FLOW, about_to_retry_all, confirms, failed, newest_job, outcomes};
use crate::page::Name;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_matches_is_retried_after_a_canary_and_the_rest_is_cancelled() {
    at_a_desk_of(failed(60).await, async |desk| {
        let page = &desk.page;
        about_to_retry_all(desk, "partners are up again").await;
        page.find("DisclosureTriangle", Name::Has("More")).await.click().await;
        page.find("spinbutton", Name::Has("Canary")).await.fill("2").await;
        page.find("spinbutton", Name::Has("Rate")).await.fill("3").await;
        page.says("60 messages of Orders to partners will be put on the receiver stage").await;
        page.says("2 first, the rest when they all have completed").await;
        confirms(desk, "Retry 60 messages").await;
        page.gone("dialog", Name::Has("")).await;

        card_is(desk, "canary").await;
        desk.world.settle().await;
        assert_eq!(outcomes(&desk.world, "interchange.completed").await, 2);
        until_job(desk, "running").await;
        card_is(desk, "running").await;
        page.says("partners are up again").await;

        page.button("Cancel job").await.click().await;
        let question = page.dialog().await;
        page.find_within(&question, "button", "Cancel job").await.click().await;
        until_job(desk, "cancelled").await;
        card_is(desk, "cancelled").await;
        let job = newest_job(&desk.world).await;
        let sent = job["counts"]["sent"].as_u64().unwrap();
        assert!(sent < 60, "{job}");
        page.says(&format!("{sent} of 60 sent")).await;
        page.says(&format!("{} not sent", 60 - sent)).await;
        let counts = desk.world.get("/flows/orders").await.ok()["counts"].clone();
        assert_eq!(counts["completed"], 2, "{counts}");
        assert!(counts["failed"].as_u64().unwrap() > 0, "the rest was left alone: {counts}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_there_after_a_reload_in_its_midst_and_goes_on() {
    at_a_desk_of(failed(12).await, async |desk| {
        let page = &desk.page;
        about_to_retry_all(desk, "again, gently").await;
        page.find("DisclosureTriangle", Name::Has("More")).await.click().await;
        page.find("spinbutton", Name::Has("Rate")).await.fill("1").await;
        confirms(desk, "Retry 12 messages").await;
        card_is(desk, "running").await;

        page.client.refresh().await.unwrap();
        card_is(desk, "running").await;
        let card = page.find("article", "Job").await;
        assert!(card.text().await.contains("12 messages"), "{}", card.text().await);

        desk.world.advance("1m").await;
        card_is(desk, "completed").await;
        assert_eq!(outcomes(&desk.world, "interchange.completed").await, 12);
        page.says("12 completed").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_operator_is_seen_here_and_no_second_one_begins_beside_it() {
    at_a_desk_of(failed(9).await, async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        about_to_retry_all(desk, "mine").await;
        let theirs = json!({ "reason": "theirs, a second earlier", "selection": { "all": true }, "canary": 1 });
        assert_eq!(desk.world.post("/flows/orders/retry", theirs).await.status, 202);

        confirms(desk, "Retry 9 messages").await;
        let refusal = page.find("alert", Name::Has("")).await;
        page.until("refusal", async || refusal.text().await.contains("Another job is at work").then_some(())).await;
        assert_eq!(page.find("textbox", "Reason").await.value().await, "mine");
        page.button("Not now").await.click().await;

        card_is(desk, "canary").await;
        page.says("theirs, a second earlier").await;
        page.says("Retry at least ").await;
        assert_eq!(desk.world.get("/flows/orders/jobs").await.ok()["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_again_halts_the_job_and_the_card_says_so() {
    at_a_desk_of(failed(5).await, async |desk| {
        let page = &desk.page;
        page.open(FLOW).await;
        page.says("connect timeout").await;
        let order = json!({ "reason": "try one", "selection": { "all": true }, "canary": 1 });
        assert_eq!(desk.world.post("/flows/orders/retry", order).await.status, 202);
        card_is(desk, "canary").await;
        desk.world.settle().await;
        assert_eq!(outcomes(&desk.world, "interchange.failed").await, 1);
        until_job(desk, "halted").await;
        card_is(desk, "halted").await;
        page.says("Halted:").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stuck_says_why_and_goes_on_when_it_is_resumed() {
    at_a_desk_of(failed(6).await, async |desk| {
        let page = &desk.page;
        page.open(FLOW).await;
        page.says("connect timeout").await;
        let order = json!({ "reason": "one a second", "selection": { "all": true }, "rate": 1 });
        assert_eq!(desk.world.post("/flows/orders/retry", order).await.status, 202);
        card_is(desk, "running").await;
        let id = newest_job(&desk.world).await["id"].clone();
        desk.world.put_work("reprise-jobs-dlq", &json!({ "kind": "look", "job": id })).await;
        desk.world.settle().await;

        page.says("Stuck: its work failed too often").await;
        page.button("Resume").await.click().await;
        let resumed = async || newest_job(&desk.world).await["stuck"].is_null().then_some(());
        page.until("job that is not stuck", resumed).await;
        page.gone("button", "Resume").await;
        until_job(desk, "completed").await;
        card_is(desk, "completed").await;
        assert_eq!(newest_job(&desk.world).await["counts"]["sent"], 6);
    })
    .await;
}

/// Moves the clock second by second until the job stands so.
async fn until_job(desk: &Desk, status: &str) {
    let stands = async || {
        if newest_job(&desk.world).await["status"] == status {
            return Some(());
        }
        desk.world.advance("1s").await;
        None
    };
    desk.page.until(&format!("job that is {status}"), stands).await;
}

/// Waits until the card of the job at work shows this status.
async fn card_is(desk: &Desk, status: &str) {
    let script = "return document.querySelector('[data-job][data-status]')?.dataset.status ?? null";
    let shown = async || (desk.page.run(script).await == status).then_some(());
    desk.page.until(&format!("job card that says {status}"), shown).await;
}
