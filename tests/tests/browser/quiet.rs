//! What the page asks of the service: little, and nothing while nobody looks.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::desk::at_a_desk_of;
use crate::orders::{FLOW, failed};
use crate::page::Name;

/// An open page beside an active job asks several times in this time.
const A_WHILE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_tab_asks_for_nothing_and_is_up_to_date_when_it_is_shown_again() {
    at_a_desk_of(failed(3).await, async |desk| {
        let (page, client) = (&desk.page, &desk.page.client);
        // A job at work is what is asked for most often.
        let order = json!({ "reason": "at work", "selection": { "all": true }, "canary": 1 });
        assert_eq!(desk.world.post("/flows/orders/retry", order).await.status, 202);
        page.open(FLOW).await;
        page.button("Cancel job").await;
        let asked = || desk.proxy.count("GET /flows/orders/jobs");
        let first = asked();
        page.until("look at the job", async || (asked() > first).then_some(())).await;

        let shown = client.window().await.unwrap();
        let other = client.new_window(true).await.unwrap();
        client.switch_to_window(other.handle.clone()).await.unwrap();
        let hidden = desk.proxy.asked().len();
        // Only time tells that nothing happens in it.
        tokio::time::sleep(A_WHILE).await;
        let meanwhile = desk.proxy.asked().split_off(hidden);
        assert!(meanwhile.len() <= 1, "one may have been on its way: {meanwhile:?}");
        let hidden = desk.proxy.asked().len();
        let done = desk.world.get("/flows/orders/jobs").await.ok()["items"][0]["id"].clone();
        desk.world.post(&format!("/jobs/{}/cancel", done.as_str().unwrap()), json!({})).await;

        client.close_window().await.unwrap();
        client.switch_to_window(shown).await.unwrap();
        page.until("look at the job", async || (desk.proxy.asked().len() > hidden).then_some(())).await;
        page.gone("button", "Cancel job").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_its_own_site_alone_and_its_files_are_kept() {
    at_a_desk_of(failed(3).await, async |desk| {
        let page = &desk.page;
        page.open("/console").await;
        page.says("Orders to partners").await;
        let elsewhere = "return performance.getEntriesByType('resource').map((e) => e.name).filter((name) => !name.startsWith(location.origin))";
        assert_eq!(page.run(elsewhere).await, json!([]));
        // The files of other pages come when this one has all of its own; a reload would break those off that are on their way.
        let come = "return performance.getEntriesByType('resource').filter((e) => /[.](js|css)$/.test(e.name)).length";
        page.until("all of its files", async || (page.run(come).await == files_of_the_console()).then_some(())).await;
        page.client.refresh().await.unwrap();
        page.says("Orders to partners").await;
        page.link(Name::Has("Orders to partners")).await.click().await;
        page.says("PO-001").await;
        let mut fetched = desk.proxy.asked();
        fetched.retain(|asked| asked.starts_with("GET /console/assets/"));
        let files: BTreeSet<&String> = fetched.iter().collect();
        assert!(files.len() > 5);
        assert_eq!(files.len(), fetched.len(), "what is named by its digest is not asked for again: {fetched:#?}");
    })
    .await;
}

/// How many scripts and styles the console has.
fn files_of_the_console() -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/console/web");
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|ending| ending == "js" || ending == "css")).count()
}
