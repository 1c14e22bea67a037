//! Retry, restart, delete, and what follows when nothing is heard or SQS refuses.

use domain::{
    Actor, Category, Confirmation, ConfirmationMode, EventKind, FailureReport, Flow, Interchange, Minute, PayloadSide,
    Phase, RecordedSend, Reentry, Refusal, ReportKind, SendFailure, Slot, Stages, Status,
};

use super::{
    RECORDED, at, by_hand, by_schedule, change, chunk, failed_at_two, failure, flow, judge, kinds, report, waiting,
};

fn told(failure: FailureReport) -> Interchange {
    change(judge(None, &report(1, "14:00", ReportKind::Failed(Box::new(failure))), "14:00")).after
}

fn overdue_slot(interchange: &Interchange) -> Slot {
    Slot { minute: interchange.due.unwrap(), flow: interchange.flow.clone() }
}

#[test]
fn a_re_entry_is_the_next_attempt_and_names_what_is_sent_where() {
    for (action, status, side) in [
        (Reentry::Retry, Status::WaitingForRetry, PayloadSide::Receiver),
        (Reentry::Restart, Status::WaitingForRestart, PayloadSide::Sender),
    ] {
        let change = failed_at_two().reenter(action, &by_hand(), &flow(), at("14:10")).unwrap();
        let after = &change.after;
        assert_eq!((after.status, after.attempt, after.tries, after.automatic), (status, 2, 1, 0));
        assert_eq!((after.next_retry_at, after.due), (None, Some(Minute::at_or_after(at("14:25")))));
        assert!(after.is_claimed_by(&chunk(1)));
        assert!(!after.is_claimed_by(&chunk(2)));
        let EventKind::Requested(requested) = &change.events[0].kind else { panic!() };
        assert_eq!((requested.side, requested.payload.number), (side, 1));
        assert_eq!(requested.reason.as_deref(), Some("partner is back"));
        assert_eq!(requested.queue_url, format!("https://sqs/1/{}", side.as_str()));
    }
}

#[test]
fn only_automatic_re_entries_climb_the_ladder() {
    let by_hand = failed_at_two().reenter(Reentry::Retry, &by_hand(), &flow(), at("14:10")).unwrap().after;
    let by_schedule = failed_at_two().reenter(Reentry::Retry, &by_schedule(), &flow(), at("14:10")).unwrap().after;
    assert_eq!((by_hand.tries, by_hand.automatic), (1, 0));
    assert_eq!((by_schedule.tries, by_schedule.automatic), (1, 1));
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let inactive = Flow { active: false, ..flow() };
    let no_stages = Flow { stages: Stages::default(), ..flow() };
    let no_receiver = told(FailureReport { receiver_payload: None, ..failure() });
    let no_sender = told(FailureReport { sender_payload: None, ..failure() });
    let last_attempt = Interchange { attempt: domain::MAX_ATTEMPTS, ..failed_at_two() };
    let stage = |side| Refusal::StageNotConfigured { side };
    let table = [
        (failed_at_two(), Reentry::Retry, &inactive, Refusal::FlowInactive),
        (waiting(), Reentry::Retry, &flow(), Refusal::NotFailed { status: Status::WaitingForRetry }),
        (no_receiver.clone(), Reentry::Retry, &flow(), Refusal::NoReceiverPayload),
        (no_sender, Reentry::Restart, &flow(), Refusal::NoSenderPayload),
        (last_attempt.clone(), Reentry::Retry, &flow(), Refusal::NoAttemptLeft),
        (last_attempt, Reentry::Restart, &flow(), Refusal::NoAttemptLeft),
        (failed_at_two(), Reentry::Retry, &no_stages, stage(PayloadSide::Receiver)),
        (failed_at_two(), Reentry::Restart, &no_stages, stage(PayloadSide::Sender)),
    ];
    for (interchange, action, flow, refusal) in table {
        assert_eq!(interchange.reenter(action, &by_hand(), flow, at("14:10")).unwrap_err(), refusal);
    }
    assert!(no_receiver.reenter(Reentry::Restart, &by_hand(), &flow(), at("14:10")).is_ok());
}

#[test]
fn only_failed_and_partially_failed_can_be_acted_on() {
    for status in Status::ALL {
        let is = Interchange { status, ..failed_at_two() };
        let acted = [
            is.clone().reenter(Reentry::Retry, &by_hand(), &flow(), at("14:10")).err(),
            is.clone().reenter(Reentry::Restart, &by_hand(), &flow(), at("14:10")).err(),
            is.delete(&by_hand(), &flow(), at("14:10")).err(),
        ];
        let refusal = (!status.is_failed()).then_some(Refusal::NotFailed { status });
        assert_eq!(acted, [refusal; 3], "{status:?}");
    }
}

#[test]
fn delete_keeps_head_and_log_and_leaves_the_schedule() {
    let change = failed_at_two().delete(&by_hand(), &flow(), at("14:10")).unwrap();
    let after = &change.after;
    assert_eq!((after.status, after.due, after.next_retry_at), (Status::Deleted, None, None));
    assert_eq!(kinds(&change), ["deleted"]);
    let inactive = Flow { active: false, ..flow() };
    let refused = failed_at_two().delete(&by_hand(), &inactive, at("14:10"));
    assert_eq!(refused.unwrap_err(), Refusal::FlowInactive);
}

#[test]
fn silence_past_the_deadline_is_a_failure_where_outcomes_are_confirmed() {
    let waiting = waiting();
    let slot = overdue_slot(&waiting);
    let change = waiting.overdue(&slot, &flow(), RECORDED, at("14:25")).unwrap();
    assert_eq!(kinds(&change), ["outcome_overdue", "retry_scheduled"]);
    let after = change.after;
    assert_eq!((after.status, after.error.category), (Status::Failed, Category::NoOutcome));
    assert_eq!(after.next_retry_at.unwrap().timestamp(), at("14:30"));
}

#[test]
fn silence_past_the_deadline_is_a_completion_where_the_flow_is_silent() {
    let confirmation = Confirmation { mode: ConfirmationMode::Silent, ..Confirmation::default() };
    let flow = Flow { confirmation, ..flow() };
    let waiting = waiting();
    let slot = overdue_slot(&waiting);
    let change = waiting.overdue(&slot, &flow, RECORDED, at("14:25")).unwrap();
    assert_eq!((change.after.status, kinds(&change)), (Status::Completed, vec!["assumed_completed"]));
}

#[test]
fn a_deadline_that_was_met_or_is_another_ones_passes() {
    let waiting = waiting();
    let slot = overdue_slot(&waiting);
    let other = Slot { minute: Minute::at_or_after(at("14:26")), ..slot.clone() };
    assert_eq!(waiting.clone().overdue(&other, &flow(), RECORDED, at("14:26")), None);
    let done = change(judge(Some(&waiting), &report(2, "14:12", ReportKind::Completed), "14:12")).after;
    assert_eq!(done.overdue(&slot, &flow(), RECORDED, at("14:25")), None);
    assert_eq!(failed_at_two().overdue(&slot, &flow(), RECORDED, at("14:25")), None);
}

#[test]
fn what_sqs_refuses_for_good_waits_for_a_person() {
    let refused = SendFailure {
        actor: Actor::Person("ann".to_owned()),
        error: "no such queue".to_owned(),
        queue_url: Some("https://sqs/1/x".to_owned()),
    };
    let change = waiting().send_failed(2, &refused, at("14:11")).unwrap();
    assert_eq!(kinds(&change), ["send_failed"]);
    assert_eq!(change.events[0].actor, Actor::Person("ann".to_owned()), "it names the person who asked");
    let after = &change.after;
    assert_eq!((after.status, after.next_retry_at, after.due), (Status::Failed, None, None));
    assert_eq!(after.error.code.as_deref(), Some("send_failed"));
    assert_eq!(waiting().send_failed(1, &refused, at("14:11")), None);
    assert_eq!(after.clone().send_failed(2, &refused, at("14:12")), None);
}

#[test]
fn the_phase_decides_what_an_automatic_retry_does_unless_the_flow_or_a_missing_payload_does() {
    let processing = || FailureReport { phase: Some(Phase::Processing), ..failure() };
    let fixed = |action| {
        let mut flow = flow();
        flow.retry.action = Some(action);
        flow
    };
    let table = [
        (failure(), flow(), Reentry::Retry),
        (processing(), flow(), Reentry::Restart),
        (failure(), fixed(Reentry::Restart), Reentry::Restart),
        (processing(), fixed(Reentry::Retry), Reentry::Retry),
        (FailureReport { receiver_payload: None, ..failure() }, flow(), Reentry::Restart),
        (FailureReport { sender_payload: None, ..processing() }, flow(), Reentry::Retry),
    ];
    for (failure, flow, action) in table {
        assert_eq!(told(failure).automatic_action(&flow), action);
    }
}

/// Silent, within 15 minutes.
fn silent() -> Flow {
    let confirmation = Confirmation { mode: ConfirmationMode::Silent, ..Confirmation::default() };
    Flow { confirmation, ..flow() }
}

#[test]
fn silence_about_a_message_without_a_recorded_send_only_moves_its_deadline() {
    for flow in [flow(), silent()] {
        let waiting = failed_at_two().reenter(Reentry::Retry, &by_hand(), &flow, at("14:10")).unwrap().after;
        let slot = overdue_slot(&waiting);
        let moved = waiting.clone().overdue(&slot, &flow, RecordedSend::Missing, at("14:25")).unwrap();
        assert!(moved.events.is_empty());
        let expected = Interchange { due: Some(Minute::at_or_after(at("14:40"))), ..waiting };
        assert_eq!(moved.after, expected, "nothing is completed and no attempt is used up");
    }
}

#[test]
fn a_deadline_counts_from_the_recorded_send() {
    let silent = silent();
    let waiting = failed_at_two().reenter(Reentry::Retry, &by_hand(), &silent, at("14:10")).unwrap().after;
    let slot = overdue_slot(&waiting);
    let late = waiting.clone().overdue(&slot, &silent, RecordedSend::At(at("14:13:30")), at("14:25")).unwrap().after;
    assert_eq!(late.due, Some(Minute::at_or_after(at("14:29"))));
    let in_time = waiting.overdue(&slot, &silent, RecordedSend::At(at("14:10")), at("14:25")).unwrap().after;
    assert_eq!(in_time.status, Status::Completed);
}
