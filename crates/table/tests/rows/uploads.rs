//! Payloads that are written before the commit that names them: what no commit names is deleted after a day, and nothing else.

use domain::{FailureReport, PayloadMeta, ReportKind, Timestamp};
use jiff::ToSpan;
use table::{StoredBody, Upload, Work};

use crate::world::{World, at, change, failure, id, meta, reported};

/// Bytes that are too many to go with an event.
fn body(seed: &str) -> (PayloadMeta, Vec<u8>) {
    let bytes: Vec<u8> = (0..1_000).flat_map(|i| meta(format!("{seed} {i}").as_bytes()).digest.0).collect();
    (meta(&bytes), bytes)
}

/// A failure with this payload, which is written and not yet committed.
async fn written(world: &World, payload: &(PayloadMeta, Vec<u8>), now: Timestamp) -> (Work, Upload) {
    let told = FailureReport { sender_payload: Some(payload.0.clone()), ..failure() };
    let kind = ReportKind::Failed(Box::new(told));
    let mut work = Work::new(None, change(reported(None, &id("4711"), 1, kind, now)));
    assert!(!work.carry(payload.0.digest, &payload.1).unwrap());
    let upload = put(world, payload, now).await;
    (work, upload)
}

async fn put(world: &World, (meta, bytes): &(PayloadMeta, Vec<u8>), now: Timestamp) -> Upload {
    world.table.put_payloads(&[StoredBody { id: &id("4711"), version: 1, meta, bytes }], now).await.unwrap()
}

/// The items of payloads, and the registrations.
async fn kept(world: &World) -> (usize, usize) {
    let items = world.items(&id("4711")).await;
    let payloads = items.iter().filter(|item| item["sk"].as_s().unwrap().starts_with("PAYLOAD#")).count();
    (payloads, world.count_of("UPLOADS").await)
}

#[tokio::test]
async fn a_payload_whose_commit_never_came_is_deleted_after_a_day() {
    let world = World::start().await;
    let _ = written(&world, &body("lost"), at("14:00")).await;
    assert_eq!(kept(&world).await, (1, 1));
    assert_eq!(world.table.delete_unnamed_payloads(at("14:00")).await.unwrap(), 0, "written at that very time");
    assert_eq!(kept(&world).await, (1, 1));
    assert_eq!(world.table.delete_unnamed_payloads(at("14:00:01")).await.unwrap(), 1);
    assert_eq!(kept(&world).await, (0, 0));
    world.stop().await;
}

#[tokio::test]
async fn what_a_commit_names_stays_when_its_registration_is_removed() {
    let world = World::start().await;
    let (work, upload) = written(&world, &body("named"), at("14:00")).await;
    let head = world.commit_work(work, at("14:00")).await;
    world.table.finish_upload(upload).await.unwrap();
    assert_eq!(kept(&world).await, (1, 0));
    assert!(world.table.payload(&head.id, &head.sender_payloads.0[0]).await.unwrap().is_some());
    world.stop().await;
}

#[tokio::test]
async fn what_a_head_names_stays_though_registrations_of_it_are_left() {
    let world = World::start().await;
    let named = body("named");
    let (work, _) = written(&world, &named, at("14:00")).await;
    let head = world.commit_work(work, at("14:00")).await;
    let _ = put(&world, &named, at("14:01")).await;
    let _ = put(&world, &body("of a report that was overtaken"), at("14:01")).await;
    assert_eq!(kept(&world).await, (2, 3));
    assert_eq!(world.table.delete_unnamed_payloads(at("15:00")).await.unwrap(), 1);
    assert_eq!(kept(&world).await, (1, 0));
    assert!(world.table.payload(&head.id, &head.sender_payloads.0[0]).await.unwrap().is_some());
    world.stop().await;
}

#[tokio::test]
async fn what_a_repeat_wrote_again_stays_until_its_own_day_has_passed() {
    let world = World::start().await;
    let later = at("14:00") + 23.hours();
    let repeated = body("repeated");
    let _ = written(&world, &repeated, at("14:00")).await;
    let (work, _) = written(&world, &repeated, later).await;
    assert_eq!(world.table.delete_unnamed_payloads(at("14:00:01")).await.unwrap(), 0);
    assert_eq!(kept(&world).await, (1, 1));
    let head = world.commit_work(work, later).await;
    assert!(world.table.payload(&head.id, &head.sender_payloads.0[0]).await.unwrap().is_some());
    world.stop().await;
}
