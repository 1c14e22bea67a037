//! Passes on what function processes write, line by line, under the function's name.
//!
//! Functions log JSON lines with a level, which is kept. A line that is not JSON is a panic or a print, and is a warning:
//! it is not how they mean to speak.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Is told the function and the line.
type Reader = Box<dyn Fn(&str, &str) + Send + Sync>;

/// Who reads along, if anybody does.
#[derive(Clone, Default)]
pub(super) struct Readers(Arc<OnceLock<Reader>>);

impl Readers {
    /// Only the first one who asks reads along.
    pub(super) fn add(&self, reader: impl Fn(&str, &str) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(reader));
    }
}

/// Reads to the end of `output`.
pub(super) async fn pass_on(output: impl AsyncRead + Unpin, function: String, readers: Readers) {
    // Not every line need be UTF-8: what a panic prints is anybody's bytes.
    let mut lines = BufReader::new(output).split(b'\n');
    loop {
        match lines.next_segment().await {
            Ok(Some(line)) => {
                let line = String::from_utf8_lossy(&line);
                if let Some(reader) = readers.0.get() {
                    reader(&function, &line);
                }
                emit(&function, &line);
            }
            Ok(None) => return,
            Err(error) => return tracing::warn!(function, %error, "its output cannot be read"),
        }
    }
}

fn emit(function: &str, line: &str) {
    match level(line).as_str() {
        "TRACE" => tracing::trace!(target: "function", "{function}: {line}"),
        "DEBUG" => tracing::debug!(target: "function", "{function}: {line}"),
        "INFO" => tracing::info!(target: "function", "{function}: {line}"),
        "ERROR" | "FATAL" => tracing::error!(target: "function", "{function}: {line}"),
        _ => tracing::warn!(target: "function", "{function}: {line}"),
    }
}

fn level(line: &str) -> String {
    let record: Option<Value> = serde_json::from_str(line).ok();
    let level = record.as_ref().and_then(|record| record["level"].as_str());
    level.unwrap_or("WARN").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn a_line_that_is_no_utf8_hides_none_after_it() {
        let readers = Readers::default();
        let read = Arc::new(Mutex::new(Vec::new()));
        let lines = read.clone();
        readers.add(move |_, line| lines.lock().unwrap().push(line.to_owned()));
        pass_on(&b"one\n\xff two\nthree"[..], "worker".to_owned(), readers).await;
        assert_eq!(*read.lock().unwrap(), ["one", "\u{fffd} two", "three"]);
    }

    #[test]
    fn a_json_line_keeps_its_level_and_any_other_is_a_warning() {
        assert_eq!(level(r#"{"level":"info","message":"a"}"#), "INFO");
        assert_eq!(level(r#"{"message":"a"}"#), "WARN");
        assert_eq!(level("thread 'main' panicked"), "WARN");
    }
}
