//! The MD5 digests in SQS's responses. SDKs verify them, so the input bytes and their order must be the same as AWS's.
use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::attribute::{Attribute, AttributeValue};

/// The MD5 of a message body.
pub(super) fn of_body(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

/// The MD5 of attributes, which must be sorted by name. `None` without attributes.
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

/// The deduplication id for content-based deduplication: the SHA-256 of the body.
pub(super) fn deduplication_id(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

/// Adds the length (four bytes, most significant first) and the bytes.
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
