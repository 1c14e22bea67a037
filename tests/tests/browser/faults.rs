//! Bad days: whatever goes wrong, the page says what happened and what to do, and nothing typed is lost.

use serde_json::{Value, json};

use crate::desk::{Desk, at_a_desk_of};
use crate::orders::{FLOW, about_to_retry_all, confirms, failed};
use crate::page::Name;
use crate::proxy::Fault;

/// What the gateway or the service says on a bad day, and what people are told.
fn bad_days() -> Vec<(Fault, &'static str)> {
    let gateway = |status, message: &str| Fault::Says(status, json!({ "message": message }));
    vec![
        (Fault::Gone, "The API cannot be reached"),
        (gateway(401, "Unauthorized"), "You are not signed in"),
        (gateway(403, "Forbidden"), "You may not do this"),
        (problem(404, "not-found", "there is no flow `orders`"), "There is no such thing"),
        (problem(409, "flow-inactive", "the flow `orders` is inactive"), "The flow is inactive"),
        (problem(422, "idempotency-key-reused", "the key was sent with another body"), "The first try did get through"),
        (gateway(429, "Too Many Requests"), "Too many requests"),
        (gateway(500, "Internal Server Error"), "The service has a problem"),
        (gateway(503, "Service Unavailable"), "The service has a problem"),
    ]
}

fn problem(status: u16, slug: &str, detail: &str) -> Fault {
    let body =
        json!({ "type": format!("urn:reprise:problem:{slug}"), "title": slug, "status": status, "detail": detail });
    Fault::Says(status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_read_says_why_and_is_there_when_it_can() {
    at_a_desk_of(failed(3).await, async |desk| {
        desk.expects_refusals();
        for (path, there) in
            [("/console", "Orders to partners"), (FLOW, "PO-001"), ("/console/interchanges/PO-001", "Event log")]
        {
            for (fault, words) in bad_days() {
                desk.proxy.inject_into_api(&fault);
                desk.page.open(path).await;
                desk.page.says(words).await;
                desk.proxy.heal();
                desk.page.button("Try again").await.click().await;
                desk.page.says(there).await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_says_why_and_the_reason_is_still_typed() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        about_to_retry_all(desk, "typed once").await;
        let order = "POST /flows/orders/retry";
        page.button("Retry 3 messages").await;
        for (fault, words) in bad_days() {
            desk.proxy.inject(order, fault);
            confirms(desk, "Retry 3 messages").await;
            told_in_the_dialog(desk, words).await;
            assert_eq!(page.find("textbox", "Reason").await.value().await, "typed once", "{words}");
            desk.proxy.heal();
        }
        assert!(jobs(desk).await.is_empty());

        confirms(desk, "Retry 3 messages").await;
        page.gone("dialog", Name::Has("")).await;
        assert_eq!(jobs(desk).await.len(), 1);
        assert_eq!(jobs(desk).await[0]["reason"], "typed once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_answer_got_lost_is_not_done_twice() {
    at_a_desk_of(failed(3).await, async |desk| {
        desk.expects_refusals();
        about_to_retry_all(desk, "typed once").await;
        desk.page.button("Retry 3 messages").await;
        desk.proxy.inject("POST /flows/orders/retry", Fault::AnswerLost);
        confirms(desk, "Retry 3 messages").await;
        told_in_the_dialog(desk, "The API cannot be reached").await;
        desk.world.settle().await;
        desk.proxy.heal();

        confirms(desk, "Retry 3 messages").await;
        desk.page.gone("dialog", Name::Has("")).await;
        assert_eq!(jobs(desk).await.len(), 1, "the second try is known by its key");
        assert_eq!(jobs(desk).await[0]["counts"]["sent"], 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_answer_takes_its_time_it_is_said_and_nothing_is_sent_twice() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        about_to_retry_all(desk, "once").await;
        page.button("Retry 3 messages").await;
        let asked = desk.proxy.count("POST /flows/orders/retry");
        desk.proxy.inject("POST /flows/orders/retry", Fault::Slow);
        confirms(desk, "Retry 3 messages").await;
        let sending = page.button(Name::Has("Retrying")).await;
        assert!(sending.is_disabled());
        page.run("document.querySelector('dialog form').requestSubmit()").await;
        page.says("The API answers slowly").await;
        assert_eq!(desk.proxy.count("POST /flows/orders/retry"), asked + 1);

        desk.proxy.heal();
        page.gone("dialog", Name::Has("")).await;
        page.says_no_more("The API answers slowly").await;
        assert_eq!(jobs(desk).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_saved_stay_typed() {
    at_a_desk_of(failed(1).await, async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        page.open("/console/flows/orders/settings").await;
        page.find("textbox", "Display name").await.fill("Orders, renamed").await;
        for (fault, words) in bad_days() {
            // Saving names the version it began with; the preview asks with `plan` and is left alone.
            desk.proxy.inject("PUT /flows/orders", fault);
            page.button("Save").await.click().await;
            page.says(words).await;
            assert_eq!(page.find("textbox", "Display name").await.value().await, "Orders, renamed", "{words}");
            desk.proxy.heal();
        }
        page.button("Save").await.click().await;
        page.says("Saved").await;
        assert_eq!(desk.world.get("/flows/orders").await.ok()["displayName"], "Orders, renamed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_goes_down_is_told_on_an_open_page_until_it_is_back() {
    at_a_desk_of(failed(3).await, async |desk| {
        desk.expects_refusals();
        desk.page.open(FLOW).await;
        desk.page.says("PO-003").await;
        desk.proxy.inject_into_api(&Fault::Gone);
        desk.page.says("The API does not answer as it should").await;
        desk.page.says("PO-003").await;
        desk.proxy.heal();
        desk.page.says_no_more("The API does not answer as it should").await;
    })
    .await;
}

async fn told_in_the_dialog(desk: &Desk, words: &str) {
    let told = async || {
        let dialog = desk.page.all("dialog").await.into_iter().next()?;
        let alerts = desk.page.all_within(&dialog, "alert").await;
        alerts.first()?.text().await.contains(words).then_some(())
    };
    desk.page.until(&format!("“{words}” in the dialog"), told).await;
}

async fn jobs(desk: &Desk) -> Vec<Value> {
    desk.world.get("/flows/orders/jobs").await.ok()["items"].as_array().cloned().unwrap_or_default()
}
