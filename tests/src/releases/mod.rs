//! Compatibility with other releases: tables written by earlier releases, members that the next release may add, and functions of
//! two releases side by side.

mod mixed;
mod next;
mod table_file;

use serde_json::{Value, json};

use crate::World;

pub use mixed::Mixed;
pub use next::NextRelease;
pub use table_file::{create_every_shape, export, import};

/// Pseudo-random numbers (xorshift), the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// Replaces the seed 0, which would give only zeros.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

impl World {
    /// An item of the table, in DynamoDB's JSON.
    ///
    /// # Panics
    /// When there is no such item.
    #[must_use]
    pub fn item(&self, pk: &str, sk: &str) -> Value {
        let request = json!({ "TableName": "reprise", "Key": { "pk": { "S": pk }, "sk": { "S": sk } } });
        let request = serde_json::from_value(request).expect("a request");
        let answer = self.stack.aws().dynamodb().get_item(request).expect("the table can be read");
        serde_json::to_value(answer.item.expect("the item is there")).expect("JSON")
    }

    /// Changes an item, as another release would.
    ///
    /// # Panics
    /// When there is no such item, or when the changed item cannot be written.
    pub fn alter(&self, pk: &str, sk: &str, alter: impl FnOnce(&mut Value)) {
        let mut item = self.item(pk, sk);
        alter(&mut item);
        self.put_item(item);
    }

    /// Stores an item.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn put_item(&self, item: Value) {
        let request = serde_json::from_value(json!({ "TableName": "reprise", "Item": item })).expect("a request");
        self.stack.aws().dynamodb().put_item(request).expect("the item can be written");
    }

    /// All items of the table, in DynamoDB's JSON.
    ///
    /// # Panics
    /// When the table cannot be read.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut request = json!({ "TableName": "reprise" });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let request = serde_json::from_value(request).expect("a request");
            let page = self.stack.aws().dynamodb().scan(request).expect("the table can be read");
            let page = serde_json::to_value(page).expect("JSON");
            items.extend(page["Items"].as_array().into_iter().flatten().cloned());
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                return items;
            }
        }
    }
}

/// A string attribute of an item; empty when the item has none.
fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}
