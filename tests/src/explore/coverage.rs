//! What an exploration came to: histories, faults by kind, the call sites that met one and those that did not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::history::{Ended, History};
use super::injection::{Injection, word};
use super::site::Site;
use crate::invariants::Violation;

/// The result of an exploration.
#[derive(Debug, Default)]
pub struct Summary {
    /// Histories gone through, those without a fault included.
    pub histories: usize,
    /// Single faults and redeliveries that there are with the filter.
    pub singles: usize,
    /// Histories whose faults met no call: those calls were not made this time.
    pub missed: usize,
    /// Faults that happened, by kind; redeliveries as messages.
    pub faults: BTreeMap<&'static str, u64>,
    /// Histories in which an invariant was broken, with what was found.
    pub failures: Vec<(History, Vec<Violation>)>,
    sites: BTreeMap<Site, Coverage>,
    /// How long each took, in real time.
    took: Vec<(Duration, History)>,
}

/// The longest histories that are shown.
const MAX_LONGEST: usize = 5;

#[derive(Debug, Default)]
struct Coverage {
    /// Kinds of faults that it met.
    met: BTreeSet<&'static str>,
    /// It is called where nothing goes wrong.
    usual: bool,
}

impl Summary {
    /// Adds a history.
    pub(super) fn add(&mut self, history: &History, ended: &Ended) {
        self.histories += 1;
        self.took.push((ended.took, history.clone()));
        let usual = history.injections.is_empty();
        for site in ended.calls.iter().filter_map(Site::of) {
            self.sites.entry(site).or_default().usual |= usual;
        }
        for fired in &ended.fired {
            let kind = word(fired.fault);
            *self.faults.entry(kind).or_default() += 1;
            if let Some(site) = Site::of(&fired.call) {
                self.sites.entry(site).or_default().met.insert(kind);
            }
        }
        for injection in &history.injections {
            if let Injection::Redelivery { .. } = injection {
                *self.faults.entry(injection.kind()).or_default() += ended.redelivered;
            }
        }
        self.missed += usize::from(!usual && ended.fired.is_empty() && ended.redelivered == 0);
        if !ended.violations.is_empty() {
            self.failures.push((history.clone(), ended.violations.clone()));
        }
    }

    /// The call sites that met at least one fault, with how many kinds of them.
    #[must_use]
    pub fn covered(&self) -> Vec<(&Site, usize)> {
        self.sites.iter().filter(|(_, it)| !it.met.is_empty()).map(|(site, it)| (site, it.met.len())).collect()
    }

    /// The call sites that met none, and why.
    #[must_use]
    pub fn uncovered(&self) -> Vec<(&Site, &'static str)> {
        let why = |it: &Coverage| match it.usual {
            true => "its histories are not among these",
            false => "called only after a fault elsewhere",
        };
        self.sites.iter().filter(|(_, it)| it.met.is_empty()).map(|(site, it)| (site, why(it))).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures.len();
        writeln!(
            f,
            "{} histories of {} single ones and pairs; {} missed their call; {failed} failed",
            self.histories, self.singles, self.missed
        )?;
        let mut took: Vec<_> = self.took.iter().collect();
        took.sort_by_key(|(took, _)| std::cmp::Reverse(*took));
        let median = took.get(took.len() / 2).map_or(0.0, |(took, _)| took.as_secs_f64());
        let sum: Duration = took.iter().map(|(took, _)| *took).sum();
        writeln!(
            f,
            "half of them took less than {median:.1} s, all together {:.0} s; the longest:",
            sum.as_secs_f64()
        )?;
        for (took, history) in took.into_iter().take(MAX_LONGEST) {
            writeln!(f, "{:.0} s: {history}", took.as_secs_f64())?;
        }
        writeln!(f, "\n| fault | times |\n|---|---|")?;
        self.faults.iter().try_for_each(|(kind, times)| writeln!(f, "| {kind} | {times} |"))?;
        let (covered, uncovered) = (self.covered(), self.uncovered());
        writeln!(f, "\n{} call sites met a fault, {} did not\n", covered.len(), uncovered.len())?;
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
            writeln!(f, "\n| broken | histories |\n|---|---|")?;
        }
        rules.iter().try_for_each(|(rule, times)| writeln!(f, "| {rule} | {times} |"))
    }
}
