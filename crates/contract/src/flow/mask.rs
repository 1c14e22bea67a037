//! What a flow masks in error texts.

use std::collections::BTreeSet;

use domain::{MaskField, MaskRules, check_pattern};

use super::shape::MASK;
use crate::fields::Field;
use crate::{FieldError, limits};

const FIELDS: &str = "error.code, error.message or parts.message";

/// Reads rules as people send them: each pattern must be one that can be used.
pub(super) fn read(field: &Field<'_>) -> Result<MaskRules, FieldError> {
    let Some(fields) = field.object()? else { return Ok(MaskRules::default()) };
    fields.only(&MASK.names())?;
    let patterns = fields.at("patterns");
    let items = patterns.list()?.unwrap_or_default();
    if items.len() > limits::MASK_PATTERNS {
        return Err(patterns.wrong(&format!("a list of at most {}", limits::MASK_PATTERNS)));
    }
    for item in items {
        let pattern = item.text(limits::MASK_PATTERN)?.ok_or_else(|| item.wrong("a regular expression"))?;
        check_pattern(&pattern).map_err(|problem| item.refused(problem))?;
    }
    read_stored(field)
}

/// Reads rules as they are stored: what a pattern means shows when it is used.
pub(super) fn read_stored(field: &Field<'_>) -> Result<MaskRules, FieldError> {
    let Some(rules) = field.object()? else { return Ok(MaskRules::default()) };
    let mut patterns = Vec::new();
    for item in rules.at("patterns").list()?.unwrap_or_default() {
        patterns.push(item.must("a regular expression", |text| Some(text.to_owned()))?);
    }
    let mut fields = BTreeSet::new();
    for item in rules.at("fields").list()?.unwrap_or_default() {
        if !fields.insert(item.must(FIELDS, MaskField::from_path)?) {
            return Err(item.refused("is listed twice"));
        }
    }
    Ok(MaskRules { patterns, fields })
}
