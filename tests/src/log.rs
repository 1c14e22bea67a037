//! What the functions of a stack log, and the proof that neither payload nor token is in it.
//!
//! A payload is told by some of its bytes: twelve from its beginning, its middle and its end, as they are, as JSON escapes
//! them, and in base64. Whoever logs a payload, or the beginning of one, logs some of these.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::watch;

/// Bytes of a payload that are looked for. What is shorter may be in a line for any other reason.
const MARK: usize = 12;

/// What only tokens and the headers that carry them have: `{"alg":` and `{"typ":` in base64 begin every one.
const TOKENS: [&str; 3] = ["Bearer ", "eyJhbGciOi", "eyJ0eXAiOi"];

/// How long a line may be on its way from a function that has answered already.
const PATIENCE: Duration = Duration::from_secs(30);

/// The log of one stack's functions. When it is dropped it must hold no payload and no token.
#[derive(Debug, Clone)]
pub struct Log(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    told: Mutex<Told>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Told {
    lines: Vec<String>,
    marks: HashSet<[u8; MARK]>,
    /// By their first two bytes: most of a log is passed over quickly.
    beginnings: HashSet<[u8; 2]>,
    excused: bool,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Seen::default()))
    }

    /// What functions write is kept by this.
    pub(crate) fn reader(&self) -> impl Fn(&str, &str) + Send + Sync + 'static {
        let log = self.clone();
        move |_, line| log.tell(line)
    }

    /// Adds a line.
    pub fn tell(&self, line: &str) {
        self.0.told().lines.push(line.to_owned());
        self.0.count.send_modify(|count| *count += 1);
    }

    /// Notes what is put on a queue: the payloads of a report; all of it where it is none.
    pub(crate) fn sends(&self, body: &str) {
        let report: Option<Value> = serde_json::from_str(body).ok().filter(|report: &Value| report["type"].is_string());
        let Some(report) = report else { return self.hides(body.as_bytes()) };
        // What an interchange is called may be logged, though our payloads name theirs.
        let name = report["interchangeId"].as_str().unwrap_or_default();
        let payloads = report["payloads"].as_object().into_iter().flat_map(|payloads| payloads.values());
        for payload in payloads.filter_map(|payload| payload["body"].as_str()) {
            self.hides_but(payload.as_bytes(), name);
            STANDARD.decode(payload).iter().for_each(|bytes| self.hides_but(bytes, name));
        }
    }

    /// From now on none of these bytes may be logged.
    pub fn hides(&self, payload: &[u8]) {
        self.hides_but(payload, "");
    }

    fn hides_but(&self, payload: &[u8], name: &str) {
        let escaped = serde_json::to_string(&String::from_utf8_lossy(payload)).unwrap_or_default();
        let forms = [payload.to_vec(), escaped.trim_matches('"').as_bytes().to_vec(), STANDARD.encode(payload).into()];
        let mut told = self.0.told();
        for form in forms.iter().filter(|form| form.len() >= MARK) {
            let end = form.len() - MARK;
            for start in [0, end / 2, end] {
                let mark: [u8; MARK] = std::array::from_fn(|i| form[start + i]);
                // The name of a JSON member may be anybody's.
                let is_json = mark.windows(2).any(|pair| pair == b"\":");
                let is_name = name.as_bytes().windows(MARK).any(|part| part == mark);
                if !is_json && !is_name {
                    told.beginnings.insert([mark[0], mark[1]]);
                    told.marks.insert(mark);
                }
            }
        }
    }

    /// The lines with a payload's bytes or a token.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        let told = self.0.told();
        told.lines.iter().filter(|line| told.leaks(line)).cloned().collect()
    }

    /// Forgets the lines and the payloads so far.
    pub(crate) fn forget(&self) {
        *self.0.told() = Told::default();
    }

    /// Lets this log hold what it must not: for the test that proves that such a thing is found.
    pub fn excuse(&self) {
        self.0.told().excused = true;
    }

    /// The first line that is `wanted`, once it is there.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.lines_until(|lines| lines.iter().any(&wanted))
            .await
            .into_iter()
            .find(|line| wanted(line))
            .expect("the line")
    }

    /// All lines, once they are `enough`.
    ///
    /// # Panics
    /// When they never are, and when one is no JSON object.
    pub async fn lines_until(&self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut news = self.0.count.subscribe();
        let waiting = async {
            loop {
                news.borrow_and_update();
                let lines = self.lines();
                if enough(&lines) {
                    return lines;
                }
                news.changed().await.expect("the log goes on");
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(lines) => lines,
            Err(_) => panic!("it is not logged; what is: {:#?}", self.0.told().lines),
        }
    }

    fn lines(&self) -> Vec<Value> {
        let told = self.0.told();
        let json = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        told.lines.iter().map(json).collect()
    }
}

impl Seen {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn leaks(&self, line: &str) -> bool {
        let marked = |window: &[u8]| {
            self.beginnings.contains(&[window[0], window[1]])
                && <[u8; MARK]>::try_from(window).is_ok_and(|mark| self.marks.contains(&mark))
        };
        TOKENS.iter().any(|token| line.contains(token)) || line.as_bytes().windows(MARK).any(marked)
    }
}

/// What the lines' metrics add up to, by name; of lags, how many there are.
///
/// # Panics
/// When a line that says it holds metrics does not hold to their format.
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

/// The log of a stack whose owner goes: the last look at it.
#[derive(Debug)]
pub(crate) struct Looked(pub(crate) Log);

impl Drop for Looked {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.0.0.told().excused {
            let leaks = self.0.leaks();
            assert!(
                leaks.is_empty(),
                "{} lines with a payload or a token: {:#?}",
                leaks.len(),
                &leaks[..leaks.len().min(5)]
            );
        }
    }
}
