//! Which histories there are: each call of each scenario with each fault that it can meet, redeliveries, and pairs by the dice.

use std::collections::BTreeMap;
use std::time::Duration;

use local_aws::{Fault, RedeliveryKind, SeenCall, Service};

use super::history::History;
use super::injection::{Call, Dose, Injection, QUEUES};
use super::scenarios::Scenario;

/// Of what is called more often than this (the sweep, every minute) the first half of these is taken, and the other half by the dice.
const MAX_OF_AN_OPERATION: u64 = 32;

/// Every so many calls one meets a fault that lasts.
const LASTING: u64 = 4;

/// How long a fault lasts that lasts: longer than every deadline of the scenarios.
const LASTS: Dose = Dose::Minutes(20);

/// One history of so many has a pair of faults, if there are single ones enough.
const PAIRS: usize = 6;

/// What is taken of all histories.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Parts of scenarios' names; empty takes all.
    pub scenarios: Vec<String>,
    /// Parts of the kinds of faults.
    pub faults: Vec<String>,
    /// Parts of `run-job/dynamodb/GetItem/2`.
    pub calls: Vec<String>,
}

impl Filter {
    /// The scenarios that it takes.
    #[must_use]
    pub fn scenarios(&self) -> Vec<Scenario> {
        let taken =
            |scenario: &Scenario| self.scenarios.is_empty() || self.scenarios.iter().any(|it| it == scenario.name());
        Scenario::ALL.into_iter().filter(taken).collect()
    }

    fn takes(&self, injection: &Injection) -> bool {
        let any =
            |words: &[String], text: &str| words.is_empty() || words.iter().any(|word| text.contains(word.as_str()));
        let call = match injection {
            Injection::Fault(call, ..) => call.to_string(),
            Injection::Redelivery { queue, .. } => (*queue).to_owned(),
        };
        any(&self.faults, injection.kind()) && any(&self.calls, &call)
    }
}

/// Numbers without a pattern (`SplitMix64`): the same for the same seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        usize::try_from(bits % sides.max(1) as u64).unwrap_or_default()
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.roll(i + 1));
        }
    }
}

/// What can go wrong in a scenario that makes these calls.
pub(super) fn singles(calls: &[SeenCall], filter: &Filter, dice: &mut Dice) -> Vec<Injection> {
    let mut made: BTreeMap<(String, Service, String), u64> = BTreeMap::new();
    for call in calls {
        if let Some(caller) = &call.caller {
            let caller = caller.trim_start_matches("reprise-").to_owned();
            *made.entry((caller, call.service, call.operation.clone())).or_default() += 1;
        }
    }
    let mut singles = Vec::new();
    for ((caller, service, operation), count) in made {
        for nth in chosen(count, dice) {
            let call = Call { caller: caller.clone(), service, operation: operation.clone(), nth };
            let faults = Fault::ALL.into_iter().filter(|fault| fault.applies_to(service, &operation));
            let doses = faults.flat_map(|fault| doses(fault, nth).iter().map(move |dose| (fault, *dose)));
            singles.extend(doses.map(|(fault, dose)| Injection::Fault(call.clone(), fault, dose)));
        }
    }
    singles.extend(redeliveries());
    singles.retain(|injection| filter.takes(injection));
    singles
}

/// The histories of a seed, so many at most: single faults, then pairs, one for each five single ones.
pub(super) fn histories(singles: &BTreeMap<Scenario, Vec<Injection>>, most: usize, dice: &mut Dice) -> Vec<History> {
    let one = |(scenario, injection): (Scenario, &Injection)| History { scenario, injections: vec![injection.clone()] };
    let all = singles.iter().flat_map(|(scenario, all)| all.iter().map(|injection| (*scenario, injection)));
    let mut histories: Vec<History> = all.map(one).collect();
    dice.shuffle(&mut histories);
    let most = most.min(histories.len() * PAIRS / (PAIRS - 1));
    histories.truncate(most - most / PAIRS);
    let scenarios: Vec<_> = singles.iter().filter(|(_, all)| !all.is_empty()).collect();
    while histories.len() < most && !scenarios.is_empty() {
        let (scenario, all) = scenarios[dice.roll(scenarios.len())];
        let injections = [(); 2].map(|()| all[dice.roll(all.len())].clone()).to_vec();
        histories.push(History { scenario: *scenario, injections });
    }
    histories
}

fn chosen(count: u64, dice: &mut Dice) -> Vec<u64> {
    if count <= MAX_OF_AN_OPERATION {
        return (1..=count).collect();
    }
    let half = MAX_OF_AN_OPERATION / 2;
    let mut rest: Vec<u64> = (half + 1..=count).collect();
    dice.shuffle(&mut rest);
    (1..=half).chain(rest.into_iter().take(usize::try_from(half).unwrap_or_default())).collect()
}

fn doses(fault: Fault, nth: u64) -> &'static [Dose] {
    match fault {
        // Each takes its time-out.
        Fault::Hang | Fault::HangAfter => &[Dose::Once],
        Fault::KillBefore | Fault::KillAfter => &[Dose::Once, Dose::Some],
        _ if nth % LASTING == 1 => &[Dose::Once, Dose::Some, LASTS],
        _ => &[Dose::Once, Dose::Some],
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
        let all = BTreeMap::from([(Scenario::ByHand, singles.clone()), (Scenario::Erased, singles)]);
        let pairs = |most| {
            let made = histories(&all, most, &mut Dice(1));
            (made.len(), made.iter().filter(|history| history.injections.len() == 2).count())
        };
        assert_eq!(pairs(usize::MAX), (24, 4));
        assert_eq!(pairs(12), (12, 2));
        assert_eq!(histories(&BTreeMap::new(), usize::MAX, &mut Dice(1)).len(), 0);
    }
}
