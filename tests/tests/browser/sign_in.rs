//! Signing in where the stack has an issuer, and what a sign-in allows.

use serde_json::json;
use tests::{World, report};

use crate::desk::{Desk, at_a_desk_of};
use crate::page::Name;

const MESSAGE: &str = "/console/interchanges/PO-001";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_do_everything_signs_in_and_comes_to_the_page_they_asked_for() {
    at_a_desk_of(guarded().await, async |desk| {
        let page = &desk.page;
        signs_in_at(desk, MESSAGE, &[]).await;
        page.is_at(MESSAGE).await;
        page.says("mapped for PO-001").await;
        page.button("Retry").await.click().await;
        page.find("textbox", "Reason").await.fill("signed in").await;
        page.button("Retry this message").await.click().await;
        page.gone("dialog", Name::Has("")).await;
        page.says("signed in").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scopes_there_are_neither_actions_nor_payloads_nor_settings_to_save() {
    at_a_desk_of(guarded().await, async |desk| {
        let page = &desk.page;
        signs_in_at(desk, MESSAGE, &["reprise/operate", "reprise/payload", "reprise/erase", "reprise/configure"]).await;
        page.says("Event log").await;
        page.says("Your sign-in may not read payloads").await;
        for action in ["Retry", "Restart", "Delete", "Erase…"] {
            assert!(!page.has("button", action).await, "{action}");
        }
        assert_eq!(desk.proxy.count("GET /interchanges/PO-001/payloads"), 0);

        page.open("/console/flows/orders").await;
        page.link("PO-001").await;
        assert!(page.all("checkbox").await.is_empty(), "nothing can be ticked");
        assert!(!page.has("button", Name::Has("Retry")).await);
        page.open("/console/flows/orders/settings").await;
        page.says("Settings of").await;
        page.says("Your sign-in may not").await;
        assert!(!page.has("button", "Save").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_out_sees_nothing_more() {
    at_a_desk_of(guarded().await, async |desk| {
        let page = &desk.page;
        signs_in_at(desk, "/console", &[]).await;
        page.says("orders").await;
        page.button("Sign out").await.click().await;
        page.says_no_more("orders").await;
        assert_eq!(page.run("return sessionStorage.getItem('reprise-tokens')").await, json!(null));
    })
    .await;
}

/// A stack with an issuer and one failure.
async fn guarded() -> World {
    let world = World::start_guarded().await;
    let payloads = json!({ "sender": { "body": "as PO-001 came in" }, "receiver": { "body": "mapped for PO-001" } });
    let more = json!({ "sourceId": "PO-001", "payloads": payloads, "error": { "category": "mapping" } });
    world.report(report("PO-001", "orders", more)).await;
    world
}

/// Opens a page, is sent to the issuer, takes scopes away there, signs in, and is back.
async fn signs_in_at(desk: &Desk, path: &str, without: &[&str]) {
    let page = &desk.page;
    page.open(path).await;
    page.is_on(desk.world.issuer().url()).await;
    for scope in without {
        page.find("checkbox", Name::Has(scope)).await.click().await;
    }
    page.button("Sign in").await.click().await;
    page.is_on(&desk.proxy.url()).await;
    page.is_at(path).await;
}
