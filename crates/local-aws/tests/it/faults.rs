//! Tests fault injection with the real SDKs.

mod batches;
mod lost;
mod recording;
mod redelivery;
mod refusals;

use aws_config::AppName;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
    TransactWriteItem,
};
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use local_aws::{Caller, Fault, Faults, Match, Rule, Service, queue_arn};

use crate::fixture::{Fixture, ROLE, config};

const TABLE: &str = "reprise";

/// An endpoint with a table and a queue, and clients that do not retry.
struct Faulty {
    fixture: Fixture,
    queue: String,
    sqs: aws_sdk_sqs::Client,
    scheduler: aws_sdk_scheduler::Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

impl Faulty {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let attribute = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build().expect("an attribute")
        };
        let key =
            |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key");
        let create = fixture.dynamodb.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(attribute("pk")).attribute_definitions(attribute("sk"));
        let create = create.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
        create.send().await.expect("creates");
        let queue = fixture.queue("orders", &[]).await;
        let once = config(&fixture.aws.url()).into_builder().retry_config(RetryConfig::disabled());
        let once = once.app_name(AppName::new(caller().app_id()).expect("a name")).build();
        Self {
            queue,
            sqs: aws_sdk_sqs::Client::new(&once),
            scheduler: aws_sdk_scheduler::Client::new(&once),
            dynamodb: aws_sdk_dynamodb::Client::new(&once),
            fixture,
        }
    }

    fn faults(&self) -> &Faults {
        self.fixture.aws.faults()
    }

    fn add(&self, service: Service, fault: Fault) -> u64 {
        self.faults().add(Rule::new(Match { service: Some(service), ..Match::default() }, fault))
    }

    fn put(&self, pk: &str) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
        self.dynamodb.put_item().table_name(TABLE).item("pk", s(pk)).item("sk", s("HEAD"))
    }

    fn transact(
        &self,
        pks: &[&str],
    ) -> aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder {
        let actions = pks.iter().map(|pk| {
            let put = Put::builder().table_name(TABLE).item("pk", s(pk)).item("sk", s("HEAD")).build().expect("a put");
            TransactWriteItem::builder().put(put).build()
        });
        self.dynamodb.transact_write_items().set_transact_items(Some(actions.collect()))
    }

    fn send(&self) -> aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder {
        self.sqs.send_message().queue_url(&self.queue).message_body("x")
    }

    fn schedule(
        &self,
        name: &str,
    ) -> aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder {
        let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().expect("a window");
        let target = Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("{}").build().expect("a target");
        let create = self.scheduler.create_schedule().name(name).schedule_expression("rate(1 hour)");
        create.target(target).flexible_time_window(off)
    }

    /// Whether the table has the item.
    async fn has(&self, pk: &str) -> bool {
        let get = self.fixture.dynamodb.get_item().table_name(TABLE).key("pk", s(pk)).key("sk", s("HEAD"));
        get.send().await.expect("gets").item.is_some()
    }

    fn visible(&self) -> usize {
        self.fixture.aws.sqs().visible("orders")
    }
}

/// The caller in the user agent of the clients without retries.
fn caller() -> Caller {
    Caller::new("worker", "0123456789abcdef")
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
