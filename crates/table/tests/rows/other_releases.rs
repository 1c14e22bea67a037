//! Items of another release: what is unknown of them is kept, and what cannot be read is in nobody's way.

use std::collections::HashMap;

use domain::{Category, EventKind, Filter, Flow, FlowName, Interchange, JobId, Minute, Slot, Status};
use table::{Enrolled, FlowPut, Order, TableError};

use crate::world::{Value, World, at, change, failed, flow, id, reported, sent_back};

type Item = HashMap<String, Value>;

fn s(text: &str) -> Value {
    Value::S(text.to_owned())
}

impl World {
    async fn item(&self, pk: &str, sk: &str) -> Item {
        let get = self.client.get_item().table_name("reprise").key("pk", s(pk)).key("sk", s(sk));
        get.send().await.unwrap().item.unwrap()
    }

    /// Changes an item as another release would.
    async fn alter(&self, pk: &str, sk: &str, alter: impl FnOnce(&mut Item)) {
        let mut item = self.item(pk, sk).await;
        alter(&mut item);
        self.put(item).await;
    }

    async fn put(&self, item: Item) {
        self.client.put_item().table_name("reprise").set_item(Some(item)).send().await.unwrap();
    }

    async fn fails(&self, name: &str) -> Interchange {
        self.commit(None, change(reported(None, &id(name), 1, failed(), at("14:00"))), at("14:00")).await
    }

    /// The rows of a list: an id each, those that cannot be read in brackets.
    async fn rows(&self, filter: &Filter) -> Vec<String> {
        let page = self.table.list(&flow().name, filter, Order::Oldest, 10, None).await.unwrap();
        let row = |row: &table::Row| match row {
            Ok(interchange) => interchange.id.to_string(),
            Err(unreadable) => format!("({})", unreadable.id),
        };
        page.items.iter().map(row).collect()
    }
}

/// Replaces one text in a document of an item.
fn replace(item: &mut Item, document: &str, from: &str, to: &str) {
    let text = item[document].as_s().unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    item.insert(document.to_owned(), Value::S(text));
}

fn json(item: &Item, document: &str) -> serde_json::Value {
    serde_json::from_str(item[document].as_s().unwrap()).unwrap()
}

#[tokio::test]
async fn what_a_later_release_stored_in_a_head_outlives_the_commits_of_this_one() {
    let world = World::start().await;
    world.fails("4711").await;
    world
        .alter("INTERCHANGE#4711", "HEAD", |head| {
            replace(head, "row", "{", r#"{"owner":{"name":"ann"},"#);
            replace(head, "row", r#""ec":"system""#, r#""ec":"weather""#);
            replace(head, "rest", "{", r#"{"mask":["iban"],"#);
            head.insert("sv".to_owned(), Value::N("2".to_owned()));
            head.insert("by".to_owned(), s("PO-1001"));
        })
        .await;
    let read = world.table.head(&id("4711")).await.unwrap().unwrap();
    assert_eq!((read.status, read.error.category), (Status::Failed, Category::Unknown));
    let sent = world.commit(Some(&read), sent_back(&read, at("14:01")), at("14:01")).await;
    let head = world.item("INTERCHANGE#4711", "HEAD").await;
    assert_eq!(json(&head, "row")["owner"]["name"], "ann");
    assert_eq!(json(&head, "row")["ec"], "weather", "it is still the last failure");
    assert_eq!(json(&head, "rest")["mask"][0], "iban");
    assert_eq!((&head["sv"], &head["by"]), (&Value::N("2".to_owned()), &s("PO-1001")));
    let again = change(reported(Some(&sent), &id("4711"), 2, failed(), at("14:02")));
    world.commit(Some(&sent), again, at("14:02")).await;
    let head = world.item("INTERCHANGE#4711", "HEAD").await;
    assert_eq!((&json(&head, "row")["ec"], &json(&head, "row")["owner"]["name"]), (&"system".into(), &"ann".into()));
    assert_eq!(world.rows(&Filter::default()).await, ["4711"]);
    world.stop().await;
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_named_and_hides_no_other() {
    let world = World::start().await;
    for name in ["a", "b", "c", "d"] {
        world.fails(name).await;
    }
    world.alter("INTERCHANGE#b", "HEAD", |head| replace(head, "row", "\"failed\"", "\"archived\"")).await;
    world.alter("INTERCHANGE#d", "HEAD", |head| drop(head.insert("sv".to_owned(), Value::N("3".to_owned())))).await;
    assert_eq!(world.rows(&Filter::default()).await, ["a", "(b)", "c", "d"]);
    let newest = world.table.list_newest(&flow().name, &Filter::default(), 10, None, at("14:01")).await.unwrap();
    assert_eq!((newest.items.len(), newest.items.iter().flatten().count()), (4, 3));
    let filter = Filter { message: Some("timeout".to_owned()), ..Filter::default() };
    assert_eq!(world.rows(&filter).await, ["a", "c", "d"], "nobody knows whether it is meant");
    let heads = world.table.heads(&[id("a"), id("b"), id("c"), id("d"), id("e")]).await.unwrap();
    assert!(heads.get(&id("a")).is_some() && heads.get(&id("c")).is_some());
    let unreadable = ["a", "b", "c", "d", "e"].map(|name| heads.is_unreadable(&id(name)));
    assert_eq!(unreadable, [false, true, false, true, false]);
    let error = world.table.head(&id("b")).await.unwrap_err();
    let TableError::Unreadable { what: "interchange", id: named, flow: owner, .. } = &error else { panic!("{error}") };
    assert_eq!((named.as_str(), owner.as_ref()), ("b", Some(&flow().name)));
    assert!(heads.is_unreadable_of(&id("b"), &flow().name));
    assert!(!heads.is_unreadable_of(&id("b"), &domain::FlowName::new("invoices").unwrap()));
    world.stop().await;
}

#[tokio::test]
async fn events_of_a_later_release_are_given_as_they_are_stored() {
    let world = World::start().await;
    world.fails("4711").await;
    world
        .alter("INTERCHANGE#4711", "EVENT#0000000001", |log| {
            let event =
                |n: u32, kind: &str| format!(r#"{{"n":{n},"at":"2026-11-20T14:01:00Z","a":1,"by":"=ann","k":{kind}}}"#);
            let known = r#"{"late_outcome":{"o":"dispatched","at":"2026-11-20T14:01:00Z"}}"#;
            let events = [event(3, r#"{"edited":{"r":"typo"}}"#), event(4, "\"acknowledged\""), event(5, known)];
            log.insert("d3".to_owned(), Value::S(format!("[{},7,{},{}]", events[0], events[1], events[2])));
            log.insert("d6".to_owned(), s("no JSON"));
        })
        .await;
    let (_, events) = world.table.interchange_with_log(&id("4711"), None).await.unwrap().unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| match &event.kind {
            EventKind::Other { kind, stored } => (event.sequence, kind.as_str(), stored.as_str()),
            known => (event.sequence, known.as_str(), ""),
        })
        .collect();
    let late = r#"{"at":"2026-11-20T14:01:00Z","o":"dispatched"}"#;
    assert_eq!(
        told,
        [
            (1, "failed", ""),
            (2, "retry_scheduled", ""),
            (3, "edited", r#"{"r":"typo"}"#),
            (4, "acknowledged", "null"),
            (5, "late_outcome", late)
        ]
    );
    world.stop().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_hides_no_other_and_is_replaced_by_its_version() {
    let world = World::start().await;
    let named = |name: &str| Flow { name: FlowName::new(name).unwrap(), ..flow() };
    for name in ["broken", "bare", "ahead", "fine"] {
        world.table.put_flow(&named(name), None, None).await.unwrap();
    }
    world.alter("FLOW#broken", "CONFIG", |config| drop(config.insert("d".to_owned(), s("{")))).await;
    world.alter("FLOW#bare", "CONFIG", |config| config.retain(|name, _| name == "pk" || name == "sk")).await;
    world.alter("FLOW#ahead", "CONFIG", |config| drop(config.insert("sv".to_owned(), Value::N("3".to_owned())))).await;
    let names = ["broken", "bare", "ahead", "fine"].map(|name| FlowName::new(name).unwrap());
    let flows = world.table.flows(&names).await.unwrap();
    assert_eq!(names.each_ref().map(|name| flows[name].is_unreadable()), [true, true, true, false]);
    assert_eq!(names.each_ref().map(|name| flows[name].version), [1, 0, 1, 1]);
    for name in &names {
        let put = world.table.put_flow(&named(name.as_str()), Some(&flows[name]), None).await.unwrap();
        assert_eq!(put, FlowPut::Stored { version: flows[name].version + 1 });
        let stale = world.table.put_flow(&named(name.as_str()), Some(&flows[name]), None).await.unwrap();
        assert_eq!(stale, FlowPut::Stale);
        assert!(world.table.flow(name).await.unwrap().unwrap().is_understood(), "{name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_new_configuration_keeps_what_a_later_release_stored_beside_the_old_one() {
    let world = World::start().await;
    world.table.put_flow(&flow(), None, None).await.unwrap();
    world
        .alter("FLOW#orders", "CONFIG", |config| {
            replace(config, "d", "{", r#"{"calendar":{"timezone":"Europe/Berlin"},"#);
            config.insert("sv".to_owned(), Value::N("2".to_owned()));
            config.insert("by".to_owned(), s("ann"));
        })
        .await;
    let before = world.table.flow(&flow().name).await.unwrap().unwrap();
    assert!(before.is_understood());
    let after = Flow { active: false, ..flow() };
    assert_eq!(world.table.put_flow(&after, Some(&before), None).await.unwrap(), FlowPut::Stored { version: 2 });
    let config = world.item("FLOW#orders", "CONFIG").await;
    let stored = json(&config, "d");
    assert_eq!((&stored["calendar"]["timezone"], &stored["active"]), (&"Europe/Berlin".into(), &false.into()));
    assert_eq!((&config["sv"], &config["by"]), (&Value::N("2".to_owned()), &s("ann")));
    world.stop().await;
}

#[tokio::test]
async fn registers_and_owners_are_read_past_what_cannot_be_read() {
    let world = World::start().await;
    let slot = Slot { flow: flow().name, minute: Minute::at_or_after(at("14:05")) };
    world.table.register_slot(&slot, Enrolled::Retries).await.unwrap();
    let odd = |pk: &str, sk: &str| Item::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))]);
    for item in [
        odd("SLOTS", "2026-11-20T14:05:00Z/orders/2"),
        odd("HELD", "orders"),
        odd("JOBS", "1"),
        odd("SOURCE#x", "SOURCE"),
    ] {
        world.put(item).await;
    }
    let due = world.table.slots_due_before(at("15:00")).await.unwrap();
    assert_eq!(due.iter().map(|it| &it.slot).collect::<Vec<_>>(), [&slot]);
    let next = world.table.next_retries([slot.flow.clone()].into(), Minute::at_or_after(at("14:00"))).await.unwrap();
    assert_eq!(next[&slot.flow], slot.minute);
    assert!(world.table.held_slots(None).await.unwrap().is_empty());
    assert!(world.table.source_owners(["x"]).await.unwrap().is_empty());
    assert_eq!(world.table.registered_jobs().await.unwrap()[0].id, JobId("1".to_owned()));
    world.stop().await;
}
