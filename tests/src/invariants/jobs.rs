//! Every job ends, and its counts agree with the event logs.

use serde_json::Value;

use super::{Findings, Stored};
use crate::World;

pub(super) async fn check(world: &World, stored: &Stored, flow: &str, found: &mut Findings) {
    let jobs = world.get(&format!("/flows/{flow}/jobs")).await.ok();
    for job in jobs["items"].as_array().into_iter().flatten() {
        check_job(stored, job, found);
    }
}

fn check_job(stored: &Stored, job: &Value, found: &mut Findings) {
    let id = job["id"].as_str().unwrap_or_default();
    let status = job["status"].as_str().unwrap_or_default();
    let of = |name: &str| job["counts"][name].as_u64().unwrap_or_default();
    let describe = || format!("{id} {} is {status} with {} {}", job["action"], job["counts"], job["skips"]);
    found.unless(["completed", "cancelled", "halted"].contains(&status), "jobs end", describe);
    if status != "halted" {
        found.unless(of("matched") == of("sent") + of("skipped"), "a job's counts add up", describe);
    }
    if job["action"] == "reschedule" {
        return;
    }
    let of_job = |data: &Value| data["j"] == id;
    let acted = stored
        .logs
        .values()
        .flatten()
        .filter(|event| ["requested", "deleted", "erased"].contains(&event.kind.as_str()) && of_job(&event.data));
    let acted = acted.count() as u64;
    found.unless(of("sent") == acted, "a job's sent agrees with the logs", || {
        format!("{}; the logs have {acted}", describe())
    });
    if ["delete", "erase"].iter().any(|action| job["action"] == *action) {
        return;
    }
    let in_flight =
        stored.heads.values().filter(|head| head.job.as_deref() == Some(id) && head.is_in_flight()).count() as u64;
    found.unless(of("sent") == of("completed") + of("failedAgain") + in_flight, "a job's outcomes add up", || {
        format!("{}; {in_flight} are in flight", describe())
    });
}
