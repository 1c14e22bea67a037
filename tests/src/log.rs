//! Collects what the functions of a stack log, and checks that no line contains a payload or a token.
//!
//! A payload is recognised by samples of it: twelve bytes from its beginning, its middle and its end, raw, JSON-escaped and in
//! base64. A line that contains a payload, or the beginning of one, contains one of these samples.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::watch;

/// Length of a sample in bytes. A shorter payload is not looked for: its bytes may be in a line for another reason.
const SAMPLE_BYTES: usize = 12;

/// Texts that occur only in tokens and authorization headers. Every token begins with `{"alg":` or `{"typ":` in base64.
const TOKENS: [&str; 3] = ["Bearer ", "eyJhbGciOi", "eyJ0eXAiOi"];

/// How long to wait for a line. It may arrive after the function has responded.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The log of one stack's functions. When the `World` is dropped, the log must contain no payload and no token.
#[derive(Debug, Clone)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    content: Mutex<Content>,
    /// The number of lines. Sends a notification for each new line.
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Content {
    lines: Vec<String>,
    /// Samples of the payloads that no line may contain.
    samples: HashSet<[u8; SAMPLE_BYTES]>,
    /// The first two bytes of each sample, to skip most of a line quickly.
    prefixes: HashSet<[u8; 2]>,
    leaks_allowed: bool,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared::default()))
    }

    /// A callback that stores each line that a function writes.
    pub(crate) fn reader(&self) -> impl Fn(&str, &str) + Send + Sync + 'static {
        let log = self.clone();
        move |_, line| log.add_line(line)
    }

    /// Adds a line, as if a function had written it.
    pub fn add_line(&self, line: &str) {
        self.0.lock().lines.push(line.to_owned());
        self.0.count.send_modify(|count| *count += 1);
    }

    /// Forbids to log the payloads of a message that is put on a queue. A body that is not a report is forbidden as a whole.
    pub(crate) fn forbid_payloads_of(&self, body: &str) {
        let report: Option<Value> = serde_json::from_str(body).ok().filter(|report: &Value| report["type"].is_string());
        let Some(report) = report else { return self.forbid(body.as_bytes()) };
        // The id of an interchange may be logged, although test payloads contain it.
        let name = report["interchangeId"].as_str().unwrap_or_default();
        let payloads = report["payloads"].as_object().into_iter().flat_map(|payloads| payloads.values());
        for payload in payloads.filter_map(|payload| payload["body"].as_str()) {
            self.forbid_except(payload.as_bytes(), name);
            STANDARD.decode(payload).iter().for_each(|bytes| self.forbid_except(bytes, name));
        }
    }

    /// Forbids to log these bytes.
    pub fn forbid(&self, payload: &[u8]) {
        self.forbid_except(payload, "");
    }

    fn forbid_except(&self, payload: &[u8], name: &str) {
        let escaped = serde_json::to_string(&String::from_utf8_lossy(payload)).unwrap_or_default();
        let forms = [payload.to_vec(), escaped.trim_matches('"').as_bytes().to_vec(), STANDARD.encode(payload).into()];
        let mut content = self.0.lock();
        for form in forms.iter().filter(|form| form.len() >= SAMPLE_BYTES) {
            let end = form.len() - SAMPLE_BYTES;
            for start in [0, end / 2, end] {
                let sample: [u8; SAMPLE_BYTES] = std::array::from_fn(|i| form[start + i]);
                // A part with the name of a JSON member may occur in any log line.
                let is_json = sample.windows(2).any(|pair| pair == b"\":");
                let is_name = name.as_bytes().windows(SAMPLE_BYTES).any(|part| part == sample);
                if !is_json && !is_name {
                    content.prefixes.insert([sample[0], sample[1]]);
                    content.samples.insert(sample);
                }
            }
        }
    }

    /// The lines that contain a forbidden payload or a token.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        let content = self.0.lock();
        content.lines.iter().filter(|line| content.leaks(line)).cloned().collect()
    }

    /// Removes all lines and forbidden payloads.
    pub(crate) fn clear(&self) {
        *self.0.lock() = Content::default();
    }

    /// Turns the check at the end off. For tests that log a payload on purpose or report the leak themselves.
    pub fn allow_leaks(&self) {
        self.0.lock().leaks_allowed = true;
    }

    /// Waits for the first line for which `wanted` holds, and returns it.
    ///
    /// # Panics
    /// When there is no such line within 30 s.
    pub async fn line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.lines_until(|lines| lines.iter().any(&wanted))
            .await
            .into_iter()
            .find(|line| wanted(line))
            .expect("the line is there")
    }

    /// Waits until `enough` holds for all lines so far, and returns them.
    ///
    /// # Panics
    /// When it does not hold within 30 s, or when a line is not JSON.
    pub async fn lines_until(&self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut news = self.0.count.subscribe();
        let waiting = async {
            loop {
                news.borrow_and_update();
                let lines = self.lines();
                if enough(&lines) {
                    return lines;
                }
                news.changed().await.expect("the log is open");
            }
        };
        match tokio::time::timeout(MAX_WAIT, waiting).await {
            Ok(lines) => lines,
            Err(_) => panic!("the expected lines are not logged; these are: {:#?}", self.0.lock().lines),
        }
    }

    fn lines(&self) -> Vec<Value> {
        let content = self.0.lock();
        let json = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        content.lines.iter().map(json).collect()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn leaks(&self, line: &str) -> bool {
        let is_sample = |window: &[u8]| {
            self.prefixes.contains(&[window[0], window[1]])
                && <[u8; SAMPLE_BYTES]>::try_from(window).is_ok_and(|sample| self.samples.contains(&sample))
        };
        TOKENS.iter().any(|token| line.contains(token)) || line.as_bytes().windows(SAMPLE_BYTES).any(is_sample)
    }
}

/// Sums the metrics of all lines by name. For a metric with several values (`IngestLag`) it counts the values.
///
/// # Panics
/// When the metrics of a line do not follow the embedded metric format.
#[must_use]
pub fn metrics(lines: &[Value]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for line in lines.iter().filter(|line| line.get("_aws").is_some()) {
        assert!(line["_aws"]["Timestamp"].is_i64(), "{line}");
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().expect("its directives") {
            assert_eq!(directive["Namespace"], "Reprise");
            assert_eq!(directive["Dimensions"], serde_json::json!([["Stack"]]));
            for metric in directive["Metrics"].as_array().expect("its metrics") {
                let name = metric["Name"].as_str().expect("a name");
                assert_eq!(metric["Unit"], if name == "IngestLag" { "Milliseconds" } else { "Count" });
                let value = &line[name];
                let by = value.as_array().map_or_else(|| value.as_u64().expect("a count"), |lags| lags.len() as u64);
                *sums.entry(name.to_owned()).or_default() += by;
            }
        }
        assert_eq!(line["Stack"], "reprise");
    }
    sums
}

/// A log that is checked when it is dropped: it panics when a line contains a payload or a token.
#[derive(Debug)]
pub(crate) struct CheckedLog(pub(crate) Log);

impl Drop for CheckedLog {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.0.0.lock().leaks_allowed {
            let leaks = self.0.leaks();
            assert!(
                leaks.is_empty(),
                "{} lines contain a payload or a token: {:#?}",
                leaks.len(),
                &leaks[..leaks.len().min(5)]
            );
        }
    }
}
