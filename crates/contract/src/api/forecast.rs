//! A configuration that is only planned, as the API shows it: what `PUT /flows/{flow}?plan=true` answers.

use std::collections::BTreeMap;

use domain::{Category, Flow, Forecast, ForecastEnd, Minute, NoRetry, Phase, RetryPolicy, Timestamp};
use serde_json::Value;

use crate::flow::config_json;
use crate::object::Object;

/// The coming retries of a failure that happens now, under a configuration that is not stored.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowPlan {
    /// The flow as it would be. Its version is the one it has, which guards the `PUT` that follows.
    pub flow: Flow,
    /// When the failure happens.
    pub now: Timestamp,
    /// What kind of error it is.
    pub category: Category,
    /// Where it happens.
    pub phase: Phase,
    /// Under the flow's own policy.
    pub default: Forecast,
    /// Under each partner's.
    pub partners: BTreeMap<String, Forecast>,
}

/// The configuration, with every default spelled out, and `retries` beside it.
#[must_use]
pub fn flow_plan(plan: &FlowPlan) -> Value {
    let forecast = |partner: Option<&str>, forecast| forecast_json(plan.now, plan.flow.retry_for(partner), forecast);
    let partners = plan
        .partners
        .iter()
        .fold(Object::new(), |partners, (name, coming)| partners.with(name, forecast(Some(name), coming)));
    let retries = Object::new()
        .with("category", plan.category.as_str())
        .with("phase", plan.phase.as_str())
        .with("default", forecast(None, &plan.default))
        .with("partners", partners);
    config_json(&plan.flow)
        .with("flow", plan.flow.name.as_str())
        .with("version", plan.flow.version)
        .with("retries", retries)
        .into()
}

/// `latest` is beside `times` where jitter may move them, up to that far.
fn forecast_json(now: Timestamp, policy: &RetryPolicy, forecast: &Forecast) -> Object {
    let times = |minutes: &[Minute]| minutes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let why = forecast.end.as_ref().map(|end| match end {
        ForecastEnd::NoRetry(none) => none.to_string(),
        ForecastEnd::Refused(refusal) => refusal.to_string(),
    });
    let is_spread = forecast.latest != forecast.earliest;
    Object::new()
        .time("now", Some(now))
        .with("kind", policy.schedule.kind())
        .maybe("action", forecast.action.map(|action| action.as_str()))
        .with("times", times(&forecast.earliest))
        .maybe("latest", is_spread.then(|| times(&forecast.latest)))
        .with("exhausted", matches!(forecast.end, Some(ForecastEnd::NoRetry(NoRetry::Exhausted { .. }))))
        .maybe("why", why)
}
