//! Failure groups: error texts that differ only in ids, numbers and times are one failure.

use std::fmt;

use sha2::Digest as _;

/// Identifies a failure group within its flow: 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of an error: its code and its folded text.
    #[must_use]
    pub fn of(code: Option<&str>, message: Option<&str>) -> Self {
        let text = format!("{}\n{}", code.unwrap_or_default(), fold(message.unwrap_or_default()).to_lowercase());
        let digest = sha2::Sha256::digest(text.as_bytes());
        Self(digest[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Takes a fingerprint that was made by [`Fingerprint::of`] and kept.
    #[must_use]
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Replaces what varies between repeats of one error: words with a digit in them, long hexadecimal words and
/// quoted values become `#`; runs of such joined by `-`, `.`, `:`, `/`, `_`, `+` or `T` become one. White space is folded.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = Folded::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = if let Some(quoted) = quoted_len(rest) {
            folded.variable();
            quoted
        } else if first.is_alphanumeric() {
            let len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let word = &rest[..len];
            if varies(word) {
                folded.variable()
            } else {
                folded.fixed(word)
            }
            len
        } else {
            folded.mark(first);
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    folded.finish()
}

/// The length of a quoted value at the start of `text`, quotes included. An apostrophe inside a word opens none.
fn quoted_len(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let end = text[1..].find(quote)? + 1;
    let inner = &text[1..end];
    (inner.len() <= 200 && !inner.contains('\n')).then_some(end + 1)
}

fn varies(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit()) || (word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Builds the folded text; `marks` are those that came since the last word.
#[derive(Default)]
struct Folded {
    text: String,
    marks: String,
    after_variable: bool,
}

impl Folded {
    fn variable(&mut self) {
        let joined = self.after_variable && self.marks.chars().all(|c| "-.:/_+".contains(c));
        if joined {
            self.marks.clear();
        } else {
            self.flush();
            self.text.push('#');
        }
        self.after_variable = true;
    }

    fn fixed(&mut self, word: &str) {
        self.flush();
        self.text.push_str(word);
        self.after_variable = false;
    }

    fn mark(&mut self, mark: char) {
        let mark = if mark.is_whitespace() { ' ' } else { mark };
        if mark != ' ' || !self.marks.ends_with(' ') {
            self.marks.push(mark);
        }
    }

    fn flush(&mut self) {
        self.text.push_str(&self.marks);
        self.marks.clear();
    }

    fn finish(mut self) -> String {
        self.flush();
        self.text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_numbers_ports_and_times_fold_and_words_stay() {
        let table = [
            ("connect timeout to erp.globex.example:443", "connect timeout to erp.globex.example:#"),
            ("order 4711 refused at 2026-11-20T14:00:01.5Z", "order # refused at #"),
            ("no row 0190163d-8694-739b-aea5-966c26f8ad91", "no row #"),
            ("unknown article 'PO-1001' in line 3", "unknown article # in line #"),
            ("digest deadbeefcafe   differs", "digest # differs"),
            ("the partner doesn't answer", "the partner doesn't answer"),
        ];
        for (text, folded) in table {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn the_code_tells_groups_apart_and_case_does_not() {
        let of = |code, message| Fingerprint::of(Some(code), Some(message));
        assert_eq!(of("E1", "Order 1 refused"), of("E1", "order 22 refused"));
        assert_ne!(of("E1", "order 1 refused"), of("E2", "order 1 refused"));
    }

    proptest! {
        #[test]
        fn folding_takes_any_text_and_any_number_in_it(text in ".{0,200}", a in 0u64.., b in 0u64..) {
            prop_assert!(!fold(&text).contains("  "));
            prop_assert_eq!(fold(&format!("order {a} refused")), fold(&format!("order {b} refused")));
        }
    }
}
