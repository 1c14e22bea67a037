//! The first minutes with the console: the demo's orders have failed.

use fantoccini::key::Key;
use serde_json::json;
use tests::{World, report};

use crate::desk::{Desk, at_a_desk_of, beside_the_demo};
use crate::page::Name;

const FLOW: &str = "/console/flows/orders";

#[tokio::test(flavor = "multi_thread")]
async fn the_failures_of_the_demo_are_seen() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open("/console").await;
        page.says("7 failed messages in 1 of 1 flow").await;
        page.link(Name::Has("Orders to partners")).await.click().await;

        page.is_at(FLOW).await;
        for number in [1001, 1002, 1003, 1004, 1005, 1007, 1008] {
            page.link(Name::Has(&format!("PO-{number}"))).await;
        }
        assert!(!page.has("link", Name::Has("PO-1006")).await, "that order went well");
        page.says("connection refused by edi.hooli.example").await;
        page.says("Partially failed").await;
        let group = page.link(Name::Has("connect timeout to erp.globex.example")).await;
        assert!(group.name.contains('3'), "three failures are alike: {}", group.name);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_stands_in_the_address_and_outlives_reload_back_and_forward() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open(FLOW).await;
        rows(desk, &["PO-1001", "PO-1002", "PO-1003", "PO-1004", "PO-1005", "PO-1007", "PO-1008"]).await;

        page.find("searchbox", "Search error messages").await.fill("hooli").await;
        page.is_at(&format!("{FLOW}?message=hooli")).await;
        rows(desk, &["PO-1008"]).await;

        page.client.refresh().await.unwrap();
        rows(desk, &["PO-1008"]).await;
        assert_eq!(page.find("searchbox", "Search error messages").await.value().await, "hooli");

        page.client.back().await.unwrap();
        rows(desk, &["PO-1001", "PO-1002", "PO-1003", "PO-1004", "PO-1005", "PO-1007", "PO-1008"]).await;
        assert_eq!(page.address().await, FLOW);
        page.client.forward().await.unwrap();
        rows(desk, &["PO-1008"]).await;

        page.button(Name::Has("Remove filter Message")).await.click().await;
        page.is_at(FLOW).await;
        page.find("combobox", "Status").await.choose("Partially failed").await;
        rows(desk, &["PO-1007"]).await;
        assert_eq!(page.address().await, format!("{FLOW}?status=partially_failed"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_picked_to_filter_and_left_again() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open(FLOW).await;
        page.link(Name::Has("connect timeout to erp.globex.example")).await.click().await;
        rows(desk, &["PO-1001", "PO-1002", "PO-1003"]).await;
        assert!(page.address().await.contains("group="));
        page.link(Name::Has("connect timeout to erp.globex.example")).await.click().await;
        rows(desk, &["PO-1001", "PO-1002", "PO-1003", "PO-1004", "PO-1005", "PO-1007", "PO-1008"]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_opened_and_retried_and_its_completion_is_watched() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open(FLOW).await;
        page.link("PO-1001").await.click().await;
        page.is_at("/console/interchanges/PO-1001").await;
        page.find("heading", "PO-1001").await;
        page.says("connect timeout to erp.globex.example:443").await;
        page.says("UNB+UNOC:3+ACME+GLOBEX").await;

        // By now GLOBEX is back.
        desk.world.advance("21m").await;
        act(desk, "Retry", "GLOBEX is back", "Retry this message").await;

        page.says("It went through").await;
        let log = page.find("region", Name::Has("Event log")).await.text().await;
        assert!(log.contains("GLOBEX is back"), "{log}");
        assert!(log.contains("Completed"), "{log}");
        assert!(page.button("Retry").await.is_disabled(), "what is completed is not retried");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_restarted_once_its_mapping_is_mended() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open("/console/interchanges/PO-1004").await;
        page.says("UNMAPPED").await;
        assert!(page.button("Retry").await.is_disabled(), "there is nothing mapped yet");
        page.says("Nothing was mapped yet").await;

        act(desk, "Restart", "the unit was added", "Restart this message").await;

        page.says("It went through").await;
        assert_eq!(desk.world.interchange("PO-1004").await["status"], "completed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_was_mended_is_compared_with_what_it_was() {
    at_a_desk_of(World::start().await, async |desk| {
        let (page, world) = (&desk.page, &desk.world);
        let sent = |unit: &str| {
            let body = format!("UNB+UNOC:3+ACME+GLOBEX'UNH+1+ORDERS:D:96A:UN'QTY+21:1:{unit}'UNT+3+1'UNZ+1+1'");
            json!({ "sender": { "body": body, "contentType": "application/edifact" } })
        };
        world.report(report("PO-001", "orders", json!({ "payloads": sent("KAR") }))).await;
        world.report(report("PO-001", "orders", json!({ "attempt": 2, "payloads": sent("PCE") }))).await;

        page.open("/console/interchanges/PO-001").await;
        // The payload comes after its frame, and moves what stands below.
        page.says("QTY+21:1:PCE").await;
        page.find("checkbox", "Changes since revision 1").await.click().await;
        page.says("1 row new, 1 gone.").await;
        let marked =
            "return [...document.querySelectorAll('ins, del')].map((row) => `${row.tagName} ${row.innerText}`)";
        let both = json!(["DEL QTY+21:1:KAR'", "INS QTY+21:1:PCE'"]);
        page.until("mark on either row", async || (page.run(marked).await == both).then_some(())).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_deleted_for_a_reason_and_leaves_the_list() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open(FLOW).await;
        page.find("checkbox", Name::Has("PO-1008")).await.click().await;
        page.button(Name::Has("Delete")).await.click().await;
        let dialog = page.dialog().await;
        let delete = page.find_within(&dialog, "button", Name::Has("Delete")).await;

        delete.click().await;
        assert_eq!(desk.proxy.count("POST /interchanges/PO-1008/delete"), 0, "not without a reason");
        page.find_within(&dialog, "textbox", "Reason").await.fill("HOOLI is gone for good").await;
        delete.click().await;

        page.gone("dialog", Name::Has("")).await;
        let deleted = desk.world.interchange("PO-1008").await;
        assert_eq!(deleted["status"], "deleted");
        let events = deleted["events"].as_array().unwrap();
        assert_eq!(events.last().unwrap()["reason"], "HOOLI is gone for good");
        assert_eq!(desk.proxy.count("POST /interchanges/PO-1008/delete"), 1);
        page.client.refresh().await.unwrap();
        rows(desk, &["PO-1001", "PO-1002", "PO-1003", "PO-1004", "PO-1005", "PO-1007"]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_outlives_escape() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        page.open("/console/interchanges/PO-1001").await;
        page.button("Retry").await.click().await;
        page.find("textbox", "Reason").await.fill("half a reas").await;
        page.press(&[Key::Escape.into()]).await;
        page.gone("dialog", Name::Has("")).await;
        page.button("Retry").await.click().await;
        assert_eq!(page.find("textbox", "Reason").await.value().await, "half a reas");
        assert_eq!(desk.proxy.count("POST"), 0);
    })
    .await;
}

/// Opens the dialog of an action on the page of a message, gives a reason and confirms.
async fn act(desk: &Desk, action: &str, reason: &str, confirm: &str) {
    let page = &desk.page;
    page.button(action).await.click().await;
    let dialog = page.dialog().await;
    page.find_within(&dialog, "textbox", "Reason").await.fill(reason).await;
    page.find_within(&dialog, "button", confirm).await.click().await;
    page.gone("dialog", Name::Has("")).await;
}

/// Waits until the list has exactly these messages, in whatever order.
async fn rows(desk: &Desk, expected: &[&str]) {
    let listed = async || {
        let boxes = desk.page.all("checkbox").await;
        let mut listed: Vec<_> = boxes.iter().filter_map(|seen| seen.name.strip_prefix("Tick PO-")).collect();
        listed.sort_unstable();
        let expected: Vec<_> = expected.iter().filter_map(|number| number.strip_prefix("PO-")).collect();
        (listed == expected).then_some(())
    };
    desk.page.until(&format!("list of {expected:?}"), listed).await;
}
