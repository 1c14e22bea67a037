//! PUT of a flow's configuration.

use app::{Configure, FlowOrder, Jobs};
use aws_lambda_events::http::header;
use contract::api::flow_plan;
use contract::flow_config;
use domain::{Category, Phase, Timestamp};

use crate::access::FlowsClaim;
use crate::problem::Problem;
use crate::request::Call;
use crate::{Request, Response, respond};

/// Answers `PUT /flows/{flow}`.
#[derive(Debug)]
pub struct ConfigureApi {
    configure: Configure,
    jobs: Jobs,
    claim: FlowsClaim,
}

impl ConfigureApi {
    /// Stores through `configure`; what is already scheduled is rescheduled through `jobs`. Tokens list in `flows_claim` what
    /// their bearers may see; without one everybody sees all.
    #[must_use]
    pub fn new(configure: Configure, jobs: Jobs, flows_claim: Option<String>) -> Self {
        Self { configure, jobs, claim: FlowsClaim::new(flows_claim) }
    }

    /// The stored configuration; a problem where it cannot be stored.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Response {
        let call = Call::new(request, &self.claim);
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
        let (body, actor) = (call.body()?, call.actor());
        let order = FlowOrder { flow: &name, body: &body, if_match, actor: &actor };
        if plans {
            let answer = self.plan(order, failure, now).await?;
            if reschedules {
                self.jobs.must_be_free(&name).await?;
            }
            return Ok(answer);
        }
        let (flow, job) = if reschedules {
            let (flow, job) = self.configure.put_and_reschedule(order, now).await?;
            (flow, Some(job))
        } else {
            (self.configure.put(order, now).await?, None)
        };
        let mut body = flow_config(&flow);
        body["flow"] = flow.name.as_str().into();
        body["version"] = flow.version.into();
        if let Some(job) = &job {
            body["job"] = job.0.as_str().into();
        }
        let answer = respond::with(respond::json(200, &body), header::ETAG, &format!("\"{}\"", flow.version));
        Ok(match job {
            Some(job) => respond::with(answer, header::LOCATION, &format!("/jobs/{}", job.0)),
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
}

/// The version that `If-Match` asks for.
fn version(call: &Call<'_>) -> Result<Option<u64>, Problem> {
    match call.header("If-Match")? {
        None | Some("*") => Ok(None),
        Some(tag) => {
            let wrong = || {
                Problem::field(
                    "If-Match",
                    &format!("is `{tag}`: must be the version of the flow, as its `ETag` tells it"),
                )
            };
            // Quotes come in pairs, and a number is digits alone: `+1` would be read as 1.
            let version = tag.strip_prefix('"').map_or(Some(tag), |rest| rest.strip_suffix('"'));
            let digits = version.filter(|version| version.bytes().all(|byte| byte.is_ascii_digit()));
            Ok(Some(digits.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?))
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
