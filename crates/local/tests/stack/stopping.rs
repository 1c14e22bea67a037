//! Tests of shutdown, of a second start, and of start errors.

use local::{Stack, StackError};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{FUNCTION, QUEUE, WaitPoint, is_running, options, start};

#[tokio::test]
async fn a_stack_that_was_shut_down_leaves_no_process_and_no_port() {
    let fixture = start().await;
    fixture.pid().await;
    let pids = fixture.environment_pids(FUNCTION).unwrap();
    let addresses = [fixture.http_url(), fixture.aws_url()];
    assert!(pids.iter().all(|pid| is_running(*pid)));
    fixture.stack.shutdown().await;
    assert!(!pids.iter().any(|pid| is_running(*pid)));
    for address in addresses {
        TcpListener::bind(address.strip_prefix("http://").unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn shutdown_does_not_wait_for_running_functions() {
    let fixture = start().await;
    let wait_point = WaitPoint::new().await;
    fixture.send(wait_point.event()).await;
    tokio::select! {
        () = fixture.settle() => panic!("the stack settled while a function waits"),
        _ = wait_point.next_waiting() => {}
    }
    let pids = fixture.environment_pids(FUNCTION).unwrap();
    fixture.stack.shutdown().await;
    assert!(!pids.iter().any(|pid| is_running(*pid)));
}

#[test]
fn a_stack_that_is_dropped_with_its_runtime_leaves_no_process() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pids = runtime.block_on(async {
        let fixture = start().await;
        fixture.pid().await;
        fixture.environment_pids(FUNCTION).unwrap()
    });
    drop(runtime);
    assert!(!pids.is_empty());
    while pids.iter().any(|pid| is_running(*pid)) {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error_and_nothing_is_left_running() {
    let first = start().await;
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&directory);
    options.http = first.http_url().strip_prefix("http://").unwrap().parse().unwrap();
    let error = Stack::start(options.clone()).await.err().unwrap();
    assert!(matches!(error, StackError::Http { address, .. } if address == options.http), "{error}");
    options.http.set_port(0);
    options.aws = first.aws_url().strip_prefix("http://").unwrap().parse().unwrap();
    let error = Stack::start(options).await.err().unwrap();
    assert!(matches!(error, StackError::Aws(_)), "{error}");
}

#[tokio::test]
async fn the_error_of_a_missing_binary_names_the_function() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&directory);
    options.binaries = directory.path().to_owned();
    let error = Stack::start(options).await.err().unwrap();
    assert!(matches!(&error, StackError::NoBinary { path, .. } if path.ends_with("test_function")), "{error}");
}

#[tokio::test]
async fn a_stack_that_is_started_again_with_its_data_has_its_messages() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&directory);
    options.data = Some(directory.path().join("data"));
    let first = Stack::start(options.clone()).await.unwrap();
    let body = json!({ "do": "exit" }).to_string();
    let input = json!({ "QueueUrl": first.aws().sqs().url(QUEUE), "MessageBody": body });
    first.aws().sqs().call("SendMessage", input).await.unwrap();
    first.settle().await;
    assert_eq!(first.aws().sqs().in_flight(QUEUE), 1);
    first.shutdown().await;
    let second = Stack::start(options).await.unwrap();
    assert_eq!(second.aws().sqs().in_flight(QUEUE), 1);
}
