//! The fields of a query or of a form. A name may come several times: a form sends every box that is ticked.

/// In the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn of(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first of this name, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(field, _)| field == name);
        first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The words of every field of this name: OAuth separates scopes by spaces, forms send one each.
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(field, _)| field == name);
        values.flat_map(|(_, value)| value.split_whitespace()).map(str::to_owned).collect()
    }
}
