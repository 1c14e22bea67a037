//! Every GET.

use app::{FlowView, NoPayload, Reader};
use aws_lambda_events::http::header;
use contract::api::{self, FILTER_FIELDS, Group, read_filter};
use domain::{Category, Filter, InterchangeId, PayloadSide, Timestamp};
use serde_json::{Value, json};
use table::{GroupCount, JobRecord, Order, Position, Row, UnreadableJob};

use crate::access::FlowsClaim;
use crate::cursor::Cursors;
use crate::problem::Problem;
use crate::request::Call;
use crate::{Request, Response, fit, respond};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// Jobs of a page.
const MAX_JOBS: usize = 50;

/// Query parameters of a list that are no part of its filter.
const BESIDE_FILTERS: [&str; 3] = ["order", "limit", "cursor"];

/// Answers reads.
#[derive(Debug)]
pub struct ListApi {
    reader: Reader,
    claim: FlowsClaim,
    cursors: tokio::sync::OnceCell<Cursors>,
}

impl ListApi {
    /// Answers from `reader` to tokens that list in `flows_claim` what their bearers may see; without one everybody sees all.
    #[must_use]
    pub fn new(reader: Reader, flows_claim: Option<String>) -> Self {
        Self { reader, claim: FlowsClaim::new(flows_claim), cursors: tokio::sync::OnceCell::new() }
    }

    /// The answer to a read; a problem where it cannot be given.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Response {
        let call = Call::new(request, &self.claim);
        let answer = match call.route() {
            "GET /flows" => self.flows(&call, now).await,
            "GET /flows/{flow}" => self.flow(&call, now).await,
            "GET /flows/{flow}/groups" => self.groups(&call, now).await,
            "GET /flows/{flow}/interchanges" => self.interchanges(&call, now).await,
            "GET /flows/{flow}/jobs" => self.jobs(&call).await,
            "GET /interchanges/{id}" => self.interchange(&call, now).await,
            "GET /interchanges/{id}/payloads/{side}" => self.payload(&call).await,
            "GET /jobs/{id}" => self.job(&call).await,
            _ => Err(Problem::no_route()),
        };
        answer.unwrap_or_else(|problem| respond::problem(&problem))
    }

    async fn flows(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&["cursor"])?;
        let list = call.access().to_string();
        let from = self.from(call, &list).await?;
        let views = self.reader.flows(call.access(), now).await?;
        let item = |view: &FlowView| (view.flow.name.to_string(), api::flow_summary(&view.flow, &view.facts));
        let (items, next) = fit::page(views.iter().map(item).collect(), from.as_ref().map(|from| from.0.as_str()));
        self.page(&list, &items, next.map(Position)).await
    }

    async fn flow(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&[])?;
        let name = call.flow()?;
        let view = self.reader.flow(&name, now).await?.ok_or_else(|| Problem::not_found("flow", name.as_str()))?;
        if view.flow.is_unreadable() {
            return Err(Problem::unreadable_flow(&view.flow));
        }
        let answer = respond::json(200, &api::flow_summary(&view.flow, &view.facts));
        Ok(respond::with(answer, header::ETAG, &format!("\"{}\"", view.flow.version)))
    }

    async fn groups(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&["cursor"])?;
        let name = call.flow()?;
        let list = format!("groups of {name}");
        let from = self.from(call, &list).await?;
        let groups = self.reader.groups(&name, now).await?;
        let groups = groups.ok_or_else(|| Problem::not_found("flow", name.as_str()))?;
        let item = |group: GroupCount| (group.fingerprint.to_string(), api::group(&shown(group)));
        let items = groups.into_iter().map(item).collect();
        let (items, next) = fit::page(items, from.as_ref().map(|from| from.0.as_str()));
        self.page(&list, &items, next.map(Position)).await
    }

    async fn interchanges(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&[&FILTER_FIELDS[..], &BESIDE_FILTERS[..]].concat())?;
        let flow = call.flow()?;
        let query = call.query();
        let of = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let filters = query.iter().filter(|(name, _)| !BESIDE_FILTERS.contains(&name.as_str()));
        let filter = read_filter(filters.map(|(name, value)| (name.as_str(), value.as_str())))?;
        let order = order(of("order"))?;
        let limit = limit(of("limit"))?;
        let list = described(flow.as_str(), &filter, order);
        let from = self.from(call, &list).await?;
        let page = self.reader.interchanges(&flow, &filter, order, limit, from.as_ref(), now).await?;
        let page = page.ok_or_else(|| Problem::not_found("flow", flow.as_str()))?;
        let row = |row: &Row| match row {
            Ok(interchange) => api::interchange(interchange),
            Err(unreadable) => api::unreadable_interchange(&unreadable.id, &flow),
        };
        let items: Vec<Value> = page.items.iter().map(row).collect();
        let shown = fit::fitting(&items, 0).min(items.len());
        self.page(&list, &items[..shown], page.after(shown)).await
    }

    async fn jobs(&self, call: &Call<'_>) -> Result<Response, Problem> {
        call.takes(&["cursor"])?;
        let flow = call.flow()?;
        let list = format!("jobs of {flow}");
        let from = self.from(call, &list).await?;
        let jobs = self.reader.jobs(&flow, MAX_JOBS + 1, from.as_ref()).await?;
        let jobs = jobs.ok_or_else(|| Problem::not_found("flow", flow.as_str()))?;
        let row = |row: &Result<JobRecord, UnreadableJob>| match row {
            Ok(record) => api::job(&record.job, &record.counts),
            Err(unreadable) => api::unreadable_job(&unreadable.id, &flow),
        };
        let items: Vec<Value> = jobs.iter().map(row).collect();
        // One more than is shown was looked for, so that a page that names a position is not the last.
        let shown = fit::fitting(items.iter().take(MAX_JOBS), 0).min(items.len());
        let last = jobs.get(shown.saturating_sub(1)).filter(|_| shown < jobs.len());
        let position = last.map(|row| match row {
            Ok(record) => record.position_in_list(),
            Err(unreadable) => unreadable.position.clone(),
        });
        self.page(&list, &items[..shown], position).await
    }

    async fn interchange(&self, call: &Call<'_>, now: Timestamp) -> Result<Response, Problem> {
        call.takes(&["eventsBefore"])?;
        let id = call.interchange()?;
        let before: Option<u32> = call.number("eventsBefore", 2)?;
        let found = self.reader.interchange(&id, before.map(u64::from), call.access(), now).await?;
        let (interchange, events, flow) = found.ok_or_else(|| Problem::not_found("interchange", id.as_str()))?;
        let around = fit::bytes(&api::interchange_detail(&interchange, &[], &flow));
        let log: Vec<Value> = events.iter().rev().map(api::event).collect();
        let shown = fit::fitting(&log, around).min(events.len());
        let newest = &events[events.len() - shown..];
        Ok(respond::json(200, &api::interchange_detail(&interchange, newest, &flow)))
    }

    async fn payload(&self, call: &Call<'_>) -> Result<Response, Problem> {
        call.takes(&["revision"])?;
        let id = call.interchange()?;
        let side = call.side()?;
        let revision = call.number("revision", 1)?;
        let payload = self.reader.payload(&id, side, revision, call.access()).await?;
        let payload = payload.map_err(|missing| not_there(missing, &id, side))?;
        tracing::info!(
            interchangeId = id.as_str(),
            outcome = "payload_read",
            side = side.as_str(),
            revision = payload.revision,
            actor = call.actor(),
            "a payload was read"
        );
        let answer = respond::bytes(payload.meta.content_type.as_deref(), &payload.bytes);
        Ok(respond::with(answer, header::ETAG, &format!("\"{}\"", payload.meta.digest)))
    }

    async fn job(&self, call: &Call<'_>) -> Result<Response, Problem> {
        call.takes(&[])?;
        let id = call.job()?;
        let found = self.reader.job(&id, call.access()).await?;
        let record = found.ok_or_else(|| Problem::not_found("job", &id.0))?;
        Ok(respond::json(200, &api::job(&record.job, &record.counts)))
    }

    /// Where a walk of `list` goes on, as the request's `cursor` tells it.
    async fn from(&self, call: &Call<'_>, list: &str) -> Result<Option<Position>, Problem> {
        let query = call.query();
        let Some((_, cursor)) = query.iter().find(|(name, _)| name == "cursor") else { return Ok(None) };
        let wrong = "is not one that this list gave: take it from the page before, with the same filter and order";
        let position = self.cursors().await?.read(list, cursor);
        position.map(Some).ok_or_else(|| Problem::field("cursor", wrong))
    }

    /// A page of `list`, with the cursor to `next` where there is more.
    async fn page(&self, list: &str, items: &[Value], next: Option<Position>) -> Result<Response, Problem> {
        let mut body = json!({ "items": items });
        if let Some(next) = next {
            body["cursor"] = self.cursors().await?.sign(list, &next).into();
        }
        Ok(respond::json(200, &body))
    }

    /// The stack's cursor key, read once.
    async fn cursors(&self) -> Result<&Cursors, Problem> {
        let fresh = || [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
        self.cursors.get_or_try_init(|| async { Ok(Cursors::new(self.reader.cursor_key(fresh()).await?)) }).await
    }
}

fn order(text: Option<&str>) -> Result<Order, Problem> {
    match text {
        None | Some("newest") => Ok(Order::Newest),
        Some("oldest") => Ok(Order::Oldest),
        Some(other) => Err(Problem::field("order", &format!("is `{other}`: must be newest or oldest"))),
    }
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Problem::field("limit", &format!("is `{text}`: must be a number from 1 to {MAX_LIMIT}")))
}

/// What exactly is missing where a payload was asked for.
fn not_there(missing: NoPayload, id: &InterchangeId, side: PayloadSide) -> Problem {
    let side = side.as_str();
    let what = match missing {
        NoPayload::Interchange => "interchange".to_owned(),
        NoPayload::Side => format!("{side} payload of interchange"),
        NoPayload::Revision(number) => format!("revision {number} of the {side} payload of interchange"),
    };
    Problem::not_found(&what, id.as_str())
}

/// What a cursor is bound to.
fn described(flow: &str, filter: &Filter, order: Order) -> String {
    format!("{flow} {order:?} {}", api::filter_json(filter))
}

fn shown(group: GroupCount) -> Group {
    Group {
        fingerprint: group.fingerprint,
        message: group.message,
        category: Category::from_word(&group.category).unwrap_or(Category::Unknown),
        count: group.count,
        first_seen_at: Some(group.first_seen_at),
        last_seen_at: Some(group.last_seen_at),
    }
}
