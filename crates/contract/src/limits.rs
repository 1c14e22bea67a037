//! How much of everything is taken. What is longer is refused with the name of the field, never cut; what parts say
//! is shortened where all of it together is too much for the table, and says so.

/// Characters in origin, sender, receiver, partner, source id, correlation id and a flow's display name.
pub(crate) const TEXT: usize = 256;
/// Characters in an order key: what SQS takes as a message group id.
pub(crate) const ORDER_KEY: usize = 128;
/// Characters in a W3C trace context.
pub(crate) const TRACEPARENT: usize = 128;
/// Characters in a content type.
pub(crate) const CONTENT_TYPE: usize = 256;
/// Characters in an error's code.
pub(crate) const ERROR_CODE: usize = 128;
/// Characters in an error's message.
pub(crate) const ERROR_MESSAGE: usize = 10_000;
/// Parts of one interchange.
pub(crate) const PARTS: usize = 100;
/// Characters in a part's id.
pub(crate) const PART_ID: usize = 128;
/// Characters in a part's message.
pub(crate) const PART_MESSAGE: usize = 1_000;
/// Bytes of all messages of an interchange's parts, as they are kept: beside them there must be room in DynamoDB's 400 KB
/// for everything else that is as long as it may be, in whatever script.
pub(crate) const PART_MESSAGES_STORED: usize = 200_000;
/// Characters in a claim check: an S3 bucket name and a key, with the scheme.
pub(crate) const REF: usize = 1_200;
/// The highest attempt number.
pub(crate) const ATTEMPT: u32 = domain::MAX_ATTEMPTS;
/// Dead-letter queues of a flow, and functions: their owners are stored in one transaction with the flow.
pub(crate) const SOURCES: usize = 20;
/// Senders of a flow.
pub(crate) const SENDERS: usize = 50;
/// Patterns of a flow's mask.
pub(crate) const MASK_PATTERNS: usize = 20;
/// Characters in such a pattern.
pub(crate) const MASK_PATTERN: usize = 500;
/// Partners of a flow that have a policy of their own: the configuration is one item.
pub(crate) const PARTNERS: usize = 500;
/// Characters in a reason.
pub(crate) const REASON: usize = 500;
/// Ids in a job's selection.
pub(crate) const SELECTED_IDS: usize = 1_000;
