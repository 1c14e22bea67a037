//! Logs the output of function processes line by line, with the function's name.
//!
//! Functions write JSON lines with a level, and the line is logged with that level. A line that is not JSON comes from a
//! panic or a print, and is logged as a warning.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Takes the function's name and the line.
type Callback = Box<dyn Fn(&str, &str) + Send + Sync>;

/// An optional callback that gets every line. All clones share it.
#[derive(Clone, Default)]
pub(super) struct LogListener(Arc<OnceLock<Callback>>);

impl LogListener {
    /// Sets the callback. Only the first call has an effect.
    pub(super) fn set(&self, callback: impl Fn(&str, &str) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(callback));
    }
}

/// Logs every line of `output` until it ends.
pub(super) async fn forward_lines(output: impl AsyncRead + Unpin, function: String, listener: LogListener) {
    // Reads bytes, because a panic message may contain bytes that are not UTF-8.
    let mut lines = BufReader::new(output).split(b'\n');
    loop {
        match lines.next_segment().await {
            Ok(Some(line)) => {
                let line = String::from_utf8_lossy(&line);
                if let Some(callback) = listener.0.get() {
                    callback(&function, &line);
                }
                emit(&function, &line);
            }
            Ok(None) => return,
            Err(error) => return tracing::warn!(function, %error, "the output of a function process cannot be read"),
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
    async fn lines_after_a_line_that_is_not_utf8_are_still_read() {
        let listener = LogListener::default();
        let received = Arc::new(Mutex::new(Vec::new()));
        let lines = received.clone();
        listener.set(move |_, line| lines.lock().unwrap().push(line.to_owned()));
        forward_lines(&b"one\n\xff two\nthree"[..], "worker".to_owned(), listener).await;
        assert_eq!(*received.lock().unwrap(), ["one", "\u{fffd} two", "three"]);
    }

    #[test]
    fn a_json_line_keeps_its_level_and_any_other_is_a_warning() {
        assert_eq!(level(r#"{"level":"info","message":"a"}"#), "INFO");
        assert_eq!(level(r#"{"message":"a"}"#), "WARN");
        assert_eq!(level("thread 'main' panicked"), "WARN");
    }
}
