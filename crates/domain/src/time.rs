//! Whole minutes: Scheduler is precise to the minute, so everything that falls due does so on one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::FlowName;

const NANOS_PER_MINUTE: i128 = 60 * 1_000_000_000;

/// A point in time on a whole minute (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(Timestamp);

impl Minute {
    /// The first whole minute at or after `time`; the last one there is when `time` is beyond it.
    #[must_use]
    pub fn at_or_after(time: Timestamp) -> Self {
        let nanos = time.as_nanosecond();
        let up = nanos.div_euclid(NANOS_PER_MINUTE) + i128::from(nanos.rem_euclid(NANOS_PER_MINUTE) != 0);
        Timestamp::from_nanosecond(up * NANOS_PER_MINUTE).map_or_else(|_| Self::at_or_before(time), Self)
    }

    pub(crate) fn at_or_before(time: Timestamp) -> Self {
        let nanos = time.as_nanosecond().div_euclid(NANOS_PER_MINUTE) * NANOS_PER_MINUTE;
        Self(Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The instant itself.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for Minute {
    /// RFC 3339, as in `2026-11-20T14:05:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// All interchanges of one flow that fall due in the same minute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// The minute it falls due.
    pub minute: Minute,
    /// Whose interchanges it holds.
    pub flow: FlowName,
}

/// How far the clock that calls a slot may be ahead of Reprise's.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

impl Slot {
    /// Whether its minute has come, give or take 30 s between two clocks.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.minute.timestamp().duration_since(now) <= CLOCK_TOLERANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_whole_minute_stays_and_anything_past_it_goes_up() {
        let at = |s: &str| s.parse::<Timestamp>().unwrap();
        assert_eq!(Minute::at_or_after(at("2026-11-20T14:05:00Z")).timestamp(), at("2026-11-20T14:05:00Z"));
        assert_eq!(Minute::at_or_after(at("2026-11-20T14:05:00.000000001Z")).timestamp(), at("2026-11-20T14:06:00Z"));
    }

    #[test]
    fn a_slot_is_due_when_its_minute_has_come_and_never_a_minute_before() {
        let at = |s: &str| s.parse::<Timestamp>().unwrap();
        let slot = Slot { minute: Minute::at_or_after(at("2026-11-20T14:05:00Z")), flow: FlowName::unassigned() };
        let due = |now: &str| slot.is_due(at(now));
        assert!(due("2026-11-20T14:05:00Z") && due("2026-11-21T14:05:00Z") && due("2026-11-20T14:04:58Z"));
        assert!(!due("2026-11-20T14:04:00Z") && !due("2026-11-19T14:05:00Z"));
    }

    proptest! {
        #[test]
        fn rounding_never_goes_back_and_never_adds_a_minute(second in -10_000_000_000i64..100_000_000_000, nano in 0i32..1_000_000_000) {
            let time = Timestamp::new(second, nano).unwrap();
            let minute = Minute::at_or_after(time).timestamp();
            prop_assert!(minute >= time);
            prop_assert!(minute.duration_since(time).as_secs() < 60);
            prop_assert_eq!(minute.as_second() % 60, 0);
        }
    }
}
