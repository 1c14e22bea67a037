//! Tests of execution environments.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use crate::support::{FUNCTION, SHORT_TIMEOUT, WaitPoint, start};

#[tokio::test]
async fn an_idle_environment_is_reused() {
    let stack = start().await;
    let first = stack.call(json!({ "do": "who" })).await;
    let second = stack.call(json!({ "do": "who" })).await;
    assert_eq!(first["pid"], second["pid"]);
    assert_eq!((&first["invocation"], &second["invocation"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn concurrent_invocations_run_in_different_environments() {
    let stack = start().await;
    let wait_point = WaitPoint::new().await;
    let (first, second) = (stack.call(wait_point.event()), stack.call(wait_point.event()));
    let both_wait = async {
        let waiting = (wait_point.next_waiting().await, wait_point.next_waiting().await);
        assert_eq!(stack.environment_pids(FUNCTION).unwrap().len(), 2);
        drop(waiting);
    };
    let (first, second, ()) = tokio::join!(first, second, both_wait);
    assert_ne!(first["pid"], second["pid"]);
}

#[tokio::test]
async fn more_invocations_than_environments_wait_their_turn() {
    let stack = start().await;
    let answers = join_all((0..20).map(|_| stack.pid())).await;
    let processes: BTreeSet<_> = answers.into_iter().collect();
    assert!((1..=4).contains(&processes.len()), "{processes:?}");
}

#[tokio::test]
async fn an_error_of_the_function_is_returned_and_its_environment_keeps_running() {
    let stack = start().await;
    let pid = stack.pid().await;
    let failure = stack.invoke(FUNCTION, r#"{"do":"fail"}"#).await.unwrap_err();
    assert_eq!(failure.message, "requested failure");
    assert_eq!(stack.pid().await, pid);
}

#[tokio::test]
async fn a_process_that_exits_fails_its_invocation_and_is_replaced() {
    let stack = start().await;
    let pid = stack.pid().await;
    let failure = stack.invoke(FUNCTION, r#"{"do":"exit"}"#).await.unwrap_err();
    assert_eq!(failure.kind, "Runtime.ExitError");
    assert!(failure.message.ends_with("Error: Runtime exited with error: exit status 7"), "{failure}");
    assert_ne!(stack.pid().await, pid);
}

#[tokio::test]
async fn an_invocation_that_exceeds_its_timeout_is_killed() {
    let stack = start().await;
    let failure = stack.invoke(SHORT_TIMEOUT, r#"{"do":"hang"}"#).await.unwrap_err();
    assert!(failure.message.ends_with("Task timed out after 1.00 seconds"), "{failure}");
    assert!(stack.environment_pids(SHORT_TIMEOUT).unwrap().is_empty());
    stack.invoke(SHORT_TIMEOUT, r#"{"do":"echo"}"#).await.unwrap();
}

#[tokio::test]
async fn killing_the_environments_fails_their_invocations() {
    let stack = start().await;
    let wait_point = WaitPoint::new().await;
    let kill = async {
        let _waiting = wait_point.next_waiting().await;
        assert_eq!(stack.kill_environments(FUNCTION).await.unwrap(), 1);
    };
    let (outcome, ()) = tokio::join!(stack.invoke(FUNCTION, wait_point.event().to_string()), kill);
    let failure = outcome.unwrap_err();
    assert!(failure.message.ends_with("Runtime exited with error: signal: killed"), "{failure}");
    assert!(stack.environment_pids(FUNCTION).unwrap().is_empty());
    stack.pid().await;
}

#[tokio::test]
async fn a_function_that_does_not_start_fails_its_invocation() {
    let stack = start().await;
    let failure = stack.invoke("reprise-Broken", "{}").await.unwrap_err();
    assert!(failure.message.ends_with("Runtime exited with error: exit status 1"), "{failure}");
}

#[tokio::test]
async fn a_function_is_found_by_name_and_by_arn_and_an_unknown_one_is_an_error() {
    let stack = start().await;
    let arn = format!("arn:aws:lambda:eu-west-1:000000000000:function:{FUNCTION}");
    assert_eq!(stack.invoke(&arn, r#"{"do":"echo"}"#).await.unwrap(), r#"{"do":"echo"}"#);
    assert_eq!(stack.invoke("nobody", "{}").await.unwrap_err().kind, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_process_has_only_the_variables_of_lambda_and_its_own() {
    let stack = start().await;
    let variables = stack.call(json!({ "do": "variables" })).await;
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", FUNCTION),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", &stack.aws_url()),
        ("OWN", "of-the-function"),
    ] {
        assert_eq!(variables[name], value, "{name}");
    }
    let clock = std::fs::read_to_string(variables["REPRISE_CLOCK_FILE"].as_str().unwrap()).unwrap();
    assert_eq!(clock, "frozen 1795183200000\n");
    for absent in ["HOME", "CARGO", "AWS_PROFILE"] {
        assert!(variables.get(absent).is_none(), "{absent}");
    }
}
