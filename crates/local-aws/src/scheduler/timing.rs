//! Calculates the occurrences of a schedule: `at(…)`, `rate(…)` and `cron(…)`, in a time zone, between two dates.

use croner::Cron;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::cron;
use super::definition::Definition;
use super::error::SchedulerError;
use crate::clock::instant;

/// The timing of a schedule. Times are Unix milliseconds.
pub(super) struct Timing {
    expression: Expression,
    zone: TimeZone,
    start: Option<i64>,
    end: Option<i64>,
}

enum Expression {
    At(DateTime),
    Rate(i64),
    Cron(Box<Cron>),
}

impl Timing {
    /// # Errors
    /// `ValidationException` naming the expression, the zone or the date.
    pub(super) fn of(definition: &Definition) -> Result<Self, SchedulerError> {
        let text = &definition.schedule_expression;
        let expression =
            parse(text).ok_or_else(|| SchedulerError::Validation(format!("Invalid Schedule Expression {text}.")))?;
        let name = &definition.schedule_expression_timezone;
        let zone = TimeZone::get(name)
            .map_err(|_| SchedulerError::Validation(format!("Invalid ScheduleExpressionTimezone {name}.")))?;
        let (start, end) = (definition.start_date.map(millis), definition.end_date.map(millis));
        if let (Some(start), Some(end)) = (start, end)
            && start >= end
        {
            let message = format!("The StartDate {} must come before the EndDate {}.", instant(start), instant(end));
            return Err(SchedulerError::Validation(message));
        }
        Ok(Self { expression, zone, start, end })
    }

    /// The first occurrence of a schedule that was created or updated at `now`. A past `at(…)` and a rate without a start date
    /// are due immediately.
    pub(super) fn first(&self, now: i64) -> Option<i64> {
        match &self.expression {
            Expression::At(local) => cron::resolve(*local, &self.zone).map(|at| at.as_millisecond()),
            Expression::Rate(_) => self.next(now, now - 1),
            Expression::Cron(_) => self.next(now, now),
        }
    }

    /// The first occurrence after `after`. `modified_at` is the time when the schedule was created or last updated.
    pub(super) fn next(&self, modified_at: i64, after: i64) -> Option<i64> {
        let start = self.start.unwrap_or(modified_at);
        let next = match &self.expression {
            Expression::At(_) => None,
            Expression::Rate(interval) if after < start => Some(start).filter(|_| *interval > 0),
            Expression::Rate(interval) => Some(start + ((after - start).div_euclid(*interval) + 1) * interval),
            Expression::Cron(cron) => {
                cron::next(cron, &self.zone, instant(after.max(start - 1))).map(|at| at.as_millisecond())
            }
        };
        next.filter(|next| self.end.is_none_or(|end| *next <= end))
    }
}

fn parse(text: &str) -> Option<Expression> {
    let inside = |kind: &str| text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(local) = inside("at") {
        return (local.len() == "yyyy-mm-ddThh:mm:ss".len())
            .then(|| DateTime::strptime("%Y-%m-%dT%H:%M:%S", local).ok())
            .flatten()
            .map(Expression::At);
    }
    if let Some(rate) = inside("rate") {
        let (count, unit) = rate.split_once(' ')?;
        let unit: i64 = match unit {
            "minute" | "minutes" => 60_000,
            "hour" | "hours" => 3_600_000,
            "day" | "days" => 86_400_000,
            _ => return None,
        };
        let count: i64 = count.parse().ok().filter(|count| *count > 0)?;
        return count.checked_mul(unit).map(Expression::Rate);
    }
    inside("cron").and_then(cron::parse).map(|cron| Expression::Cron(Box::new(cron)))
}

/// Converts a date of the API: seconds with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "no date anybody writes is beyond 64 bits of milliseconds")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}
