//! Tests the meter against AWS's published figures.

mod consumed;

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, DeleteRequest, GlobalSecondaryIndex,
    KeySchemaElement, KeyType, KeysAndAttributes, Projection, ProjectionType, Put, PutRequest, ScalarAttributeType,
    TransactWriteItem, WriteRequest,
};
use local_aws::{Aws, Call, ClockMode, Options, Service, round_trips};

use crate::fixture::{Fixture, START, config, time};

const TABLE: &str = "reprise";
const KB: usize = 1_024;

struct Metered {
    aws: Aws,
    /// Uses the address that functions get.
    client: Client,
}

impl Metered {
    /// A table with a sparse index that projects `row`.
    async fn new() -> Self {
        let listen = "127.0.0.1:0".parse().expect("an address");
        let options = Options { listen, data: None, clock: ClockMode::Frozen(time(START)) };
        let aws = Aws::start_metered(options).await.expect("starts");
        let client = Client::new(&config(&aws.dynamodb_url()));
        let attribute = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build().expect("an attribute")
        };
        let projection =
            Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("row").build();
        let index = GlobalSecondaryIndex::builder().index_name("by-flow").key_schema(hash("ip")).projection(projection);
        let create = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(attribute("pk")).attribute_definitions(attribute("ip"));
        let create = create.key_schema(hash("pk")).global_secondary_indexes(index.build().expect("an index"));
        create.send().await.expect("creates");
        drop(aws.meter().take());
        Self { aws, client }
    }

    /// Takes the only call since the last `take`.
    fn call(&self) -> Call {
        let mut calls = self.aws.meter().take();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    async fn put(&self, item: Item) -> Call {
        let put = self.client.put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.expect("puts");
        self.call()
    }
}

type Item = std::collections::HashMap<String, AttributeValue>;

fn hash(name: &str) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build().expect("a key")
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// An item of exactly `bytes` bytes.
fn item(id: &str, bytes: usize) -> Item {
    let rest = bytes - "pk".len() - id.len() - "x".len();
    Item::from([("pk".to_owned(), s(id)), ("x".to_owned(), s(&"x".repeat(rest)))])
}

fn with(mut item: Item, more: &[(&str, &str)]) -> Item {
    item.extend(more.iter().map(|(name, value)| ((*name).to_owned(), s(value))));
    item
}

fn key(id: &str) -> Item {
    Item::from([("pk".to_owned(), s(id))])
}

fn transact_put(item: Item) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).set_item(Some(item)).build().expect("a put");
    TransactWriteItem::builder().put(put).build()
}

/// Pricing page of DynamoDB on demand: a standard write of 1 KB needs one write request unit, of 3 KB three, and a
/// transactional write of 3 KB six. By the same rule one of 1.5 KB needs four.
#[tokio::test]
async fn a_transaction_doubles_what_each_item_costs() {
    let metered = Metered::new().await;
    assert_eq!(metered.put(item("a", KB)).await.write_units, 1.0);
    assert_eq!(metered.put(item("b", 3 * KB)).await.write_units, 3.0);
    for (bytes, units) in [(3 * KB, 6.0), (3 * KB / 2, 4.0)] {
        let id = format!("t-{bytes}");
        let transaction = metered.client.transact_write_items().transact_items(transact_put(item(&id, bytes)));
        transaction.send().await.expect("writes");
        let call = metered.call();
        assert_eq!((call.operation.as_str(), call.write_units), ("TransactWriteItems", units));
    }
}

/// Martin Hicks, "What a conditional DynamoDB transaction actually costs", measured at AWS in 2026: a condition that
/// holds adds nothing to the 2 units of a write under 1 KB, and a `ConditionCheck` costs 2 write units itself.
#[tokio::test]
async fn a_met_condition_costs_nothing_and_a_check_costs_a_write() {
    let metered = Metered::new().await;
    metered.put(item("checked", 500)).await;
    let put = Put::builder().table_name(TABLE).set_item(Some(item("new", 500)));
    let put = put.condition_expression("attribute_not_exists(pk)").build().expect("a put");
    let check = ConditionCheck::builder().table_name(TABLE).set_key(Some(key("checked")));
    let check = check.condition_expression("attribute_exists(pk)").build().expect("a check");
    let transaction = metered.client.transact_write_items();
    let transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
    let transaction = transaction.transact_items(TransactWriteItem::builder().condition_check(check).build());
    transaction.send().await.expect("writes");
    let call = metered.call();
    let units: Vec<(&str, u64)> = call.writes.iter().map(|w| (w.key[0].as_str(), w.table_units)).collect();
    assert_eq!(units, [("new", 2), ("checked", 2)]);
    assert_eq!(call.read_units, 0.0);
}

/// The same source: a transaction repeated with its token costs 2 read units where it cost 2 write units.
#[tokio::test]
async fn a_repeated_transaction_costs_reads() {
    let metered = Metered::new().await;
    let transaction = metered.client.transact_write_items().client_request_token("once");
    let transaction = transaction.transact_items(transact_put(item("a", 500)));
    for units in [(2.0, 0.0), (0.0, 2.0)] {
        transaction.clone().send().await.expect("writes");
        let call = metered.call();
        assert_eq!((call.write_units, call.read_units), units);
    }
}

/// Developer guide, "Working with items", capacity units consumed by conditional writes: a failed one consumes the units
/// of the existing item, at least one.
#[tokio::test]
async fn a_failed_condition_costs_as_much_as_the_existing_item() {
    let metered = Metered::new().await;
    metered.put(item("a", 5 * KB)).await;
    for (id, condition, units) in [("a", "attribute_not_exists(pk)", 5.0), ("b", "attribute_exists(pk)", 1.0)] {
        let put = metered.client.put_item().table_name(TABLE).set_item(Some(item(id, 9 * KB)));
        put.condition_expression(condition).send().await.expect_err("refused");
        let call = metered.call();
        assert_eq!((call.status, call.write_units), (400, units), "{id}");
    }
    let put = metered.client.put_item().table_name("nowhere").set_item(Some(item("a", KB)));
    put.send().await.expect_err("refused");
    assert_eq!(metered.call().write_units, 0.0);
}

/// Developer guide, "DynamoDB read and write operations": `GetItem` of 3.5 KB is rounded to 4 KB, eventually
/// consistent half; `BatchGetItem` of 1.5 KB and 6.5 KB counts as 4 KB + 8 KB.
#[tokio::test]
async fn reads_are_rounded_up_to_four_kilobytes_item_by_item() {
    let metered = Metered::new().await;
    for (id, bytes) in [("a", 3 * KB + KB / 2), ("b", KB + KB / 2), ("c", 6 * KB + KB / 2)] {
        metered.put(item(id, bytes)).await;
    }
    for (consistent, units) in [(true, 1.0), (false, 0.5)] {
        let get = metered.client.get_item().table_name(TABLE).set_key(Some(key("a"))).consistent_read(consistent);
        get.send().await.expect("reads");
        assert_eq!(metered.call().read_units, units);
    }
    let keys = KeysAndAttributes::builder().keys(key("b")).keys(key("c")).consistent_read(true).build();
    let get = metered.client.batch_get_item().request_items(TABLE, keys.expect("keys"));
    get.send().await.expect("reads");
    assert_eq!(metered.call().read_units, 3.0);
}

/// Developer guide, "DynamoDB read and write operations", `Query`: ten items of 40.8 KB together count as 44 KB, and
/// 1,500 items of 64 bytes as 96 KB. In an index only what it projects counts, and it is never consistent.
#[tokio::test]
async fn a_query_rounds_the_sum_of_its_items() {
    let metered = Metered::new().await;
    for (flow, items, bytes, units) in [("A", 10, 4_178, 5.5), ("B", 1_500, 64, 12.0)] {
        let puts: Vec<WriteRequest> = (0..items).map(|n| in_index(flow, n, bytes)).collect();
        for puts in puts.chunks(25) {
            let write = metered.client.batch_write_item().request_items(TABLE, puts.to_vec());
            write.send().await.expect("writes");
        }
        drop(metered.aws.meter().take());
        let query = metered.client.query().table_name(TABLE).index_name("by-flow");
        let query = query.key_condition_expression("ip = :ip").expression_attribute_values(":ip", s(flow));
        assert_eq!(query.send().await.expect("reads").count, items);
        assert_eq!(metered.call().read_units, units, "{flow}");
    }
}

/// An item with an index entry of `bytes` bytes. The item itself is larger.
fn in_index(flow: &str, n: i32, bytes: usize) -> WriteRequest {
    let id = format!("{flow}-{n:04}");
    let row = "r".repeat(bytes - "pk".len() - id.len() - "ip".len() - flow.len() - "row".len());
    let item = with(item(&id, 100), &[("ip", flow), ("row", &row)]);
    WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().expect("a put")).build()
}

#[tokio::test]
async fn a_batch_costs_the_sum_of_its_items() {
    let metered = Metered::new().await;
    metered.put(item("gone", 2 * KB)).await;
    let put = PutRequest::builder().set_item(Some(item("a", 3 * KB))).build().expect("a put");
    let delete = DeleteRequest::builder().set_key(Some(key("gone"))).build().expect("a delete");
    let writes =
        vec![WriteRequest::builder().put_request(put).build(), WriteRequest::builder().delete_request(delete).build()];
    metered.client.batch_write_item().request_items(TABLE, writes).send().await.expect("writes");
    assert_eq!(metered.call().write_units, 5.0);
}

#[tokio::test]
async fn calls_of_every_service_are_counted() {
    let metered = Metered::new().await;
    let config = config(&metered.aws.url());
    let sqs = aws_sdk_sqs::Client::new(&config);
    sqs.create_queue().queue_name("q").send().await.expect("creates");
    let scheduler = aws_sdk_scheduler::Client::new(&config);
    scheduler.list_schedules().send().await.expect("lists");
    scheduler.get_schedule().name("nobody").send().await.expect_err("refused");
    let calls = metered.aws.meter().take();
    let recorded: Vec<_> = calls.iter().map(|call| (call.service, call.operation.as_str(), call.status)).collect();
    assert_eq!(
        recorded,
        [
            (Service::Sqs, "CreateQueue", 200),
            (Service::Scheduler, "ListSchedules", 200),
            (Service::Scheduler, "GetSchedule", 404),
        ]
    );
}

#[tokio::test]
async fn concurrent_calls_are_one_round_trip() {
    let metered = Metered::new().await;
    metered.aws.meter().hold_responses(Duration::from_millis(100));
    let get = || metered.client.get_item().table_name(TABLE).set_key(Some(key("a"))).send();
    let (a, b, c) = tokio::join!(get(), get(), get());
    for answer in [a, b, c, get().await] {
        answer.expect("reads");
    }
    assert_eq!(round_trips(&metered.aws.meter().take()), 2);
}

#[tokio::test]
async fn without_a_meter_dynamodb_has_its_own_address_and_nothing_is_counted() {
    let fixture = Fixture::new().await;
    assert_ne!(fixture.aws.dynamodb_url(), fixture.aws.url());
    fixture.aws.meter().hold_responses(Duration::from_secs(600));
    let began = Instant::now();
    fixture.dynamodb.list_tables().send().await.expect("lists");
    assert!(began.elapsed() < Duration::from_secs(600));
    assert!(fixture.aws.meter().take().is_empty());
}
