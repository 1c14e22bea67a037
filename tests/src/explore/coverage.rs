//! The summary of an exploration: histories, faults by kind, and the call sites with and without a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::history::{History, HistoryResult};
use super::injection::{Injection, fault_name};
use super::site::Site;
use crate::invariants::Violation;

/// The result of an exploration.
#[derive(Debug, Default)]
pub struct Summary {
    /// Histories that were run, including those without a fault.
    pub histories: usize,
    /// The number of single faults and redeliveries that match the filter.
    pub singles: usize,
    /// Histories whose faults did not happen, because the calls were not made this time.
    pub missed: usize,
    /// Faults that happened, by kind. A redelivery counts once per message.
    pub faults: BTreeMap<&'static str, u64>,
    /// Histories that broke an invariant, with the violations.
    pub failures: Vec<(History, Vec<Violation>)>,
    sites: BTreeMap<Site, Coverage>,
    /// The real time that each history took.
    durations: Vec<(Duration, History)>,
}

/// How many of the longest histories are shown.
const MAX_LONGEST: usize = 5;

#[derive(Debug, Default)]
struct Coverage {
    /// The kinds of faults that happened at this site.
    met: BTreeSet<&'static str>,
    /// Whether the call is also made in a history without faults.
    usual: bool,
}

impl Summary {
    /// Adds a history.
    pub(super) fn add(&mut self, history: &History, result: &HistoryResult) {
        self.histories += 1;
        self.durations.push((result.duration, history.clone()));
        let usual = history.injections.is_empty();
        for site in result.calls.iter().filter_map(Site::of) {
            self.sites.entry(site).or_default().usual |= usual;
        }
        for fired in &result.fired {
            let kind = fault_name(fired.fault);
            *self.faults.entry(kind).or_default() += 1;
            if let Some(site) = Site::of(&fired.call) {
                self.sites.entry(site).or_default().met.insert(kind);
            }
        }
        for injection in &history.injections {
            if let Injection::Redelivery { .. } = injection {
                *self.faults.entry(injection.kind()).or_default() += result.redelivered;
            }
        }
        self.missed += usize::from(!usual && result.fired.is_empty() && result.redelivered == 0);
        if !result.violations.is_empty() {
            self.failures.push((history.clone(), result.violations.clone()));
        }
    }

    /// The call sites with at least one fault, with the number of kinds.
    #[must_use]
    pub fn covered(&self) -> Vec<(&Site, usize)> {
        self.sites.iter().filter(|(_, it)| !it.met.is_empty()).map(|(site, it)| (site, it.met.len())).collect()
    }

    /// The call sites without a fault, with the reason.
    #[must_use]
    pub fn uncovered(&self) -> Vec<(&Site, &'static str)> {
        let why = |it: &Coverage| match it.usual {
            true => "its histories were not selected",
            false => "only called after a fault elsewhere",
        };
        self.sites.iter().filter(|(_, it)| it.met.is_empty()).map(|(site, it)| (site, why(it))).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures.len();
        writeln!(
            f,
            "{} histories, out of {} with a single fault and pairs of them; {} missed their call; {failed} failed",
            self.histories, self.singles, self.missed
        )?;
        let mut durations: Vec<_> = self.durations.iter().collect();
        durations.sort_by_key(|(duration, _)| std::cmp::Reverse(*duration));
        let median = durations.get(durations.len() / 2).map_or(0.0, |(duration, _)| duration.as_secs_f64());
        let sum: Duration = durations.iter().map(|(duration, _)| *duration).sum();
        writeln!(f, "median {median:.1} s, total {:.0} s; the longest:", sum.as_secs_f64())?;
        for (duration, history) in durations.into_iter().take(MAX_LONGEST) {
            writeln!(f, "{:.0} s: {history}", duration.as_secs_f64())?;
        }
        writeln!(f, "\n| fault | times |\n|---|---|")?;
        self.faults.iter().try_for_each(|(kind, times)| writeln!(f, "| {kind} | {times} |"))?;
        let (covered, uncovered) = (self.covered(), self.uncovered());
        writeln!(f, "\n{} call sites with a fault, {} without\n", covered.len(), uncovered.len())?;
        writeln!(f, "| caller | service | operation | key | kinds of faults |\n|---|---|---|---|---|")?;
        for (Site { caller, service, operation, key }, kinds) in covered {
            writeln!(f, "| {caller} | {service} | {operation} | {key} | {kinds} |")?;
        }
        for (Site { caller, service, operation, key }, why) in uncovered {
            writeln!(f, "| {caller} | {service} | {operation} | {key} | none: {why} |")?;
        }
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, violations) in &self.failures {
            let broken: BTreeSet<&str> = violations.iter().map(|violation| violation.rule).collect();
            broken.into_iter().for_each(|rule| *rules.entry(rule).or_default() += 1);
        }
        if !rules.is_empty() {
            writeln!(f, "\n| broken invariant | histories |\n|---|---|")?;
        }
        rules.iter().try_for_each(|(rule, times)| writeln!(f, "| {rule} | {times} |"))
    }
}
