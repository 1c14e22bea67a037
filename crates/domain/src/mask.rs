//! Masking of error texts: what a flow's rules name is replaced before anything is decided or stored, so that it is in no list, log,
//! failure group or metric. Payloads are not masked.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};

use crate::{FailureReport, Report, ReportKind};

/// What stands in place of what was masked.
const MASKED: &str = "***";

/// Bytes of a compiled pattern: `\w{50}` takes about a third of it.
const MAX_COMPILED_BYTES: usize = 4 << 20;

/// A text of a failure that a rule can mask as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MaskField {
    /// The error's code.
    Code,
    /// The error's message.
    Message,
    /// The messages of all parts.
    Parts,
}

impl MaskField {
    /// Every field, in the order they are listed to users.
    pub const ALL: [Self; 3] = [Self::Code, Self::Message, Self::Parts];

    /// Its path in a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "error.code",
            Self::Message => "error.message",
            Self::Parts => "parts.message",
        }
    }

    /// Reads the path back.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == path)
    }
}

/// What a flow masks in the error texts of its failures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MaskRules {
    /// Regular expressions; each match in a text is masked.
    pub patterns: Vec<String>,
    /// Texts that are masked as a whole.
    pub fields: BTreeSet<MaskField>,
}

impl MaskRules {
    /// All texts: for rules that cannot be read, since they may name any of them.
    #[must_use]
    pub fn everything() -> Self {
        Self { patterns: Vec::new(), fields: MaskField::ALL.into() }
    }

    /// Whether nothing is masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.fields.is_empty()
    }
}

/// Why a text is no pattern of a mask.
///
/// # Errors
/// The text says what is wrong with it: it is no regular expression, is too large when compiled, or matches the empty text.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    compile(pattern).map(|_| ())
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_BYTES).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "is too large when compiled: repeat less".to_owned(),
        // The last line says what is wrong; those before it point at the place.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("is no regular expression: {}", last.trim_start_matches("error: "))
        }
    })?;
    if regex.is_match("") { Err("matches the empty text".to_owned()) } else { Ok(regex) }
}

/// Rules made ready for many reports.
#[derive(Debug)]
pub struct Mask {
    patterns: Vec<Regex>,
    fields: BTreeSet<MaskField>,
}

impl Mask {
    /// Compiles the patterns. Where one cannot be compiled, all texts are masked: it may be meant for any of them.
    #[must_use]
    pub fn new(rules: &MaskRules) -> Self {
        match rules.patterns.iter().map(|pattern| compile(pattern)).collect() {
            Ok(patterns) => Self { patterns, fields: rules.fields.clone() },
            Err(_) => Self { patterns: Vec::new(), fields: MaskRules::everything().fields },
        }
    }

    /// Masks the texts of a failure; other reports have none.
    pub fn apply(&self, report: &mut Report) {
        let ReportKind::Failed(failure) = &mut report.kind else { return };
        let FailureReport { error, parts, .. } = failure.as_mut();
        self.text(MaskField::Code, &mut error.code);
        self.text(MaskField::Message, &mut error.message);
        parts.iter_mut().for_each(|part| self.text(MaskField::Parts, &mut part.message));
    }

    fn text(&self, field: MaskField, text: &mut Option<String>) {
        let Some(text) = text else { return };
        if self.fields.contains(&field) {
            MASKED.clone_into(text);
            return;
        }
        for pattern in &self.patterns {
            if pattern.is_match(text) {
                *text = pattern.replace_all(text, regex::NoExpand(MASKED)).into_owned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(patterns: &[&str], text: &str) -> String {
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let mask = Mask::new(&MaskRules { patterns, fields: BTreeSet::new() });
        let mut text = Some(text.to_owned());
        mask.text(MaskField::Message, &mut text);
        text.unwrap()
    }

    #[test]
    fn every_match_is_masked_in_any_script() {
        assert_eq!(masked(&[r"Patient \w+"], "no bed for Patient Müller, Patient Øst"), "no bed for ***, ***");
        assert_eq!(masked(&[r"(?i)iban\s*\S+", "[0-9]{6,}"], "IBAN DE02 of 1234567"), "*** of ***");
        assert_eq!(masked(&["(a)"], "a $1 a"), "*** $1 ***");
        assert_eq!(masked(&["x"], "nothing of it"), "nothing of it");
    }

    #[test]
    fn a_pattern_that_cannot_be_compiled_masks_everything() {
        assert_eq!(masked(&["ok", "("], "of a later release"), "***");
    }

    #[test]
    fn a_pattern_says_what_is_wrong_with_it() {
        for (pattern, problem) in [
            ("(", "is no regular expression: unclosed group"),
            ("a*", "matches the empty text"),
            (r"\w{1000}{1000}", "is too large when compiled: repeat less"),
        ] {
            assert_eq!(check_pattern(pattern), Err(problem.to_owned()), "{pattern}");
        }
        assert_eq!(check_pattern(r"Patient \p{Lu}\w+"), Ok(()));
    }
}
