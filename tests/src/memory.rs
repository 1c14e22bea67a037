//! Measures the memory of the functions' processes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use crate::World;

impl World {
    /// Moves the clock and returns the largest peak of resident memory of one process of `function`, in KiB. Waits without a
    /// limit.
    ///
    /// # Panics
    /// When the clock does not move, or when no process of the function ran.
    pub async fn peak_memory_while_advancing(&self, by: SignedDuration, function: &str) -> u64 {
        let advance = self.stack.aws().advance(by);
        tokio::pin!(advance);
        let mut peaks: BTreeMap<u32, u64> = BTreeMap::new();
        let mut sampling = tokio::time::interval(Duration::from_millis(20));
        loop {
            let is_over = tokio::select! {
                moved = &mut advance => { moved.expect("the clock moves"); true }
                _ = sampling.tick() => false,
            };
            for pid in self.stack.environment_pids(function).expect("the stack has the function") {
                peaks.extend(peak_of(pid).map(|peak| (pid, peak)));
            }
            if is_over {
                return peaks.into_values().max().expect("the function ran");
            }
        }
    }
}

/// The peak of a process's resident memory in KiB, while it runs.
fn peak_of(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
