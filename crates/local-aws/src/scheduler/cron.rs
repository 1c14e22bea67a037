//! AWS's dialect of cron: `minutes hours day-of-month month day-of-week year`. One of the two days is `?`, weekdays count
//! from 1 (Sunday), and `L`, `W` and `#` have the same meaning as in Quartz. croner parses and searches the expression. This
//! file refuses what AWS refuses, and handles daylight saving changes as AWS does.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Unit};

use super::local_time::LocalTime;

/// The years that AWS accepts.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;
/// The limit of a search. Normally it passes only a few skipped or repeated times; the limit is for a broken time zone.
const MAX_SEARCH_STEPS: usize = 10_000;

/// Parses the fields between the parentheses of `cron(…)`. `None` if AWS would refuse them.
pub(super) fn parse(fields: &str) -> Option<Cron> {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields.as_slice() else { return None };
    let allowed = |field: &str, letters: &str| {
        field.bytes().all(|byte| byte.is_ascii_alphanumeric() || letters.as_bytes().contains(&byte))
    };
    let numeric = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit() || b"*,-/".contains(&byte));
    let days = (*day == "?") != (*weekday == "?");
    let shapes = numeric(minutes)
        && numeric(hours)
        && numeric(year)
        && allowed(month, "*,-/")
        && (*day == "?" || (allowed(day, "*,-/") && !day.contains('#')))
        && (*weekday == "?" || allowed(weekday, "*,-/#"));
    if !days || !shapes || !years_exist(year) {
        return None;
    }
    // In the day-of-week field, L alone is the last day of the week.
    let weekday = if weekday.eq_ignore_ascii_case("L") { "7" } else { weekday };
    CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build()
        .parse(&format!("0 {minutes} {hours} {day} {month} {weekday} {year}"))
        .ok()
}

/// The first match after `after` in `zone`. A local time that daylight saving skips does not match; a repeated local time
/// matches once, the first time.
pub(super) fn next(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut local: DateTime = zone.to_datetime(after).round(Unit::Second).ok()?;
    // Starts one second earlier, because `round` may round up and the search excludes its start. After clocks have gone back,
    // matches in the repeated hour resolve to its first pass, which is before `after`, and are skipped below.
    local = local.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?;
    for _ in 0..MAX_SEARCH_STEPS {
        local = cron.find_next_occurrence(&LocalTime(local), false).ok()?.0;
        if !YEARS.contains(&local.year()) {
            return None;
        }
        if let Some(instant) = resolve(local, zone).filter(|instant| *instant > after) {
            return Some(instant);
        }
    }
    None
}

/// The instant of a local time. `None` for a skipped time; the earlier instant of a repeated time.
pub(super) fn resolve(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

fn years_exist(field: &str) -> bool {
    let parts = field.split(',').filter_map(|part| part.split('/').next());
    parts
        .flat_map(|part| part.split('-'))
        .filter(|year| *year != "*")
        .all(|year| year.parse().is_ok_and(|year: i16| YEARS.contains(&year)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(fields: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let cron = parse(fields).expect(fields);
        let zone = TimeZone::get(zone).expect("a zone");
        let mut at: Timestamp = after.parse().expect("a timestamp");
        (0..count)
            .map_while(|_| {
                at = next(&cron, &zone, at)?;
                Some(at.to_string())
            })
            .collect()
    }

    #[test]
    fn the_dialect_is_as_aws_documents_it() {
        let cases: [(&str, &[&str]); 15] = [
            ("0 10 * * ? *", &["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"]),
            ("15 12 * * ? *", &["2026-01-01T12:15:00Z", "2026-01-02T12:15:00Z"]),
            ("0 18 ? * MON-FRI *", &["2026-01-01T18:00:00Z", "2026-01-02T18:00:00Z", "2026-01-05T18:00:00Z"]),
            ("0 8 1 * ? *", &["2026-01-01T08:00:00Z", "2026-02-01T08:00:00Z"]),
            ("0/15 * * * ? *", &["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]),
            ("*/20 0-1 * * ? *", &["2026-01-01T00:20:00Z", "2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"]),
            ("0 0 ? * 1 *", &["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"]),
            ("0 0 ? * 7 *", &["2026-01-03T00:00:00Z"]),
            ("0 0 ? * L *", &["2026-01-03T00:00:00Z", "2026-01-10T00:00:00Z"]),
            ("0 0 ? * 6L *", &["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]),
            ("0 0 ? * 3#2 *", &["2026-01-13T00:00:00Z", "2026-02-10T00:00:00Z"]),
            ("0 0 L * ? *", &["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]),
            ("0 0 3W * ? *", &["2026-01-02T00:00:00Z", "2026-02-03T00:00:00Z"]),
            ("0 0 1,15 JAN,MAR ? *", &["2026-01-15T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-15T00:00:00Z"]),
            ("0 0 29 2 ? 2026-2033", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ];
        for (fields, expected) in cases {
            assert_eq!(matches(fields, "UTC", "2026-01-01T00:00:00Z", expected.len()), expected, "{fields}");
        }
    }

    #[test]
    fn a_past_year_never_matches() {
        assert!(matches("0 0 1 1 ? 2020", "UTC", "2026-01-01T00:00:00Z", 1).is_empty());
    }

    #[test]
    fn expressions_that_aws_refuses_are_refused() {
        for fields in [
            "0 10 * * *",
            "0 10 * * * *",
            "0 10 ? * ? *",
            "0 10 1 * MON *",
            "60 10 * * ? *",
            "0 24 * * ? *",
            "0 10 32 * ? *",
            "0 10 * 13 ? *",
            "0 10 ? * 8 *",
            "0 10 * * ? 1969",
            "0 10 * * ? 2200",
            "0 0 10 * * ? *",
            "x 10 * * ? *",
            "0 ? * * ? *",
            "",
        ] {
            assert!(parse(fields).is_none(), "{fields:?}");
        }
    }

    #[test]
    fn a_time_that_oslo_skips_in_spring_does_not_happen() {
        // 29 March 2026: 02:00 becomes 03:00.
        let days = matches("30 2 * * ? *", "Europe/Oslo", "2026-03-27T12:00:00Z", 3);
        assert_eq!(days, ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]);
    }

    #[test]
    fn a_time_that_oslo_repeats_in_autumn_happens_once() {
        // 25 October 2026: 03:00 becomes 02:00.
        let days = matches("30 2 * * ? *", "Europe/Oslo", "2026-10-24T12:00:00Z", 2);
        assert_eq!(days, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        let quarters = matches("0/30 2 * * ? *", "Europe/Oslo", "2026-10-25T00:30:00Z", 2);
        assert_eq!(quarters, ["2026-10-26T01:00:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn the_utc_time_of_a_daily_schedule_changes_with_daylight_saving() {
        let days = matches("0 8 28,29 3 ? 2026", "Europe/Oslo", "2026-01-01T00:00:00Z", 2);
        assert_eq!(days, ["2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z"]);
    }
}
