//! Finds the items that a request writes, and reads them from the database.

use std::collections::HashMap;

use dynoxide::actions::TableDescription;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::types::{KeySchemaElement, Projection};
use dynoxide::{AttributeValue, Database, Item};
use serde_json::Value;

use super::units::{Index, Table};

/// An item that a request writes, or checks as part of a transaction.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) table: String,
    /// The item, or its key.
    named: Item,
}

/// The items that a request writes. Empty if the operation does not write, or the request does not contain the items.
pub(super) fn targets(operation: &str, request: &Value) -> Vec<Target> {
    match operation {
        "PutItem" => target(request, "Item").into_iter().collect(),
        "UpdateItem" | "DeleteItem" => target(request, "Key").into_iter().collect(),
        "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            tables.flat_map(|(table, writes)| list(writes).iter().filter_map(|write| batched(table, write))).collect()
        }
        "TransactWriteItems" => list(&request["TransactItems"]).iter().filter_map(action).collect(),
        _ => Vec::new(),
    }
}

fn target(request: &Value, member: &str) -> Option<Target> {
    Some(Target { table: request["TableName"].as_str()?.to_owned(), named: item(&request[member])? })
}

fn batched(table: &str, write: &Value) -> Option<Target> {
    let named = item(&write["PutRequest"]["Item"]).or_else(|| item(&write["DeleteRequest"]["Key"]))?;
    Some(Target { table: table.to_owned(), named })
}

fn action(action: &Value) -> Option<Target> {
    let put = target(&action["Put"], "Item");
    put.or_else(|| ["Update", "Delete", "ConditionCheck"].iter().find_map(|kind| target(&action[kind], "Key")))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn item(value: &Value) -> Option<Item> {
    value.is_object().then(|| serde_json::from_value(value.clone()).ok()).flatten()
}

/// The tables of these items by name, without tables that do not exist.
pub(super) fn tables(database: &Database, targets: &[Target]) -> HashMap<String, Table> {
    let mut tables = HashMap::new();
    for Target { table, .. } in targets {
        if !tables.contains_key(table)
            && let Ok(described) = database.describe_table(DescribeTableRequest { table_name: table.clone() })
        {
            tables.insert(table.clone(), described_as(described.table));
        }
    }
    tables
}

fn described_as(described: TableDescription) -> Table {
    let keys = names(described.key_schema);
    let index = |schema: Vec<KeySchemaElement>, projection: Projection| {
        let included = projection.non_key_attributes.unwrap_or_default();
        Index::new(&keys, names(schema), projection.projection_type.unwrap_or_default(), included)
    };
    let global = described.global_secondary_indexes.unwrap_or_default().into_iter();
    let local = described.local_secondary_indexes.unwrap_or_default().into_iter();
    let global = global.map(|i| index(i.key_schema, i.projection));
    let indexes = global.chain(local.map(|i| index(i.key_schema, i.projection))).collect();
    Table { keys, indexes }
}

fn names(schema: Vec<KeySchemaElement>) -> Vec<String> {
    schema.into_iter().map(|element| element.attribute_name).collect()
}

impl Target {
    /// The item's key. `None` if a key attribute is missing.
    fn key(&self, table: &Table) -> Option<Item> {
        table.keys.iter().map(|name| Some((name.clone(), self.named.get(name)?.clone()))).collect()
    }

    /// The values of the item's key, in the order of the table's key.
    pub(super) fn key_texts(&self, table: &Table) -> Vec<String> {
        table.keys.iter().map(|name| self.named.get(name).map_or_else(String::new, text)).collect()
    }

    /// The current item in the database.
    pub(super) fn image(&self, database: &Database, table: &Table) -> Option<Item> {
        let request = GetItemRequest {
            table_name: self.table.clone(),
            key: self.key(table)?,
            consistent_read: Some(true),
            ..GetItemRequest::default()
        };
        database.get_item(request).ok()?.item
    }
}

fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        other => format!("{other:?}"),
    }
}
