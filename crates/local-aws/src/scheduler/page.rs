//! Pagination of schedules and groups. A token contains the last item of the previous page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::definition::between;
use super::error::SchedulerError;

const MAX_PAGE_SIZE: i64 = 100;

#[derive(Debug)]
pub(super) struct Page {
    size: i64,
    token: Option<String>,
}

impl Page {
    /// # Errors
    /// `ValidationException` when the size is not 1-100.
    pub(super) fn of(size: Option<&str>, token: Option<String>) -> Result<Self, SchedulerError> {
        let size = match size {
            None => MAX_PAGE_SIZE,
            Some(size) => {
                size.parse().map_err(|_| SchedulerError::constraint("maxResults", size, "Member must be a number"))?
            }
        };
        between("maxResults", size, 1, MAX_PAGE_SIZE)?;
        Ok(Self { size, token })
    }

    pub(super) fn size(&self) -> i64 {
        self.size
    }

    /// The group and name after which this page begins.
    pub(super) fn after(&self) -> Result<(String, String), SchedulerError> {
        let Some(token) = &self.token else { return Ok(<(String, String)>::default()) };
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.split_once('/').map(|(group, name)| (group.to_owned(), name.to_owned())))
            .ok_or_else(|| SchedulerError::Validation(format!("Invalid NextToken {token}.")))
    }

    /// Builds the response. `items` has one item more than the page size if there is a next page.
    pub(super) fn answer(&self, member: &str, mut items: Vec<(String, String, Value)>) -> Value {
        let size = usize::try_from(self.size).unwrap_or_default();
        let more = items.len() > size;
        items.truncate(size);
        let mut answer = Map::new();
        if let Some((group, name, _)) = items.last().filter(|_| more) {
            answer.insert("NextToken".to_owned(), URL_SAFE_NO_PAD.encode(format!("{group}/{name}")).into());
        }
        answer.insert(member.to_owned(), items.into_iter().map(|(_, _, item)| item).collect());
        Value::Object(answer)
    }
}

/// A time in the format of REST-JSON: seconds with a fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of any date fit a double exactly")]
pub(super) fn seconds(millis: i64) -> Value {
    (millis as f64 / 1_000.0).into()
}
