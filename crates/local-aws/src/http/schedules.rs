//! EventBridge Scheduler over REST-JSON.

use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{MatchedPath, Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::{Endpoint, respond};
use crate::meter::Service;
use crate::scheduler::SchedulerError;

const JSON: &str = "application/json";
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

type Output = Result<Value, SchedulerError>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    #[serde(rename = "groupName")]
    group_name: Option<String>,
    #[serde(rename = "ScheduleGroup")]
    schedule_group: Option<String>,
    #[serde(rename = "NamePrefix")]
    name_prefix: Option<String>,
    #[serde(rename = "State")]
    state: Option<String>,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
    #[serde(rename = "MaxResults")]
    max_results: Option<String>,
}

pub(super) fn routes(endpoint: &Endpoint) -> Router<Endpoint> {
    Router::new()
        .route("/schedules", get(list))
        .route("/schedules/{name}", post(create).put(update).get(read).delete(remove))
        .route("/schedule-groups", get(list_groups))
        .route("/schedule-groups/{name}", post(create_group).get(read_group).delete(remove_group))
        .route("/tags/{arn}", get(tags).post(tag).delete(untag))
        .route_layer(from_fn_with_state(endpoint.clone(), metered))
}

/// Records the call in the meter.
async fn metered(State(endpoint): State<Endpoint>, path: MatchedPath, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let operation = operation(request.method(), path.as_str());
    let response = next.run(request).await;
    endpoint.services.meter.note(Service::Scheduler, operation, response.status().as_u16(), began);
    response
}

/// The name of a route's operation in AWS's API.
pub(super) fn operation(method: &Method, path: &str) -> &'static str {
    match (method.as_str(), path) {
        ("GET", "/schedules") => "ListSchedules",
        ("GET", "/schedules/{name}") => "GetSchedule",
        ("POST", "/schedules/{name}") => "CreateSchedule",
        ("PUT", "/schedules/{name}") => "UpdateSchedule",
        ("DELETE", "/schedules/{name}") => "DeleteSchedule",
        ("GET", "/schedule-groups") => "ListScheduleGroups",
        ("GET", "/schedule-groups/{name}") => "GetScheduleGroup",
        ("POST", "/schedule-groups/{name}") => "CreateScheduleGroup",
        ("DELETE", "/schedule-groups/{name}") => "DeleteScheduleGroup",
        ("GET", _) => "ListTagsForResource",
        ("POST", _) => "TagResource",
        _ => "UntagResource",
    }
}

async fn create(State(endpoint): State<Endpoint>, Path(name): Path<String>, body: Bytes) -> Response {
    respond_to(parse(&body).and_then(|body| endpoint.services.scheduler.create_new(&name, &body)))
}

async fn update(State(endpoint): State<Endpoint>, Path(name): Path<String>, body: Bytes) -> Response {
    respond_to(parse(&body).and_then(|body| endpoint.services.scheduler.update(&name, &body)))
}

async fn read(State(endpoint): State<Endpoint>, Path(name): Path<String>, Query(query): Query<ListQuery>) -> Response {
    respond_to(endpoint.services.scheduler.get(&group(query), &name))
}

async fn remove(
    State(endpoint): State<Endpoint>,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    respond_to(endpoint.services.scheduler.delete(&group(query), &name).map(|()| json!({})))
}

async fn list(State(endpoint): State<Endpoint>, Query(query): Query<ListQuery>) -> Response {
    let page = (query.max_results, query.next_token);
    respond_to(endpoint.services.scheduler.list(query.schedule_group, query.name_prefix, query.state, page))
}

async fn create_group(State(endpoint): State<Endpoint>, Path(name): Path<String>, body: Bytes) -> Response {
    respond_to(parse(&body).and_then(|body| endpoint.services.scheduler.create_new_group(&name, &body)))
}

async fn read_group(State(endpoint): State<Endpoint>, Path(name): Path<String>) -> Response {
    respond_to(endpoint.services.scheduler.get_group(&name))
}

async fn remove_group(State(endpoint): State<Endpoint>, Path(name): Path<String>) -> Response {
    respond_to(endpoint.services.scheduler.delete_group(&name))
}

async fn list_groups(State(endpoint): State<Endpoint>, Query(query): Query<ListQuery>) -> Response {
    let page = (query.max_results, query.next_token);
    respond_to(endpoint.services.scheduler.list_groups(query.name_prefix.as_deref(), page))
}

async fn tags(State(endpoint): State<Endpoint>, Path(arn): Path<String>) -> Response {
    respond_to(endpoint.services.scheduler.tags(&arn))
}

async fn tag(State(endpoint): State<Endpoint>, Path(arn): Path<String>, body: Bytes) -> Response {
    respond_to(parse(&body).and_then(|body| endpoint.services.scheduler.tag(&arn, &body)))
}

async fn untag(
    State(endpoint): State<Endpoint>,
    Path(arn): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let keys: Vec<String> = pairs.into_iter().filter(|(name, _)| name == "TagKeys").map(|(_, key)| key).collect();
    respond_to(endpoint.services.scheduler.untag(&arn, &keys))
}

fn group(query: ListQuery) -> String {
    query.group_name.unwrap_or_else(|| "default".to_owned())
}

fn parse(body: &[u8]) -> Result<Value, SchedulerError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|error| SchedulerError::Validation(error.to_string()))
}

fn respond_to(result: Output) -> Response {
    let error = match result {
        Ok(response) => return respond(StatusCode::OK, JSON, response.to_string()),
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::error!(?error, "the Scheduler failed");
    }
    self::error(status, error.code(), &error.to_string())
}

/// An error response with the name of the exception.
pub(super) fn error(status: StatusCode, code: &'static str, message: &str) -> Response {
    let mut response = respond(status, JSON, json!({ "Message": message }).to_string());
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(code));
    response
}
