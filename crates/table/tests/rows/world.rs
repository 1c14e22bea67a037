//! A table of its own for each test, and interchanges with what may happen to them.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use domain::{
    Actor, Category, Cause, Change, Claim, Digest, ErrorInfo, Extent, FailureReport, Flow, FlowName, Interchange,
    InterchangeId, JobId, PayloadMeta, Phase, Received, Reentry, Report, ReportKind, Stages, Timestamp, Trigger,
    Verdict, receive,
};
use jiff::SignedDuration;
use local_aws::{Aws, ClockMode, Options};
use serde_json::json;
use table::{Committed, Table, Work};

const TABLE: &str = "reprise";

pub(crate) struct World {
    aws: Aws,
    pub(crate) client: Client,
    pub(crate) table: Table,
}

impl World {
    pub(crate) async fn start() -> Self {
        let clock = ClockMode::Frozen(at("14:00"));
        let listen = "127.0.0.1:0".parse().unwrap();
        let aws = Aws::start(Options { listen, data: None, clock }).await.unwrap();
        let attributes = ["pk", "sk", "ip", "is"].map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
        let definition = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": keys("pk", "sk"),
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-flow",
                "KeySchema": keys("ip", "is"),
                "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["row"] },
            }],
        });
        aws.dynamodb().create_table(serde_json::from_value(definition).unwrap()).unwrap();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(aws.dynamodb_url())
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .build();
        let client = Client::from_conf(config);
        let table = Table::new(client.clone(), TABLE, SignedDuration::from_hours(24 * 30));
        Self { aws, client, table }
    }

    pub(crate) async fn stop(self) {
        self.aws.shutdown().await;
    }

    /// Commits one work and gives back the interchange as it stands then.
    pub(crate) async fn commit(&self, before: Option<&Interchange>, change: Change, now: Timestamp) -> Interchange {
        let work = Work::new(before.cloned(), change);
        self.commit_work(work, now).await
    }

    pub(crate) async fn commit_work(&self, work: Work, now: Timestamp) -> Interchange {
        match self.table.commit(std::slice::from_ref(&work), now).await.unwrap().as_slice() {
            [Committed::Done { version, .. }] => work.committed(*version),
            other => panic!("not committed: {other:?}"),
        }
    }

    /// How many items of the table have a partition key that begins so.
    pub(crate) async fn count_of(&self, prefix: &str) -> usize {
        let scan = self.client.scan().table_name(TABLE).filter_expression("begins_with(pk, :prefix)");
        let scan = scan.expression_attribute_values(":prefix", Value::S(prefix.to_owned()));
        scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap().len()
    }

    /// Every item of an interchange, by sort key.
    pub(crate) async fn items(&self, id: &InterchangeId) -> Vec<std::collections::HashMap<String, Value>> {
        let query = self.client.query().table_name(TABLE).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", Value::S(format!("INTERCHANGE#{id}")));
        let pages = query.into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.unwrap()
    }
}

pub(crate) use aws_sdk_dynamodb::types::AttributeValue as Value;

fn keys(hash: &str, range: &str) -> serde_json::Value {
    json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }])
}

/// A time of 20 November 2026: `14:00`, `14:00:30`.
pub(crate) fn at(time: &str) -> Timestamp {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2026-11-20T{time}{seconds}Z").parse().unwrap()
}

pub(crate) fn flow() -> Flow {
    let url = |name: &str| Some(format!("https://sqs/1/{name}"));
    let stages = Stages { sender: url("sender"), receiver: url("receiver") };
    Flow::registered(FlowName::new("orders").unwrap(), &stages, at("12:00"))
}

pub(crate) fn meta(bytes: &[u8]) -> PayloadMeta {
    PayloadMeta { digest: Digest::of(bytes), bytes: bytes.len() as u64, content_type: None }
}

/// A failure in delivery without payloads.
pub(crate) fn failure() -> FailureReport {
    FailureReport {
        extent: Extent::Whole,
        phase: Some(Phase::Delivery),
        origin: None,
        sender: None,
        receiver: None,
        partner: None,
        source_id: None,
        correlation_id: None,
        traceparent: None,
        order_key: None,
        error: ErrorInfo { category: Category::System, code: None, message: Some("connect timeout".to_owned()) },
        retry_after: None,
        parts: Vec::new(),
        sender_payload: Some(meta(b"UNB")),
        receiver_payload: Some(meta(b"<a/>")),
        attributes: None,
    }
}

pub(crate) fn failed() -> ReportKind {
    ReportKind::Failed(Box::new(failure()))
}

pub(crate) fn id(text: &str) -> InterchangeId {
    InterchangeId::new(text).unwrap()
}

/// What a report of `attempt` changes, `now` being when it happened and came.
pub(crate) fn reported(
    known: Option<&Interchange>,
    of: &InterchangeId,
    attempt: u32,
    kind: ReportKind,
    now: Timestamp,
) -> Verdict {
    let flow = flow();
    let report = Report {
        id: of.clone(),
        flow: flow.name.clone(),
        attempt: Some(attempt),
        occurred_at: Some(now),
        kind,
        epoch: None,
        digest: None,
        warnings: Vec::new(),
    };
    receive(known.cloned(), &report, Received { queued_at: now, now, flow: &flow, epoch: domain::Epoch::FIRST })
}

pub(crate) fn change(verdict: Verdict) -> Change {
    match verdict {
        Verdict::Change(change) => *change,
        other => panic!("no change: {other:?}"),
    }
}

pub(crate) fn by_job(job: &str) -> Cause {
    Cause {
        claim: Claim::Chunk { job: JobId(job.to_owned()), number: 0 },
        canary: false,
        actor: Actor::Person("ann".to_owned()),
        trigger: Trigger::Manual,
        reason: Some("partner is back".to_owned()),
        job: Some(JobId(job.to_owned())),
    }
}

/// Sent back by a person, without a job.
pub(crate) fn sent_back(known: &Interchange, now: Timestamp) -> Change {
    let cause = Cause { claim: Claim::Request("1".to_owned()), job: None, ..by_job("1") };
    known.clone().reenter(Reentry::Retry, &cause, &flow(), now).unwrap()
}
