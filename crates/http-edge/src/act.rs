//! Restart, retry, delete and erase, one interchange at once or many as a job, and the cancelling of jobs.

use app::{ActOrder, Actions, JobOrder, Jobs, Plan};
use aws_lambda_events::http::header;
use contract::api::{self, read_job_request, read_reason};
use domain::{Digest, JobAction, Timestamp};
use serde_json::{Value, json};
use table::JobRecord;

use crate::access::FlowsClaim;
use crate::problem::Problem;
use crate::request::Call;
use crate::{Request, Response, respond};

const KEY: &str = "Idempotency-Key";

/// Most characters of an Idempotency-Key.
const MAX_KEY: usize = 256;

/// Answers some of the actions.
#[derive(Debug)]
pub struct ActApi {
    own: &'static [JobAction],
    actions: Actions,
    jobs: Jobs,
    claim: FlowsClaim,
}

impl ActApi {
    /// Answers the actions in `own` and no others, as each function has its own, to tokens that list in `flows_claim` what their
    /// bearers may see; without one everybody sees all.
    #[must_use]
    pub fn new(own: &'static [JobAction], actions: Actions, jobs: Jobs, flows_claim: Option<String>) -> Self {
        Self { own, actions, jobs, claim: FlowsClaim::new(flows_claim) }
    }

    /// The answer to an action; a problem where it cannot be done.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Response {
        let call = Call::new(request, &self.claim);
        let Some((path, word)) = call.route().rsplit_once('/') else { return respond::problem(&Problem::no_route()) };
        let action = self.own.iter().copied().find(|action| action.as_str() == word);
        let answer = match (path, word, action) {
            ("POST /interchanges/{id}", _, Some(action)) => self.one(&call, action, now).await,
            ("POST /flows/{flow}", _, Some(action)) => self.many(&call, action, now).await,
            ("POST /jobs/{id}", "cancel", _) => self.cancel(&call, now).await,
            ("POST /jobs/{id}", "resume", _) => self.resume(&call).await,
            _ => Err(Problem::no_route()),
        };
        answer.unwrap_or_else(|problem| respond::problem(&problem))
    }

    async fn one(&self, call: &Call<'_>, action: JobAction, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&[])?;
        let id = call.interchange()?;
        let body = call.body()?;
        let reason = read_reason(&body)?;
        let idempotency = self.idempotency(call, &body)?;
        let order = ActOrder { id, action, reason, actor: call.actor(), idempotency };
        Ok(respond::json_text(200, self.actions.act(&order, call.access(), now).await?))
    }

    async fn many(&self, call: &Call<'_>, action: JobAction, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&["plan"])?;
        let flow = call.flow()?;
        let body = call.body()?;
        let request = read_job_request(&body)?;
        let idempotency = self.idempotency(call, &body)?;
        let order = JobOrder { flow, action, request, actor: call.actor(), idempotency };
        if call.flag("plan")? {
            let plan = self.jobs.plan(order, call.access(), now).await?;
            return Ok(respond::json(200, &planned(&plan)));
        }
        let record = self.jobs.create(order, call.access(), now).await?;
        let answer = respond::json(202, &shown(&record));
        Ok(respond::with(answer, header::LOCATION, &format!("/jobs/{}", record.job.id.0)))
    }

    async fn cancel(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&[])?;
        let record = self.jobs.cancel(&call.job()?, call.access(), now).await?;
        Ok(respond::json(200, &shown(&record)))
    }

    async fn resume(&self, call: &Call<'_>) -> Result<Response, Problem> {
        call.takes(&[])?;
        let record = self.jobs.resume(&call.job()?, call.access()).await?;
        Ok(respond::json(200, &shown(&record)))
    }

    /// The caller's key and what it stands for: this action on this path with this body.
    fn idempotency(&self, call: &Call<'_>, body: &[u8]) -> Result<Option<(String, String)>, Problem> {
        let Some(key) = call.header(KEY)? else { return Ok(None) };
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(Problem::field(KEY, &format!("must have 1 to {MAX_KEY} characters")));
        }
        let mut request = call.raw_path().as_bytes().to_vec();
        request.push(0);
        request.extend_from_slice(body);
        Ok(Some((key.to_owned(), Digest::of(&request).to_string())))
    }
}

fn planned(plan: &Plan) -> Value {
    let sample: Vec<Value> = plan.sample.iter().map(api::interchange).collect();
    let mut body =
        json!({ "count": plan.count, "countIsExact": plan.is_exact, "sample": sample, "asOf": plan.as_of.to_string() });
    if !plan.skips.is_empty() {
        body["skips"] = json!(plan.skips);
    }
    body
}

fn shown(record: &JobRecord) -> Value {
    api::job(&record.job, &record.counts)
}
