//! A flow's settings: changed, foreseen, refused and contended.

use serde_json::json;

use crate::desk::{Desk, at_a_desk_of};
use crate::orders::{by_hand, failed};
use crate::page::Name;

const SETTINGS: &str = "/console/flows/orders/settings";

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_schedule_is_foreseen_before_it_is_saved() {
    at_a_desk_of(automatic().await, async |desk| {
        let page = &desk.page;
        page.open(SETTINGS).await;
        let preview = page.find("complementary", "Preview").await;
        foresees(desk, "5 min").await;

        page.find("textbox", "Delays").await.fill("7m, 10m").await;
        foresees(desk, "7 min").await;
        assert!(preview.text().await.contains("2:07"), "{}", preview.text().await);
        assert_eq!(delays(desk).await, json!(["5m", "10m"]), "nothing is stored yet");

        page.button("Save").await.click().await;
        page.says("Saved").await;
        assert_eq!(delays(desk).await, json!(["7m", "10m"]));
        page.client.refresh().await.unwrap();
        assert_eq!(shown(desk).await, "7m, 10m");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_is_said_beside_its_field_and_stays_typed() {
    at_a_desk_of(automatic().await, async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        page.open(SETTINGS).await;
        page.find("textbox", "Delays").await.fill("5m, half-an-hour").await;
        page.button("Save").await.click().await;

        let invalid = async || (page.find("textbox", "Delays").await.state("invalid") == "true").then_some(());
        page.until("mark at the field", invalid).await;
        page.says("half-an-hour").await;
        assert_eq!(shown(desk).await, "5m, half-an-hour");
        assert_eq!(delays(desk).await, json!(["5m", "10m"]));

        page.find("textbox", "Delays").await.fill("5m, 30m").await;
        page.button("Save").await.click().await;
        page.says("Saved").await;
        assert_eq!(delays(desk).await, json!(["5m", "30m"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_operators_the_second_is_told_and_loses_nothing() {
    at_a_desk_of(automatic().await, async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        page.open(SETTINGS).await;
        page.find("textbox", "Delays").await.fill("9m, 10m").await;
        let mut theirs = by_hand();
        theirs["retry"] = json!({ "mode": "automatic", "schedule": { "kind": "ladder", "delays": ["8m"] } });
        theirs["displayName"] = json!("Renamed");
        desk.world.put("/flows/orders", theirs).await.ok();

        page.button("Save").await.click().await;
        page.says("Somebody else saved this flow").await;
        assert_eq!(shown(desk).await, "9m, 10m");
        assert_eq!(delays(desk).await, json!(["8m"]), "theirs stands until it is decided");

        page.says("Theirs: 8m").await;
        assert_eq!(
            page.find("textbox", "Display name").await.value().await,
            "Renamed",
            "what was left alone here is theirs"
        );
        page.button("Take theirs").await.click().await;
        page.until("theirs", async || (shown(desk).await == "8m").then_some(())).await;
        page.says_no_more("Theirs: 8m").await;
        page.find("textbox", "Delays").await.fill("9m, 10m").await;
        page.button("Save").await.click().await;
        page.says("Saved").await;
        assert_eq!(delays(desk).await, json!(["9m", "10m"]));
        assert_eq!(desk.world.get("/flows/orders").await.ok()["displayName"], "Renamed", "neither undid the other");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_early_outcomes_and_of_senders_is_shown_and_kept() {
    at_a_desk_of(automatic().await, async |desk| {
        let page = &desk.page;
        page.open(SETTINGS).await;
        page.find("checkbox", Name::Has("come before their failure")).await.click().await;
        page.find("textbox", Name::Has("Senders")).await.fill("AROAEXAMPLEORDERS000").await;
        page.button("Save").await.click().await;
        page.says("Saved").await;
        let saved = async || desk.world.get("/flows/orders").await.ok();
        assert_eq!(saved().await["confirmation"]["early"], json!(false));
        assert_eq!(saved().await["senders"], json!(["AROAEXAMPLEORDERS000"]));

        page.client.refresh().await.unwrap();
        page.find("textbox", "Delays").await.fill("7m, 10m").await;
        page.button("Save").await.click().await;
        page.says("Saved").await;
        assert_eq!(saved().await["confirmation"]["early"], json!(false), "what was left alone stays");
        assert_eq!(saved().await["senders"], json!(["AROAEXAMPLEORDERS000"]));
        page.find("checkbox", Name::Has("come before their failure")).await.click().await;
        page.button("Save").await.click().await;
        let is_default = async || saved().await["confirmation"].get("early").is_none().then_some(());
        page.until("early outcomes are remembered again", is_default).await;
    })
    .await;
}

/// A flow with a ladder of two steps.
async fn automatic() -> tests::World {
    let world = failed(0).await;
    let ladder = json!({ "mode": "automatic", "schedule": { "kind": "ladder", "delays": ["5m", "10m"] } });
    world.put("/flows/orders", json!({ "retry": ladder })).await.ok();
    world
}

/// The delays as they stand in the form.
async fn shown(desk: &Desk) -> String {
    desk.page.find("textbox", "Delays").await.value().await
}

async fn foresees(desk: &Desk, text: &str) {
    let preview = desk.page.find("complementary", Name::Has("Preview")).await;
    desk.page.until(&format!("preview of {text}"), async || preview.text().await.contains(text).then_some(())).await;
}

async fn delays(desk: &Desk) -> serde_json::Value {
    desk.world.get("/flows/orders").await.ok()["retry"]["schedule"]["delays"].clone()
}
