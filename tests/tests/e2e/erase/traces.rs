//! Looks for a person's name in everything that a stack keeps: items of the table with what is compressed in them, messages of
//! all queues, lines of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::World;

/// What every zstd frame begins with.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What comes before the number of a chunk in the key of a payload's item.
const CHUNKED: &str = "PAYLOAD#";

/// The name in each form that it may be kept in.
pub(super) struct Name(Vec<Vec<u8>>);

impl Name {
    pub(super) fn new(name: &str) -> Self {
        // Where the name stands in the encoded text decides which of three forms it has.
        let encoded = (0..3).map(|before| {
            let text = STANDARD.encode([vec![b' '; before], name.as_bytes().to_vec()].concat());
            let start = if before == 0 { 0 } else { 4 };
            text.as_bytes()[start..text.len() - 4].to_vec()
        });
        let as_it_is = [name.to_owned(), name.to_lowercase(), name.to_uppercase()].map(String::into_bytes);
        Self(as_it_is.into_iter().chain(encoded).collect())
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|form| bytes.windows(form.len()).any(|part| part == form))
    }

    /// The keys of the items that hold the name.
    pub(super) fn in_table(&self, world: &World) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        // A large payload is one compressed text in several items.
        let mut chunked: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for item in items(world) {
            let (pk, sk) = (text(&item["pk"]), text(&item["sk"]));
            let mut parts = Vec::new();
            collect(&item, &mut parts);
            if sk.starts_with(CHUNKED) {
                let payload = sk.rsplit_once('#').map_or(sk, |(payload, _)| payload);
                let chunks = chunked.entry(format!("{pk} {payload}")).or_default();
                parts.iter().filter(|(is_binary, _)| *is_binary).for_each(|(_, bytes)| chunks.extend(bytes));
            }
            if parts.iter().any(|(_, bytes)| self.is_in(bytes) || self.is_in(&decompressed(bytes))) {
                found.insert(format!("{pk} {sk}"));
            }
        }
        found.extend(chunked.into_iter().filter(|(_, bytes)| self.is_in(&decompressed(bytes))).map(|(key, _)| key));
        found
    }

    /// The files of a data directory that hold the name, also in what is compressed or no longer in use.
    pub(super) fn in_files(&self, data: &Path) -> BTreeSet<String> {
        let files = files(data);
        assert!(files.len() > 1, "{files:?}");
        let holds = |file: &PathBuf| {
            let bytes = std::fs::read(file).unwrap();
            self.is_in(&bytes) || self.is_in(&decompressed(&bytes))
        };
        files.iter().filter(|file| holds(file)).map(|file| file.display().to_string()).collect()
    }

    /// The queues of which a message holds the name; what they hold is received.
    pub(super) async fn in_queues(&self, world: &World) -> BTreeSet<String> {
        let queues = world.sqs.list_queues().send().await.unwrap().queue_urls.unwrap_or_default();
        assert!(queues.len() > 8, "{queues:?}");
        let mut found = BTreeSet::new();
        for url in queues {
            loop {
                let call = world.sqs.receive_message().queue_url(&url).max_number_of_messages(10);
                let answer = call.message_attribute_names("All").send().await.unwrap();
                let messages = answer.messages.unwrap_or_default();
                if messages.is_empty() {
                    break;
                }
                if messages.iter().any(|message| self.is_in(format!("{message:?}").as_bytes())) {
                    found.insert(url.clone());
                }
            }
        }
        found
    }

    /// The lines of the functions that hold the name. A report's own error code is logged, as the description of the log says.
    pub(super) async fn in_log(&self, world: &World) -> Vec<String> {
        let lines = world.log().lines_until(|_| true).await;
        let without_code = lines.into_iter().map(|mut line| {
            if let Some(line) = line.as_object_mut() {
                line.remove("code");
            }
            line.to_string()
        });
        without_code.filter(|line| self.is_in(line.as_bytes())).collect()
    }
}

fn files(data: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn text(value: &Value) -> &str {
    value["S"].as_str().unwrap()
}

/// Of the items of a partition, the sort keys of those that expire, and how many there are.
pub(super) fn expiring(world: &World, partition: &str) -> (Vec<String>, usize) {
    let all: Vec<Value> = items(world).into_iter().filter(|item| text(&item["pk"]) == partition).collect();
    let with_expiry = all.iter().filter(|item| item.get("ttl").is_some());
    (with_expiry.map(|item| text(&item["sk"]).to_owned()).collect(), all.len())
}

fn items(world: &World) -> Vec<Value> {
    let mut items = Vec::new();
    let mut request = json!({ "TableName": "reprise", "ConsistentRead": true });
    loop {
        let page = world.stack.aws().dynamodb().scan(serde_json::from_value(request.clone()).unwrap()).unwrap();
        let page = serde_json::to_value(page).unwrap();
        items.extend(page["Items"].as_array().into_iter().flatten().cloned());
        match &page["LastEvaluatedKey"] {
            Value::Null => break,
            key => request["ExclusiveStartKey"] = key.clone(),
        }
    }
    items.sort_by(|a, b| (text(&a["pk"]), text(&a["sk"])).cmp(&(text(&b["pk"]), text(&b["sk"]))));
    items
}

/// Every text and every binary value below, and which of the two it is.
fn collect(value: &Value, parts: &mut Vec<(bool, Vec<u8>)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("B", Value::String(encoded)) => parts.push((true, STANDARD.decode(encoded).unwrap())),
                    _ => collect(value, parts),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, parts)),
        Value::String(text) => parts.push((false, text.clone().into_bytes())),
        _ => {}
    }
}

/// What the zstd frames in these bytes hold, wherever they begin, as far as they go.
fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    for start in (0..bytes.len().saturating_sub(FRAME.len())).filter(|&at| bytes[at..].starts_with(&FRAME)) {
        let Ok(mut decoder) = zstd::stream::Decoder::new(&bytes[start..]) else { continue };
        // What follows a frame may be none; what came before it counts.
        let _ = decoder.read_to_end(&mut plain);
    }
    plain
}
