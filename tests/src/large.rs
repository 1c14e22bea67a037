//! More of everything than one answer of a function holds, which is 6 MB.

use serde_json::{Value, json};

use crate::{World, report};

/// Characters in the longest message that a report may have.
const LONGEST_MESSAGE: usize = 10_000;

impl World {
    /// Lets `id` fail so many times, each with the longest message that there is.
    pub async fn fails_often(&self, id: &str, flow: &str, times: usize) {
        self.put(&format!("/flows/{flow}"), json!({ "retry": { "mode": "manual" } })).await.ok();
        let attempts: Vec<usize> = (1..=times).collect();
        for attempts in attempts.chunks(10) {
            // What fails first comes first: an older attempt is late news once a newer one is known.
            let failure = |attempt: &usize| json!({ "attempt": attempt, "error": { "message": longest("") } });
            self.send(attempts.iter().map(|attempt| report(id, flow, failure(attempt)).to_string())).await;
        }
    }

    /// Lets so many fail in `flow`, each with a message that is unlike all others.
    pub async fn fails_variously(&self, flow: &str, groups: usize) {
        self.put(&format!("/flows/{flow}"), json!({ "retry": { "mode": "manual" } })).await.ok();
        let failure = |n: usize| {
            // Numbers and what looks like one are folded: letters tell these apart.
            let letter = |n: usize| char::from(b'g' + u8::try_from(n % 20).unwrap_or_default());
            let message = longest(&format!("no rule for {}{} in ", letter(n / 20), letter(n)));
            report(&format!("various-{n}"), flow, json!({ "error": { "message": message } })).to_string()
        };
        self.send((0..groups).map(failure)).await;
    }

    /// Configures so many flows with a policy of their own for each of many partners.
    pub async fn configures_many(&self, flows: usize) {
        let delays: Vec<String> = (1..=40).map(|minutes| format!("{minutes}m")).collect();
        let policy = json!({ "retry": { "schedule": { "kind": "ladder", "delays": delays } } });
        let partner = |n: usize| (format!("{n}-{}", "z".repeat(200)), policy.clone());
        let partners: Value = (0..400).map(partner).collect();
        for n in 0..flows {
            self.put(&format!("/flows/large-{n:02}"), json!({ "partners": partners })).await.ok();
        }
    }

    /// Deletes in `flow`, which knows nobody, so many times a thousand interchanges with the longest ids that there are.
    pub async fn makes_long_jobs(&self, flow: &str, jobs: usize) {
        self.put(&format!("/flows/{flow}"), json!({})).await.ok();
        let ids: Vec<String> = (0..1_000).map(|n| format!("{n:04}{}", "y".repeat(124))).collect();
        for n in 0..jobs {
            let order = json!({ "reason": format!("the {n}th"), "selection": { "ids": ids } });
            self.post(&format!("/flows/{flow}/delete"), order).await.ok();
            self.settle().await;
        }
    }

    /// Walks a list to its end: its pages, as they came.
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

/// A message of four bytes a character that begins so.
fn longest(start: &str) -> String {
    start.chars().chain(std::iter::repeat('𝄞')).take(LONGEST_MESSAGE).collect()
}
