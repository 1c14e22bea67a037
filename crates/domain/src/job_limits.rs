//! How carefully a job goes, and the pace that this makes.

/// How carefully a job goes; what is left out does not limit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobLimits {
    /// Messages per second.
    pub rate: Option<u32>,
    /// The most it takes.
    pub cap: Option<u64>,
    /// How many it sends first; it goes on only when they all completed.
    pub canary: Option<u32>,
}

/// Most interchanges of one chunk: what run-job sees to in a second or two.
const MAX_IN_CHUNK: u32 = 100;

/// Most interchanges that one step of a walk looks for.
const MAX_IN_STEP: u32 = 1_000;

/// Most chunks of one step: with the job itself they are written in one transaction of at most 100 items.
const MAX_CHUNKS: u32 = 90;

/// Most seconds that the chunks of one step are spread over: SQS delays a message by at most 900.
const MAX_SPREAD: u32 = 600;

impl JobLimits {
    /// Interchanges of one chunk: a second's worth at most where a rate is asked for.
    #[must_use]
    pub fn chunk(self) -> u32 {
        self.rate.unwrap_or(MAX_IN_CHUNK).clamp(1, MAX_IN_CHUNK)
    }

    /// Interchanges that one step of a walk looks for.
    #[must_use]
    pub fn step(self) -> u32 {
        let spread = self.rate.map_or(MAX_IN_STEP, |rate| rate.saturating_mul(MAX_SPREAD));
        spread.clamp(1, MAX_IN_STEP).min(self.chunk() * MAX_CHUNKS)
    }

    /// The second, counted from the step's own, in which the interchange at `position` of a step is due.
    #[must_use]
    pub fn second_of(self, position: u64) -> u64 {
        self.rate.map_or(0, |rate| position / u64::from(rate.max(1)))
    }

    /// The seconds between a chunk and the one after it, where one follows the other.
    #[must_use]
    pub fn seconds_after(self, chunk: u64) -> u64 {
        let size = u64::from(self.chunk());
        self.second_of((chunk + 1) * size) - self.second_of(chunk * size)
    }
}
