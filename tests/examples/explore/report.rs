//! The output of an exploration: progress and failures while it runs, and a summary at its end.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use tests::explore::{History, HistoryResult, Progress, Summary};

/// How often a progress line is written when the output is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(15);

/// How many violations of a failed history are shown.
const MAX_SHOWN: usize = 4;

/// The width of the progress bar, in characters.
const BAR_WIDTH: usize = 30;

pub(crate) struct Report {
    seed: u64,
    began: Instant,
    last_line: Instant,
}

impl Report {
    pub(crate) fn begin(seed: u64) -> Self {
        let now = Instant::now();
        Self { seed, began: now, last_line: now }
    }

    /// Shows the progress, and the violations of a history that failed.
    pub(crate) fn history_ended(&mut self, progress: Progress, history: &History, result: &HistoryResult) {
        let mut err = std::io::stderr().lock();
        if !result.violations.is_empty() {
            write_failure(&mut err, self.seed, history, result);
        }
        let live = err.is_terminal();
        if !live && self.last_line.elapsed() < LINE_INTERVAL && progress.done < progress.of {
            return;
        }
        self.last_line = Instant::now();
        let line = self.line(progress);
        let _ = if live { write!(err, "\r\x1b[K{line}") } else { writeln!(err, "{line}") };
        let _ = err.flush();
    }

    fn line(&self, Progress { done, of, failed }: Progress) -> String {
        let spent = self.began.elapsed();
        let left = spent.mul_f64((of - done) as f64 / done.max(1) as f64);
        let full = BAR_WIDTH * done / of.max(1);
        let bar: String = (0..BAR_WIDTH).map(|at| if at < full { '#' } else { '-' }).collect();
        let [spent, left] = [spent, left].map(|time| format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60));
        format!("[{bar}] {done}/{of} histories, {failed} failed, {spent} elapsed, {left} left")
    }

    pub(crate) fn end(&self, summary: &Summary) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "\nseed {}, {} s\n{summary}", self.seed, self.began.elapsed().as_secs());
        for (history, violations) in &summary.failures {
            let first = violations.first().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "failed: cargo explore -- {history}\n        {first}");
        }
    }
}

fn write_failure(err: &mut impl Write, seed: u64, history: &History, result: &HistoryResult) {
    let _ = writeln!(err, "\nFAILED (seed {seed}): cargo explore -- {history}");
    for fired in &result.fired {
        let call = &fired.call;
        let _ = writeln!(err, "  met: {:?} {} {} of {:?}", fired.fault, call.operation, call.key, call.caller);
    }
    for violation in result.violations.iter().take(MAX_SHOWN) {
        let _ = writeln!(err, "  {violation}");
    }
    if result.violations.len() > MAX_SHOWN {
        let _ = writeln!(err, "  and {} more", result.violations.len() - MAX_SHOWN);
    }
}
