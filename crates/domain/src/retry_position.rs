//! Where an interchange stands on its retry schedule: which automatic retry comes next, of how many, and by whose policy.

use std::fmt;

use crate::{Flow, Interchange};

/// The place of the next automatic retry in its schedule. As text: "3rd of 5, ladder, partner GLOBEX".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPosition {
    /// Counts automatic re-entries from 1; a manual one leaves it where it was.
    pub number: u32,
    /// How many there are in all. A retry that was planned before its schedule got shorter is the last of as many as it counts.
    pub of: u32,
    /// The schedule's word in JSON.
    pub kind: &'static str,
    /// The partner whose policy counts, where the flow has one for it; the flow's own counts otherwise.
    pub partner: Option<String>,
}

impl fmt::Display for RetryPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, {}", ordinal(self.number), self.of, self.kind)?;
        self.partner.iter().try_for_each(|partner| write!(f, ", partner {partner}"))
    }
}

impl Flow {
    /// The place of the interchange's next automatic retry under the policy as it is now.
    #[must_use]
    pub fn retry_position(&self, interchange: &Interchange) -> RetryPosition {
        let partner = interchange.parties.partner.as_deref();
        let schedule = &self.retry_for(partner).schedule;
        let number = interchange.automatic + 1;
        RetryPosition {
            number,
            of: schedule.limit().max(number),
            kind: schedule.kind(),
            partner: partner.filter(|partner| self.partners.contains_key(*partner)).map(str::to_owned),
        }
    }
}

fn ordinal(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}
