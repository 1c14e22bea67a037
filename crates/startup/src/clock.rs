//! The only source of the current time. On AWS it reads the system clock; locally it follows the clock of `cargo local`.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

/// The variable with the path of the local clock's file. The file contains `offset <milliseconds>` or `frozen <milliseconds since 1970>`.
const CLOCK_FILE: &str = "REPRISE_CLOCK_FILE";

/// Returns the current time.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The file of the local clock. `None` is the system clock.
    file: Option<PathBuf>,
}

impl Clock {
    /// Uses the file that `REPRISE_CLOCK_FILE` names, or the system clock without that variable.
    #[must_use]
    pub fn from_env() -> Self {
        Self { file: std::env::var_os(CLOCK_FILE).map(PathBuf::from) }
    }

    /// The current time.
    ///
    /// # Errors
    /// If the local clock's file cannot be read or understood. Never on AWS.
    pub fn now(&self) -> anyhow::Result<Timestamp> {
        let Some(file) = &self.file else { return Ok(Timestamp::now()) };
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {CLOCK_FILE}"))?;
        local_time(text.trim(), Timestamp::now()).with_context(|| format!("{CLOCK_FILE} contains `{}`", text.trim()))
    }
}

fn local_time(text: &str, system: Timestamp) -> Option<Timestamp> {
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
    fn the_local_clock_is_an_offset_or_frozen() {
        let system: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        assert_eq!(local_time("offset 60000", system), "2026-11-20T14:01:00Z".parse().ok());
        assert_eq!(local_time("frozen 0", system), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(local_time("noon", system), None);
    }
}
