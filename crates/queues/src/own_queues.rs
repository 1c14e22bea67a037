//! The queues that Reprise itself works with. None of them is a stage: what a flow sends there would be taken for Reprise's
//! own work, or come back as a failure for ever.

/// Reprise's own queues.
#[derive(Debug, Clone, Default)]
pub struct OwnQueues {
    queues: Vec<(Option<String>, String)>,
}

impl OwnQueues {
    /// Those at these URLs.
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

    /// Whether a URL is that of one of them. SQS finds a queue by account and name, whatever host the URL names; where a URL
    /// names no account the name alone decides.
    #[must_use]
    pub fn contain(&self, url: &str) -> bool {
        let (account, name) = account_and_name(url);
        self.queues.iter().any(|(own_account, own_name)| {
            *own_name == name && (account.is_none() || own_account.is_none() || *own_account == account)
        })
    }
}

/// The last two parts of a queue's URL; `None` where the part before the name is no account.
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
    fn a_queue_is_known_by_account_and_name_whatever_the_host() {
        let own = OwnQueues::new(["https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-jobs", ""]);
        for url in [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-jobs",
            "https://eu-west-1.queue.amazonaws.com/123456789012/reprise-jobs",
            "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/reprise-jobs",
            "http://127.0.0.1:9/queue/123456789012/reprise-jobs",
            "https://sqs.eu-west-1.amazonaws.com/reprise-jobs",
            "https://sqs.eu-west-1.amazonaws.com/%3123456789012/reprise-jobs",
        ] {
            assert!(own.contain(url), "{url}");
        }
        for url in [
            "https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-receiver-stage",
            "https://sqs.eu-west-1.amazonaws.com/210987654321/reprise-jobs",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/my-reprise-jobs",
        ] {
            assert!(!own.contain(url), "{url}");
        }
        assert!(!OwnQueues::default().contain("https://sqs.eu-west-1.amazonaws.com/123456789012/reprise-jobs"));
    }
}
