//! Reads the table directly, without the API and without the functions' code, so that an error there cannot hide itself here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use local_aws::dynoxide::types::AttributeValue;
use serde_json::{Map, Value, json};

use crate::World;

/// An item with its strings and numbers, without binary attributes.
pub(crate) type Item = Map<String, Value>;

/// A copy of the table at one moment.
#[derive(Debug, Default)]
pub struct Stored {
    /// When it was read, by the stack's clock.
    pub now: Timestamp,
    /// The head of each interchange, by id.
    pub heads: BTreeMap<String, Head>,
    /// The events of each interchange by id, in the order of their numbers.
    pub logs: BTreeMap<String, Vec<Logged>>,
    pub(crate) items: Vec<Item>,
}

/// The head of an interchange.
#[derive(Debug, Clone)]
pub struct Head {
    pub flow: String,
    pub status: String,
    pub attempt: u32,
    pub failed_at: Timestamp,
    /// Whether an automatic retry is planned.
    pub has_next: bool,
    pub group: String,
    pub job: Option<String>,
    /// The number of events in its log.
    pub events: u64,
    /// Whether it has a TTL.
    pub expires: bool,
}

impl Head {
    /// Whether an attempt is in flight.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        ["waiting_for_retry", "waiting_for_restart", "in_network"].contains(&self.status.as_str())
    }

    /// Whether it is completed or deleted.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        ["completed", "deleted", "erased"].contains(&self.status.as_str())
    }

    /// Whether it counts as failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        ["failed", "partially_failed"].contains(&self.status.as_str())
    }
}

/// One event of an interchange's log.
#[derive(Debug, Clone)]
pub struct Logged {
    pub sequence: u64,
    pub at: Timestamp,
    pub attempt: u32,
    /// As stored, for example `requested` or `assumed_completed`.
    pub kind: String,
    /// The data of this kind of event.
    pub data: Value,
}

impl Stored {
    /// Reads the whole table.
    ///
    /// # Panics
    /// When it cannot be read, or when an item has an unknown shape.
    #[must_use]
    pub fn read(world: &World) -> Self {
        let mut stored = Self { now: world.stack.aws().clock().now(), items: scan(world), ..Self::default() };
        for item in &stored.items {
            let Some(id) = text(item, "pk").strip_prefix("INTERCHANGE#") else { continue };
            if text(item, "sk") == "HEAD" {
                let head = head(item);
                // A head without a log is an early outcome, not an interchange.
                if head.events > 0 {
                    stored.heads.insert(id.to_owned(), head);
                }
            } else if text(item, "sk").starts_with("EVENT#") {
                stored.logs.entry(id.to_owned()).or_default().extend(events(item));
            }
        }
        for log in stored.logs.values_mut() {
            log.sort_by_key(|event| event.sequence);
        }
        stored
    }

    /// The heads of a flow.
    pub fn heads_of<'a>(&'a self, flow: &'a str) -> impl Iterator<Item = (&'a String, &'a Head)> {
        self.heads.iter().filter(move |(_, head)| head.flow == flow)
    }

    /// The items whose keys begin with `pk` and `sk`.
    pub(crate) fn items_under(&self, pk: &str, sk: &str) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| text(item, "pk").starts_with(pk) && text(item, "sk").starts_with(sk))
    }
}

/// A string attribute of an item; empty when the item has none.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn scan(world: &World) -> Vec<Item> {
    let mut items = Vec::new();
    let mut start = Value::Null;
    loop {
        let mut request = json!({ "TableName": "reprise", "ConsistentRead": true });
        if !start.is_null() {
            request["ExclusiveStartKey"] = start;
        }
        let request = serde_json::from_value(request).expect("a request");
        let page = world.stack.aws().dynamodb().scan(request).expect("the table can be read");
        items.extend(page.items.into_iter().flatten().map(|item| item.into_iter().filter_map(plain).collect()));
        match page.last_evaluated_key {
            Some(key) => start = serde_json::to_value(key).expect("a key"),
            None => return items,
        }
    }
}

fn plain((name, value): (String, AttributeValue)) -> Option<(String, Value)> {
    match value {
        AttributeValue::S(text) => Some((name, text.into())),
        AttributeValue::N(number) => Some((name, serde_json::from_str(&number).expect("a number"))),
        _ => None,
    }
}

fn head(item: &Item) -> Head {
    let part = |name: &str| -> Value { serde_json::from_str(text(item, name)).expect("a head's JSON") };
    let (row, rest) = (part("row"), part("rest"));
    let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    Head {
        flow: word("f"),
        status: word("st"),
        attempt: number(&row["a"]),
        failed_at: time(&row["at"]),
        has_next: row["nx"].is_string(),
        group: word("g"),
        job: row["j"].as_str().map(str::to_owned),
        events: rest["sq"].as_u64().unwrap_or_default(),
        expires: item.contains_key("ttl"),
    }
}

fn events(item: &Item) -> Vec<Logged> {
    let is_events = |name: &str| name.strip_prefix('d').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    let texts = item.iter().filter(|(name, _)| is_events(name)).filter_map(|(_, value)| value.as_str());
    let events = texts.flat_map(|text| serde_json::from_str::<Vec<Value>>(text).expect("an item of a log"));
    events.map(|event| logged(&event)).collect()
}

fn logged(event: &Value) -> Logged {
    let (kind, data) = match &event["k"] {
        Value::Object(kind) => kind.iter().next().map(|(kind, data)| (kind.clone(), data.clone())).unwrap_or_default(),
        kind => (kind.as_str().unwrap_or_default().to_owned(), Value::Null),
    };
    let sequence = event["n"].as_u64().expect("an event's number");
    Logged { sequence, at: time(&event["at"]), attempt: number(&event["a"]), kind, data }
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| number.try_into().ok()).unwrap_or_default()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}
