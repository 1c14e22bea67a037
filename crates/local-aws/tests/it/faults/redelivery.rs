//! Messages that come twice, or late.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::{Again, Redelivery};

use super::Faulty;
use crate::here::Here;

fn redelivery(again: Again, after: u64) -> Redelivery {
    Redelivery { queue: "orders".to_owned(), again, after: Duration::from_secs(after), one_in: None }
}

/// Receives what is there and deletes it; gives the ids.
async fn work_off(here: &Here, url: &str) -> Vec<String> {
    let messages = here.receive(url).await;
    for message in &messages {
        here.delete(url, message).await;
    }
    messages.into_iter().filter_map(|message| message.message_id).collect()
}

#[tokio::test]
async fn a_message_comes_again_once_after_it_was_deleted() {
    let Faulty { here, queue, .. } = Faulty::new().await;
    here.aws.faults().redeliver(redelivery(Again::AfterDelete, 60));
    here.send(&queue, "x").await;
    let first = work_off(&here, &queue).await;
    assert!(work_off(&here, &queue).await.is_empty());
    here.advance("60s").await;
    assert_eq!(work_off(&here, &queue).await, first);
    here.advance("1h").await;
    assert!(work_off(&here, &queue).await.is_empty());
    assert_eq!(here.aws.faults().redelivered(), 1);
}

#[tokio::test]
async fn a_message_comes_again_while_it_is_worked_on() {
    let Faulty { here, queue, .. } = Faulty::new().await;
    here.aws.faults().redeliver(redelivery(Again::WhileInFlight, 0));
    here.send(&queue, "x").await;
    let first = here.receive(&queue).await.remove(0);
    let second = here.receive(&queue).await.remove(0);
    assert_eq!((first.message_id(), first.body()), (second.message_id(), second.body()));
    assert_ne!(first.receipt_handle(), second.receipt_handle());
    assert!(here.receive(&queue).await.is_empty());
    here.delete(&queue, &first).await;
    assert_eq!(here.aws.sqs().in_flight("orders"), 1);
    here.delete(&queue, &second).await;
    assert_eq!(here.aws.sqs().in_flight("orders"), 0);
}

#[tokio::test]
async fn who_waits_for_the_queue_is_woken_by_the_second_delivery() {
    let Faulty { here, queue, .. } = Faulty::new().await;
    here.aws.faults().redeliver(redelivery(Again::AfterDelete, 0));
    here.send(&queue, "x").await;
    let message = here.receive(&queue).await.remove(0);
    let waiting = tokio::spawn(here.sqs.receive_message().queue_url(&queue).wait_time_seconds(20).send());
    tokio::task::yield_now().await;
    here.delete(&queue, &message).await;
    let woken = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("is woken").expect("no panic");
    assert_eq!(woken.expect("receives").messages().len(), 1);
}

#[tokio::test]
async fn a_message_comes_late() {
    let Faulty { here, queue, .. } = Faulty::new().await;
    here.aws.faults().redeliver(redelivery(Again::Late, 600));
    here.send(&queue, "x").await;
    here.advance("599s").await;
    assert!(here.bodies(&queue).await.is_empty());
    here.advance("1s").await;
    assert_eq!(here.bodies(&queue).await, ["x"]);
}

#[tokio::test]
async fn a_share_of_the_messages_comes_twice_until_the_faults_are_cleared() {
    let Faulty { here, queue, .. } = Faulty::new().await;
    here.aws.faults().redeliver(Redelivery { one_in: Some((7, 0.5)), ..redelivery(Again::AfterDelete, 60) });
    for n in 0..40 {
        here.send(&queue, &n.to_string()).await;
    }
    while !work_off(&here, &queue).await.is_empty() {}
    here.advance("60s").await;
    let again = here.aws.sqs().visible("orders");
    assert!((10..=30).contains(&again), "{again}");

    here.aws.faults().clear();
    while !work_off(&here, &queue).await.is_empty() {}
    here.send(&queue, "once").await;
    work_off(&here, &queue).await;
    here.advance("1h").await;
    assert_eq!(here.aws.sqs().visible("orders"), 0);
}

#[tokio::test]
async fn a_fifo_queue_never_delivers_twice() {
    let here = Here::new().await;
    let url = here.queue("orders.fifo", &[(QueueAttributeName::FifoQueue, "true")]).await;
    for again in [Again::AfterDelete, Again::WhileInFlight] {
        here.aws.faults().redeliver(Redelivery { queue: "orders.fifo".to_owned(), ..redelivery(again, 0) });
    }
    let send = here.sqs.send_message().queue_url(&url).message_body("x").message_group_id("g");
    send.message_deduplication_id("d").send().await.expect("sends");
    assert_eq!(work_off(&here, &url).await.len(), 1);
    assert!(work_off(&here, &url).await.is_empty());
}
