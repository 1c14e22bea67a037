//! PUT of a flow's configuration.

use app::{Configure, FlowOrder, JobOrder, Jobs};
use aws_lambda_events::http::header;
use contract::api::{JobRequest, flow_plan};
use contract::flow_config;
use domain::{Category, FlowName, JobAction, JobLimits, Phase, Selection, Timestamp};
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
        call.takes(&["plan", "category", "phase", "reschedule"])?;
        let name = call.flow()?;
        let if_match = version(call)?;
        let reschedules = call.flag("reschedule")?;
        let plans = call.flag("plan")?;
        let failure = imagined(call)?;
        if reschedules {
            self.jobs.must_be_free(&name).await?;
        }
        let (body, actor) = (call.body()?, call.actor());
        let order = FlowOrder { flow: &name, body: &body, if_match, actor: &actor };
        if plans {
            return self.plan(order, failure, now).await;
        }
        let flow = self.configure.put(order, now).await?;
        let mut body = flow_config(&flow);
        body["flow"] = flow.name.as_str().into();
        body["version"] = flow.version.into();
        let job = if reschedules { Some(self.reschedule(name, actor, now).await?) } else { None };
        if let Some(record) = &job {
            body["job"] = record.job.id.0.as_str().into();
        }
        let answer = respond::with(respond::json(200, &body), header::ETAG, &format!("\"{}\"", flow.version));
        Ok(match job {
            Some(record) => respond::with(answer, header::LOCATION, &format!("/jobs/{}", record.job.id.0)),
            None => answer,
        })
    }

    /// What would be stored, and what it would do to a failure that happens now. The `ETag` is that of the flow as it is:
    /// sent back as `If-Match`, it lets exactly this plan come true.
    async fn plan(
        &self,
        order: FlowOrder<'_>,
        (category, phase): (Category, Phase),
        now: Timestamp,
    ) -> Result<Response, Problem> {
        let plan = self.configure.plan(order, category, phase, now).await?;
        let answer = respond::json(200, &flow_plan(&plan));
        Ok(respond::with(answer, header::ETAG, &format!("\"{}\"", plan.flow.version)))
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

/// The version that `If-Match` asks for.
fn version(call: &Call<'_>) -> Result<Option<u64>, Problem> {
    match call.header("If-Match")? {
        None | Some("*") => Ok(None),
        Some(tag) => {
            let wrong = || Problem::field("If-Match", &format!("is `{tag}`: must be the version of the flow"));
            Ok(Some(tag.trim_matches('"').parse().map_err(|_| wrong())?))
        }
    }
}

/// The failure that a plan is for: of the system, in delivery, unless the query says otherwise.
fn imagined(call: &Call<'_>) -> Result<(Category, Phase), Problem> {
    let words = Category::ALL.map(Category::as_str).join(", ");
    let category = word(call, "category", &words, Category::from_word)?;
    let phase = word(call, "phase", "processing, delivery", Phase::from_word)?;
    Ok((category.unwrap_or(Category::System), phase.unwrap_or(Phase::Delivery)))
}

/// A word of the query, one of `allowed`.
fn word<T>(call: &Call<'_>, name: &str, allowed: &str, read: fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    let Some((_, word)) = call.query().into_iter().find(|(n, _)| n == name) else { return Ok(None) };
    let wrong = || Problem::field(name, &format!("is `{word}`: must be one of {allowed}"));
    read(&word).map(Some).ok_or_else(wrong)
}
