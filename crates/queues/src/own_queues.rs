//! Recognises Reprise's own queues, so that no flow uses one of them as a stage. Reprise would read a message that a flow
//! sends to them as its own work, or take it in as a new failure again and again.

/// The queues that belong to Reprise. No interchange is sent to them.
#[derive(Debug, Clone, Default)]
pub struct OwnQueues {
    queues: Vec<(Option<String>, String)>,
}

impl OwnQueues {
    /// Collects the queues at these URLs. Skips a URL that has no queue name.
    #[must_use]
    pub fn new<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            queues: urls
                .into_iter()
                .map(|url| account_and_name(url.trim()))
                .filter(|(_, name)| !name.is_empty())
                .collect(),
        }
    }

    /// Whether `url` is the URL of one of these queues. Compares account and name, because SQS ignores the host of a queue
    /// URL. If one of the two URLs has no account, compares the names only.
    #[must_use]
    pub fn contains(&self, url: &str) -> bool {
        let (account, name) = account_and_name(url);
        self.queues.iter().any(|(own_account, own_name)| {
            *own_name == name && (account.is_none() || own_account.is_none() || *own_account == account)
        })
    }
}

/// The last two parts of a queue's URL. The account is `None` unless the part before the name is a 12-digit account id.
fn account_and_name(url: &str) -> (Option<String>, String) {
    let mut parts = url.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let account = parts.next().filter(|part| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()));
    (account.map(str::to_owned), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_recognised_by_account_and_name_with_any_host() {
        let own = OwnQueues::new(["https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-jobs", ""]);
        for url in [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-jobs",
            "https://eu-west-1.queue.amazonaws.com/123456789012/reprise-jobs",
            "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/reprise-jobs",
            "http://127.0.0.1:9/queue/123456789012/reprise-jobs",
            "https://sqs.eu-west-1.amazonaws.com/reprise-jobs",
            "https://sqs.eu-west-1.amazonaws.com/%3123456789012/reprise-jobs",
        ] {
            assert!(own.contains(url), "{url}");
        }
        for url in [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-receiver-stage",
            "https://sqs.eu-west-1.amazonaws.com/210987654321/reprise-jobs",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/my-reprise-jobs",
        ] {
            assert!(!own.contains(url), "{url}");
        }
        assert!(!OwnQueues::default().contains("https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-jobs"));
    }
}
