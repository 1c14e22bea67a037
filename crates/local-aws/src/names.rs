//! The one account and region everything here lives in, and how names, URLs and ARNs are made from each other.

/// The account every resource belongs to.
pub const ACCOUNT: &str = "000000000000";
/// The region every resource lives in.
pub const REGION: &str = "eu-west-1";

/// The ARN of the queue called `name`.
pub fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The queue that an ARN names, or `None` when it is not the ARN of a queue in this account and region.
pub fn queue_of_arn(arn: &str) -> Option<&str> {
    let name = arn.strip_prefix("arn:aws:sqs:")?.strip_prefix(REGION)?.strip_prefix(':')?.strip_prefix(ACCOUNT)?;
    name.strip_prefix(':').filter(|name| !name.is_empty())
}

/// The queue that a URL names: its last path segment. The host is not looked at, so `localhost` and `127.0.0.1` are one.
pub(crate) fn queue_of_url(url: &str) -> Option<&str> {
    url.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty())
}

/// The ARN of a schedule.
pub fn schedule_arn(group: &str, name: &str) -> String {
    format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}")
}

/// The ARN of a schedule group.
pub fn group_arn(name: &str) -> String {
    format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{name}")
}

/// What the ARNs of Lambda functions look like, for `LIKE`.
pub(crate) const FUNCTION_ARNS: &str = "arn:aws:lambda:%";

/// Whether an ARN names a Lambda function.
pub(crate) fn is_function_arn(arn: &str) -> bool {
    arn.starts_with(FUNCTION_ARNS.trim_end_matches('%'))
}
