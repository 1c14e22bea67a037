//! Creates more data than fits into one response of a function, which is 6 MB.

use serde_json::{Value, json};

use crate::{World, report};

/// The maximum length of a report's error message, in characters.
const MAX_MESSAGE: usize = 10_000;

impl World {
    /// Reports `times` failures of `id`, each with a message of the maximum length.
    pub async fn fail_repeatedly(&self, id: &str, flow: &str, times: usize) {
        self.put(&format!("/flows/{flow}"), json!({ "retry": { "mode": "manual" } })).await.ok();
        let attempts: Vec<usize> = (1..=times).collect();
        for attempts in attempts.chunks(10) {
            // In ascending order: a report of an older attempt than the known one would only be a late outcome.
            let failure = |attempt: &usize| json!({ "attempt": attempt, "error": { "message": longest_message("") } });
            self.send(attempts.iter().map(|attempt| report(id, flow, failure(attempt)).to_string())).await;
        }
    }

    /// Reports failures in `flow` whose messages fall into so many different groups.
    pub async fn fail_with_distinct_messages(&self, flow: &str, groups: usize) {
        self.put(&format!("/flows/{flow}"), json!({ "retry": { "mode": "manual" } })).await.ok();
        let failure = |n: usize| {
            // A fingerprint ignores words with digits and long hexadecimal words, so the messages differ in letters after f.
            let letter = |n: usize| char::from(b'g' + u8::try_from(n % 20).unwrap_or_default());
            let message = longest_message(&format!("no rule for {}{} in ", letter(n / 20), letter(n)));
            report(&format!("various-{n}"), flow, json!({ "error": { "message": message } })).to_string()
        };
        self.send((0..groups).map(failure)).await;
    }

    /// Configures so many flows, each with a policy for each of 400 partners.
    pub async fn configure_flows_with_many_partners(&self, flows: usize) {
        let delays: Vec<String> = (1..=40).map(|minutes| format!("{minutes}m")).collect();
        let policy = json!({ "retry": { "schedule": { "kind": "ladder", "delays": delays } } });
        let partner = |n: usize| (format!("{n}-{}", "z".repeat(200)), policy.clone());
        let partners: Value = (0..400).map(partner).collect();
        for n in 0..flows {
            self.put(&format!("/flows/large-{n:02}"), json!({ "partners": partners })).await.ok();
        }
    }

    /// Creates so many delete jobs in `flow`. Each names a thousand interchanges that do not exist, with ids of the
    /// maximum length.
    pub async fn create_jobs_with_many_ids(&self, flow: &str, jobs: usize) {
        self.put(&format!("/flows/{flow}"), json!({})).await.ok();
        let ids: Vec<String> = (0..1_000).map(|n| format!("{n:04}{}", "y".repeat(124))).collect();
        for n in 0..jobs {
            let order = json!({ "reason": format!("the {n}th"), "selection": { "ids": ids } });
            self.post(&format!("/flows/{flow}/delete"), order).await.ok();
            self.settle().await;
        }
    }

    /// Reads all pages of a list.
    pub async fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut query = String::new();
        loop {
            let page = self.get(&format!("{path}{query}")).await.ok();
            pages.push(page["items"].as_array().cloned().unwrap_or_default());
            match page["cursor"].as_str() {
                Some(cursor) => query = format!("?cursor={cursor}"),
                None => return pages,
            }
        }
    }
}

/// A message of the maximum length that begins with `start`. Each further character has four bytes.
fn longest_message(start: &str) -> String {
    start.chars().chain(std::iter::repeat('𝄞')).take(MAX_MESSAGE).collect()
}
