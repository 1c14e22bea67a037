//! A retry policy, the flow's or a partner's.

use std::collections::BTreeSet;

use domain::{Category, RetryMode, RetryPolicy};

use super::schedule;
use super::shape::POLICY;
use crate::FieldError;
use crate::attribute::action;
use crate::fields::Field;

const CATEGORIES: &str = "system, business, mapping, validation, no_outcome or unknown";

/// Reads a policy; what it leaves out is as in `default`. `None` when all of it is left out.
pub(super) fn read(field: &Field<'_>, default: RetryPolicy) -> Result<Option<RetryPolicy>, FieldError> {
    let Some(fields) = field.object()? else { return Ok(None) };
    fields.only(&POLICY.names())?;
    let mode = fields.at("mode").parsed("manual or automatic", |word| match word {
        "manual" => Some(RetryMode::Manual),
        "automatic" => Some(RetryMode::Automatic),
        _ => None,
    })?;
    Ok(Some(RetryPolicy {
        mode: mode.unwrap_or(default.mode),
        schedule: schedule::read(&fields.at("schedule"))?.unwrap_or(default.schedule),
        categories: categories(&fields.at("categories"))?.unwrap_or(default.categories),
        jitter: fields.at("jitter").number(0.0..=1.0)?.unwrap_or(default.jitter),
        action: fields.at("action").parsed("retry or restart", action)?,
    }))
}

fn categories(field: &Field<'_>) -> Result<Option<BTreeSet<Category>>, FieldError> {
    let Some(items) = field.list()? else { return Ok(None) };
    let mut categories = BTreeSet::new();
    for item in items {
        let category = item.must(CATEGORIES, Category::from_word)?;
        if !categories.insert(category) {
            return Err(item.refused(format!("is `{}` again: each may be listed once", category.as_str())));
        }
    }
    Ok(Some(categories))
}
