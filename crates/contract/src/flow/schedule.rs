//! Retry schedules as a configuration writes them.

use domain::{Exponential, Ladder, Schedule, Window, WindowEvery};
use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::{LEAST_DELAY, YEAR};
use crate::FieldError;
use crate::fields::{Field, Fields};

const MAX_DELAYS: usize = 100;
const MAX_RETRIES: u32 = 1_000;
const MAX_IN_A_BATCH: u32 = 1_000_000;
const FACTOR_MOST: f64 = 100.0;
const REBOUNDS: u32 = 10;
const WINDOW_RETRIES: u32 = 4;

/// The interval of a daily window that names none: longer than any day, so that `at` is its only run, on the
/// long day in autumn too.
pub(super) const ONCE_A_DAY: i64 = 48;

enum Kind {
    Ladder,
    Exponential,
    Window,
}

/// Reads a schedule; `None` when it is left out. Without `kind` it is a ladder.
pub(super) fn read(field: &Field<'_>) -> Result<Option<Schedule>, FieldError> {
    let Some(fields) = field.object()? else { return Ok(None) };
    let kind = fields.at("kind").parsed("ladder, exponential or window", |word| match word {
        "ladder" => Some(Kind::Ladder),
        "exponential" => Some(Kind::Exponential),
        "window" => Some(Kind::Window),
        _ => None,
    })?;
    let schedule = match kind.unwrap_or(Kind::Ladder) {
        Kind::Ladder => Schedule::Ladder(ladder(&fields)?),
        Kind::Exponential => Schedule::Exponential(exponential(&fields)?),
        Kind::Window => Schedule::Window(window(&fields)?),
    };
    Ok(Some(schedule))
}

fn ladder(fields: &Fields<'_>) -> Result<Ladder, FieldError> {
    fields.only(&["kind", "delays"])?;
    let delays = fields.at("delays");
    let Some(items) = delays.list()? else { return Ok(Ladder::default()) };
    if !(1..=MAX_DELAYS).contains(&items.len()) {
        let problem = format!("has {} delays: must be a list of 1 to {MAX_DELAYS}", items.len());
        return Err(delays.refused(problem));
    }
    Ok(Ladder { delays: items.iter().map(delay).collect::<Result<_, _>>()? })
}

fn exponential(fields: &Fields<'_>) -> Result<Exponential, FieldError> {
    fields.only(&["kind", "first", "factor", "cap", "limit"])?;
    let first = delay(&fields.at("first"))?;
    let factor = fields.at("factor");
    let cap = fields.at("cap");
    let longest = delay(&cap)?;
    if longest < first {
        return Err(cap.wrong("no shorter than `first`"));
    }
    Ok(Exponential {
        first,
        factor: factor.number(1.0..=FACTOR_MOST)?.ok_or_else(|| factor.wrong("a number from 1 to 100"))?,
        cap: longest,
        limit: fields.at("limit").count(1, MAX_RETRIES)?.unwrap_or(REBOUNDS),
    })
}

fn delay(field: &Field<'_>) -> Result<SignedDuration, FieldError> {
    let delay = field.duration(LEAST_DELAY..=YEAR)?;
    delay.ok_or_else(|| field.wrong("a duration from 1m to 365d, like `90s`, `5m`, `24h`"))
}

fn window(fields: &Fields<'_>) -> Result<Window, FieldError> {
    fields.only(&["kind", "every", "interval", "at", "timezone", "lapse", "batch", "limit"])?;
    let daily = fields.at("every").must("hour or day", |word| match word {
        "hour" => Some(false),
        "day" => Some(true),
        _ => None,
    })?;
    let interval = fields.at("interval").count(1, 23)?.map(i64::from);
    let (every, default_interval) = if daily { (day(fields)?, ONCE_A_DAY) } else { (hour(fields)?, 1) };
    Ok(Window {
        every,
        interval: interval.unwrap_or(default_interval),
        lapse: fields.at("lapse").duration(SignedDuration::ZERO..=YEAR)?.unwrap_or(SignedDuration::ZERO),
        batch: fields.at("batch").count(1, MAX_IN_A_BATCH)?,
        limit: fields.at("limit").count(1, MAX_RETRIES)?.unwrap_or(WINDOW_RETRIES),
    })
}

fn hour(fields: &Fields<'_>) -> Result<WindowEvery, FieldError> {
    for name in ["at", "timezone"] {
        let field = fields.at(name);
        if field.is_given() {
            return Err(field.wrong("left out where `every` is `hour`: its runs count from the flow's activation"));
        }
    }
    Ok(WindowEvery::Hour)
}

fn day(fields: &Fields<'_>) -> Result<WindowEvery, FieldError> {
    let at = fields.at("at").must("a time of day like `06:30`", time_of_day)?;
    let zone = fields.at("timezone").must("an IANA time zone like `Europe/Berlin`", time_zone)?;
    Ok(WindowEvery::Day { at, zone })
}

fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown() && zone.iana_name().is_some())
}
