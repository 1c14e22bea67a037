//! The filter of lists and jobs, as query parameters and as JSON: the same names in both.

use domain::{Category, Filter, Fingerprint, JobId, Phase, Status};
use serde_json::Value;

use crate::fields::{Field, Fields, TIME, time};
use crate::object::Object;
use crate::{FieldError, limits};

/// The fields of a filter, which are query parameters too.
pub const FILTER_FIELDS: [&str; 12] = [
    "status", "from", "to", "message", "sender", "receiver", "origin", "phase", "category", "sourceId", "group", "job",
];

const STATUSES: &str =
    "failed, partially_failed, waiting_for_retry, waiting_for_restart, in_network, completed, deleted or erased";
const CATEGORIES: &str = "system, business, mapping, validation, no_outcome or unknown";
const FINGERPRINT: &str = "a failure group's fingerprint: 16 hexadecimal digits";

/// Reads a filter from query parameters; `status` may be several, parted by commas.
///
/// # Errors
/// Names the parameter that is unknown, repeated or impossible.
pub fn read_filter<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Filter, FieldError> {
    let mut given = serde_json::Map::new();
    for (name, text) in params {
        if ["from", "to"].contains(&name) && time(text).is_none() && time(&text.replace(' ', "+")).is_some() {
            let problem = format!("is `{text}`: must be {TIME}; in a query `+` is written `%2B`");
            return Err(FieldError::new(name, problem));
        }
        if given.insert(name.to_owned(), Value::from(text)).is_some() {
            return Err(FieldError::new(name, "is given twice: give it once, with commas between several statuses"));
        }
    }
    read(&Fields::of(&Value::Object(given))?)
}

/// Reads the JSON form, which differs in that `status` may be a list.
pub(super) fn read(fields: &Fields<'_>) -> Result<Filter, FieldError> {
    fields.only(&FILTER_FIELDS)?;
    let text = |name| filled(&fields.at(name), limits::TEXT);
    Ok(Filter {
        status: statuses(&fields.at("status"))?,
        from: fields.at("from").time()?,
        to: fields.at("to").time()?,
        message: filled(&fields.at("message"), limits::ERROR_MESSAGE)?,
        sender: text("sender")?,
        receiver: text("receiver")?,
        origin: text("origin")?,
        phase: fields.at("phase").parsed("processing or delivery", Phase::from_word)?,
        category: fields.at("category").parsed(CATEGORIES, Category::from_word)?,
        source_id: text("sourceId")?,
        group: fields.at("group").parsed(FINGERPRINT, fingerprint)?,
        job: text("job")?.map(JobId),
    })
}

/// A text that is not empty: an emptied search box must not come to mean everything.
fn filled(field: &Field<'_>, most: usize) -> Result<Option<String>, FieldError> {
    match field.text(most)? {
        None if field.is_given() => Err(field.refused("is empty: leave it out or give it a value")),
        text => Ok(text),
    }
}

fn statuses(field: &Field<'_>) -> Result<Vec<Status>, FieldError> {
    let mut statuses: Vec<Status> = if field.is_list() {
        let items = field.list()?.unwrap_or_default();
        if items.is_empty() {
            // An emptied choice must not come to mean everything, as with texts.
            return Err(field.refused("is empty: leave it out or name one status"));
        }
        items.iter().map(|item| item.must(STATUSES, Status::from_word)).collect::<Result<_, _>>()?
    } else {
        field.parsed(STATUSES, comma_separated)?.unwrap_or_default()
    };
    statuses.sort_unstable();
    statuses.dedup();
    Ok(statuses)
}

fn comma_separated(text: &str) -> Option<Vec<Status>> {
    text.split(',').map(|word| Status::from_word(word.trim())).collect()
}

fn fingerprint(text: &str) -> Option<Fingerprint> {
    let fits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    fits.then(|| Fingerprint::kept(text.to_owned()))
}

/// The filter as JSON; reads back through a selection.
#[must_use]
pub fn filter_json(filter: &Filter) -> Value {
    let statuses: Vec<&str> = filter.status.iter().map(|status| status.as_str()).collect();
    Object::new()
        .maybe("status", Some(statuses).filter(|statuses| !statuses.is_empty()))
        .time("from", filter.from)
        .time("to", filter.to)
        .maybe("message", filter.message.as_deref())
        .maybe("sender", filter.sender.as_deref())
        .maybe("receiver", filter.receiver.as_deref())
        .maybe("origin", filter.origin.as_deref())
        .maybe("phase", filter.phase.map(|phase| phase.as_str()))
        .maybe("category", filter.category.map(|category| category.as_str()))
        .maybe("sourceId", filter.source_id.as_deref())
        .maybe("group", filter.group.as_ref().map(|group| group.as_str()))
        .maybe("job", filter.job.as_ref().map(|job| job.0.as_str()))
        .into()
}
