//! Receipt handles. A handle identifies a message and one receive of it; a later receive makes it stale.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::SqsError;

/// The content of a receipt handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) queue: i64,
    pub(super) number: i64,
    /// The number of this receive of the message, counted from 1.
    pub(super) receive: i64,
}

impl Receipt {
    pub(super) fn handle(self) -> String {
        STANDARD.encode(format!("receipt {} {} {}", self.queue, self.number, self.receive))
    }

    /// # Errors
    /// `ReceiptHandleIsInvalid` if the text is no receipt handle, or belongs to another queue.
    pub(super) fn of(handle: &str, queue: i64) -> Result<Self, SqsError> {
        Self::parse(handle)
            .filter(|receipt| receipt.queue == queue)
            .ok_or_else(|| SqsError::ReceiptHandleIsInvalid(handle.to_owned()))
    }

    fn parse(handle: &str) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(handle).ok()?).ok()?;
        let mut words = text.strip_prefix("receipt ")?.split(' ').map(str::parse);
        let (queue, number, receive) = (words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?);
        words.next().is_none().then_some(Self { queue, number, receive })
    }
}
