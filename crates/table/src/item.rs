//! Reading and writing attributes of items.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TableError;
use crate::keys::{self, DATA, INDEX_PK, MAX_SHAPE_VERSION, PK, SHAPE_VERSION, SK};

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn b(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// An item's two keys, as `GetItem` and `DeleteItem` take them.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([(PK.to_owned(), s(pk)), (SK.to_owned(), s(sk))])
}

/// An item whose body is `data` as JSON.
pub(crate) fn document(pk: impl Into<String>, sk: impl Into<String>, data: &impl Serialize) -> Item {
    let mut item = key(pk, sk);
    item.insert(DATA.to_owned(), s(json(data)));
    item
}

/// JSON of a stored shape. Those shapes have text keys only, so that writing them cannot fail.
pub(crate) fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, TableError> {
    item.get(name)
        .and_then(|v| v.as_s().ok())
        .map(String::as_str)
        .ok_or_else(|| unreadable(item, &format!("no text `{name}`")))
}

pub(crate) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok())
}

pub(crate) fn read<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, TableError> {
    check_shape(item)?;
    serde_json::from_str(text(item, name)?).map_err(|e| unreadable(item, &format!("`{name}`: {e}")))
}

/// Refuses an item of a release that is more than one ahead.
pub(crate) fn check_shape(item: &Item) -> Result<(), TableError> {
    match number::<u32>(item, SHAPE_VERSION) {
        Some(version) if version > MAX_SHAPE_VERSION => {
            Err(unreadable(item, &format!("its shape has version {version}, above {MAX_SHAPE_VERSION}")))
        }
        _ => Ok(()),
    }
}

/// What `read` gives of the items that can be read. The others are named in the log and left out, so that they are in
/// nobody's way.
pub(crate) fn readable<'a, T>(
    items: impl IntoIterator<Item = &'a Item>,
    read: impl Fn(&'a Item) -> Result<T, TableError>,
) -> impl Iterator<Item = T> {
    items.into_iter().filter_map(move |item| {
        let result = read(item);
        if let Err(error) = &result {
            log_unreadable(error);
        }
        result.ok()
    })
}

/// Names an item that is passed over because it cannot be read.
pub(crate) fn log_unreadable(error: &TableError) {
    tracing::error!(outcome = "unreadable", %error, "a stored item was passed over");
}

pub(crate) fn unreadable(item: &Item, cause: &str) -> TableError {
    let part = |name| item.get(name).and_then(|v| v.as_s().ok()).map_or("?", String::as_str);
    let (what, id) = keys::named(part(PK));
    let flow = keys::flow_of_index(part(INDEX_PK));
    TableError::Unreadable { what, id: id.to_owned(), flow, cause: format!("{}: {cause}", part(SK)) }
}
