//! Faults without a response: hanging calls, closed connections, killed callers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use local_aws::{Caller, Fault, Invoke, InvokeError, Service};

use super::{Faulty, caller};

/// The longest time that a call in these tests may take.
const MAX_WAIT: Duration = Duration::from_secs(20);

async fn until_fired(faulty: &Faulty, times: usize) {
    let fired = async {
        while faulty.faults().fired().len() < times {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(MAX_WAIT, fired).await.expect("fires");
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_effect() {
    let faulty = Faulty::new().await;
    for (fault, effect) in [(Fault::ResetBefore, false), (Fault::ResetAfter, true)] {
        faulty.add(Service::DynamoDb, fault);
        let lost = faulty.put("1").send().await.expect_err("is lost");
        assert!(matches!(lost, aws_sdk_dynamodb::error::SdkError::DispatchFailure(_)), "{lost:?}");
        assert_eq!(faulty.has("1").await, effect);

        faulty.add(Service::Sqs, fault);
        let lost = faulty.send().send().await.expect_err("is lost");
        assert!(matches!(lost, aws_sdk_sqs::error::SdkError::DispatchFailure(_)), "{lost:?}");
        assert_eq!(faulty.visible(), usize::from(effect));

        faulty.add(Service::Scheduler, fault);
        let lost = faulty.schedule("slot").send().await.expect_err("is lost");
        assert!(matches!(lost, aws_sdk_scheduler::error::SdkError::DispatchFailure(_)), "{lost:?}");
        assert_eq!(faulty.fixture.scheduler.get_schedule().name("slot").send().await.is_ok(), effect);
    }
}

#[tokio::test]
async fn a_call_hangs_until_the_rules_are_cleared() {
    let faulty = Faulty::new().await;
    for (count, (fault, effect)) in [(Fault::Hang, 0), (Fault::HangAfter, 1)].into_iter().enumerate() {
        faulty.add(Service::Sqs, fault);
        let call = tokio::spawn(faulty.send().send());
        until_fired(&faulty, count + 1).await;
        assert!(!call.is_finished());
        faulty.faults().clear();
        let ended = tokio::time::timeout(MAX_WAIT, call).await.expect("ends").expect("no panic");
        assert!(ended.is_err());
        assert_eq!(faulty.visible(), effect);
    }
}

#[tokio::test]
async fn a_hanging_call_ends_when_its_caller_disconnects_or_the_endpoint_stops() {
    let faulty = Faulty::new().await;
    faulty.add(Service::Sqs, Fault::Hang);
    let impatient = aws_sdk_sqs::config::timeout::TimeoutConfig::builder().operation_timeout(Duration::from_millis(50));
    let impatient = aws_sdk_sqs::config::Builder::new().timeout_config(impatient.build());
    let ended = faulty.send().customize().config_override(impatient).send().await.expect_err("times out");
    assert!(matches!(ended, aws_sdk_sqs::error::SdkError::TimeoutError(_)), "{ended:?}");
    faulty.send().send().await.expect("the next one");

    faulty.add(Service::Sqs, Fault::Hang);
    let call = tokio::spawn(faulty.send().send());
    until_fired(&faulty, 2).await;
    faulty.fixture.aws.clone().shutdown().await;
    tokio::time::timeout(MAX_WAIT, call).await.expect("ends").expect("no panic").expect_err("is lost");
}

/// Records the callers that would be killed.
#[derive(Default)]
struct Killer(Mutex<Vec<Caller>>);

#[async_trait]
impl Invoke for Killer {
    async fn invoke(&self, function_arn: &str, _payload: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        Err(InvokeError::NotFound { function: function_arn.to_owned() })
    }

    async fn settle(&self) {}

    async fn kill(&self, caller: &Caller) {
        self.0.lock().expect("callers").push(caller.clone());
    }
}

#[tokio::test]
async fn only_the_caller_is_killed_before_or_after_the_effect() {
    let faulty = Faulty::new().await;
    let killer = Arc::new(Killer::default());
    faulty.fixture.aws.set_invoker(killer.clone());
    for (fault, effect) in [(Fault::KillBefore, 0), (Fault::KillAfter, 1)] {
        faulty.add(Service::Sqs, fault);
        // This client is no function, so the rule does not match its call.
        faulty.fixture.sqs.list_queues().send().await.expect("answers");
        faulty.send().send().await.expect_err("is lost");
        assert_eq!(faulty.visible(), effect);
    }
    assert_eq!(*killer.0.lock().expect("callers"), [caller(), caller()]);
}
