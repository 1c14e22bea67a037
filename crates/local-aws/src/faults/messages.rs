//! The texts of error messages, worded as DynamoDB words them.

pub(crate) const EXCEEDED: &str = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                        provisioning level with the UpdateTable API.";
pub(crate) const THROUGHPUT: &str = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling \
                          your table or index so please try again shortly. If exceptions persist, check if you have a hot \
                          key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";
pub(crate) const INTERNAL: &str =
    "The request processing has failed because of an unknown error, exception or failure.";
pub(crate) const ONGOING: &str = "Transaction is ongoing for the item";
