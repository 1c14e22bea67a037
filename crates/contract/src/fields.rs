//! Reads JSON field by field and remembers where it is, so that every refusal names its field as the caller wrote it.
//!
//! `null` is the same as left out: pipelines and forms write it for what they do not know.

use std::ops::RangeInclusive;

use domain::Timestamp;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::{FieldError, duration};

/// The longest part of a wrong value that a refusal repeats.
const SHOWN: usize = 80;

pub(crate) const TIME: &str = "a time in RFC 3339, like `2026-11-20T14:00:00Z`";
pub(crate) const INTERCHANGE_ID: &str = "1-128 of A-Za-z0-9._:@+=~,-";
pub(crate) const FLOW_NAME: &str = "1-64 of A-Za-z0-9._-";

/// A JSON object at a path.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

/// One value at a path, or its absence.
pub(crate) struct Field<'a> {
    value: Option<&'a Value>,
    path: String,
}

/// Reads bytes as a JSON object.
pub(crate) fn parse(json: &[u8]) -> Result<Value, FieldError> {
    serde_json::from_slice(json).map_err(|error| FieldError::new("body", format!("is not JSON: {error}")))
}

impl<'a> Fields<'a> {
    /// The fields of a whole input.
    pub(crate) fn of(value: &'a Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(map) => Ok(Self { map, path: String::new() }),
            _ => Err(FieldError::new("body", "must be a JSON object")),
        }
    }

    pub(crate) fn at(&self, name: &str) -> Field<'a> {
        Field { value: self.map.get(name).filter(|v| !v.is_null()), path: self.path_of(name) }
    }

    /// Every field there is, by name.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        self.map.keys().map(|name| (name.as_str(), self.at(name)))
    }

    /// Refuses what is not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), FieldError> {
        match self.map.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(FieldError::unknown(self.path_of(name), known)),
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

impl<'a> Field<'a> {
    /// A value that stands at a path of its own.
    pub(crate) fn of(value: &'a Value, path: &str) -> Self {
        Self { value: Some(value).filter(|v| !v.is_null()), path: path.to_owned() }
    }

    pub(crate) fn is_given(&self) -> bool {
        self.value.is_some()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.is_some_and(Value::is_array)
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_some_and(Value::is_object)
    }

    /// Says that the value is not what is allowed, or that there is none.
    pub(crate) fn wrong(&self, allowed: &str) -> FieldError {
        let problem = match self.value {
            None => format!("is missing: must be {allowed}"),
            Some(value) => format!("is {}: must be {allowed}", shown(value)),
        };
        FieldError::new(self.path.as_str(), problem)
    }

    pub(crate) fn refused(&self, problem: impl Into<String>) -> FieldError {
        FieldError::new(self.path.as_str(), problem)
    }

    /// A text that `read` understands.
    pub(crate) fn parsed<T>(&self, allowed: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, FieldError> {
        let Some(value) = self.value else { return Ok(None) };
        value.as_str().and_then(read).map(Some).ok_or_else(|| self.wrong(allowed))
    }

    /// As [`Self::parsed`], and it must be there.
    pub(crate) fn must<T>(&self, allowed: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, FieldError> {
        self.parsed(allowed, read)?.ok_or_else(|| self.wrong(allowed))
    }

    /// Free text of at most `most` characters; empty is the same as left out.
    pub(crate) fn text(&self, most: usize) -> Result<Option<String>, FieldError> {
        let Some(value) = self.value else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.wrong(&format!("a text of at most {most} characters")))?;
        let long = text.len() > most && text.chars().count() > most;
        if long {
            let problem = format!("has {} characters: at most {most} are allowed", text.chars().count());
            return Err(self.refused(problem));
        }
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    pub(crate) fn whole(&self, range: RangeInclusive<u64>) -> Result<Option<u64>, FieldError> {
        let Some(value) = self.value else { return Ok(None) };
        let allowed = || format!("a whole number from {} to {}", range.start(), range.end());
        whole(value).filter(|n| range.contains(n)).map(Some).ok_or_else(|| self.wrong(&allowed()))
    }

    /// As [`Self::whole`], for what is kept in 32 bits: `most` is below 2³².
    pub(crate) fn count(&self, least: u32, most: u32) -> Result<Option<u32>, FieldError> {
        let whole = self.whole(u64::from(least)..=u64::from(most))?;
        Ok(whole.and_then(|n| u32::try_from(n).ok()))
    }

    pub(crate) fn number(&self, range: RangeInclusive<f64>) -> Result<Option<f64>, FieldError> {
        let Some(value) = self.value else { return Ok(None) };
        let allowed = || format!("a number from {} to {}", range.start(), range.end());
        value.as_f64().filter(|n| range.contains(n)).map(Some).ok_or_else(|| self.wrong(&allowed()))
    }

    pub(crate) fn flag(&self) -> Result<Option<bool>, FieldError> {
        let Some(value) = self.value else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.wrong("true or false"))
    }

    pub(crate) fn time(&self) -> Result<Option<Timestamp>, FieldError> {
        self.parsed(TIME, time)
    }

    pub(crate) fn duration(&self, range: RangeInclusive<SignedDuration>) -> Result<Option<SignedDuration>, FieldError> {
        let [least, most] = [range.start(), range.end()].map(|bound| duration::format(*bound));
        let allowed = format!("a duration from {least} to {most}, like `90s`, `5m`, `24h`");
        self.parsed(&allowed, |text| duration::parse(text).filter(|d| range.contains(d)))
    }

    pub(crate) fn object(&self) -> Result<Option<Fields<'a>>, FieldError> {
        match self.value {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields { map, path: self.path.clone() })),
            Some(_) => Err(self.wrong("an object")),
        }
    }

    pub(crate) fn list(&self) -> Result<Option<Vec<Field<'a>>>, FieldError> {
        let Some(value) = self.value else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| self.wrong("a list"))?;
        let at = |(i, item)| Field { value: Some(item), path: format!("{}[{i}]", self.path) };
        Ok(Some(items.iter().enumerate().map(at).collect()))
    }
}

/// A whole number, which may be written with a fraction of nothing: JSON has one kind of number, and some write 50 as `50.0`.
fn whole(value: &Value) -> Option<u64> {
    /// Beyond it not every whole number has a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..EXACT).contains(number))?;
        format!("{number:.0}").parse().ok()
    })
}

/// A time in RFC 3339.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(has_four_digits)
}

/// RFC 3339 writes a year with four digits; what is before the year 0 could be read, but never be answered.
fn has_four_digits(time: &Timestamp) -> bool {
    *time >= Timestamp::constant(-62_167_219_200, 0)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
