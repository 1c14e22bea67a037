//! PUT of a flow's configuration.

use app::{Configure, JobOrder, Jobs};
use aws_lambda_events::http::header;
use contract::api::JobRequest;
use contract::flow_config;
use domain::{FlowName, JobAction, JobLimits, Selection, Timestamp};
use table::JobRecord;

use crate::problem::Problem;
use crate::request::Call;
use crate::{Request, Response, respond};

/// Answers `PUT /flows/{flow}`.
#[derive(Debug)]
pub struct ConfigureApi {
    configure: Configure,
    jobs: Jobs,
}

impl ConfigureApi {
    /// Stores through `configure`; what is already scheduled is planned anew through `jobs`.
    #[must_use]
    pub fn new(configure: Configure, jobs: Jobs) -> Self {
        Self { configure, jobs }
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
        let reschedules = call.flag("reschedule")?;
        if reschedules {
            self.jobs.must_be_free(&name).await?;
        }
        let flow = self.configure.put(&name, &call.body()?, version, now).await?;
        let mut body = flow_config(&flow);
        body["flow"] = flow.name.as_str().into();
        body["version"] = flow.version.into();
        let job = if reschedules { Some(self.reschedule(name, call.actor(), now).await?) } else { None };
        if let Some(record) = &job {
            body["job"] = record.job.id.0.as_str().into();
        }
        let answer = respond::with(respond::json(200, &body), header::ETAG, &format!("\"{}\"", flow.version));
        Ok(match job {
            Some(record) => respond::with(answer, header::LOCATION, &format!("/jobs/{}", record.job.id.0)),
            None => answer,
        })
    }

    /// Plans the flow's failed interchanges anew, as a job.
    async fn reschedule(&self, flow: FlowName, actor: String, now: Timestamp) -> Result<JobRecord, Problem> {
        let request = JobRequest {
            reason: "the retry policy was changed".to_owned(),
            selection: Selection::All,
            limits: JobLimits::default(),
            as_of: None,
        };
        let order = JobOrder { flow, action: JobAction::Reschedule, request, actor, idempotency: None };
        Ok(self.jobs.create(order, now).await?)
    }
}
