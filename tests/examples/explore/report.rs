//! What is seen while an exploration runs, and at its end.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use tests::explore::{Ended, History, Progress, Summary};

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(15);

/// Violations of a failed history that are shown.
const MAX_SHOWN: usize = 4;

/// How many characters the bar has.
const BAR: usize = 30;

pub(crate) struct Report {
    seed: u64,
    began: Instant,
    told: Instant,
}

impl Report {
    pub(crate) fn begin(seed: u64) -> Self {
        let now = Instant::now();
        Self { seed, began: now, told: now }
    }

    /// A history has ended.
    pub(crate) fn tell(&mut self, progress: Progress, history: &History, ended: &Ended) {
        let mut err = std::io::stderr().lock();
        if !ended.violations.is_empty() {
            write_failure(&mut err, self.seed, history, ended);
        }
        let live = err.is_terminal();
        if !live && self.told.elapsed() < LINE && progress.done < progress.of {
            return;
        }
        self.told = Instant::now();
        let line = self.line(progress);
        let _ = if live { write!(err, "\r\x1b[K{line}") } else { writeln!(err, "{line}") };
        let _ = err.flush();
    }

    fn line(&self, Progress { done, of, failed }: Progress) -> String {
        let spent = self.began.elapsed();
        let left = spent.mul_f64((of - done) as f64 / done.max(1) as f64);
        let full = BAR * done / of.max(1);
        let bar: String = (0..BAR).map(|at| if at < full { '#' } else { '-' }).collect();
        let [spent, left] = [spent, left].map(|time| format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60));
        format!("[{bar}] {done}/{of} histories, {failed} failed, {spent} gone, {left} left")
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

fn write_failure(err: &mut impl Write, seed: u64, history: &History, ended: &Ended) {
    let _ = writeln!(err, "\nFAILED (seed {seed}): cargo explore -- {history}");
    for fired in &ended.fired {
        let call = &fired.call;
        let _ = writeln!(err, "  met: {:?} {} {} of {:?}", fired.fault, call.operation, call.key, call.caller);
    }
    for violation in ended.violations.iter().take(MAX_SHOWN) {
        let _ = writeln!(err, "  {violation}");
    }
    if ended.violations.len() > MAX_SHOWN {
        let _ = writeln!(err, "  and {} more", ended.violations.len() - MAX_SHOWN);
    }
}
