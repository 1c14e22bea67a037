//! The characters that SQS allows: those of XML 1.0. It refuses a body with other characters.

use super::error::SqsError;

/// # Errors
/// `InvalidMessageContents` naming the first character that is not allowed.
pub(super) fn check(text: &str) -> Result<(), SqsError> {
    // Fast path: nearly every body is printable ASCII, and a check of the bytes is cheap for large bodies.
    if text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Ok(());
    }
    match text.chars().find(|character| !is_allowed(*character)) {
        Some(character) => Err(SqsError::InvalidMessageContents(character.into())),
        None => Ok(()),
    }
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Whether `text` can be a message group id or a deduplication id: 1-128 letters, digits and ASCII punctuation.
pub(super) fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `text` can be the id of a batch entry, or the name of a queue (without `.fifo`): 1-80 of `A-Za-z0-9-_`.
pub(super) fn is_name(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_of_xml_are_allowed() {
        for good in ["plain", "\t\r\n", "\u{7F}\u{85}", "\u{D7FF}\u{E000}\u{FFFD}", "\u{10000}\u{10FFFF}", "åé漢🙂"]
        {
            assert!(check(good).is_ok(), "{good:?}");
        }
        for bad in ["\0", "a\u{1}b", "\u{B}", "\u{C}", "\u{1F}", "\u{FFFE}", "é\u{FFFF}"] {
            assert!(matches!(check(bad), Err(SqsError::InvalidMessageContents(_))), "{bad:?}");
        }
    }
}
