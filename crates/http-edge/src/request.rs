//! Reading API Gateway's request. The one way from its path to a flow: a handler gets the name of a flow that the caller may
//! see, or an id and the access that what is read by it must pass.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::FieldError;
use domain::{FlowAccess, FlowName, InterchangeId, JobId, PayloadSide};

use crate::Request;
use crate::access::FlowsClaim;
use crate::problem::Problem;

/// Most bytes of a request body: a thousand ids with room to spare.
const MAX_BODY: usize = 256 * 1024;

/// Longer than any job's id, which is a UUID.
const LONGEST_JOB: usize = 64;

/// A request with its parts at hand, and what its caller may see.
pub(crate) struct Call<'a> {
    request: &'a Request,
    access: FlowAccess,
}

impl<'a> Call<'a> {
    /// `request`, by a caller whose token says in `claim` what it may see.
    pub(crate) fn new(request: &'a Request, claim: &FlowsClaim) -> Self {
        Self { request, access: claim.access(request) }
    }
}

impl Call<'_> {
    /// Method and path template: `GET /flows/{flow}`.
    pub(crate) fn route(&self) -> &str {
        self.request.route_key.as_deref().unwrap_or_default()
    }

    /// The path as it was asked for.
    pub(crate) fn raw_path(&self) -> &str {
        self.request.raw_path.as_deref().unwrap_or_default()
    }

    /// The flows that the caller may see: what is read by an id must pass it.
    pub(crate) fn access(&self) -> &FlowAccess {
        &self.access
    }

    /// The flow that the path names. One that the caller may not see is not found, and nothing is read for that.
    pub(crate) fn flow(&self) -> Result<FlowName, Problem> {
        let name = self.path("flow");
        let flow = FlowName::new(name).map_err(|e| Problem::field("flow", &format!("is `{name}`: {e}")))?;
        if self.access.allows(&flow) { Ok(flow) } else { Err(Problem::not_found("flow", flow.as_str())) }
    }

    /// The payload that the path names.
    pub(crate) fn side(&self) -> Result<PayloadSide, Problem> {
        match self.path("side") {
            "sender" => Ok(PayloadSide::Sender),
            "receiver" => Ok(PayloadSide::Receiver),
            other => Err(Problem::field("side", &format!("is `{other}`: must be sender or receiver"))),
        }
    }

    pub(crate) fn interchange(&self) -> Result<InterchangeId, Problem> {
        let id = self.path("id");
        InterchangeId::new(id).map_err(|e| Problem::field("id", &format!("is `{id}`: {e}")))
    }

    /// What no job can be called is not looked for: the table takes no key of more than 2,048 bytes.
    pub(crate) fn job(&self) -> Result<JobId, Problem> {
        let id = self.path("id");
        let fits = id.len() <= LONGEST_JOB && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits { Ok(JobId(id.to_owned())) } else { Err(Problem::not_found("job", id)) }
    }

    fn path(&self, name: &str) -> &str {
        self.request.path_parameters.get(name).map_or("", String::as_str)
    }

    /// The text of a header. One that is no ASCII is refused: a condition that cannot be read must not be passed over.
    pub(crate) fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        let unreadable = |_| Problem::field(name, "has characters beyond ASCII");
        self.request.headers.get(name).map(|value| value.to_str().map_err(unreadable)).transpose()
    }

    /// Refuses a query parameter that is not among `known` or is given twice, so that a typing error in `plan` is no action.
    pub(crate) fn takes(&self, known: &[&str]) -> Result<(), Problem> {
        let mut given: Vec<String> = Vec::new();
        for (name, _) in self.query() {
            if !known.contains(&name.as_str()) {
                return Err(FieldError::unknown(name, known).into());
            }
            if given.contains(&name) {
                return Err(Problem::field(&name, "is given twice: give it once, with commas where it takes several"));
            }
            given.push(name);
        }
        Ok(())
    }

    /// The query's names and values, decoded, in order. What signs a URL in its query is for API Gateway, which may hand it on.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let raw = self.request.raw_query_string.as_deref().unwrap_or_default();
        let query = form_urlencoded::parse(raw.as_bytes()).into_owned();
        query.filter(|(name, _)| !name.starts_with("X-Amz-")).collect()
    }

    /// A whole number of the query, `least` or more.
    pub(crate) fn number(&self, name: &str, least: u32) -> Result<Option<u32>, Problem> {
        let Some((_, text)) = self.query().into_iter().find(|(n, _)| n == name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number >= least);
        let wrong = || Problem::field(name, &format!("is `{text}`: must be a number from {least}"));
        number.map(Some).ok_or_else(wrong)
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
        let text = self.request.body.as_deref().unwrap_or_default();
        let body = if self.request.is_base64_encoded {
            STANDARD.decode(text).map_err(|_| Problem::field("body", "cannot be decoded"))?
        } else {
            text.as_bytes().to_vec()
        };
        if body.len() > MAX_BODY { Err(Problem::too_large(MAX_BODY)) } else { Ok(body) }
    }

    /// Who calls: the token's subject or the caller's ARN; `anonymous` where the API asks for neither.
    pub(crate) fn actor(&self) -> String {
        let authorizer = self.request.request_context.authorizer.as_ref();
        let subject = authorizer.and_then(|a| a.jwt.as_ref()).and_then(|jwt| jwt.claims.get("sub")).cloned();
        let arn = || authorizer.and_then(|a| a.iam.as_ref()).and_then(|iam| iam.user_arn.clone());
        subject.or_else(arn).unwrap_or_else(|| "anonymous".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: &Request) -> Call<'_> {
        Call::new(request, &FlowsClaim::default())
    }

    #[test]
    fn a_flow_that_the_caller_may_not_see_is_not_found_by_its_name_alone() {
        let mut request = Request::default();
        request.path_parameters.insert("flow".to_owned(), "invoices".to_owned());
        assert_eq!(call(&request).flow().unwrap().as_str(), "invoices");
        let limited = Call::new(&request, &FlowsClaim::new(Some("flows".to_owned())));
        assert_eq!(limited.flow(), Err(Problem::not_found("flow", "invoices")));
    }

    #[test]
    fn a_header_that_is_no_ascii_is_refused_by_name_and_never_passed_over() {
        let mut request = Request::default();
        let value = aws_lambda_events::http::HeaderValue::from_bytes(b"\xef\xbf\xbd").unwrap();
        request.headers.insert("if-match", value);
        assert_eq!(call(&request).header("If-Match").unwrap_err().body()["field"], "If-Match");
        assert_eq!(call(&request).header("Idempotency-Key"), Ok(None));
    }

    #[test]
    fn a_query_parameter_that_is_unknown_or_given_twice_is_refused_by_name() {
        let takes = |query: &str, known: &[&str]| {
            let mut request = Request::default();
            request.raw_query_string = Some(query.to_owned());
            call(&request).takes(known).map_err(|problem| problem.body()["field"].as_str().unwrap().to_owned())
        };
        assert_eq!(takes("", &[]), Ok(()));
        assert_eq!(takes("X-Amz-Signature=0a&X-Amz-Date=20261120T140000Z", &[]), Ok(()));
        assert_eq!(takes("plan=true&reschedule=true", &["plan", "reschedule"]), Ok(()));
        for (query, field) in
            [("Plan=true", "Plan"), ("plan=true&plan=false", "plan"), ("=x", ""), ("%FF=1", "\u{fffd}")]
        {
            assert_eq!(takes(query, &["plan"]), Err(field.to_owned()), "{query}");
        }
    }

    #[test]
    fn what_no_job_can_be_called_is_not_found_without_a_look() {
        for id in ["a/b", "\0", "ü", &"x".repeat(3_000)] {
            let mut request = Request::default();
            request.path_parameters.insert("id".to_owned(), id.to_owned());
            assert_eq!(call(&request).job().unwrap_err().status, 404);
        }
    }
}
