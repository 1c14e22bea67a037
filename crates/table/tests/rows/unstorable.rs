//! An interchange that DynamoDB never takes holds up no other.

use domain::{Change, Part, PartStatus};
use table::{Committed, Work};

use crate::world::{World, at, change, failed, id, reported};

/// The first failure of an interchange; one that is `large` is more than DynamoDB's 400 KB.
fn first(name: &str, large: bool) -> Work {
    let mut change: Change = change(reported(None, &id(name), 1, failed(), at("14:00")));
    if large {
        let message = Some("x".repeat(420_000));
        change.after.parts = vec![Part { id: "line-1".to_owned(), status: PartStatus::Failed, message }];
    }
    Work::new(None, change)
}

#[tokio::test]
async fn a_work_that_is_never_taken_is_named_and_all_others_are_committed() {
    let world = World::start().await;
    let works: Vec<Work> = (0..60).map(|i| first(&format!("m-{i:02}"), i == 17 || i == 41)).collect();
    let outcomes = world.table.commit(&works, at("14:00")).await.unwrap();
    for (i, outcome) in outcomes.iter().enumerate() {
        let is_unstorable = matches!(outcome, Committed::Unstorable(cause) if !cause.is_empty());
        let is_done = *outcome == Committed::Done { version: 1, whole: false };
        assert!(if i == 17 || i == 41 { is_unstorable } else { is_done }, "{i}: {outcome:?}");
    }
    let ids: Vec<_> = works.iter().map(|work| work.after.id.clone()).collect();
    assert_eq!(world.table.heads(&ids).await.unwrap().iter().count(), 58);
    let counts = world.table.counts_of(&works[0].after.flow, at("14:00")).await.unwrap();
    assert_eq!(counts.by_status[&domain::Status::Failed], 58);
    world.stop().await;
}
