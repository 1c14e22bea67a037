//! Retry schedules: when a failed interchange is tried again by itself.

use std::fmt;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::outcome::{after, delay_base};
use crate::{Category, Flow, Interchange, Minute, RetryMode};

/// Fixed delays: the n-th retry comes `delays[n]` after the failure before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// Never empty; each from 1 minute to 1 year.
    pub delays: Vec<SignedDuration>,
}

impl Default for Ladder {
    /// 5 minutes, 10 minutes, 60 minutes, 5 hours, 24 hours.
    fn default() -> Self {
        Self { delays: [5, 10, 60, 300, 1440].into_iter().map(SignedDuration::from_mins).collect() }
    }
}

/// Rebound: each delay is `factor` times the one before, at most `cap`.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponential {
    /// The first delay.
    pub first: SignedDuration,
    /// At least 1.
    pub factor: f64,
    /// The longest delay.
    pub cap: SignedDuration,
    /// Automatic retries before "rebound limit exceeded".
    pub limit: u32,
}

/// How a window's runs are anchored.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowEvery {
    /// Runs count from the flow's activation.
    Hour,
    /// Runs count from this time of day, each day.
    Day {
        /// The wall-clock time.
        at: Time,
        /// The zone whose clock is meant.
        zone: TimeZone,
    },
}

/// Runs at fixed times take what has waited long enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// How runs are anchored.
    pub every: WindowEvery,
    /// Hours between runs, 1-23.
    pub interval: i64,
    /// A failure takes part in the first run that starts at least this long after it.
    pub lapse: SignedDuration,
    /// Most interchanges a run takes.
    pub batch: Option<u32>,
    /// Automatic retries, the main execution not counted.
    pub limit: u32,
}

/// The rule that gives the next retry time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Fixed delays.
    Ladder(Ladder),
    /// Growing delays.
    Exponential(Exponential),
    /// Fixed runs.
    Window(Window),
}

impl Schedule {
    /// The word used in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ladder(_) => "ladder",
            Self::Exponential(_) => "exponential",
            Self::Window(_) => "window",
        }
    }

    /// How many automatic retries there are in all.
    #[must_use]
    pub fn limit(&self) -> u32 {
        match self {
            Self::Ladder(ladder) => u32::try_from(ladder.delays.len()).unwrap_or(u32::MAX),
            Self::Exponential(exponential) => exponential.limit,
            Self::Window(window) => window.limit,
        }
    }

    fn exhausted_rule(&self) -> String {
        match self {
            Self::Ladder(ladder) => format!("the last of {} delays is used up", ladder.delays.len()),
            Self::Exponential(_) => "rebound limit exceeded".to_owned(),
            Self::Window(window) => format!("{} retries were made", window.limit),
        }
    }

    /// When the retry after `done` automatic ones is due for a failure at `failed_at`, not before `earliest`, and
    /// before jitter and rounding.
    fn due(&self, done: u32, failed_at: Timestamp, earliest: Timestamp, activated_at: Timestamp) -> Timestamp {
        match self {
            Self::Ladder(ladder) => {
                let delay = ladder.delays.get(done as usize).copied().unwrap_or(SignedDuration::ZERO);
                after(failed_at, delay).max(earliest)
            }
            Self::Exponential(exponential) => after(failed_at, exponential.delay(done)).max(earliest),
            Self::Window(window) => window.run_from(after(failed_at, window.lapse).max(earliest), activated_at),
        }
    }
}

impl Exponential {
    fn delay(&self, done: u32) -> SignedDuration {
        let power = i32::try_from(done).unwrap_or(i32::MAX);
        let seconds = self.first.as_secs_f64() * self.factor.powi(power);
        SignedDuration::try_from_secs_f64(seconds).unwrap_or(self.cap).min(self.cap)
    }
}

impl Window {
    /// The first run in which a failure takes part: at or after failure + lapse.
    #[must_use]
    pub fn next_run(&self, failed_at: Timestamp, activated_at: Timestamp) -> Timestamp {
        self.run_from(after(failed_at, self.lapse), activated_at)
    }

    /// The first run at or after `eligible`.
    pub(crate) fn run_from(&self, eligible: Timestamp, activated_at: Timestamp) -> Timestamp {
        match &self.every {
            WindowEvery::Hour => self.first_run_from(activated_at, eligible),
            WindowEvery::Day { at, zone } => self.daily_run(*at, zone, eligible),
        }
    }

    fn first_run_from(&self, anchor: Timestamp, eligible: Timestamp) -> Timestamp {
        let step = i128::from(self.interval) * 3_600_000_000_000;
        let waited = eligible.as_nanosecond() - anchor.as_nanosecond();
        let steps = waited.div_euclid(step) + i128::from(waited.rem_euclid(step) != 0);
        Timestamp::from_nanosecond(anchor.as_nanosecond() + steps.max(0) * step).unwrap_or(Timestamp::MAX)
    }

    /// Each day's runs start at its own `at` and end before the next day's.
    fn daily_run(&self, at: Time, zone: &TimeZone, eligible: Timestamp) -> Timestamp {
        let today = zone.to_datetime(eligible).date();
        let anchor = |date: jiff::civil::Date| zone.to_ambiguous_timestamp(date.to_datetime(at)).compatible();
        let days = [today.yesterday(), Ok(today), today.tomorrow(), today.tomorrow().and_then(|d| d.tomorrow())];
        let anchors: Vec<Timestamp> = days.into_iter().flatten().filter_map(|date| anchor(date).ok()).collect();
        for (anchor, next) in anchors.iter().zip(anchors.iter().skip(1)) {
            if eligible > *next {
                continue;
            }
            let run = self.first_run_from(*anchor, eligible);
            return run.min(*next);
        }
        Timestamp::MAX
    }
}

/// When an interchange is retried next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRetry {
    /// On a whole minute, always still to come.
    pub at: Minute,
    /// Why then: "3rd of 5, ladder, partner GLOBEX".
    pub why: String,
}

/// Why there is no next automatic retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRetry {
    /// The flow or the partner is retried by hand only.
    Manual,
    /// Errors of this category wait for a person.
    Category(Category),
    /// Every automatic retry was made.
    Exhausted {
        /// The rule that ended it.
        rule: String,
    },
}

impl fmt::Display for NoRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str("retried by hand only"),
            Self::Category(category) => write!(f, "{} errors wait for a person", category.as_str()),
            Self::Exhausted { rule } => f.write_str(rule),
        }
    }
}

impl Flow {
    /// The next automatic retry of a failed interchange under this flow's policy. `retry_after` (counted from
    /// the failure) moves it later, never earlier. Computing it again gives the same time.
    ///
    /// # Errors
    /// [`NoRetry`] when a person must act.
    pub fn next_retry(
        &self,
        interchange: &Interchange,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<NextRetry, NoRetry> {
        self.next_retry_spread(interchange, retry_after, now, Spread::OfInterchange)
    }

    /// As [`Flow::next_retry`], with a share of the jitter that is chosen here.
    pub(crate) fn next_retry_spread(
        &self,
        interchange: &Interchange,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
        share: Spread,
    ) -> Result<NextRetry, NoRetry> {
        let policy = self.retry_for(interchange.parties.partner.as_deref());
        if policy.mode == RetryMode::Manual {
            return Err(NoRetry::Manual);
        }
        if !policy.categories.contains(&interchange.error.category) {
            return Err(NoRetry::Category(interchange.error.category));
        }
        let limit = policy.schedule.limit();
        if interchange.automatic >= limit {
            return Err(NoRetry::Exhausted { rule: policy.schedule.exhausted_rule() });
        }
        let failed_at = delay_base(interchange.failure);
        // A schedule for this very instant might be made too late to fire.
        let soonest = after(now, SignedDuration::from_nanos(1));
        let earliest = retry_after.map_or(soonest, |by| after(failed_at, by).max(soonest));
        let due = policy.schedule.due(interchange.automatic, failed_at, earliest, self.activated_at);
        let due = match policy.schedule {
            Schedule::Window(_) => due,
            _ if policy.jitter <= 0.0 => due,
            _ => spread(due, failed_at, policy.jitter * share.fraction(interchange)),
        };
        Ok(NextRetry { at: Minute::at_or_after(due), why: self.retry_position(interchange).to_string() })
    }
}

/// How much of the jitter that a policy allows is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// A share that depends on id and attempt alone.
    OfInterchange,
    /// None of it: as early as a retry can be.
    Least,
    /// All of it: as late as a retry can be.
    Most,
}

impl Spread {
    fn fraction(self, interchange: &Interchange) -> f64 {
        match self {
            Self::OfInterchange => {
                let seed = crate::Digest::of(format!("{}#{}", interchange.id, interchange.attempt).as_bytes()).0;
                f64::from(u32::from_be_bytes([seed[0], seed[1], seed[2], seed[3]])) / f64::from(u32::MAX)
            }
            Self::Least => 0.0,
            Self::Most => 1.0,
        }
    }
}

/// Moves `due` later by `share` of its delay.
fn spread(due: Timestamp, failed_at: Timestamp, share: f64) -> Timestamp {
    let extra = due.duration_since(failed_at).as_secs_f64() * share;
    SignedDuration::try_from_secs_f64(extra).map_or(due, |extra| after(due, extra))
}
