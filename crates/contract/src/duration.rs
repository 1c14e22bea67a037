//! Durations as people write them: `90s`, `5m`, `24h`, `2d`.

use jiff::SignedDuration;

/// Reads a whole number followed by `s`, `m`, `h` or `d`; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<SignedDuration> {
    let unit = match text.bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(unit).map(SignedDuration::from_secs)
}

/// Writes a duration in the largest unit that says it exactly and of which there are two, so that an hour and a
/// day read as `60m` and `24h`; a minute is `1m`. What is below a second is not written.
#[must_use]
pub fn format(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    for (unit, least, mark) in [(86_400, 2, 'd'), (3_600, 2, 'h'), (60, 1, 'm')] {
        if seconds % unit == 0 && seconds / unit >= least {
            return format!("{}{mark}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_ladder_reads_as_the_design_writes_it() {
        for text in ["5m", "10m", "60m", "5h", "24h", "90s", "1m", "2d", "365d", "0s"] {
            assert_eq!(parse(text).map(format).as_deref(), Some(text));
        }
        assert_eq!(parse("1h").map(format).as_deref(), Some("60m"));
        assert_eq!(parse("0m"), Some(SignedDuration::ZERO));
    }

    #[test]
    fn anything_but_a_whole_number_and_a_unit_is_no_duration() {
        for text in ["", "5", "m", "-5m", "+5m", "5 m", "1.5h", "5M", "5ms", "1h30m", "99999999999999999d", "5µ", "٥m"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_whole_second_reads_back(seconds in 0i64..=400 * 86_400) {
            let duration = SignedDuration::from_secs(seconds);
            prop_assert_eq!(parse(&format(duration)), Some(duration));
        }
    }
}
