//! Cursors: opaque, signed, and bound to the list they came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use table::Position;

/// Bytes of the signature that travel.
const SIGNATURE: usize = 16;

/// Signs and checks cursors with the stack's key.
#[derive(Debug, Clone)]
pub(crate) struct Cursors {
    key: Vec<u8>,
}

impl Cursors {
    pub(crate) fn new(key: Vec<u8>) -> Self {
        Self { key }
    }

    /// The cursor for `position` in the list that `list` describes.
    pub(crate) fn sign(&self, list: &str, position: &Position) -> String {
        let mut bytes = self.mac(list, &position.0).finalize().into_bytes()[..SIGNATURE].to_vec();
        bytes.extend_from_slice(position.0.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor names; `None` when it was altered or comes from another list.
    pub(crate) fn read(&self, list: &str, cursor: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (signature, position) = bytes.split_at_checked(SIGNATURE)?;
        let position = std::str::from_utf8(position).ok()?;
        self.mac(list, position).verify_truncated_left(signature).ok()?;
        Some(Position(position.to_owned()))
    }

    fn mac(&self, list: &str, position: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(list.as_bytes());
        mac.update(&[0]);
        mac.update(position.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_list_only_and_not_when_altered() {
        let cursors = Cursors::new(b"key".to_vec());
        let cursor = cursors.sign("orders newest", &Position("2026#4711".to_owned()));
        assert_eq!(cursors.read("orders newest", &cursor), Some(Position("2026#4711".to_owned())));
        assert_eq!(cursors.read("orders oldest", &cursor), None);
        assert_eq!(Cursors::new(b"other".to_vec()).read("orders newest", &cursor), None);
        for at in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(cursors.read("orders newest", &altered), None, "altered at {at}");
        }
    }
}
