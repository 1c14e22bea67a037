//! Redirects the browser back to the client. Only addresses on this machine are allowed.

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// An address on this machine to which a browser may be redirected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination(String);

impl Destination {
    /// Parses an address. `None` if it is not an address on this machine, or has a fragment.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        let here = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
        (web && here && !text.contains('#')).then(|| Self(text.to_owned()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// A redirect (303) to the address, with these fields added to its query.
    pub(crate) fn redirect(&self, fields: &[(&str, Option<&str>)]) -> Response {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        let separator = match (query.is_empty(), self.0.contains('?')) {
            (true, _) => "",
            (false, true) => "&",
            (false, false) => "?",
        };
        match HeaderValue::try_from(format!("{}{separator}{query}", self.0)) {
            Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_redirected_to_this_machine_only() {
        for here in ["http://127.0.0.1:3000/console/signed-in", "http://localhost/a?b=c", "https://[::1]:1/x"] {
            assert!(Destination::of(here).is_some(), "{here}");
        }
        for elsewhere in [
            "https://evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1.evil.example/",
            "javascript:alert(1)",
            "/console",
            "http://127.0.0.1/#x",
            "",
        ] {
            assert_eq!(Destination::of(elsewhere), None, "{elsewhere}");
        }
    }
}
