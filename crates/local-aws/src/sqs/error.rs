//! The errors of SQS, with AWS's texts: SDKs depend on them, and people search for them. Each error has two names: the one of
//! the JSON protocol, and the older one that SDKs still report through `x-amzn-query-error`.

/// The characters that a message may contain, as AWS writes them.
const ALLOWED: &str = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";

/// An error of SQS. `Display` is the message that AWS would send.
#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    /// There is no queue with this name.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// A queue with this name and other attributes exists.
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(String),
    /// There is no queue attribute with this name.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// The value of a queue attribute is invalid.
    #[error("Invalid value for the parameter {0}.{1}")]
    InvalidAttributeValue(String, String),
    /// The body or an attribute contains a character that SQS does not allow.
    #[error(
        "Invalid binary character '#x{0:X}' was found in the message body, the set of allowed characters is {ALLOWED}"
    )]
    InvalidMessageContents(u32),
    /// The batch has no entries.
    #[error("There should be at least one {0} in the request.")]
    EmptyBatchRequest(&'static str),
    /// The batch has more than ten entries.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    /// Two entries of the batch have the same id.
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    /// The id of an entry is not 1-80 of `A-Za-z0-9-_`.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    /// The entries of the batch together are too large.
    #[error("Batch requests cannot be longer than 1048576 bytes. You have sent {0} bytes.")]
    BatchRequestTooLong(usize),
    /// The receipt handle is malformed or belongs to another queue.
    #[error("The input receipt handle \"{0}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid(String),
    /// The message is not in flight.
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    /// 120,000 messages are in flight.
    #[error("Too many messages in flight: {0}")]
    OverLimit(usize),
    /// The operation is not possible for this queue or task.
    #[error("{0}")]
    UnsupportedOperation(String),
    /// The queue of a move task does not exist.
    #[error("{0}")]
    ResourceNotFound(String),
    /// The request is not valid JSON for the operation.
    #[error("{0}")]
    Serialization(String),
    /// This endpoint does not support the operation.
    #[error("The operation {0} is not supported.")]
    UnknownOperation(String),
    /// The database failed.
    #[error("The queues' database failed.")]
    Storage(#[from] rusqlite::Error),
    /// A stored queue or message cannot be read.
    #[error("The stored queues cannot be read.")]
    Stored(#[source] serde_json::Error),
}

impl SqsError {
    /// The name of the error in the JSON protocol, as in `__type`.
    pub fn shape(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "com.amazonaws.sqs#QueueDoesNotExist",
            Self::QueueNameExists(_) => "com.amazonaws.sqs#QueueNameExists",
            Self::InvalidParameterValue(_) => "com.amazon.coral.service#InvalidParameterValueException",
            Self::MissingParameter(_) => "com.amazon.coral.service#MissingRequiredParameterException",
            Self::InvalidAttributeName(_) => "com.amazonaws.sqs#InvalidAttributeName",
            Self::InvalidAttributeValue(..) => "com.amazonaws.sqs#InvalidAttributeValue",
            Self::InvalidMessageContents(_) => "com.amazonaws.sqs#InvalidMessageContents",
            Self::EmptyBatchRequest(_) => "com.amazonaws.sqs#EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest(_) => "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct(_) => "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "com.amazonaws.sqs#InvalidBatchEntryId",
            Self::BatchRequestTooLong(_) => "com.amazonaws.sqs#BatchRequestTooLong",
            Self::ReceiptHandleIsInvalid(_) => "com.amazonaws.sqs#ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "com.amazonaws.sqs#MessageNotInflight",
            Self::OverLimit(_) => "com.amazonaws.sqs#OverLimit",
            Self::UnsupportedOperation(_) => "com.amazonaws.sqs#UnsupportedOperation",
            Self::ResourceNotFound(_) => "com.amazonaws.sqs#ResourceNotFoundException",
            Self::Serialization(_) => "com.amazon.coral.service#SerializationException",
            Self::UnknownOperation(_) => "com.amazon.coral.service#UnknownOperationException",
            Self::Storage(_) | Self::Stored(_) => "com.amazon.coral.service#InternalFailure",
        }
    }

    /// The code of the query protocol, which boto3 and the CLI show.
    pub fn query_code(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue",
            Self::QueueNameExists(_) => "QueueAlreadyExists",
            Self::InvalidParameterValue(_) => "InvalidParameterValue",
            Self::MissingParameter(_) => "MissingParameter",
            Self::InvalidAttributeName(_) => "InvalidAttributeName",
            Self::InvalidAttributeValue(..) => "InvalidAttributeValue",
            Self::InvalidMessageContents(_) => "InvalidMessageContents",
            Self::EmptyBatchRequest(_) => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest(_) => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct(_) => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::BatchRequestTooLong(_) => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::ReceiptHandleIsInvalid(_) => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::OverLimit(_) => "OverLimit",
            Self::UnsupportedOperation(_) => "AWS.SimpleQueueService.UnsupportedOperation",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "InvalidAction",
            Self::Storage(_) | Self::Stored(_) => "InternalFailure",
        }
    }

    /// Whether the client caused the error, so that a retry would not help.
    pub fn is_client_error(&self) -> bool {
        !matches!(self, Self::Storage(_) | Self::Stored(_))
    }

    /// The error for an invalid value of a parameter.
    pub(super) fn value(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        Self::InvalidParameterValue(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }
}

/// Returns the value of a required parameter.
///
/// # Errors
/// `MissingParameter`.
pub(super) fn required<T>(parameter: &str, value: Option<T>) -> Result<T, SqsError> {
    value.ok_or_else(|| SqsError::MissingParameter(parameter.to_owned()))
}
