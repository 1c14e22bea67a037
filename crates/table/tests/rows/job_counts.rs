//! The counts of a job, as the table adds them up.

use domain::{FlowName, Interchange, Job, JobAction, JobId, JobLimits, JobStatus, Reentry, ReportKind, Selection};
use table::NewJob;

use crate::world::{World, at, by_job, change, failed, flow, id, reported};

async fn with_job(world: &World, job: &str) -> Interchange {
    let job = Job {
        id: JobId(job.to_owned()),
        flow: FlowName::new("orders").unwrap(),
        action: JobAction::Reenter(Reentry::Retry),
        selection: Selection::All,
        reason: "partner is back".to_owned(),
        actor: "ann".to_owned(),
        as_of: at("14:05"),
        limits: JobLimits::default(),
        status: JobStatus::Queued,
        halt: None,
        stuck: false,
        created_at: at("14:05"),
        started_at: None,
        ended_at: None,
    };
    world.table.create_job(&NewJob { job: &job, idempotency: None }).await.unwrap();
    let known = change(reported(None, &id("4711"), 1, failed(), at("14:00")));
    let known = world.commit(None, known, at("14:00")).await;
    let sent = known.clone().reenter(Reentry::Retry, &by_job(&job.id.0), &flow(), at("14:10")).unwrap();
    world.commit(Some(&known), sent, at("14:10")).await
}

#[tokio::test]
async fn a_completion_that_overrules_a_reported_failure_is_no_longer_counted_as_failed_again() {
    let world = World::start().await;
    let mut known = with_job(&world, "1").await;
    let steps =
        [(failed(), "14:11", (1, 0, 1)), (ReportKind::Completed, "14:12", (1, 1, 0)), (failed(), "14:13", (1, 0, 1))];
    for (kind, time, expected) in steps {
        let outcome = change(reported(Some(&known), &known.id, 2, kind, at(time)));
        known = world.commit(Some(&known), outcome, at(time)).await;
        let counts = world.table.job(&JobId("1".to_owned())).await.unwrap().unwrap().counts;
        assert_eq!((counts.sent, counts.completed, counts.failed_again), expected, "{time}");
    }
    world.stop().await;
}
