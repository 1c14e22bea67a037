//! Filters: one predicate for lists and jobs.

use domain::{Category, Filter, Interchange, JobId, Phase, Status};

use super::{at, failed_at_two};

fn subject() -> Interchange {
    let mut subject = failed_at_two();
    subject.parties.sender = Some("ACME".to_owned());
    subject.parties.receiver = Some("GLOBEX".to_owned());
    subject.parties.source_id = Some("PO-1".to_owned());
    subject.origin = Some("Step 3".to_owned());
    subject.error.message = Some("Connect TIMEOUT to Größe".to_owned());
    subject.job = Some(JobId("j-1".to_owned()));
    subject
}

#[test]
fn nothing_said_means_failed_and_partially_failed() {
    for status in Status::ALL {
        let interchange = Interchange { status, ..subject() };
        assert_eq!(Filter::default().matches(&interchange), status.is_failed(), "{status:?}");
        let asked = Filter { status: vec![status], ..Filter::default() };
        assert!(asked.matches(&interchange));
    }
}

#[test]
fn each_field_lets_through_what_it_names_and_nothing_else() {
    let text = |text: &str| Some(text.to_owned());
    let all = Filter::default;
    let table = [
        (Filter { from: Some(at("14:00")), ..all() }, Filter { from: Some(at("14:01")), ..all() }),
        (Filter { to: Some(at("14:01")), ..all() }, Filter { to: Some(at("14:00")), ..all() }),
        (Filter { message: text("timeout TO größe"), ..all() }, Filter { message: text("refused"), ..all() }),
        (Filter { sender: text("ACME"), ..all() }, Filter { sender: text("ACM"), ..all() }),
        (Filter { receiver: text("GLOBEX"), ..all() }, Filter { receiver: text("globex"), ..all() }),
        (Filter { origin: text("Step 3"), ..all() }, Filter { origin: text("Step"), ..all() }),
        (Filter { source_id: text("PO-1"), ..all() }, Filter { source_id: text("PO-2"), ..all() }),
        (Filter { phase: Some(Phase::Delivery), ..all() }, Filter { phase: Some(Phase::Processing), ..all() }),
        (Filter { category: Some(Category::System), ..all() }, Filter { category: Some(Category::Mapping), ..all() }),
        (
            Filter { group: Some(failed_at_two().group), ..all() },
            Filter { group: Some(domain::Fingerprint::of(None, None)), ..all() },
        ),
        (
            Filter { job: Some(JobId("j-1".to_owned())), ..all() },
            Filter { job: Some(JobId("j-2".to_owned())), ..all() },
        ),
    ];
    for (lets, stops) in table {
        assert!(lets.matches(&subject()), "{lets:?}");
        assert!(!stops.matches(&subject()), "{stops:?}");
    }
}

#[test]
fn what_is_unknown_matches_no_filter_that_asks_for_it() {
    let asks = Filter { sender: Some("ACME".to_owned()), ..Filter::default() };
    assert!(!asks.matches(&failed_at_two()));
}
