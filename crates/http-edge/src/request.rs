//! Reading API Gateway's request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{FlowName, InterchangeId, JobId};

use crate::Request;
use crate::problem::Problem;

/// Most bytes of a request body: a thousand ids with room to spare.
const MOST_BODY: usize = 256 * 1024;

/// A request with its parts at hand.
pub(crate) struct Call<'a>(pub(crate) &'a Request);

impl Call<'_> {
    /// Method and path template: `GET /flows/{flow}`.
    pub(crate) fn route(&self) -> &str {
        self.0.route_key.as_deref().unwrap_or_default()
    }

    pub(crate) fn flow(&self) -> Result<FlowName, Problem> {
        let name = self.path("flow");
        FlowName::new(name).map_err(|e| Problem::field("flow", &format!("is `{name}`: {e}")))
    }

    pub(crate) fn interchange(&self) -> Result<InterchangeId, Problem> {
        let id = self.path("id");
        InterchangeId::new(id).map_err(|e| Problem::field("id", &format!("is `{id}`: {e}")))
    }

    pub(crate) fn job(&self) -> JobId {
        JobId(self.path("id").to_owned())
    }

    pub(crate) fn path(&self, name: &str) -> &str {
        self.0.path_parameters.get(name).map_or("", String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query's names and values, decoded, in order.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let raw = self.0.raw_query_string.as_deref().unwrap_or_default();
        form_urlencoded::parse(raw.as_bytes()).into_owned().collect()
    }

    /// Whether a query says `name=true`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.query().iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Problem::field(name, &format!("is `{other}`: must be true or false"))),
        }
    }

    pub(crate) fn body(&self) -> Result<Vec<u8>, Problem> {
        let text = self.0.body.as_deref().unwrap_or_default();
        let body = if self.0.is_base64_encoded {
            STANDARD.decode(text).map_err(|_| Problem::field("body", "cannot be decoded"))?
        } else {
            text.as_bytes().to_vec()
        };
        if body.len() > MOST_BODY { Err(Problem::too_large(MOST_BODY)) } else { Ok(body) }
    }

    /// Who calls: the token's subject or the caller's ARN; `anonymous` where the API asks for neither.
    pub(crate) fn actor(&self) -> String {
        let authorizer = self.0.request_context.authorizer.as_ref();
        let subject = authorizer.and_then(|a| a.jwt.as_ref()).and_then(|jwt| jwt.claims.get("sub")).cloned();
        let arn = || authorizer.and_then(|a| a.iam.as_ref()).and_then(|iam| iam.user_arn.clone());
        subject.or_else(arn).unwrap_or_else(|| "anonymous".to_owned())
    }
}
