//! The time, from one place. On AWS it is the system's; locally it follows the clock that `cargo local` moves.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

/// Names the file that the local clock writes: `offset <milliseconds>` or `frozen <milliseconds since 1970>`.
const CLOCK_FILE: &str = "REPRISE_CLOCK_FILE";

/// Tells the time.
#[derive(Debug, Clone)]
pub struct Clock {
    moved_by: Option<PathBuf>,
}

impl Clock {
    /// The system's clock, or the one of the file that the environment names.
    #[must_use]
    pub fn from_env() -> Self {
        Self { moved_by: std::env::var_os(CLOCK_FILE).map(PathBuf::from) }
    }

    /// The time now.
    ///
    /// # Errors
    /// When the local clock's file cannot be read; on AWS never.
    pub fn now(&self) -> anyhow::Result<Timestamp> {
        let Some(file) = &self.moved_by else { return Ok(Timestamp::now()) };
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {CLOCK_FILE}"))?;
        moved(text.trim(), Timestamp::now()).with_context(|| format!("{CLOCK_FILE} says `{}`", text.trim()))
    }
}

fn moved(text: &str, system: Timestamp) -> Option<Timestamp> {
    let (kind, milliseconds) = text.split_once(' ')?;
    let milliseconds: i64 = milliseconds.parse().ok()?;
    match kind {
        "offset" => system.checked_add(SignedDuration::from_millis(milliseconds)).ok(),
        "frozen" => Timestamp::from_millisecond(milliseconds).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_clock_is_an_offset_or_stands_still() {
        let system: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        assert_eq!(moved("offset 60000", system), "2026-11-20T14:01:00Z".parse().ok());
        assert_eq!(moved("frozen 0", system), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(moved("noon", system), None);
    }
}
