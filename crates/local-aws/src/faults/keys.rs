//! Extracts the keys from a request to DynamoDB.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use dynoxide::Database;
use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::Value;

/// The names of the key attributes of each table, partition key first.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Mutex<HashMap<String, Vec<String>>>);

impl Schemas {
    /// The key attributes of a table. Empty if it does not exist.
    async fn of(&self, database: &Database, table: &str) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
        if let Some(known) = known {
            return known;
        }
        let request = DescribeTableRequest { table_name: table.to_owned() };
        let database = database.clone();
        // The embedded database blocks its thread.
        let described = tokio::task::spawn_blocking(move || database.describe_table(request)).await;
        let Ok(Ok(described)) = described else { return Vec::new() };
        let names: Vec<String> = described.table.key_schema.into_iter().map(|key| key.attribute_name).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(table.to_owned(), names.clone());
        names
    }

    /// Clears the cache, because a table may be created again with another key.
    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The key of an item, or of a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) partition: String,
    sort: Option<String>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sort {
            Some(sort) => write!(f, "{}/{sort}", self.partition),
            None => f.write_str(&self.partition),
        }
    }
}

/// The keys of a request, in order. The key of a statement is the first two values after `WHERE`, or its first two values.
pub(super) async fn of(operation: &str, request: &Value, database: &Database, schemas: &Schemas) -> Vec<Key> {
    if operation.ends_with("Table") {
        schemas.forget();
    }
    let mut keys = Vec::new();
    for (table, item) in items(operation, request) {
        let names = schemas.of(database, table).await;
        keys.extend(key(names.iter().map(|name| &item[name.as_str()])));
    }
    keys.extend(condition(request));
    let statements = list(&request["Statements"]).iter().chain(list(&request["TransactStatements"]));
    keys.extend(statements.chain(std::iter::once(request)).filter_map(statement));
    keys
}

/// The items or keys of a request, with their tables.
fn items<'a>(operation: &str, request: &'a Value) -> Vec<(&'a str, &'a Value)> {
    match operation {
        "BatchGetItem" => batches(request)
            .flat_map(|(table, gets)| list(&gets["Keys"]).iter().map(move |key| (table.as_str(), key)))
            .collect(),
        "BatchWriteItem" => batches(request)
            .flat_map(|(table, writes)| list(writes).iter().map(move |write| (table.as_str(), write)))
            .filter_map(|(table, write)| Some((table, item(&write["PutRequest"]).or(item(&write["DeleteRequest"]))?)))
            .collect(),
        "TransactWriteItems" | "TransactGetItems" => list(&request["TransactItems"])
            .iter()
            .filter_map(|action| action.as_object()?.values().next())
            .filter_map(|action| Some((action["TableName"].as_str()?, item(action)?)))
            .collect(),
        _ => request["TableName"].as_str().zip(item(request)).into_iter().collect(),
    }
}

fn batches(request: &Value) -> impl Iterator<Item = (&String, &Value)> {
    request["RequestItems"].as_object().into_iter().flatten()
}

fn item(of: &Value) -> Option<&Value> {
    of.get("Key").or_else(|| of.get("Item")).filter(|item| item.is_object())
}

/// The key of a query in a table or an index: the values of its key condition, in order.
fn condition(request: &Value) -> Option<Key> {
    let text = request["KeyConditionExpression"].as_str()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = text.split(':').skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default());
    let values: Vec<String> = names.map(|name| format!(":{name}")).collect();
    key(values.iter().map(|name| &request["ExpressionAttributeValues"][name.as_str()]))
}

fn statement(of: &Value) -> Option<Key> {
    let text = of["Statement"].as_str()?.to_ascii_uppercase();
    let before = text.find("WHERE").map_or(0, |at| text[..at].matches('?').count());
    key(list(&of["Parameters"]).iter().skip(before))
}

fn key<'a>(mut values: impl Iterator<Item = &'a Value>) -> Option<Key> {
    Some(Key { partition: text(values.next()?)?, sort: values.next().and_then(text) })
}

/// The text of `{"S":"…"}`, `{"N":"…"}` or `{"B":"…"}`.
fn text(value: &Value) -> Option<String> {
    value.as_object()?.values().next()?.as_str().map(str::to_owned)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(key: Option<Key>) -> String {
        key.map(|key| key.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_key_of_a_query_is_the_values_of_its_key_condition() {
        let request = json!({
            "KeyConditionExpression": "#k0 = :k0 AND begins_with(#k1, :k1)",
            "ExpressionAttributeValues": { ":k0": { "S": "FLOW#orders" }, ":k1": { "S": "2026" }, ":x": { "N": "1" } }
        });
        assert_eq!(shown(condition(&request)), "FLOW#orders/2026");
    }

    #[test]
    fn the_key_of_a_statement_is_the_values_after_where() {
        let parameters = json!([{ "N": "1" }, { "S": "I#1" }, { "S": "HEAD" }, { "N": "2" }]);
        let update = json!({ "Statement": "UPDATE \"t\" SET v = ? where pk = ? AND sk = ? AND v = ?", "Parameters": parameters });
        assert_eq!(shown(statement(&update)), "I#1/HEAD");
        let insert = json!({ "Statement": "INSERT INTO \"t\" VALUE {'pk': ?}", "Parameters": [{ "S": "I#1" }] });
        assert_eq!(shown(statement(&insert)), "I#1");
    }

    #[test]
    fn a_transaction_has_an_item_for_each_action() {
        let request = json!({ "TransactItems": [
            { "Put": { "TableName": "t", "Item": { "pk": { "S": "a" }, "x": { "S": "y" } } } },
            { "ConditionCheck": { "TableName": "t", "Key": { "pk": { "S": "b" } } } },
        ] });
        let named = items("TransactWriteItems", &request);
        assert_eq!(named.iter().map(|(_, item)| &item["pk"]["S"]).collect::<Vec<_>>(), ["a", "b"]);
    }
}
