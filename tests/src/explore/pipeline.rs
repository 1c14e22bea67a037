//! The pipeline and the person of a scenario: they report, act, consume the stages and report outcomes, as patient clients
//! that repeat what was answered with 5xx, and note all of it as evidence.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::beside::Neighbour;
use super::seen::{id, number, sighting};
use crate::invariants::{Evidence, Outcome, Stored, unrest};
use crate::{Answer, FAILURES, RECEIVER_STAGE, SENDER_STAGE, World};

/// Requests that are answered with 5xx are made again so often, a minute apart.
const MAX_REPEATS: usize = 40;

/// The most minutes between two looks at the stages: less than every deadline of the scenarios.
const STEP: u32 = 3;

/// Minutes that pass at once where nothing is left but to find slots empty.
const LEAP: u32 = 15;

/// What has not come to rest after so many minutes never will.
const MAX_MINUTES: u32 = 300;

/// What becomes of an attempt that a pipeline takes off its stage.
pub(super) type Outcomes = fn(number: usize, attempt: u32) -> &'static [Outcome];

/// A world with the pipeline and the person who use it in a scenario.
pub(super) struct Pipeline {
    pub(super) world: World,
    pub(super) evidence: Evidence,
    /// Requests that were never answered with a success.
    pub(super) refused: Vec<String>,
    outcomes: Outcomes,
    stages: Vec<String>,
    keys: usize,
    /// How often something has come to its end: stands still while a call hangs.
    pub(super) steps: Arc<AtomicU64>,
    /// Another release that works on the same table.
    pub(super) neighbour: Option<Neighbour>,
}

/// The flow of every scenario.
pub(super) const FLOW: &str = "orders";

impl Pipeline {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            evidence: Evidence::default(),
            refused: Vec::new(),
            outcomes: |_, _| &[],
            stages: vec![SENDER_STAGE.to_owned(), RECEIVER_STAGE.to_owned()],
            keys: 0,
            steps: Arc::default(),
            neighbour: None,
        }
    }

    /// From now on what is on a stage ends so.
    pub(super) fn answer(&mut self, outcomes: Outcomes) {
        self.outcomes = outcomes;
    }

    /// Makes a FIFO queue that is consumed as the stages are, and gives its URL.
    pub(super) async fn fifo(&mut self) -> String {
        let name = format!("{FLOW}.fifo");
        let url = self.world.fifo_queue(&name).await;
        self.stages.push(name);
        url
    }

    /// Replaces the flow's configuration.
    pub(super) async fn configure(&mut self, config: Value) {
        self.put(&format!("/flows/{FLOW}"), config).await;
    }

    /// `PUT`, until it is answered.
    pub(super) async fn put(&mut self, path: &str, body: Value) {
        // A configuration that was stored though the answer was lost has made its job.
        self.request("PUT", path, body, &["job-active"]).await;
    }

    /// Acts on one interchange, until that is answered.
    pub(super) async fn act(&mut self, number: usize, action: &str) {
        let path = format!("/interchanges/{}/{action}", id(number));
        self.request("POST", &path, json!({ "reason": "the partner is up again" }), &[]).await;
    }

    /// Orders a job over everything, until that is answered. Gives its path.
    pub(super) async fn order(&mut self, action: &str, more: Value) -> Option<String> {
        let mut body = json!({ "reason": "the partner is up again", "selection": { "all": true } });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        self.request("POST", &format!("/flows/{FLOW}/{action}"), body, &[]).await?.location
    }

    /// As [`Self::order`], when the flow's other job has ended.
    pub(super) async fn order_when_free(&mut self, action: &str, more: Value) {
        for _ in 0..MAX_REPEATS {
            let jobs = self.world.get(&format!("/flows/{FLOW}/jobs")).await;
            let jobs = if jobs.status == 200 { jobs.json() } else { Value::Null };
            let mut jobs = jobs["items"].as_array().into_iter().flatten().peekable();
            if jobs.peek().is_some() && jobs.all(|job| job["endedAt"].is_string()) {
                break;
            }
            self.pass(1).await;
        }
        self.order(action, more).await;
    }

    /// Cancels a job, until that is answered; one that has ended is left as it is.
    pub(super) async fn cancel(&mut self, job: &str) {
        self.request("POST", &format!("{job}/cancel"), json!({}), &["job-ended"]).await;
    }

    /// Makes a request again and again with one Idempotency-Key while it is answered with 5xx.
    async fn request(&mut self, method: &str, path: &str, body: Value, harmless: &[&str]) -> Option<Answer> {
        self.keys += 1;
        let key = format!("key-{}", self.keys);
        for _ in 0..MAX_REPEATS {
            let answer = match method {
                "PUT" => self.world.put(path, body.clone()).await,
                _ => self.world.post_once(path, &key, body.clone()).await,
            };
            self.step();
            if answer.status < 500 {
                let problem = String::from_utf8_lossy(&answer.bytes);
                let is_harmless =
                    harmless.iter().any(|slug| problem.contains(&format!("urn:reprise:problem:{slug}\"")));
                if answer.status >= 300 && !is_harmless {
                    self.refused.push(format!("{method} {path}: {} {problem}", answer.status));
                }
                return Some(answer);
            }
            self.evidence.errors.push(answer);
            self.pass(1).await;
        }
        self.refused.push(format!("{method} {path}: nothing but 5xx"));
        None
    }

    /// Reports failures of attempt 1 of so many interchanges, each with what `more` says of it.
    pub(super) async fn fail(&mut self, numbers: impl IntoIterator<Item = usize>, more: impl Fn(usize) -> Value) {
        let reports = numbers.into_iter().map(|number| (number, 1, Outcome::Failed, more(number)));
        let reports: Vec<_> = reports.collect();
        self.report(reports).await;
    }

    /// Reports failures in three order groups, taken in another order than they happened in, and notes the order in which a
    /// FIFO stage must have them.
    pub(super) async fn fail_in_order(&mut self, count: usize) {
        let group = |number: usize| format!("PO-{}", number % 3);
        let began = self.world.stack.aws().clock().now() - SignedDuration::from_secs(1);
        let more = |number: usize| {
            let at = began + SignedDuration::from_millis(number as i64);
            json!({ "orderKey": group(number), "phase": "delivery", "occurredAt": at.to_string() })
        };
        for number in 0..count {
            self.evidence.order.entry(group(number)).or_default().push(id(number));
        }
        self.fail((0..count).map(|number| number * 7 % count), more).await;
    }

    /// Reports outcomes of a number and an attempt, and waits until all that follows has happened.
    pub(super) async fn report(&mut self, reports: Vec<(usize, u32, Outcome, Value)>) {
        let now = self.world.stack.aws().clock().now().to_string();
        let bodies: Vec<String> = reports
            .into_iter()
            .map(|(number, attempt, outcome, more)| {
                let mut laid = json!({ "type": outcome.kind(), "attempt": attempt, "occurredAt": now });
                if let (Some(laid), Value::Object(more)) = (laid.as_object_mut(), more) {
                    laid.extend(more);
                }
                let known = self.evidence.flow_of.get(&id(number)).map_or(FLOW, String::as_str);
                let flow = laid["flow"].as_str().unwrap_or(known).to_owned();
                self.evidence.reports(&id(number), &flow, attempt, outcome);
                let report = crate::report(&id(number), &flow, laid).to_string();
                self.world.log().sends(&report);
                report
            })
            .collect();
        for bodies in bodies.chunks(10) {
            let entry = |(n, body): (usize, &String)| json!({ "Id": n.to_string(), "MessageBody": body });
            let entries: Vec<Value> = bodies.iter().enumerate().map(entry).collect();
            let sqs = self.world.stack.aws().sqs();
            let call = json!({ "QueueUrl": sqs.url(FAILURES), "Entries": entries });
            let answer = sqs.call("SendMessageBatch", call).await.expect("SQS answers");
            assert!(answer["Failed"].as_array().is_none_or(Vec::is_empty), "{answer}");
        }
        self.world.settle().await;
        self.step();
    }

    /// Lets time pass until the failures queue has been dealt with: outcomes that come before their failures are not kept.
    pub(super) async fn taken_in(&mut self) {
        for _ in 0..MAX_REPEATS {
            let sqs = self.world.stack.aws().sqs();
            if self.world.held(FAILURES) + sqs.delayed(FAILURES) == 0 {
                break;
            }
            self.pass(1).await;
        }
    }

    /// Lets minutes pass, consuming the stages now and then.
    pub(super) async fn pass(&mut self, minutes: u32) {
        for passed in (0..minutes).step_by(STEP as usize) {
            self.leap(STEP.min(minutes - passed)).await;
        }
    }

    /// Lets minutes pass at once, and consumes the stages.
    pub(super) async fn leap(&mut self, minutes: u32) {
        if let Some(Neighbour::Runs(mixed)) = &mut self.neighbour {
            mixed.mix(&self.world).await;
        }
        let by = SignedDuration::from_mins(minutes.into());
        self.world.stack.aws().advance(by).await.expect("the clock moves");
        self.step();
        self.consume().await;
    }

    /// Waits until nothing is going on at this moment, and consumes the stages.
    pub(super) async fn settle(&mut self) {
        self.world.settle().await;
        self.step();
        self.consume().await;
    }

    /// Takes everything off the stages, and reports what becomes of it.
    async fn consume(&mut self) {
        let mut reports = Vec::new();
        for stage in self.stages.clone() {
            loop {
                let sqs = self.world.stack.aws().sqs();
                let messages = sqs.receive(&stage, 1_000, Duration::from_secs(60)).await;
                if messages.is_empty() {
                    break;
                }
                for message in &messages {
                    sqs.delete(&stage, &message.receipt);
                    let seen = sighting(message);
                    if let Some(number) = number(&seen.id) {
                        let outcomes = (self.outcomes)(number, seen.attempt);
                        reports.extend(outcomes.iter().map(|outcome| (number, seen.attempt, *outcome, json!({}))));
                    }
                    self.evidence.seen.push(seen);
                }
            }
        }
        if !reports.is_empty() {
            self.report(reports).await;
        }
    }

    /// Lets time pass until all is quiet, and a while more, to see that it is.
    pub(super) async fn rest(&mut self) {
        self.settle().await;
        let mut passed = 0;
        while passed < MAX_MINUTES {
            let stored = Stored::read(&self.world);
            if unrest(&self.world, &stored).is_empty() {
                break;
            }
            let minutes = if self.may_send(&stored) { STEP } else { LEAP };
            self.leap(minutes).await;
            passed += minutes;
        }
        self.leap(LEAP + 1).await;
    }

    /// Whether something may be put on a stage, or waits for an outcome.
    fn may_send(&self, stored: &Stored) -> bool {
        let works = [FAILURES, "reprise-jobs"];
        let waits = stored.heads.values().any(|head| head.is_in_flight() || head.has_next);
        let sqs = self.world.stack.aws().sqs();
        waits || works.into_iter().any(|queue| self.world.held(queue) + sqs.delayed(queue) > 0)
    }

    fn step(&mut self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        if let Some(Neighbour::Writes(next)) = &mut self.neighbour {
            next.write(&self.world);
        }
    }
}
