//! What a job acts on: ids, a filter, or everything that failed.

use std::collections::HashSet;

use domain::{InterchangeId, Selection};
use serde_json::Value;

use super::filter;
use crate::fields::{Field, INTERCHANGE_ID};
use crate::object::Object;
use crate::{FieldError, limits};

const ONE_OF: &str = "an object with one of `ids`, `filter` and `all`";

/// Reads `{"ids": […]}`, `{"filter": {…}}` or `{"all": true}`: exactly one.
///
/// # Errors
/// Names the field, under `selection`, that is unknown or impossible.
pub fn read_selection(json: &Value) -> Result<Selection, FieldError> {
    read(&Field::of(json, "selection"))
}

pub(super) fn read(field: &Field<'_>) -> Result<Selection, FieldError> {
    let fields = field.object()?.ok_or_else(|| field.wrong(ONE_OF))?;
    fields.only(&["ids", "filter", "all"])?;
    let [ids, filter, all] = ["ids", "filter", "all"].map(|name| fields.at(name));
    match (ids.list()?, filter.object()?, all.flag()?) {
        (Some(items), None, None) => read_ids(&ids, &items).map(Selection::Ids),
        (None, Some(fields), None) => filter::read(&fields).map(Selection::Filter),
        (None, None, Some(true)) => Ok(Selection::All),
        (None, None, Some(false)) => Err(all.wrong("true, or `ids` or `filter` in its place")),
        _ => Err(field.refused("must be an object with exactly one of `ids`, `filter` and `all`")),
    }
}

/// An id that is listed again is the same interchange.
fn read_ids(ids: &Field<'_>, items: &[Field<'_>]) -> Result<Vec<InterchangeId>, FieldError> {
    if !(1..=limits::SELECTED_IDS).contains(&items.len()) {
        let problem = format!("has {} ids: must be a list of 1 to {}", items.len(), limits::SELECTED_IDS);
        return Err(ids.refused(problem));
    }
    let mut seen = HashSet::new();
    let mut selected = Vec::with_capacity(items.len());
    for item in items {
        let id = item.must(INTERCHANGE_ID, |id| InterchangeId::new(id).ok())?;
        if seen.insert(id.clone()) {
            selected.push(id);
        }
    }
    Ok(selected)
}

/// The selection as JSON; reads back through [`read_selection`].
#[must_use]
pub fn selection_json(selection: &Selection) -> Value {
    match selection {
        Selection::Ids(ids) => {
            let ids: Vec<&str> = ids.iter().map(InterchangeId::as_str).collect();
            Object::new().with("ids", ids).into()
        }
        Selection::Filter(filter) => Object::new().with("filter", filter::filter_json(filter)).into(),
        Selection::All => Object::new().with("all", true).into(),
    }
}
