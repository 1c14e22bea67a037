//! A writer of the next release: beside what this release stores it adds what this one does not know, to items of every
//! shape and at random, while the functions work.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Dice, text};
use crate::World;
use crate::invariants::Violation;

/// The name of everything that it adds.
const ADDED: &str = "nextRelease";

/// One item in so many gets something at a time.
const ONE_IN: u64 = 3;

/// The documents that outlive every change that this release makes: those of a head, and a configuration.
const LASTING: [&str; 3] = ["row", "rest", "d"];

/// The writer, with what it has added so far.
#[derive(Debug)]
pub struct NextRelease {
    dice: Dice,
    /// Keys of heads and configurations, and the document that was added to.
    added: BTreeSet<(String, String, String)>,
    /// How many items it has changed.
    pub changes: usize,
    /// The shapes of these items, by the beginnings of their keys.
    pub shapes: BTreeSet<String>,
}

impl NextRelease {
    /// What it adds where depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), added: BTreeSet::new(), changes: 0, shapes: BTreeSet::new() }
    }

    /// Adds to some of the items. One that is written at the same moment is left as it is.
    pub fn write(&mut self, world: &World) {
        for item in world.items() {
            if self.dice.roll(ONE_IN) == 0 {
                self.add_to(world, &item);
            }
        }
    }

    /// Where something of it is gone that this release should have kept.
    #[must_use]
    pub fn lost(&self, world: &World) -> Vec<Violation> {
        let items = world.items();
        let of = |pk: &str, sk: &str| items.iter().find(|item| text(item, "pk") == pk && text(item, "sk") == sk);
        let is_lost = |(pk, sk, document): &&(String, String, String)| {
            let json = of(pk, sk).map(|item| text(item, document));
            json.is_some_and(|json| serde_json::from_str::<Value>(json).is_ok_and(|json| json[ADDED].is_null()))
        };
        let violation = |(pk, sk, document): &(String, String, String)| Violation {
            rule: "what a later release stored is kept",
            detail: format!("{pk} {sk}: `{document}` has lost it"),
        };
        self.added.iter().filter(is_lost).map(violation).collect()
    }

    fn add_to(&mut self, world: &World, item: &Value) {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        let mut set = Map::new();
        match self.dice.roll(3) {
            0 => drop(set.insert("sv".to_owned(), json!({ "N": "2" }))),
            1 => drop(set.insert(ADDED.to_owned(), json!({ "S": "a text" }))),
            _ => {}
        }
        let names = item.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let documents: Vec<(&str, String)> =
            names.filter_map(|name| Some((name, added_to(name, text(item, name))?))).collect();
        for (name, json) in &documents {
            set.insert((*name).to_owned(), json!({ "S": json }));
        }
        if set.is_empty() || !update(world, item, &set) {
            return;
        }
        self.changes += 1;
        let prefix = |key: &str| key.split('#').next().unwrap_or_default().to_owned();
        self.shapes.insert(format!(
            "{} {}",
            prefix(pk),
            if pk == prefix(pk) { "" } else { &sk[..sk.find('#').unwrap_or(sk.len())] }
        ));
        let lasts = ["HEAD", "CONFIG"].contains(&sk);
        for (name, _) in documents.into_iter().filter(|(name, _)| lasts && LASTING.contains(name)) {
            self.added.insert((pk.to_owned(), sk.to_owned(), name.to_owned()));
        }
    }
}

/// A document with unknown members; `None` where the text is none that has members.
fn added_to(name: &str, document: &str) -> Option<String> {
    let is_events = name.strip_prefix('d').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let mut json: Value = serde_json::from_str(document).ok()?;
    match &mut json {
        Value::Object(members) if ["row", "rest", "d", "left"].contains(&name) => add(members),
        Value::Array(events) if is_events && events.iter().all(|event| event["k"] != Value::Null) => {
            for event in events {
                if let Some(kind) = event["k"].as_object_mut().and_then(|kind| kind.values_mut().next()) {
                    kind[ADDED] = json!(true);
                }
                event[ADDED] = json!(["a", 1]);
            }
        }
        _ => return None,
    }
    Some(json.to_string())
}

/// Adds a member to an object, and to those parts of a configuration that are objects themselves.
fn add(members: &mut Map<String, Value>) {
    for part in ["confirmation", "retry", "stages", "fl"] {
        if let Some(Value::Object(part)) = members.get_mut(part) {
            part.insert(ADDED.to_owned(), json!({ "deep": [1, null] }));
        }
    }
    members.insert(ADDED.to_owned(), json!({ "deep": [1, null] }));
}

/// Sets attributes on the condition that those that are there are as they were read. Whether it did.
fn update(world: &World, item: &Value, set: &Map<String, Value>) -> bool {
    let (mut sets, mut conditions) = (Vec::new(), vec!["attribute_exists(pk)".to_owned()]);
    let (mut names, mut values) = (Map::new(), Map::new());
    for (i, (name, value)) in set.iter().enumerate() {
        names.insert(format!("#a{i}"), name.as_str().into());
        values.insert(format!(":a{i}"), value.clone());
        sets.push(format!("#a{i} = :a{i}"));
        if !item[name].is_null() {
            values.insert(format!(":b{i}"), item[name].clone());
            conditions.push(format!("#a{i} = :b{i}"));
        }
    }
    let request = json!({
        "TableName": "reprise", "Key": { "pk": item["pk"], "sk": item["sk"] },
        "UpdateExpression": format!("SET {}", sets.join(", ")), "ConditionExpression": conditions.join(" AND "),
        "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
    });
    let request = serde_json::from_value(request).expect("a request");
    world.stack.aws().dynamodb().update_item(request).is_ok()
}
