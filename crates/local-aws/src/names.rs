//! The account and region of all resources, and conversions between names, URLs and ARNs.

/// The account of all resources.
pub const ACCOUNT: &str = "000000000000";
/// The region of all resources.
pub const REGION: &str = "eu-west-1";

/// The ARN of the queue called `name`.
pub fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The name of the queue with this ARN. `None` if it is not the ARN of a queue in this account and region.
pub fn queue_of_arn(arn: &str) -> Option<&str> {
    let name = arn.strip_prefix("arn:aws:sqs:")?.strip_prefix(REGION)?.strip_prefix(':')?.strip_prefix(ACCOUNT)?;
    name.strip_prefix(':').filter(|name| !name.is_empty())
}

/// The name of the queue with this URL: its last path segment. Ignores the host, so `localhost` and `127.0.0.1` are equal.
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

/// The `LIKE` pattern for ARNs of Lambda functions.
pub(crate) const FUNCTION_ARNS: &str = "arn:aws:lambda:%";

/// Whether an ARN names a Lambda function.
pub(crate) fn is_function_arn(arn: &str) -> bool {
    arn.starts_with(FUNCTION_ARNS.trim_end_matches('%'))
}
