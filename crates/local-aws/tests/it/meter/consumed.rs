//! Tests the meter against the consumed capacity that dynoxide reports, which is captured from AWS.

use aws_sdk_dynamodb::types::{ConsumedCapacity, Delete, ReturnConsumedCapacity, TransactWriteItem, Update};

use super::{Metered, TABLE, item, key, s, transact_put, with};

/// Each write returns its consumed capacity, which must equal the units of the meter.
#[tokio::test]
async fn writes_cost_the_capacity_that_dynoxide_reports() {
    let metered = Metered::new().await;
    let agrees = |what: &str, consumed: Option<&ConsumedCapacity>| {
        let consumed = consumed.and_then(|consumed| consumed.capacity_units);
        let call = metered.call();
        assert_eq!(Some(call.write_units), consumed, "{what}: {:?}", call.writes);
    };
    let long = "r".repeat(1_500);
    let puts = [
        ("new, outside the index", item("a", 700)),
        ("into the index", with(item("a", 700), &[("ip", "A"), ("row", "1")])),
        ("the same again", with(item("a", 700), &[("ip", "A"), ("row", "1")])),
        ("not projected", with(item("a", 1_900), &[("ip", "A"), ("row", "1")])),
        ("projected, and larger", with(item("a", 700), &[("ip", "A"), ("row", &long)])),
        ("moved, and smaller", with(item("a", 700), &[("ip", "B"), ("row", "1")])),
        ("moved, and larger", with(item("a", 700), &[("ip", "A"), ("row", &long)])),
        ("out of the index", item("a", 2_000)),
    ];
    for (what, item) in puts {
        let put = metered.client.put_item().table_name(TABLE).set_item(Some(item));
        let put = put.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        agrees(what, put.send().await.expect("puts").consumed_capacity());
    }
    for (what, update) in [
        ("an update into the index", "SET ip = :v"),
        ("an update of what is projected", "SET #row = :v"),
        ("an update of something else", "SET more = :v"),
        ("an update out of the index", "REMOVE ip SET more = :v"),
    ] {
        let call = metered.client.update_item().table_name(TABLE).set_key(Some(key("a"))).update_expression(update);
        let call = if update.contains("#row") { call.expression_attribute_names("#row", "row") } else { call };
        let call = call.expression_attribute_values(":v", s("C"));
        let call = call.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        agrees(what, call.send().await.expect("updates").consumed_capacity());
    }
    metered.put(with(item("b", 1_700), &[("ip", "A"), ("row", &long)])).await;
    let update = Update::builder().table_name(TABLE).set_key(Some(key("b"))).update_expression("SET ip = :v");
    let update = update.expression_attribute_values(":v", s("B")).build().expect("an update");
    let delete = Delete::builder().table_name(TABLE).set_key(Some(key("a"))).build().expect("a delete");
    let transaction = metered.client.transact_write_items();
    let transaction = transaction.transact_items(TransactWriteItem::builder().update(update).build());
    let transaction = transaction.transact_items(TransactWriteItem::builder().delete(delete).build());
    let transaction = transaction.transact_items(transact_put(with(item("c", 1_200), &[("ip", "A"), ("row", &long)])));
    let transaction = transaction.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
    agrees("a transaction", transaction.send().await.expect("writes").consumed_capacity().first());
    for (what, id) in [("a delete from the index", "b"), ("a delete of nothing", "nobody")] {
        let delete = metered.client.delete_item().table_name(TABLE).set_key(Some(key(id)));
        let delete = delete.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        agrees(what, delete.send().await.expect("deletes").consumed_capacity());
    }
}

#[tokio::test]
async fn a_statement_costs_its_consumed_capacity() {
    let metered = Metered::new().await;
    let insert = "INSERT INTO reprise VALUE {'pk': 'a', 'ip': 'A', 'row': '1'}";
    metered.client.execute_statement().statement(insert).send().await.expect("writes");
    let call = metered.call();
    assert_eq!((call.write_units, call.read_units), (2.0, 0.0));
    let select = "SELECT * FROM reprise WHERE pk = 'a'";
    metered.client.execute_statement().statement(select).send().await.expect("reads");
    let call = metered.call();
    assert_eq!((call.write_units, call.read_units), (0.0, 0.5));
}
