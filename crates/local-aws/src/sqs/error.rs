//! What SQS refuses, worded as AWS words it: SDKs, and people who search for a message, know these texts. Each error has
//! two names, that of the JSON protocol and the older one that SDKs still report through `x-amzn-query-error`.

/// The set of characters a message may hold, as AWS spells it out.
const ALLOWED: &str = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";

/// A refusal of SQS. `Display` is the message AWS would send.
#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    /// No queue has that name.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// A queue of that name exists and differs.
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    /// A parameter is there and wrong.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A parameter is missing.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(String),
    /// No queue attribute has that name.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// A queue attribute has an impossible value.
    #[error("Invalid value for the parameter {0}.{1}")]
    InvalidAttributeValue(String, String),
    /// The body, or an attribute, holds a character SQS does not carry.
    #[error(
        "Invalid binary character '#x{0:X}' was found in the message body, the set of allowed characters is {ALLOWED}"
    )]
    InvalidMessageContents(u32),
    /// A batch without entries.
    #[error("There should be at least one {0} in the request.")]
    EmptyBatchRequest(&'static str),
    /// A batch of more than ten.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    /// Two entries of a batch share an id.
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    /// The id of an entry is not 1-80 of `A-Za-z0-9-_`.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    /// The entries of a batch are too large together.
    #[error("Batch requests cannot be longer than 1048576 bytes. You have sent {0} bytes.")]
    BatchRequestTooLong(usize),
    /// The receipt handle is not one of ours, or of another queue.
    #[error("The input receipt handle \"{0}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid(String),
    /// The message is not in flight.
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    /// 120,000 messages are in flight.
    #[error("Too many messages in flight: {0}")]
    OverLimit(usize),
    /// The operation exists and is not possible for this queue.
    #[error("{0}")]
    UnsupportedOperation(String),
    /// What was named does not exist: a queue or a task of message moves.
    #[error("{0}")]
    ResourceNotFound(String),
    /// The request is not the JSON that the operation takes.
    #[error("{0}")]
    Serialization(String),
    /// No such operation here.
    #[error("The operation {0} is not served here.")]
    UnknownOperation(String),
    /// The database failed.
    #[error("The queues' database failed.")]
    Storage(#[from] rusqlite::Error),
    /// What is stored cannot be understood.
    #[error("What is stored about the queues cannot be read.")]
    Stored(#[source] serde_json::Error),
}

impl SqsError {
    /// The shape's name in the JSON protocol, as in `__type`.
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

    /// The code of the query protocol, which is what boto3 and the CLI show.
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

    /// Whether the sender has to change something, rather than try again.
    pub fn is_senders(&self) -> bool {
        !matches!(self, Self::Storage(_) | Self::Stored(_))
    }

    /// A parameter whose value is refused for a reason.
    pub(super) fn value(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        Self::InvalidParameterValue(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }
}

/// The value of a parameter that has to be there.
pub(super) fn required<T>(parameter: &str, value: Option<T>) -> Result<T, SqsError> {
    value.ok_or_else(|| SqsError::MissingParameter(parameter.to_owned()))
}
