//! Lists: all page sizes, both orders, every filter, and changes between two pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{World, report};

/// The number of failures in the list. The table has further interchanges with other statuses.
const FAILED: usize = 530;

/// A failure whose fields depend on its number, so that each filter matches a part of all failures.
fn failure(n: usize) -> Value {
    // Seven failures share each second, so that pages end between failures of the same time.
    let second = n / 7;
    let depot = if n.is_multiple_of(5) { "Süd" } else { "Nord" };
    let [sender, receiver] = [["ACME", "INITECH"][n % 2], ["GLOBEX", "HOOLI", "VEHEMENT"][n % 3]];
    let mut more = json!({
        "occurredAt": format!("2026-11-20T13:{:02}:{:02}Z", second / 60, second % 60),
        "phase": if n.is_multiple_of(2) { "delivery" } else { "processing" },
        "origin": format!("Step {}", n % 4),
        "sender": sender, "receiver": receiver,
        "sourceId": format!("PO-{}", n % 50),
        "error": { "category": if n % 3 == 2 { "mapping" } else { "system" },
                   "message": format!("Straße {n} is UNKNOWN to depot {depot}") },
    });
    if n.is_multiple_of(3) {
        more["status"] = "partially_failed".into();
        more["parts"] = json!([{ "id": "line-1", "status": "failed" }]);
    }
    report(&format!("o-{n:03}"), "orders", more)
}

/// The ids of the matching failures in the order of the list, oldest first.
fn in_order(which: impl Fn(usize) -> bool) -> Vec<String> {
    (0..FAILED).filter(|n| which(*n)).map(|n| format!("o-{n:03}")).collect()
}

async fn filled() -> World {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    world.send((0..FAILED).map(|n| failure(n).to_string())).await;
    // Interchanges of the same time with statuses that the list does not show.
    let earlier = || json!({ "occurredAt": "2026-11-20T13:00:30Z" });
    world.send((600..660).map(|n| report(&format!("o-{n}"), "orders", earlier()).to_string())).await;
    let reason = json!({ "reason": "a test" });
    for n in 600..606 {
        world.post(&format!("/interchanges/o-{n}/delete"), reason.clone()).await.ok();
    }
    for n in 606..612 {
        world.post(&format!("/interchanges/o-{n}/retry"), reason.clone()).await.ok();
    }
    let done = |n: usize| {
        json!({ "type": "interchange.completed", "interchangeId": format!("o-{n}"), "flow": "orders",
                                  "attempt": 1, "occurredAt": "2026-11-20T13:59:00Z" })
    };
    world.send((612..660).map(|n| done(n).to_string())).await;
    world
}

async fn page(world: &World, query: &str, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let page = world.get(&format!("/flows/orders/interchanges?{query}{cursor}")).await.ok();
    let ids = page["items"].as_array().unwrap().iter().map(|item| item["interchangeId"].as_str().unwrap().to_owned());
    (ids.collect(), page["cursor"].as_str().map(str::to_owned))
}

/// Reads all pages of a list.
async fn read_pages(world: &World, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let (ids, next) = page(world, query, cursor.as_deref()).await;
        pages.push(ids);
        match next {
            Some(next) => cursor = Some(next),
            None => return pages,
        }
    }
}

async fn all(world: &World, query: &str) -> Vec<String> {
    read_pages(world, query).await.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_size_show_each_failure_once_and_in_order_in_both_directions() {
    let world = filled().await;
    let oldest = in_order(|_| true);
    let newest: Vec<String> = oldest.iter().rev().cloned().collect();
    for limit in [7, 49, 50, 51, 53, 106, 199, 200] {
        for (order, expected) in [("oldest", &oldest), ("newest", &newest)] {
            let pages = read_pages(&world, &format!("order={order}&limit={limit}")).await;
            assert!(pages.concat() == *expected, "{order} by {limit}");
            let (last, full) = pages.split_last().unwrap();
            assert!(full.iter().all(|page| page.len() == limit), "{order} by {limit}: a page is short");
            assert!(!last.is_empty(), "{order} by {limit}: the last page is empty");
        }
    }
    assert_eq!(read_pages(&world, "").await[0], newest[..50], "by default fifty, newest first");
    let few = read_pages(&world, "limit=1&sourceId=PO-7").await;
    assert_eq!(few.iter().filter(|page| !page.is_empty()).count(), 11);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_finds_exactly_the_matching_failures() {
    let world = filled().await;
    let second = |at: &str| -> usize {
        let (minute, second) = at.split_once(':').unwrap();
        7 * (minute.parse::<usize>().unwrap() * 60 + second.parse::<usize>().unwrap())
    };
    type Matcher = Box<dyn Fn(usize) -> bool>;
    let filters: Vec<(&str, Matcher)> = vec![
        ("status=failed", Box::new(|n| n % 3 != 0)),
        ("status=partially_failed", Box::new(|n| n % 3 == 0)),
        ("status=failed,partially_failed", Box::new(|_| true)),
        ("message=unknown%20TO%20depot%20s%C3%9Cd", Box::new(|n| n % 5 == 0)),
        ("message=stra%C3%9Fe%2017%20", Box::new(|n| n == 17)),
        ("sender=ACME", Box::new(|n| n % 2 == 0)),
        ("sender=acme", Box::new(|_| false)),
        ("receiver=HOOLI", Box::new(|n| n % 3 == 1)),
        ("origin=Step%203", Box::new(|n| n % 4 == 3)),
        ("phase=processing", Box::new(|n| n % 2 == 1)),
        ("category=mapping", Box::new(|n| n % 3 == 2)),
        ("sourceId=PO-49", Box::new(|n| n % 50 == 49)),
        ("from=2026-11-20T13:00:30Z", Box::new(move |n| n >= second("00:30"))),
        ("to=2026-11-20T13:00:30Z", Box::new(move |n| n < second("00:30"))),
        (
            "from=2026-11-20T13:00:10Z&to=2026-11-20T13:01:02Z",
            Box::new(move |n| (second("00:10")..second("01:02")).contains(&n)),
        ),
        ("from=2026-11-20T13:00:10Z&to=2026-11-20T13:00:10Z", Box::new(|_| false)),
        ("from=2026-11-20T14:10:20%2B01:00", Box::new(move |n| n >= second("10:20"))),
        ("sender=INITECH&receiver=GLOBEX&phase=processing&message=nord", Box::new(|n| n % 6 == 3 && n % 5 != 0)),
    ];
    for (filter, which) in filters {
        let expected = in_order(which);
        assert!(all(&world, &format!("order=oldest&limit=60&{filter}")).await == expected, "{filter}, oldest first");
        let mut newest = all(&world, &format!("limit=60&{filter}")).await;
        newest.reverse();
        assert!(newest == expected, "{filter}, newest first");
    }
    for (status, count) in [("deleted", 6), ("waiting_for_retry", 6), ("completed", 48), ("in_network", 0)] {
        assert_eq!(all(&world, &format!("status={status}&limit=5")).await.len(), count, "{status}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_can_be_filtered_by_group_and_by_job() {
    let world = filled().await;
    let groups = world.get("/flows/orders/groups").await.ok();
    let groups = groups["items"].as_array().unwrap();
    assert_eq!(groups.iter().filter_map(|group| group["count"].as_u64()).sum::<u64>(), FAILED as u64);
    for group in groups {
        let found = all(&world, &format!("limit=200&group={}", group["fingerprint"].as_str().unwrap())).await;
        assert_eq!(found.len() as u64, group["count"].as_u64().unwrap(), "{group}");
    }
    let named = json!({ "reason": "a test", "selection": { "filter": { "sourceId": "PO-9" } } });
    let job = world.post("/flows/orders/retry", named).await.ok()["id"].as_str().unwrap().to_owned();
    world.settle().await;
    let taken = all(&world, &format!("status=waiting_for_retry&job={job}&order=oldest")).await;
    assert_eq!(taken, in_order(|n| n % 50 == 9));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_between_two_pages_hide_no_failure_that_was_there_before() {
    let world = filled().await;
    for order in ["newest", "oldest"] {
        let before: BTreeSet<String> = all(&world, "limit=200").await.into_iter().collect();
        let query = format!("order={order}&limit=40");
        let (mut seen, mut cursor) = page(&world, &query, None).await;
        let mut gone = BTreeSet::new();
        let mut round = 0;
        while let Some(next) = cursor {
            round += 1;
            // Ten failures arrive at both ends and in the middle. One that was shown and one that was not are deleted.
            let arriving = (0..10).map(|n| {
                let at = ["2026-11-20T12:00:00Z", "2026-11-20T13:00:40Z", "2026-11-20T13:59:00Z"][n % 3];
                report(&format!("{order}-{round}-{n}"), "orders", json!({ "occurredAt": at })).to_string()
            });
            world.send(arriving).await;
            let unseen = before.iter().find(|id| !seen.contains(id) && !gone.contains(*id)).cloned();
            let shown = seen.iter().find(|id| before.contains(*id) && !gone.contains(*id)).cloned();
            for id in shown.into_iter().chain(unseen) {
                world.post(&format!("/interchanges/{id}/delete"), json!({ "reason": "a test" })).await.ok();
                gone.insert(id);
            }
            let (ids, following) = page(&world, &query, Some(&next)).await;
            seen.extend(ids);
            cursor = following;
        }
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "{order}: something was shown twice");
        let missing: Vec<&String> = before.iter().filter(|id| !once.contains(*id) && !gone.contains(*id)).collect();
        assert!(missing.is_empty(), "{order}: {missing:?} were not shown");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_an_empty_flow_is_one_empty_page() {
    let world = World::start().await;
    world.put("/flows/orders", json!({})).await.ok();
    assert_eq!(read_pages(&world, "limit=200").await, [Vec::<String>::new()]);
    world.stop().await;
}
