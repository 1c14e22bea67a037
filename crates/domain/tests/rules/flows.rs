//! Flows: what a new one is, and which policy and queue count.

use domain::{ConfigProblem, Confirmation, Flow, FlowName, Reentry, Refusal, RetryMode, RetryPolicy, Stages};
use jiff::SignedDuration;

use super::{at, flow};

#[test]
fn a_flow_is_registered_active_with_the_stacks_stages_and_the_default_ladder() {
    let flow = flow();
    assert!(flow.active);
    assert_eq!((flow.retry.mode, flow.version, flow.activated_at), (RetryMode::Automatic, 0, at("12:00")));
    assert_eq!(flow.stage(Reentry::Retry), Some("https://sqs/1/receiver"));
    assert_eq!(flow.stage(Reentry::Restart), Some("https://sqs/1/sender"));
    assert_eq!(flow.retry.schedule.limit(), 5);
}

#[test]
fn unassigned_alone_is_manual_and_has_no_stages() {
    let unassigned = Flow::registered(FlowName::unassigned(), &flow().stages, at("12:00"));
    assert_eq!((unassigned.retry.mode, &unassigned.stages), (RetryMode::Manual, &Stages::default()));
    assert_eq!((unassigned.stage(Reentry::Retry), unassigned.active), (None, true));
}

#[test]
fn a_partner_without_a_policy_of_its_own_has_the_flows() {
    let manual = RetryPolicy { mode: RetryMode::Manual, ..RetryPolicy::default() };
    let flow = Flow { partners: [("GLOBEX".to_owned(), manual)].into(), ..flow() };
    assert_eq!(flow.retry_for(Some("GLOBEX")).mode, RetryMode::Manual);
    assert_eq!(flow.retry_for(Some("ACME")).mode, RetryMode::Automatic);
    assert_eq!(flow.retry_for(None).mode, RetryMode::Automatic);
}

#[test]
fn a_deadline_is_the_first_whole_minute_after_the_time_allowed() {
    let confirmation = Confirmation { within: SignedDuration::from_mins(15), ..Confirmation::default() };
    assert_eq!(confirmation.deadline(at("14:00")).timestamp(), at("14:15"));
    assert_eq!(confirmation.deadline(at("14:00:01")).timestamp(), at("14:16"));
}

#[test]
fn a_flow_that_is_not_understood_is_held_and_says_whether_a_stage_is_missing_or_not_understood() {
    let problem = |field: &str| ConfigProblem { field: Some(field.to_owned()), problem: "is `cron`".to_owned() };
    let without_stages = |problems| Flow { problems, stages: Stages::default(), ..flow() };
    let refusal = |flow: &Flow| flow.stage_queue(Reentry::Retry).map(str::to_owned).unwrap_err();
    let side = Reentry::Retry.side();
    let schedule = without_stages(vec![problem("retry.schedule.kind")]);
    assert!(schedule.is_held() && !schedule.is_unreadable());
    assert_eq!(refusal(&schedule), Refusal::StageNotConfigured { side });
    assert_eq!(
        refusal(&without_stages(vec![problem("stages.receiver.queueUrl")])),
        Refusal::StageNotUnderstood { side }
    );
    let unreadable = Flow::unreadable(FlowName::new("orders").unwrap(), 3, at("12:00"), "is not JSON".to_owned());
    assert!(unreadable.is_held() && unreadable.is_unreadable());
    assert_eq!((unreadable.version, unreadable.retry.mode), (3, RetryMode::Manual));
    assert_eq!(refusal(&unreadable), Refusal::StageNotUnderstood { side });
    assert!(!flow().is_held() && Flow { active: false, ..flow() }.is_held());
}
