//! Parses durations such as `90s`, `5m` and `24h`.

use jiff::SignedDuration;

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration like 90s, 5m or 24h")]
pub struct DurationError(String);

/// Parses a whole number followed by `s`, `m`, `h` or `d`.
///
/// # Errors
/// `DurationError` for any other text, and for a duration of more than 2^63 - 1 seconds.
pub fn parse_duration(text: &str) -> Result<SignedDuration, DurationError> {
    let refused = || DurationError(text.to_owned());
    let unit = text.chars().last().ok_or_else(refused)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refused()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let count: i64 = digits.parse().map_err(|_| refused())?;
    count.checked_mul(seconds).map(SignedDuration::from_secs).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_is_a_duration() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "m", "-5m", "+5m", "1.5h", "5 m", "5w", "9223372036854775807h", "5é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
