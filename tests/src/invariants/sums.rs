//! The list, the counts by status and group, the planned retries and the failure times agree with a recount of the heads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Findings, Stored};
use crate::World;

const STATUSES: [&str; 8] = [
    "failed",
    "partially_failed",
    "waiting_for_retry",
    "waiting_for_restart",
    "in_network",
    "completed",
    "deleted",
    "erased",
];

pub(super) async fn check(world: &World, stored: &Stored, flow: &str, found: &mut Findings) {
    let shown = world.get(&format!("/flows/{flow}")).await;
    if shown.status != 200 {
        found.add("a flow with failures is known", format!("{flow}: {}", shown.status));
        return;
    }
    let shown = shown.json();
    for status in STATUSES {
        let heads = stored.heads_of(flow).filter(|(_, head)| head.status == status).count();
        found.unless(shown["counts"][status] == heads, "counts agree with a recount", || {
            format!("{flow}: the count of {status} is {}, but {heads} heads have this status", shown["counts"][status])
        });
    }
    times(stored, flow, &shown, found);
    rows(world, stored, flow, found).await;
    groups(world, stored, flow, found).await;
    let planned = stored.heads_of(flow).filter(|(_, head)| head.has_next).count();
    let prefix = format!("{flow}#");
    let rows = stored.items_under("FLOWS", &prefix);
    let counted: i64 = rows.filter_map(|row| row.get("next")).filter_map(Value::as_i64).sum();
    found.unless(i64::try_from(planned) == Ok(counted), "planned retries agree with a recount", || {
        format!("{flow}: the count is {counted}, but {planned} heads have a next retry")
    });
}

fn times(stored: &Stored, flow: &str, shown: &Value, found: &mut Findings) {
    let unresolved: Vec<Timestamp> =
        stored.heads_of(flow).filter(|(_, head)| !head.is_resolved()).map(|(_, head)| head.failed_at).collect();
    for (name, at) in [("oldestFailureAt", unresolved.iter().min()), ("newestFailureAt", unresolved.iter().max())] {
        let expected = at.map(|at| rounded(*at, stored.now));
        let actual = shown[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        found.unless(expected == actual, "failure times agree with a recount", || {
            format!("{flow}: {name} is {actual:?} and should be {expected:?}")
        });
    }
}

/// A failure time as a flow shows it: rounded down to the minute, to the hour after six hours, to the day after seven days.
fn rounded(at: Timestamp, now: Timestamp) -> Timestamp {
    let whole = |time: Timestamp, width: i64| time.as_second().div_euclid(width);
    let is_older = |width: i64, max: i64| (whole(now, width) - whole(at, width)).abs() > max;
    let width = match (is_older(3_600, 6), is_older(86_400, 7)) {
        (true, true) => 86_400,
        (true, false) => 3_600,
        (false, _) => 60,
    };
    Timestamp::from_second(whole(at, width) * width).unwrap_or_default()
}

/// The list shows every head once, with its status and attempt.
async fn rows(world: &World, stored: &Stored, flow: &str, found: &mut Findings) {
    let mut listed: BTreeMap<String, (String, u64)> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/flows/{flow}/interchanges?limit=200&status={}{cursor}", STATUSES.join(","));
        let page = world.get(&path).await.ok();
        for row in page["items"].as_array().into_iter().flatten() {
            let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let again = listed.insert(word("interchangeId"), (word("status"), row["attempt"].as_u64().unwrap_or(0)));
            found.unless(again.is_none(), "a list shows each interchange once", || row["interchangeId"].to_string());
        }
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let heads: BTreeMap<String, (String, u64)> =
        stored.heads_of(flow).map(|(id, head)| (id.clone(), (head.status.clone(), u64::from(head.attempt)))).collect();
    if listed != heads {
        let differ = heads.iter().filter(|(id, head)| listed.get(*id) != Some(head));
        let differ: Vec<_> = differ.map(|(id, head)| (id, head, listed.get(id))).take(3).collect();
        found.add(
            "a list agrees with the heads",
            format!("{flow}: {} rows, {} heads; {differ:?}", listed.len(), heads.len()),
        );
    }
}

async fn groups(world: &World, stored: &Stored, flow: &str, found: &mut Findings) {
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for (_, head) in stored.heads_of(flow).filter(|(_, head)| head.is_failed()) {
        *counted.entry(head.group.clone()).or_default() += 1;
    }
    let groups = world.get(&format!("/flows/{flow}/groups")).await.ok();
    let shown = groups["items"].as_array().into_iter().flatten();
    let shown: BTreeMap<String, u64> = shown
        .map(|group| {
            (group["fingerprint"].as_str().unwrap_or_default().to_owned(), group["count"].as_u64().unwrap_or(0))
        })
        .collect();
    found.unless(shown == counted, "groups agree with a recount", || {
        format!("{flow}: {shown:?}, but the heads have {counted:?}")
    });
}
