//! When the failures of a flow that are not resolved happened: how many in each minute, counted in the rows that the
//! commits write anyway, as one more number. Only sums can be kept exact by writers that never meet; the oldest and the
//! newest failure are read off them, so a flow's times cost no look-up and are as exact as its counts.
//!
//! A minute is told apart while it is recent. What is older is counted by the hour, and then by the day: the rows stay
//! small however long an outage lasts, and a failure of last month is as well placed by its day as one of today by its
//! minute. Writers, readers and the sweep each widen by the age that they see; all of them may, as the sum of what was
//! put into a span and what was taken out of it does not ask how wide the parts were.

use std::collections::BTreeMap;

use domain::Timestamp;

use crate::item::{Item, number};

/// How long minutes are told apart, in hours: a row holds at most this many hours' worth of them.
const HOURS_OF_MINUTES: i64 = 6;

/// How long hours are told apart, in days.
const DAYS_OF_HOURS: i64 = 7;

/// A minute, hour or day (UTC) in which failures happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket {
    width: Width,
    /// How many of this width there were since 1970.
    number: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Width {
    Minute,
    Hour,
    Day,
}

impl Width {
    fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// The first letter of its attributes.
    fn letter(self) -> char {
        match self {
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
        }
    }
}

impl Bucket {
    /// The minute of a time; the first of 1970 for all before it.
    pub(crate) fn minute(time: Timestamp) -> Self {
        Self { width: Width::Minute, number: time.as_second().max(0) / Width::Minute.seconds() }
    }

    /// The span as it is told apart at `now`: itself, or the one around it.
    pub(crate) fn at(self, now: Timestamp) -> Self {
        let distance = |width| (Self::minute(now).within(width).number - self.within(width).number).abs();
        match self.width {
            Width::Minute if distance(Width::Hour) > HOURS_OF_MINUTES => self.within(Width::Hour).at(now),
            Width::Hour if distance(Width::Day) > DAYS_OF_HOURS => self.within(Width::Day),
            Width::Minute | Width::Hour | Width::Day => self,
        }
    }

    /// The attribute that counts it.
    pub(crate) fn name(self) -> String {
        format!("{}{}", self.width.letter(), self.number)
    }

    /// The span that an attribute counts; `None` where it counts something else.
    pub(crate) fn named(attribute: &str) -> Option<Self> {
        let (letter, number) = attribute.split_at_checked(1)?;
        let width = [Width::Minute, Width::Hour, Width::Day].into_iter().find(|w| letter.starts_with(w.letter()))?;
        Some(Self { width, number: number.parse().ok()? })
    }

    /// The span of this width that it lies in or, where that is narrower, begins with.
    fn within(self, width: Width) -> Self {
        Self { width, number: self.second() / width.seconds() }
    }

    fn second(self) -> i64 {
        self.number.saturating_mul(self.width.seconds())
    }
}

/// Failures by when they happened, put together from rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FailureHistogram(pub(crate) BTreeMap<Bucket, i64>);

impl FailureHistogram {
    /// Adds what a row counts, as it is told apart at `now`.
    pub(crate) fn add(&mut self, row: &Item, now: Timestamp) {
        for attribute in row.keys() {
            if let (Some(span), Some(by)) = (Bucket::named(attribute), number::<i64>(row, attribute)) {
                *self.0.entry(span.at(now)).or_default() += by;
            }
        }
    }

    /// The beginnings of the first and of the last span in which there are failures; `None` where there are none.
    pub(crate) fn ends(mut self) -> Option<(Timestamp, Timestamp)> {
        self.0.retain(|_, count| *count != 0);
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for (span, count) in &self.0 {
            // Where some of it was counted wider, by a clock that is ahead, only that span's sum tells anything.
            let around = [Width::Day, Width::Hour].map(|width| span.within(width));
            let told = around.into_iter().find(|wider| self.0.contains_key(wider)).unwrap_or(*span);
            *counts.entry(told.second()).or_default() += count;
        }
        let mut failed = counts.into_iter().filter(|(_, count)| *count > 0).map(|(second, _)| second);
        let oldest = failed.next()?;
        let newest = failed.next_back().unwrap_or(oldest);
        Some((Timestamp::from_second(oldest).ok()?, Timestamp::from_second(newest).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::item::n;

    impl FailureHistogram {
        /// What rows say together.
        fn folded(rows: &[Self], now: Timestamp) -> Self {
            let mut folded = Self::default();
            for row in rows {
                let row: Item = row.0.iter().map(|(span, count)| (span.name(), n(count))).collect();
                folded.add(&row, now);
            }
            folded
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    /// A row of a writer that saw these failures come (1) and go (-1) at these moments.
    fn row(changes: &[(&str, &str, i64)]) -> Item {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for (failed_at, now, by) in changes {
            *sums.entry(Bucket::minute(at(failed_at)).at(at(now)).name()).or_default() += by;
        }
        sums.into_iter().map(|(name, by)| (name, n(by))).collect()
    }

    fn ends(rows: &[Item], now: &str) -> Option<(Timestamp, Timestamp)> {
        let mut spans = FailureHistogram::default();
        rows.iter().for_each(|row| spans.add(row, at(now)));
        spans.ends()
    }

    #[test]
    fn what_is_further_away_is_told_apart_less_finely() {
        let now = at("2026-11-20T14:30:00Z");
        let told = |time: &str| Timestamp::from_second(Bucket::minute(at(time)).at(now).second()).unwrap();
        for (failed_at, shown) in [
            ("2026-11-20T14:29:59.9Z", "2026-11-20T14:29:00Z"),
            ("2026-11-20T08:00:30Z", "2026-11-20T08:00:00Z"),
            ("2026-11-20T07:59:30Z", "2026-11-20T07:00:00Z"),
            ("2026-11-13T00:40:00Z", "2026-11-13T00:00:00Z"),
            ("2026-11-12T23:40:00Z", "2026-11-12T00:00:00Z"),
            ("1960-01-01T05:00:00Z", "1970-01-01T00:00:00Z"),
            ("2026-11-20T20:59:59Z", "2026-11-20T20:59:00Z"),
            ("2031-01-01T05:30:00Z", "2031-01-01T00:00:00Z"),
        ] {
            assert_eq!(told(failed_at), at(shown), "{failed_at}");
        }
    }

    #[test]
    fn what_one_writer_puts_in_another_takes_out_whatever_the_hour_of_either() {
        let failed_at = "2026-11-01T09:17:00Z";
        for now in ["2026-11-01T09:18:00Z", "2026-11-01T16:00:00Z", "2026-11-20T14:00:00Z"] {
            let came = row(&[(failed_at, failed_at, 1), ("2026-11-20T13:58:00Z", "2026-11-20T13:58:00Z", 1)]);
            let left = row(&[(failed_at, now, -1)]);
            let other = at("2026-11-20T13:58:00Z");
            assert_eq!(ends(&[came, left], "2026-11-20T14:00:00Z"), Some((other, other)), "gone at {now}");
        }
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_make_a_failure_that_is_gone_the_oldest() {
        let (failed_at, ahead) = ("2026-11-20T07:40:00Z", "2026-11-20T14:00:00.1Z");
        let came = row(&[(failed_at, failed_at, 1), ("2026-11-20T07:45:00Z", "2026-11-20T07:45:00Z", 1)]);
        let left = row(&[(failed_at, ahead, -1)]);
        let hour = at("2026-11-20T07:00:00Z");
        assert_eq!(ends(&[came, left], "2026-11-20T13:59:59.9Z"), Some((hour, hour)));
    }

    #[test]
    fn nothing_is_told_of_what_is_gone_or_was_never_counted() {
        let minute = "2026-11-20T13:00:00Z";
        assert_eq!(ends(&[], minute), None);
        assert_eq!(ends(&[row(&[(minute, minute, 1)]), row(&[(minute, minute, -1)])], minute), None);
        assert_eq!(ends(&[row(&[(minute, minute, -1)])], minute), None);
    }

    #[test]
    fn other_attributes_are_no_spans() {
        for attribute in ["pk", "d", "deleted", "msg", "k", "at", "failed", "m", "h1x", "é1", ""] {
            assert_eq!(Bucket::named(attribute), None, "{attribute}");
        }
    }

    proptest! {
        /// Failures that came and went at any time, written by any of three writers, and folded now and then.
        #[test]
        fn writes_and_folds_in_any_order_give_the_oldest_and_newest_failure_that_is_left(
            failures in prop::collection::vec((0i64..15_000, 0i64..3_000, prop::option::of(1i64..15_000), 0usize..9), 1..40),
            folds in prop::collection::vec(0i64..30_000, 0..4),
        ) {
            let minutes = |count: i64| at("2026-11-01T00:00:00Z") + jiff::SignedDuration::from_mins(count);
            let mut changes: Vec<(i64, usize, Timestamp, i64)> = Vec::new();
            for (failed, late, stands, writers) in &failures {
                let recorded = failed + late;
                changes.push((recorded, writers % 3, minutes(*failed), 1));
                changes.extend(stands.map(|stands| (recorded + stands, writers / 3, minutes(*failed), -1)));
            }
            changes.extend(folds.iter().map(|when| (*when, 3, Timestamp::UNIX_EPOCH, 0)));
            changes.sort_unstable();
            let mut rows = [FailureHistogram::default(), FailureHistogram::default(), FailureHistogram::default(), FailureHistogram::default()];
            let mut left: Vec<Timestamp> = Vec::new();
            for (when, writer, failed_at, by) in changes {
                let now = minutes(when);
                match by {
                    0 => rows = [FailureHistogram::default(), FailureHistogram::default(), FailureHistogram::default(), FailureHistogram::folded(&rows, now)],
                    1 => left.push(failed_at),
                    _ => drop(left.remove(left.iter().position(|time| *time == failed_at).unwrap())),
                }
                if by != 0 {
                    *rows[writer].0.entry(Bucket::minute(failed_at).at(now)).or_default() += by;
                }
                let told = |time: &Timestamp| Timestamp::from_second(Bucket::minute(*time).at(now).second()).unwrap();
                let oracle = left.iter().map(told).min().zip(left.iter().map(told).max());
                prop_assert_eq!(FailureHistogram::folded(&rows, now).ends(), oracle);
            }
        }
    }
}
