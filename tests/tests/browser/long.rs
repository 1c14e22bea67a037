//! Long lists.

use crate::desk::at_a_desk_of;
use crate::orders::{FLOW, failed};
use crate::page::Page;
use serde_json::json;
use tests::World;

const ROWS: usize = 10_000;

/// The most that a page shows.
const A_PAGE: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_are_walked_and_leave_nothing_behind() {
    at_a_desk_of(failed(ROWS).await, async |desk| {
        let page = &desk.page;
        page.open(&format!("{FLOW}?limit={A_PAGE}&order=oldest")).await;
        let mut early = None;
        for turned in 1..=ROWS / A_PAGE {
            let last = format!("{}–{}", grouped((turned - 1) * A_PAGE + 1), grouped(turned * A_PAGE));
            page.says(&last).await;
            if turned == 3 {
                early = Some(held(page).await);
            }
            if turned < ROWS / A_PAGE {
                page.press(&['n']).await;
            }
        }
        let (early, late) = (early.expect("a third page"), held(page).await);
        assert!(late.nodes < early.nodes * 3 / 2, "nodes on the third page and on the last: {early:?}, {late:?}");
        assert!(late.bytes < early.bytes + 4_000_000, "bytes on the third page and on the last: {early:?}, {late:?}");
        assert!(page.button("Next").await.is_disabled());
    })
    .await;
}

/// What the page keeps in memory.
#[derive(Debug)]
struct Held {
    nodes: u64,
    bytes: u64,
}

/// Counted after everything that nothing refers to is thrown away.
async fn held(page: &Page) -> Held {
    page.devtools.command("HeapProfiler.collectGarbage", json!({})).await;
    let counters = page.devtools.command("Memory.getDOMCounters", json!({})).await;
    let heap = page.devtools.command("Runtime.getHeapUsage", json!({})).await;
    let bytes = heap["usedSize"].as_f64().expect("a size");
    Held { nodes: counters["nodes"].as_u64().expect("a number"), bytes: bytes as u64 }
}

/// As the page writes numbers.
fn grouped(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_too_long_for_one_answer_is_shown_to_its_beginning_on_demand() {
    let world = World::start().await;
    world.fail_repeatedly("PO-001", "orders", 180).await;
    at_a_desk_of(world, async |desk| {
        let page = &desk.page;
        page.open("/console/interchanges/PO-001").await;
        page.says("Attempt 180 ").await;
        assert!(!page.text().await.contains("main execution,"), "the whole log is shown at once");
        page.button("Show older events").await.click().await;
        page.says("Attempt 1 main execution,").await;
        page.gone("button", "Show older events").await;
    })
    .await;
}
