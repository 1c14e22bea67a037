use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};

use crate::fixture::Fixture;

async fn table(fixture: &Fixture) {
    let key = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build();
    let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build();
    let create = fixture.dynamodb.create_table().table_name("reprise").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(key.expect("a key")).key_schema(schema.expect("a schema"));
    create.send().await.expect("creates");
}

#[tokio::test]
async fn tables_share_the_address_with_queues() {
    let fixture = Fixture::new().await;
    table(&fixture).await;
    let put = fixture.dynamodb.put_item().table_name("reprise").item("pk", AttributeValue::S("4711".to_owned()));
    put.clone().condition_expression("attribute_not_exists(pk)").send().await.expect("puts");
    let refused = put.condition_expression("attribute_not_exists(pk)").send().await.expect_err("exists");
    assert!(refused.into_service_error().is_conditional_check_failed_exception());
    let get = fixture.dynamodb.get_item().table_name("reprise").key("pk", AttributeValue::S("4711".to_owned()));
    assert!(get.send().await.expect("gets").item.is_some());
    let refused = fixture.dynamodb.describe_table().table_name("nowhere").send().await.expect_err("missing");
    assert!(refused.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn tables_are_also_served_at_their_own_address() {
    let fixture = Fixture::new().await;
    table(&fixture).await;
    let direct = aws_sdk_dynamodb::Client::new(&crate::fixture::config(&fixture.aws.dynamodb_url()));
    let described = direct.describe_table().table_name("reprise").send().await.expect("describes");
    assert_eq!(described.table.expect("a table").table_status, Some(TableStatus::Active));
    assert_eq!(fixture.aws.dynamodb().table_count().expect("counts"), 1);
}

#[tokio::test]
async fn expired_items_are_deleted_when_the_clock_is_advanced_by_a_day() {
    let fixture = Fixture::new().await;
    table(&fixture).await;
    let live = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(true).build().expect("a specification");
    let update = fixture.dynamodb.update_time_to_live().table_name("reprise").time_to_live_specification(live);
    update.send().await.expect("updates");
    for (id, ttl) in [("goes", "1795183201"), ("stays", "1795442400")] {
        let put = fixture.dynamodb.put_item().table_name("reprise").item("pk", AttributeValue::S(id.to_owned()));
        put.item("ttl", AttributeValue::N(ttl.to_owned())).send().await.expect("puts");
    }
    fixture.advance("24h").await;
    let scanned = fixture.dynamodb.scan().table_name("reprise").send().await.expect("scans");
    let ids: Vec<_> = scanned.items().iter().filter_map(|item| item["pk"].as_s().ok()).collect();
    assert_eq!(ids, ["stays"]);
}

#[tokio::test]
async fn a_large_item_can_be_written() {
    let fixture = Fixture::new().await;
    table(&fixture).await;
    let put = fixture.dynamodb.put_item().table_name("reprise").item("pk", AttributeValue::S("large".to_owned()));
    put.item("body", AttributeValue::S("x".repeat(350_000))).send().await.expect("puts");
}
