//! The fields of a query string or a form. A name may occur several times, because a form sends one field for each
//! ticked checkbox.

/// Names and values, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn of(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of the first field with this name. `None` if it is missing or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(field, _)| field == name);
        first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The words of all fields with this name. OAuth separates scopes by spaces; a form sends each scope in its own field.
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(field, _)| field == name);
        values.flat_map(|(_, value)| value.split_whitespace()).map(str::to_owned).collect()
    }
}
