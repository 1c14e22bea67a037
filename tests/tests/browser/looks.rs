//! Every page and dialog, light and dark, on a desk and in a hand: axe-core looks at it, and a picture is taken.

use serde_json::json;

use crate::axe;
use crate::desk::{Desk, at_a_desk_of, beside_the_demo, pictures};
use crate::orders::{self, FLOW, failed};
use crate::page::Name;

#[tokio::test(flavor = "multi_thread")]
async fn flows_and_failures_can_be_used_by_everybody() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        desk.world.report(tests::report("INV-7", "invoices", json!({}))).await;
        page.open("/console").await;
        page.says("Orders to partners").await;
        looks(desk, "flows").await;
        page.open(FLOW).await;
        page.says("PO-1008").await;
        page.find("DisclosureTriangle", Name::Has("More filters")).await.click().await;
        looks(desk, "filters").await;
        page.open(FLOW).await;
        page.says("PO-1008").await;
        page.says("connect timeout").await;
        page.find("checkbox", "Tick PO-1003").await.click().await;
        page.find("checkbox", "Tick PO-1002").await.click().await;
        looks(desk, "flow").await;
        page.open(&format!("{FLOW}?message=nothing+like+it")).await;
        page.says("Nothing matches").await;
        looks(desk, "nothing").await;
        page.open("/console/nowhere").await;
        page.says("There is no such page").await;
        looks(desk, "no-page").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_and_its_payloads_can_be_used_by_everybody() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        desk.world.advance("6m").await;
        page.open("/console/interchanges/PO-1001").await;
        page.says("UNB+UNOC").await;
        page.says("Next retry").await;
        looks(desk, "interchange").await;
        page.open("/console/interchanges/PO-1007").await;
        page.says("line-3").await;
        looks(desk, "interchange-in-part").await;
        page.button("Restart").await.click().await;
        page.find("textbox", "Reason").await;
        looks(desk, "restart-one").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_colours_stay() {
    at_a_desk_of(failed(0).await, async |desk| {
        let page = &desk.page;
        let scheme = "return getComputedStyle(document.documentElement).colorScheme";
        for (choice, means) in [("☾ Dark", "dark"), ("☀ Light", "light"), ("◐ Auto", "light dark")] {
            page.open("/console").await;
            page.find("combobox", "Colours").await.choose(choice).await;
            assert_eq!(page.run(scheme).await, means);
            page.open("/console/nowhere").await;
            assert_eq!(page.run(scheme).await, means, "{choice}, on another page");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_their_dialogs_can_be_used_by_everybody() {
    at_a_desk_of(failed(40).await, async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        orders::about_to_retry_all(desk, "partners are up again").await;
        page.find("DisclosureTriangle", Name::Has("More")).await.click().await;
        page.find("spinbutton", Name::Has("Canary")).await.fill("2").await;
        page.find("spinbutton", Name::Has("Rate")).await.fill("5").await;
        page.says("2 first").await;
        looks(desk, "retry-many").await;
        orders::confirms(desk, "Retry 40 messages").await;
        page.gone("dialog", Name::Has("")).await;
        page.button("Cancel job").await;
        looks(desk, "job").await;
        page.button("Cancel job").await.click().await;
        page.dialog().await;
        looks(desk, "cancel-job").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_can_be_used_by_everybody() {
    beside_the_demo(async |desk| {
        let page = &desk.page;
        desk.expects_refusals();
        page.open("/console/flows/orders/settings").await;
        page.says("nothing more by itself").await;
        looks(desk, "settings").await;
        page.find("textbox", "Delays").await.fill("soon").await;
        page.button("Save").await.click().await;
        page.find("alert", Name::Has("")).await;
        looks(desk, "settings-refused").await;
    })
    .await;
}

/// axe-core and a picture, light and dark; a picture as a phone shows it, and that it fits there.
async fn looks(desk: &Desk, name: &str) {
    let page = &desk.page;
    let picture = async |kind: &str| page.picture(&pictures().join(format!("{name}-{kind}.webp"))).await;
    page.is_sized(1280, 800).await;
    for scheme in ["dark", "light"] {
        page.prefers(scheme).await;
        axe::finds_nothing_serious(page, &format!("{name}, {scheme}")).await;
        picture(scheme).await;
    }
    page.fits_its_window().await;
    page.is_sized(390, 844).await;
    axe::finds_nothing_serious(page, &format!("{name}, on a phone")).await;
    page.fits_its_window().await;
    picture("phone").await;
    page.is_sized(1280, 800).await;
}
