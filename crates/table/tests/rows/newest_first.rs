//! A walk from the newest failure on, during which interchanges fail again.

use std::collections::BTreeSet;

use domain::{Filter, FlowName, Interchange, ReportKind, Timestamp};
use jiff::ToSpan;
use table::{Page, Position};

use crate::world::{World, at, change, failed, id, reported, sent_back};

/// Ten interchanges that failed one minute after another from 12:01 on, by their numbers.
async fn ten(world: &World) -> Vec<Interchange> {
    let mut all = Vec::new();
    for number in 1..=10 {
        let now = at("12:00") + i64::from(number).minutes();
        let first = change(reported(None, &id(&format!("m-{number:02}")), 1, failed(), now));
        all.push(world.commit(None, first, now).await);
    }
    all
}

async fn fails_again(world: &World, known: &Interchange, now: Timestamp) -> Interchange {
    let sent = world.commit(Some(known), sent_back(known, now), now).await;
    let again = change(reported(Some(&sent), &known.id, sent.attempt, failed(), now));
    world.commit(Some(&sent), again, now).await
}

async fn page(world: &World, filter: &Filter, from: Option<&Position>, now: Timestamp) -> Page {
    world.table.list_newest(&FlowName::new("orders").unwrap(), filter, 3, from, now).await.unwrap()
}

fn ids(page: &Page) -> Vec<&str> {
    page.items.iter().flatten().map(|i| i.id.as_str()).collect()
}

#[tokio::test]
async fn a_walk_meets_all_that_fails_again_while_it_walks_and_ends() {
    let world = World::start().await;
    let mut known = ten(&world).await;
    let filter = Filter::default();
    let mut met: Vec<String> = Vec::new();
    let mut place = None;
    let mut now = at("14:00");
    // Numbers 5 and 1 fail again after the first page, 1 once more while what failed again is walked, 2 likewise.
    let moves: [&[usize]; 6] = [&[5, 1], &[], &[2, 3], &[1, 2], &[], &[]];
    for moved in moves.into_iter().chain(std::iter::repeat_n(&[][..], 10)) {
        let page = page(&world, &filter, place.as_ref(), now).await;
        assert!(!page.items.is_empty(), "a page that was announced has something");
        met.extend(ids(&page).into_iter().map(str::to_owned));
        place = page.next;
        now += 10.seconds();
        for number in moved {
            known[number - 1] = fails_again(&world, &known[number - 1], now).await;
        }
        now += 10.seconds();
        if place.is_none() {
            break;
        }
    }
    assert_eq!(place, None, "the walk ends");
    let all: BTreeSet<String> = known.iter().map(|i| i.id.to_string()).collect();
    assert_eq!(met.iter().cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!(met[..3], ["m-10", "m-09", "m-08"]);
    world.stop().await;
}

#[tokio::test]
async fn a_walk_during_which_nothing_fails_again_meets_everything_once_and_new_failures_are_not_awaited() {
    let world = World::start().await;
    ten(&world).await;
    let mut met = Vec::new();
    let mut place = None;
    for minute in 0..4i64 {
        let now = at("14:00") + minute.minutes();
        let page = page(&world, &Filter::default(), place.as_ref(), now).await;
        met.extend(ids(&page).into_iter().map(str::to_owned));
        place = page.next;
        let new = change(reported(None, &id(&format!("new-{minute}")), 1, failed(), now));
        world.commit(None, new, now).await;
    }
    let expected: Vec<String> = (1..=10).rev().map(|number| format!("m-{number:02}")).collect();
    assert_eq!((met, place), (expected, None));
    world.stop().await;
}

#[tokio::test]
async fn what_failed_again_and_no_longer_matches_is_left_out() {
    let world = World::start().await;
    let known = ten(&world).await;
    let filter = Filter { to: Some(at("13:00")), ..Filter::default() };
    let first = page(&world, &filter, None, at("14:00")).await;
    fails_again(&world, &known[0], at("14:00:10")).await;
    let completed = change(reported(Some(&known[1]), &known[1].id, 1, ReportKind::Completed, at("14:00:10")));
    world.commit(Some(&known[1]), completed, at("14:00:10")).await;
    let second = page(&world, &filter, first.next.as_ref(), at("14:00:20")).await;
    let third = page(&world, &filter, second.next.as_ref(), at("14:00:30")).await;
    assert_eq!((ids(&second), ids(&third)), (vec!["m-07", "m-06", "m-05"], vec!["m-04", "m-03"]));
    assert_eq!(third.next, None, "number 1 failed after what the filter asks for, number 2 is completed");
    world.stop().await;
}

#[tokio::test]
async fn a_page_that_is_shortened_goes_on_after_what_was_shown() {
    let world = World::start().await;
    ten(&world).await;
    let first = page(&world, &Filter::default(), None, at("14:00")).await;
    let second = page(&world, &Filter::default(), first.after(1).as_ref(), at("14:01")).await;
    assert_eq!((ids(&first), ids(&second)), (vec!["m-10", "m-09", "m-08"], vec!["m-09", "m-08", "m-07"]));
    assert_eq!(first.after(3), first.next);
    world.stop().await;
}

#[tokio::test]
async fn a_walk_in_the_instant_of_all_changes_ends_and_repeats_nothing() {
    let world = World::start().await;
    let now = at("14:00");
    for number in 1..=10 {
        let first = change(reported(None, &id(&format!("m-{number:02}")), 1, failed(), now));
        let first = world.commit(None, first, now).await;
        world.commit(Some(&first), sent_back(&first, now), now).await;
    }
    let filter = Filter { status: vec![domain::Status::WaitingForRetry], ..Filter::default() };
    let mut met = Vec::new();
    let mut place = None;
    for _ in 0..4 {
        let page = page(&world, &filter, place.as_ref(), now).await;
        met.extend(ids(&page).into_iter().map(str::to_owned));
        place = page.next;
    }
    assert_eq!((met.len(), place), (10, None));
    world.stop().await;
}
