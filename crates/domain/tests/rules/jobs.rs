//! Jobs: the frozen selection, and what a job does about each interchange of it.

use domain::{
    CanaryResult, Filter, FlowName, Interchange, InterchangeId, Job, JobAction, JobCounts, JobId, JobLimits, JobStatus,
    Reentry, Refusal, Selection, Status, Take, Trigger,
};

use super::{at, failed_at_two, flow};

fn job(selection: Selection) -> Job {
    Job {
        id: JobId("j-1".to_owned()),
        flow: FlowName::new("orders").unwrap(),
        action: JobAction::Reenter(Reentry::Retry),
        selection,
        reason: "partner is back".to_owned(),
        actor: "ann".to_owned(),
        as_of: at("14:00"),
        limits: JobLimits::default(),
        status: JobStatus::Running,
        created_at: at("14:00"),
        halt: None,
        stuck: false,
        started_at: None,
        ended_at: None,
    }
}

fn recorded(time: &str) -> Interchange {
    let mut interchange = failed_at_two();
    interchange.failure.recorded_at = at(time);
    interchange
}

#[test]
fn a_selection_is_frozen_at_its_time() {
    for selection in [
        Selection::All,
        Selection::Filter(Filter::default()),
        Selection::Ids(vec![InterchangeId::new("4711").unwrap()]),
    ] {
        let job = job(selection);
        assert!(job.selects(&recorded("14:00")));
        assert!(!job.selects(&recorded("14:00:01")));
        assert_eq!(job.take(&recorded("14:00:01")), Take::Skip("failed-later"));
    }
}

#[test]
fn a_selection_holds_only_what_it_names() {
    let others = Selection::Ids(vec![InterchangeId::new("4712").unwrap()]);
    assert!(!job(others).selects(&failed_at_two()));
    let completed = Interchange { status: Status::Completed, ..failed_at_two() };
    assert!(!job(Selection::All).selects(&completed));
    let filter = Filter { status: vec![Status::PartiallyFailed], ..Filter::default() };
    assert!(!job(Selection::Filter(filter)).selects(&failed_at_two()));
}

#[test]
fn after_a_crash_a_job_finds_what_it_took_and_takes_nothing_twice() {
    let job = job(Selection::All);
    assert_eq!(job.take(&failed_at_two()), Take::Act);
    let sent = failed_at_two().reenter(Reentry::Retry, &job.cause(0), &flow(), at("14:01")).unwrap().after;
    assert_eq!(job.take(&sent), Take::Resume);
    let failed_again = Interchange { status: Status::Failed, flight: None, ..sent };
    assert_eq!(job.take(&failed_again), Take::Resume);
    assert!(!job.selects(&failed_again));
}

#[test]
fn an_interchange_of_another_flow_is_left_alone() {
    let foreign = Interchange { flow: FlowName::new("invoices").unwrap(), ..failed_at_two() };
    assert_eq!(job(Selection::All).take(&foreign), Take::Skip("not-found"));
}

#[test]
fn a_jobs_events_name_its_person_its_reason_and_the_job() {
    let cause = job(Selection::All).cause(0);
    assert_eq!((cause.actor.as_str(), cause.trigger), ("ann", Trigger::Manual));
    assert_eq!((cause.reason.as_deref(), cause.job), (Some("partner is back"), Some(JobId("j-1".to_owned()))));
}

#[test]
fn skips_are_counted_by_reason() {
    let skips = [("not-failed".to_owned(), 2), ("flow-inactive".to_owned(), 1)].into();
    assert_eq!(JobCounts { skips, ..JobCounts::default() }.skipped(), 3);
    assert_eq!(Refusal::NotFailed { status: Status::Completed }.slug(), "not-failed");
}

#[test]
fn words_read_back_and_an_ended_job_has_ended() {
    for (word, ended) in [
        ("queued", false),
        ("canary", false),
        ("running", false),
        ("cancelling", false),
        ("cancelled", true),
        ("halted", true),
        ("completed", true),
    ] {
        let status = JobStatus::from_word(word).unwrap();
        assert_eq!((status.as_str(), status.has_ended()), (word, ended));
    }
    for word in ["retry", "restart", "delete"] {
        assert_eq!(JobAction::from_word(word).unwrap().as_str(), word);
    }
    assert_eq!((JobStatus::from_word("lost"), JobAction::from_word("cancel")), (None, None));
}

#[test]
fn a_rate_makes_chunks_of_a_second_and_spreads_them() {
    let limits = |rate| JobLimits { rate, ..JobLimits::default() };
    for (rate, chunk, step) in
        [(None, 100, 1_000), (Some(1), 1, 90), (Some(10), 10, 900), (Some(50), 50, 1_000), (Some(5_000), 100, 1_000)]
    {
        assert_eq!((limits(rate).chunk(), limits(rate).step()), (chunk, step), "{rate:?}");
    }
    assert_eq!([0, 49, 50, 999].map(|position| limits(Some(50)).second_of(position)), [0, 0, 1, 19]);
    assert_eq!(limits(None).second_of(999), 0);
}

#[test]
fn a_canary_goes_on_when_all_completed_and_halts_when_one_failed_again() {
    let job = job(Selection::All);
    for (sent, completed, failed_again, says) in [
        (2, 0, 0, CanaryResult::Wait),
        (2, 1, 0, CanaryResult::Wait),
        (2, 2, 0, CanaryResult::GoOn),
        (2, 1, 1, CanaryResult::Halt),
        (0, 0, 0, CanaryResult::GoOn),
    ] {
        let counts = JobCounts { sent, completed, failed_again, ..JobCounts::default() };
        assert_eq!(job.canary_result(&counts), says, "{counts:?}");
    }
}

#[test]
fn what_an_interchange_refuses_can_be_told_before_it_is_asked() {
    let [retry, restart] = [Reentry::Retry, Reentry::Restart].map(JobAction::Reenter);
    let mut unmapped = failed_at_two();
    unmapped.receiver_payloads = Default::default();
    assert_eq!(unmapped.refusal(retry), Some(Refusal::NoReceiverPayload));
    assert_eq!([restart, JobAction::Delete].map(|action| unmapped.refusal(action)), [None, None]);
    let completed = Interchange { status: Status::Completed, ..failed_at_two() };
    assert_eq!(completed.refusal(JobAction::Delete), Some(Refusal::NotFailed { status: Status::Completed }));
}

#[test]
fn a_canary_lacks_what_was_not_sent_whatever_was_passed_over() {
    let limits = JobLimits { canary: Some(3), ..JobLimits::default() };
    let careful = Job { limits, ..job(Selection::All) };
    for (sent, skipped, lacks) in [(0, 0, 3), (0, 3, 3), (2, 1, 1), (3, 40, 0), (4, 0, 0)] {
        let skips = [("no-receiver-payload".to_owned(), skipped)].into();
        let counts = JobCounts { sent, skips, ..JobCounts::default() };
        assert_eq!(careful.canary_lacks(&counts), lacks, "{counts:?}");
    }
    assert_eq!(job(Selection::All).canary_lacks(&JobCounts::default()), 0, "there is none");
}

#[test]
fn only_what_has_outcomes_can_have_a_canary() {
    let [retry, restart] = [Reentry::Retry, Reentry::Restart].map(JobAction::Reenter);
    let actions = [retry, restart, JobAction::Delete, JobAction::Reschedule];
    assert_eq!(actions.map(JobAction::has_outcomes), [true, true, false, false]);
}

#[test]
fn the_order_is_kept_where_the_stage_of_the_action_is_a_fifo_queue() {
    let mut flow = flow();
    flow.stages.receiver = Some("https://sqs.eu-west-1.amazonaws.com/000000000000/erp.fifo".to_owned());
    let retry = job(Selection::All);
    let [restart, delete] =
        [JobAction::Reenter(Reentry::Restart), JobAction::Delete].map(|action| Job { action, ..job(Selection::All) });
    assert_eq!([&retry, &restart, &delete].map(|job| job.keeps_order(&flow)), [true, false, false]);
    assert!(flow.keeps_order());
    flow.stages.receiver = None;
    assert!(!flow.keeps_order());
}

#[test]
fn chunks_in_a_row_are_as_far_apart_as_the_rate_wants() {
    let limits = |rate| JobLimits { rate, ..JobLimits::default() };
    for (rate, apart) in [(None, [0, 0, 0]), (Some(1), [1, 1, 1]), (Some(60), [1, 1, 1]), (Some(150), [0, 1, 1])] {
        assert_eq!([0, 1, 2].map(|chunk| limits(rate).seconds_after(chunk)), apart, "{rate:?}");
    }
}

#[test]
fn what_a_job_would_skip_can_be_told_before_it_is_made() {
    let job = job(Selection::All);
    let mut unmapped = failed_at_two();
    unmapped.receiver_payloads = Default::default();
    let completed = Interchange { status: Status::Completed, ..failed_at_two() };
    let foreign = Interchange { flow: FlowName::new("invoices").unwrap(), ..failed_at_two() };
    for (interchange, reason) in [
        (failed_at_two(), None),
        (unmapped, Some("no-receiver-payload")),
        (completed, Some("not-failed")),
        (recorded("14:00:01"), Some("failed-later")),
        (foreign, Some("not-found")),
    ] {
        assert_eq!(job.would_skip(&interchange), reason);
    }
}
