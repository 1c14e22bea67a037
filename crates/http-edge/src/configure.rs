//! PUT of a flow's configuration.

use app::Configure;
use aws_lambda_events::http::header;
use contract::api::{FlowFacts, flow_summary};
use domain::Timestamp;

use crate::problem::Problem;
use crate::request::Call;
use crate::{Request, Response, respond};

/// Answers `PUT /flows/{flow}`.
#[derive(Debug)]
pub struct ConfigureApi {
    configure: Configure,
}

impl ConfigureApi {
    /// Stores through `configure`.
    #[must_use]
    pub fn new(configure: Configure) -> Self {
        Self { configure }
    }

    /// The stored configuration; a problem where it cannot be stored.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Response {
        let call = Call(request);
        let answer = match call.route() {
            "PUT /flows/{flow}" => self.put(&call, now).await,
            _ => Err(Problem::no_route()),
        };
        answer.unwrap_or_else(|problem| respond::problem(&problem))
    }

    async fn put(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        let name = call.flow()?;
        let version = match call.header("if-match") {
            None | Some("*") => None,
            Some(tag) => {
                let wrong = || Problem::field("If-Match", &format!("is `{tag}`: must be the version of the flow"));
                Some(tag.trim_matches('"').parse().map_err(|_| wrong())?)
            }
        };
        let flow = self.configure.put(&name, &call.body()?, version, now).await?;
        let answer = respond::json(200, &flow_summary(&flow, &FlowFacts::default()));
        Ok(respond::with(answer, header::ETAG, &format!("\"{}\"", flow.version)))
    }
}
