//! The MD5s that SQS answers with. SDKs recompute them and refuse the answer when they differ, so the bytes that go in,
//! and their order, are AWS's.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::attribute::{Attribute, AttributeValue};

/// Of a body.
pub(super) fn of_body(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

/// Of attributes, which have to come sorted by name; `None` when there are none.
pub(super) fn of_attributes<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a Attribute)>) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, attribute) in attributes {
        any = true;
        let (transport, value) = match &attribute.value {
            AttributeValue::Text(text) => (1, text.as_bytes()),
            AttributeValue::Binary(binary) => (2, binary.as_slice()),
        };
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        digest.update([transport]);
        update(&mut digest, value);
    }
    any.then(|| hex(&digest.finalize()))
}

/// The deduplication id of a message whose queue takes it from the body.
pub(super) fn deduplication_id(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

/// Four bytes of length, most significant first, then the bytes.
fn update(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
