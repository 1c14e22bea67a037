//! Plans the histories: each call of each scenario with each fault that it can meet, redeliveries, and random pairs.

use std::collections::BTreeMap;
use std::time::Duration;

use local_aws::{Fault, RedeliveryKind, SeenCall, Service};

use super::history::History;
use super::injection::{Call, Dose, Injection, QUEUES};
use super::scenarios::Scenario;

/// Calls per operation that get faults. Of an operation with more calls (the sweep runs every minute) the first 16 are taken, and
/// 16 others at random.
const MAX_CALLS_PER_OPERATION: u64 = 32;

/// One call in so many also gets a lasting fault.
const LASTING_FAULT_EVERY: u64 = 4;

/// The duration of a lasting fault: longer than every deadline of the scenarios.
const LASTING_DOSE: Dose = Dose::Minutes(20);

/// One history in so many has a pair of faults, if there are enough single ones.
const PAIR_EVERY: usize = 6;

/// Selects histories.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Names of scenarios. Empty selects all.
    pub scenarios: Vec<String>,
    /// Parts of the names of faults. Empty selects all.
    pub faults: Vec<String>,
    /// Parts of calls such as `run-job/dynamodb/GetItem/2`. Empty selects all.
    pub calls: Vec<String>,
}

impl Filter {
    /// The selected scenarios.
    #[must_use]
    pub fn scenarios(&self) -> Vec<Scenario> {
        let selected =
            |scenario: &Scenario| self.scenarios.is_empty() || self.scenarios.iter().any(|it| it == scenario.name());
        Scenario::ALL.into_iter().filter(selected).collect()
    }

    fn selects(&self, injection: &Injection) -> bool {
        let any =
            |words: &[String], text: &str| words.is_empty() || words.iter().any(|word| text.contains(word.as_str()));
        let call = match injection {
            Injection::Fault(call, ..) => call.to_string(),
            Injection::Redelivery { queue, .. } => (*queue).to_owned(),
        };
        any(&self.faults, injection.kind()) && any(&self.calls, &call)
    }
}

/// Pseudo-random numbers (`SplitMix64`), the same for the same seed.
#[derive(Debug, Clone)]
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        usize::try_from(bits % bound.max(1) as u64).unwrap_or_default()
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.below(i + 1));
        }
    }
}

/// All single injections for a scenario that makes these calls.
pub(super) fn singles(calls: &[SeenCall], filter: &Filter, rng: &mut Rng) -> Vec<Injection> {
    let mut made: BTreeMap<(String, Service, String), u64> = BTreeMap::new();
    for call in calls {
        if let Some(caller) = &call.caller {
            let caller = caller.trim_start_matches("reprise-").to_owned();
            *made.entry((caller, call.service, call.operation.clone())).or_default() += 1;
        }
    }
    let mut singles = Vec::new();
    for ((caller, service, operation), count) in made {
        for nth in call_numbers(count, rng) {
            let call = Call { caller: caller.clone(), service, operation: operation.clone(), nth };
            let faults = Fault::ALL.into_iter().filter(|fault| fault.applies_to(service, &operation));
            let doses = faults.flat_map(|fault| doses(fault, nth).iter().map(move |dose| (fault, *dose)));
            singles.extend(doses.map(|(fault, dose)| Injection::Fault(call.clone(), fault, dose)));
        }
    }
    singles.extend(redeliveries());
    singles.retain(|injection| filter.selects(injection));
    singles
}

/// Plans at most `max` histories: single faults, then a pair for each five of them.
pub(super) fn histories(singles: &BTreeMap<Scenario, Vec<Injection>>, max: usize, rng: &mut Rng) -> Vec<History> {
    let one = |(scenario, injection): (Scenario, &Injection)| History { scenario, injections: vec![injection.clone()] };
    let all = singles.iter().flat_map(|(scenario, all)| all.iter().map(|injection| (*scenario, injection)));
    let mut histories: Vec<History> = all.map(one).collect();
    rng.shuffle(&mut histories);
    let max = max.min(histories.len() * PAIR_EVERY / (PAIR_EVERY - 1));
    histories.truncate(max - max / PAIR_EVERY);
    let scenarios: Vec<_> = singles.iter().filter(|(_, all)| !all.is_empty()).collect();
    while histories.len() < max && !scenarios.is_empty() {
        let (scenario, all) = scenarios[rng.below(scenarios.len())];
        let injections = [(); 2].map(|()| all[rng.below(all.len())].clone()).to_vec();
        histories.push(History { scenario: *scenario, injections });
    }
    histories
}

fn call_numbers(count: u64, rng: &mut Rng) -> Vec<u64> {
    if count <= MAX_CALLS_PER_OPERATION {
        return (1..=count).collect();
    }
    let half = MAX_CALLS_PER_OPERATION / 2;
    let mut rest: Vec<u64> = (half + 1..=count).collect();
    rng.shuffle(&mut rest);
    (1..=half).chain(rest.into_iter().take(usize::try_from(half).unwrap_or_default())).collect()
}

fn doses(fault: Fault, nth: u64) -> &'static [Dose] {
    match fault {
        // Only once, as each takes the caller's time-out in real time.
        Fault::Hang | Fault::HangAfter => &[Dose::Once],
        Fault::KillBefore | Fault::KillAfter => &[Dose::Once, Dose::Repeated],
        _ if nth % LASTING_FAULT_EVERY == 1 => &[Dose::Once, Dose::Repeated, LASTING_DOSE],
        _ => &[Dose::Once, Dose::Repeated],
    }
}

fn redeliveries() -> impl Iterator<Item = Injection> {
    let minutes = [
        (RedeliveryKind::WhileInFlight, 0),
        (RedeliveryKind::WhileInFlight, 30),
        (RedeliveryKind::AfterDelete, 0),
        (RedeliveryKind::AfterDelete, 60),
        (RedeliveryKind::AfterDelete, 15 * 60),
        (RedeliveryKind::Late, 60),
        (RedeliveryKind::Late, 16 * 60),
    ];
    QUEUES.into_iter().flat_map(move |queue| {
        minutes.into_iter().map(move |(again, seconds)| Injection::Redelivery {
            queue,
            again,
            after: Duration::from_secs(seconds),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_limit_there_is_a_pair_for_each_five_single_faults() {
        let singles: Vec<Injection> = redeliveries().take(10).collect();
        let all = BTreeMap::from([(Scenario::ByHand, singles.clone()), (Scenario::Erase, singles)]);
        let pairs = |max| {
            let made = histories(&all, max, &mut Rng(1));
            (made.len(), made.iter().filter(|history| history.injections.len() == 2).count())
        };
        assert_eq!(pairs(usize::MAX), (24, 4));
        assert_eq!(pairs(12), (12, 2));
        assert_eq!(histories(&BTreeMap::new(), usize::MAX, &mut Rng(1)).len(), 0);
    }
}
