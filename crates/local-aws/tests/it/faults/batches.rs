//! Partial failures of batches.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::{
    BatchStatementErrorCodeEnum as Code, BatchStatementRequest, KeysAndAttributes, PutRequest, WriteRequest,
};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
};
use local_aws::{Fault, Service};

use super::{Faulty, TABLE, s};

impl Faulty {
    fn write(
        &self,
        pks: &[&str],
    ) -> aws_sdk_dynamodb::operation::batch_write_item::builders::BatchWriteItemFluentBuilder {
        let writes = pks.iter().map(|pk| {
            let put = PutRequest::builder().item("pk", s(pk)).item("sk", s("HEAD")).build().expect("a put");
            WriteRequest::builder().put_request(put).build()
        });
        self.dynamodb.batch_write_item().request_items(TABLE, writes.collect())
    }

    fn read(&self, pks: &[&str]) -> aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder {
        let keys = pks.iter().map(|pk| HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s("HEAD"))]));
        let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true);
        self.dynamodb.batch_get_item().request_items(TABLE, keys.build().expect("keys"))
    }

    async fn execute(&self, pks: &[&str]) -> Vec<Option<Code>> {
        let statements = pks.iter().map(|pk| {
            let text = format!("INSERT INTO \"{TABLE}\" VALUE {{'pk': ?, 'sk': ?}}");
            let statement = BatchStatementRequest::builder().statement(text).parameters(s(pk)).parameters(s("HEAD"));
            statement.build().expect("a statement")
        });
        let execute = self.dynamodb.batch_execute_statement().set_statements(Some(statements.collect()));
        let answer = execute.send().await.expect("answers");
        answer.responses().iter().map(|response| response.error()?.code().cloned()).collect()
    }

    async fn send_batch(&self, bodies: &[&str]) -> (Vec<String>, Vec<String>) {
        let entries = bodies.iter().map(|body| {
            SendMessageBatchRequestEntry::builder().id(*body).message_body(*body).build().expect("an entry")
        });
        let send = self.sqs.send_message_batch().queue_url(&self.queue).set_entries(Some(entries.collect()));
        let answer = send.send().await.expect("answers");
        for failed in answer.failed() {
            assert_eq!((failed.code(), failed.sender_fault()), ("InternalError", false));
        }
        let done = answer.successful().iter().map(|entry| entry.id().to_owned()).collect();
        (done, answer.failed().iter().map(|entry| entry.id().to_owned()).collect())
    }
}

#[tokio::test]
async fn every_other_item_of_a_batch_write_is_left_unprocessed() {
    let faulty = Faulty::new().await;
    faulty.add(Service::DynamoDb, Fault::Unprocessed);
    let answer = faulty.write(&["1", "2", "3"]).send().await.expect("answers");
    let left = answer.unprocessed_items.expect("unprocessed items");
    let left: Vec<_> = left[TABLE].iter().map(|it| it.put_request().expect("a put").item()["pk"].clone()).collect();
    assert_eq!(left, [s("1"), s("3")]);
    assert_eq!((faulty.has("1").await, faulty.has("2").await, faulty.has("3").await), (false, true, false));

    let answer = faulty.write(&["1", "3"]).send().await.expect("answers");
    assert!(answer.unprocessed_items.unwrap_or_default().is_empty());
}

#[tokio::test]
async fn every_other_key_of_a_batch_get_is_left_unprocessed() {
    let faulty = Faulty::new().await;
    faulty.write(&["1", "2", "3"]).send().await.expect("writes");
    faulty.add(Service::DynamoDb, Fault::Unprocessed);
    let answer = faulty.read(&["1", "2", "3"]).send().await.expect("answers");
    let found = &answer.responses().expect("responses")[TABLE];
    assert_eq!(found.iter().map(|item| item["pk"].clone()).collect::<Vec<_>>(), [s("2")]);
    let left = &answer.unprocessed_keys().expect("unprocessed keys")[TABLE];
    assert_eq!(left.keys().iter().map(|key| key["pk"].clone()).collect::<Vec<_>>(), [s("1"), s("3")]);
    assert_eq!(left.consistent_read(), Some(true));
}

#[tokio::test]
async fn a_batch_without_a_processed_item_is_throttled() {
    let faulty = Faulty::new().await;
    faulty.add(Service::DynamoDb, Fault::Unprocessed);
    let refused = faulty.write(&["1"]).send().await.expect_err("refused");
    assert_eq!(refused.code(), Some("ProvisionedThroughputExceededException"));
    faulty.add(Service::DynamoDb, Fault::Unprocessed);
    let refused = faulty.read(&["1"]).send().await.expect_err("refused");
    assert_eq!(refused.code(), Some("ProvisionedThroughputExceededException"));
    assert!(!faulty.has("1").await);
}

#[tokio::test]
async fn every_other_statement_is_throttled_or_gets_a_conflict() {
    let faulty = Faulty::new().await;
    for (fault, code, pks) in [
        (Fault::Unprocessed, Code::ProvisionedThroughputExceeded, ["1", "2", "3"]),
        (Fault::TransactionConflict, Code::TransactionConflict, ["4", "5", "6"]),
    ] {
        faulty.add(Service::DynamoDb, fault);
        assert_eq!(faulty.execute(&pks).await, [Some(code.clone()), None, Some(code.clone())]);
        assert_eq!(
            (faulty.has(pks[0]).await, faulty.has(pks[1]).await, faulty.has(pks[2]).await),
            (false, true, false)
        );
        faulty.add(Service::DynamoDb, fault);
        assert_eq!(faulty.execute(&pks[..1]).await, [Some(code)]);
        assert!(!faulty.has(pks[0]).await);
    }
}

#[tokio::test]
async fn every_other_entry_of_an_sqs_batch_fails_and_the_others_succeed() {
    let faulty = Faulty::new().await;
    faulty.add(Service::Sqs, Fault::PartialFailure);
    let (done, failed) = faulty.send_batch(&["a", "b", "c"]).await;
    assert_eq!((done, failed), (vec!["b".to_owned()], vec!["a".to_owned(), "c".to_owned()]));
    assert_eq!(faulty.visible(), 1);
    faulty.add(Service::Sqs, Fault::PartialFailure);
    let (done, failed) = faulty.send_batch(&["d"]).await;
    assert_eq!((done.len(), failed.len(), faulty.visible()), (0, 1, 1));

    faulty.send_batch(&["e"]).await;
    let messages = faulty.fixture.receive(&faulty.queue).await;
    faulty.add(Service::Sqs, Fault::PartialFailure);
    let entries = messages.iter().enumerate().map(|(n, message)| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string()).visibility_timeout(3_600);
        entry.receipt_handle(message.receipt_handle().expect("a handle")).build().expect("an entry")
    });
    let change = faulty.sqs.change_message_visibility_batch().queue_url(&faulty.queue);
    let answer = change.set_entries(Some(entries.collect())).send().await.expect("answers");
    assert_eq!((answer.successful().len(), answer.failed()[0].id()), (1, "0"));

    faulty.add(Service::Sqs, Fault::PartialFailure);
    let entries = messages.iter().enumerate().map(|(n, message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
        entry.receipt_handle(message.receipt_handle().expect("a handle")).build().expect("an entry")
    });
    let delete = faulty.sqs.delete_message_batch().queue_url(&faulty.queue);
    let answer = delete.set_entries(Some(entries.collect())).send().await.expect("answers");
    assert_eq!((answer.successful()[0].id(), answer.failed()[0].id()), ("1", "0"));
    assert_eq!(faulty.fixture.aws.sqs().in_flight("orders"), 1);
}
