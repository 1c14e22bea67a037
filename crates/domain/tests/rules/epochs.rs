//! Reports of an epoch of the table that is over: attempt numbers were given again since.

use domain::{Epoch, Flow, Interchange, Received, Report, ReportDigest, ReportKind, Status, Verdict, receive};

use super::{at, change, failed, flow, kinds, meta, report, waiting};

const NOW: Epoch = Epoch(1_795_183_200);

fn of(epoch: impl Into<Option<Epoch>>, kind: ReportKind) -> Report {
    Report { epoch: epoch.into(), digest: Some(ReportDigest::of(b"words")), ..report(2, "14:12", kind) }
}

fn judge(known: Option<&Interchange>, report: &Report) -> Verdict {
    let flow: &Flow = &flow();
    receive(known.cloned(), report, Received { queued_at: at("14:12"), now: at("14:12"), flow, epoch: NOW })
}

#[test]
fn an_outcome_of_another_epoch_is_logged_once_and_changes_no_status() {
    for kind in [ReportKind::Completed, ReportKind::InNetwork, failed()] {
        let late = change(judge(Some(&waiting()), &of(Epoch::FIRST, kind.clone())));
        assert_eq!(
            (late.after.status, late.after.attempt, kinds(&late)),
            (Status::WaitingForRetry, 2, vec!["late_outcome"])
        );
        assert_eq!(late.events[0].warnings[0].field, "epoch");
        assert_eq!(judge(Some(&late.after), &of(Epoch::FIRST, kind.clone())), Verdict::Repeat);
        // That of this epoch counts all the same.
        assert_ne!(change(judge(Some(&late.after), &of(NOW, kind))).after.status, Status::WaitingForRetry);
    }
}

#[test]
fn a_report_of_this_epoch_and_one_that_names_none_count() {
    for epoch in [Some(NOW), None] {
        assert_eq!(change(judge(Some(&waiting()), &of(epoch, ReportKind::Completed))).after.status, Status::Completed);
    }
}

#[test]
fn a_failure_of_another_epoch_of_what_is_not_known_is_kept_as_failed() {
    let kept = change(judge(None, &of(Epoch::FIRST, failed())));
    assert_eq!((kept.after.status, kept.after.attempt), (Status::Failed, 2));
    assert_eq!(judge(None, &of(Epoch::FIRST, ReportKind::Completed)), Verdict::NeverFailed);
}

#[test]
fn what_an_outcome_of_another_epoch_brings_is_kept_and_is_not_what_is_sent() {
    let brings = domain::FailureReport { receiver_payload: Some(meta(b"<new/>")), ..super::failure() };
    let late = change(judge(Some(&waiting()), &of(Epoch::FIRST, ReportKind::Failed(Box::new(brings))))).after;
    assert_eq!(late.receiver_payloads.0.len(), 2);
    assert_eq!(late.receiver_payloads.current().unwrap().meta, meta(b"<a/>"));
}
