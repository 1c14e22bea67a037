//! What a later release stored and this one does not know: found when an item is read, put back when it is written.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Attribute, Unknown};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, Visitor};
use serde_json::{Map, Value};

use crate::item::{Item, n, s, text};

/// The members of the JSON document `name` of an item that its stored shape `T` does not have, as a JSON object; `None`
/// where there are none.
pub(crate) fn members<T: DeserializeOwned>(item: &Item, name: &str) -> Option<String> {
    let json = text(item, name).ok()?;
    let known = names_of::<T>();
    let is_unknown = |member: &str| !known.contains(&member);
    // Nearly always there are none: this look is cheap, as it keeps nothing.
    let all: Option<HashMap<&str, IgnoredAny>> = serde_json::from_str(json).ok();
    if all.is_some_and(|all| !all.keys().copied().any(is_unknown)) {
        return None;
    }
    let mut all: Map<String, Value> = serde_json::from_str(json).ok()?;
    all.retain(|member, _| is_unknown(member));
    (!all.is_empty()).then(|| Value::Object(all).to_string())
}

/// A JSON document with the members that [`members`] found put back.
pub(crate) fn with_members(json: String, unknown: &Unknown, name: &str) -> String {
    let more = unknown.members.get(name).and_then(|more| serde_json::from_str::<Map<String, Value>>(more).ok());
    let Some(more) = more else { return json };
    let Ok(mut all) = serde_json::from_str::<Map<String, Value>>(&json) else { return json };
    for (member, value) in more {
        all.entry(member).or_insert(value);
    }
    Value::Object(all).to_string()
}

/// The texts and numbers of an item that are not among the attributes `known`.
pub(crate) fn attributes(item: &Item, known: &[&str]) -> BTreeMap<String, Attribute> {
    let unknown = item.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    let kept = unknown.filter_map(|(name, value)| {
        let value = match value {
            AttributeValue::S(text) => Attribute::Text(text.clone()),
            AttributeValue::N(number) => Attribute::Number(number.clone()),
            _ => return None,
        };
        Some((name.clone(), value))
    });
    kept.collect()
}

/// Puts the attributes that [`attributes`] found back.
pub(crate) fn put_back(item: &mut Item, unknown: &Unknown) {
    for (name, value) in &unknown.attributes {
        item.entry(name.clone()).or_insert_with(|| match value {
            Attribute::Text(text) => s(text),
            Attribute::Number(number) => n(number),
        });
    }
}

/// The names of a struct's members, as they stand in JSON.
fn names_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It never succeeds: the names are all that is asked for.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// A deserializer that is asked for a struct, notes what its members are called, and gives nothing.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only a struct has names"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = names;
        Err(Error::custom("only its names were asked for"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the names of its members are asked for")]
    struct Shape {
        st: String,
        #[serde(rename = "n")]
        number: Option<u32>,
    }

    fn item(json: &str) -> Item {
        Item::from([("row".to_owned(), s(json)), ("sv".to_owned(), n(2)), ("pk".to_owned(), s("x"))])
    }

    #[test]
    fn a_document_without_unknown_members_has_none_and_others_are_put_back_beside_what_is_new() {
        assert_eq!(members::<Shape>(&item(r#"{"st":"failed","n":1}"#), "row"), None);
        assert_eq!(members::<Shape>(&item("no JSON"), "row"), None);
        let unknown = members::<Shape>(&item(r#"{"st":"failed","owner":{"id":7},"q\"":null}"#), "row");
        assert_eq!(unknown.as_deref(), Some(r#"{"owner":{"id":7},"q\"":null}"#));
        let unknown = Unknown { members: [("row".to_owned(), unknown.unwrap())].into(), ..Unknown::default() };
        let written = with_members(r#"{"st":"completed"}"#.to_owned(), &unknown, "row");
        assert_eq!(written, r#"{"owner":{"id":7},"q\"":null,"st":"completed"}"#);
        assert_eq!(with_members("{}".to_owned(), &unknown, "rest"), "{}");
    }

    #[test]
    fn texts_and_numbers_of_an_item_are_put_back_where_nothing_new_stands() {
        let unknown = Unknown { attributes: attributes(&item("{}"), &["pk", "row"]), ..Unknown::default() };
        let mut written = Item::from([("pk".to_owned(), s("y"))]);
        put_back(&mut written, &unknown);
        assert_eq!(written, Item::from([("pk".to_owned(), s("y")), ("sv".to_owned(), n(2))]));
    }
}
