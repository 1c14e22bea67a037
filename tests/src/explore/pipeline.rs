//! The pipeline and the operator of a scenario. They report failures, act on them, consume the stage queues and report outcomes.
//! They repeat each request that gets a 5xx, and record everything as evidence for the invariants.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::beside::OtherRelease;
use super::seen::{id, number, sighting};
use crate::invariants::{Evidence, Outcome, Stored, pending_work};
use crate::{Answer, FAILURES, RECEIVER_STAGE, SENDER_STAGE, World};

/// How often a request is repeated when it gets a 5xx, one minute apart.
const MAX_REPEATS: usize = 40;

/// Minutes between two looks at the stage queues. Shorter than every deadline of the scenarios.
const STEP_MINUTES: u32 = 3;

/// Minutes per step when no message can be sent any more and only empty slots are left.
const IDLE_STEP_MINUTES: u32 = 15;

/// A stack that is not idle after so many minutes counts as stuck.
const MAX_MINUTES: u32 = 300;

/// The outcomes that the pipeline reports for an attempt.
pub(super) type Outcomes = fn(number: usize, attempt: u32) -> &'static [Outcome];

/// A world with the pipeline and the operator that use it in a scenario.
pub(super) struct Pipeline {
    pub(super) world: World,
    pub(super) evidence: Evidence,
    /// Requests that never succeeded.
    pub(super) refused: Vec<String>,
    outcomes: Outcomes,
    stages: Vec<String>,
    keys: usize,
    /// Counts finished steps. Does not change while a call hangs.
    pub(super) steps: Arc<AtomicU64>,
    /// Another release that works on the same table.
    pub(super) other_release: Option<OtherRelease>,
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
            other_release: None,
        }
    }

    /// Sets the outcomes of all messages that are received from now on.
    pub(super) fn set_outcomes(&mut self, outcomes: Outcomes) {
        self.outcomes = outcomes;
    }

    /// Creates a FIFO queue that is consumed like the stage queues, and returns its URL.
    pub(super) async fn create_fifo_stage(&mut self) -> String {
        let name = format!("{FLOW}.fifo");
        let url = self.world.fifo_queue(&name).await;
        self.stages.push(name);
        url
    }

    /// Replaces the flow's configuration.
    pub(super) async fn configure(&mut self, config: Value) {
        self.put(&format!("/flows/{FLOW}"), config).await;
    }

    /// Sends `PUT` until it succeeds.
    pub(super) async fn put(&mut self, path: &str, body: Value) {
        // The configuration may have been stored although the response was lost. Then its job exists already.
        self.request("PUT", path, body, &["job-active"]).await;
    }

    /// Requests an action on one interchange until it succeeds.
    pub(super) async fn act(&mut self, number: usize, action: &str) {
        let path = format!("/interchanges/{}/{action}", id(number));
        self.request("POST", &path, json!({ "reason": "the partner is up again" }), &[]).await;
    }

    /// Requests a job over everything until it is accepted. Returns its path.
    pub(super) async fn start_job(&mut self, action: &str, more: Value) -> Option<String> {
        let mut body = json!({ "reason": "the partner is up again", "selection": { "all": true } });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        self.request("POST", &format!("/flows/{FLOW}/{action}"), body, &[]).await?.location
    }

    /// As [`Self::start_job`], after the flow's other job has ended.
    pub(super) async fn start_job_when_free(&mut self, action: &str, more: Value) {
        for _ in 0..MAX_REPEATS {
            let jobs = self.world.get(&format!("/flows/{FLOW}/jobs")).await;
            let jobs = if jobs.status == 200 { jobs.json() } else { Value::Null };
            let mut jobs = jobs["items"].as_array().into_iter().flatten().peekable();
            if jobs.peek().is_some() && jobs.all(|job| job["endedAt"].is_string()) {
                break;
            }
            self.pass(1).await;
        }
        self.start_job(action, more).await;
    }

    /// Requests to cancel a job until it succeeds. A job that has ended is accepted too.
    pub(super) async fn cancel(&mut self, job: &str) {
        self.request("POST", &format!("{job}/cancel"), json!({}), &["job-ended"]).await;
    }

    /// Sends a request and repeats it with the same Idempotency-Key while the status is 5xx. Problems in `harmless` are accepted.
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
        self.refused.push(format!("{method} {path}: every response was a 5xx"));
        None
    }

    /// Reports failures of attempt 1 of these interchanges. `more` gives further members of each report.
    pub(super) async fn fail(&mut self, numbers: impl IntoIterator<Item = usize>, more: impl Fn(usize) -> Value) {
        let reports = numbers.into_iter().map(|number| (number, 1, Outcome::Failed, more(number)));
        let reports: Vec<_> = reports.collect();
        self.report(reports).await;
    }

    /// Reports failures in three order groups, not in the order in which they happened. Records the order in which a FIFO stage
    /// must receive them.
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

    /// Reports outcomes, each of an interchange number and an attempt, and waits until the stack is idle.
    pub(super) async fn report(&mut self, reports: Vec<(usize, u32, Outcome, Value)>) {
        let now = self.world.stack.aws().clock().now().to_string();
        let bodies: Vec<String> = reports
            .into_iter()
            .map(|(number, attempt, outcome, more)| {
                let mut body = json!({ "type": outcome.kind(), "attempt": attempt, "occurredAt": now });
                if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                    body.extend(more);
                }
                let known = self.evidence.flow_of.get(&id(number)).map_or(FLOW, String::as_str);
                let flow = body["flow"].as_str().unwrap_or(known).to_owned();
                self.evidence.record_report(&id(number), &flow, attempt, outcome);
                let report = crate::report(&id(number), &flow, body).to_string();
                self.world.log().forbid_payloads_of(&report);
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

    /// Waits until the failures queue is empty, so that outcomes are not reported before their failures are stored.
    pub(super) async fn wait_for_ingest(&mut self) {
        for _ in 0..MAX_REPEATS {
            let sqs = self.world.stack.aws().sqs();
            if self.world.held(FAILURES) + sqs.delayed(FAILURES) == 0 {
                break;
            }
            self.pass(1).await;
        }
    }

    /// Moves the clock in steps of 3 minutes, and consumes the stages after each step.
    pub(super) async fn pass(&mut self, minutes: u32) {
        for passed in (0..minutes).step_by(STEP_MINUTES as usize) {
            self.step_by(STEP_MINUTES.min(minutes - passed)).await;
        }
    }

    /// Moves the clock in one step, then consumes the stages.
    pub(super) async fn step_by(&mut self, minutes: u32) {
        if let Some(OtherRelease::Runs(mixed)) = &mut self.other_release {
            mixed.mix(&self.world).await;
        }
        let by = SignedDuration::from_mins(minutes.into());
        self.world.stack.aws().advance(by).await.expect("the clock moves");
        self.step();
        self.consume().await;
    }

    /// Waits until the stack is idle at the present time, then consumes the stages.
    pub(super) async fn settle(&mut self) {
        self.world.settle().await;
        self.step();
        self.consume().await;
    }

    /// Receives and deletes all messages of the stages, and reports their outcomes.
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

    /// Moves the clock until no work is left, and then 16 minutes more, to see that nothing else happens.
    pub(super) async fn run_until_idle(&mut self) {
        self.settle().await;
        let mut passed = 0;
        while passed < MAX_MINUTES {
            let stored = Stored::read(&self.world);
            if pending_work(&self.world, &stored).is_empty() {
                break;
            }
            let minutes = if self.may_send(&stored) { STEP_MINUTES } else { IDLE_STEP_MINUTES };
            self.step_by(minutes).await;
            passed += minutes;
        }
        self.step_by(IDLE_STEP_MINUTES + 1).await;
    }

    /// Whether a message may still be sent, or an attempt waits for its outcome.
    fn may_send(&self, stored: &Stored) -> bool {
        let queues = [FAILURES, "reprise-jobs"];
        let waits = stored.heads.values().any(|head| head.is_in_flight() || head.has_next);
        let sqs = self.world.stack.aws().sqs();
        waits || queues.into_iter().any(|queue| self.world.held(queue) + sqs.delayed(queue) > 0)
    }

    fn step(&mut self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        if let Some(OtherRelease::Writes(next)) = &mut self.other_release {
            next.write(&self.world);
        }
    }
}
