//! The name, account and region of the stack, and the ARNs that follow from them.

/// The values of CloudFormation's pseudo parameters, and the AWS endpoint of the stack.
#[derive(Debug, Clone)]
pub struct StackContext {
    /// The name of the stack.
    pub stack: String,
    pub region: String,
    pub account: String,
    /// The URL of the AWS endpoint without a trailing slash. Queue URLs start with it.
    pub endpoint: String,
}

impl StackContext {
    /// The ARN of a resource in this account and region.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

/// The name of a queue or function, given its name or its ARN.
pub(super) fn resource_name(name_or_arn: &str) -> &str {
    name_or_arn.rsplit(':').next().unwrap_or_default()
}
