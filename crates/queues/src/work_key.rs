//! Signs work items with HMAC-SHA256 over the body of the message, and verifies the signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The start of the signed input. A signature that the same key made for another purpose is not valid here.
const PURPOSE: &[u8] = b"reprise work item\0";

/// The key that signs and verifies work items.
#[derive(Clone)]
pub struct WorkKey(Vec<u8>);

impl WorkKey {
    /// Uses `key` as it is. Any length is allowed.
    #[must_use]
    pub fn new(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// The signature of `body`, in base64url without padding.
    #[must_use]
    pub fn sign(&self, body: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(body).finalize().into_bytes())
    }

    /// Whether `mac` is the signature of `body`. Compares in constant time.
    #[must_use]
    pub fn verify(&self, body: &str, mac: &str) -> bool {
        URL_SAFE_NO_PAD.decode(mac).is_ok_and(|mac| self.mac(body).verify_slice(&mac).is_ok())
    }

    fn mac(&self, body: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(PURPOSE);
        mac.update(body.as_bytes());
        mac
    }
}

impl fmt::Debug for WorkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_valid_for_one_body_and_one_key_and_only_as_a_whole() {
        let key = WorkKey::new(b"key".to_vec());
        let mac = key.sign(r#"{"kind":"look","job":"j-1"}"#);
        assert!(key.verify(r#"{"kind":"look","job":"j-1"}"#, &mac));
        assert!(!key.verify(r#"{"kind":"look","job":"j-2"}"#, &mac));
        assert!(!WorkKey::new(b"other".to_vec()).verify(r#"{"kind":"look","job":"j-1"}"#, &mac));
        for short in ["", "AAAA", &mac[..22]] {
            assert!(!key.verify(r#"{"kind":"look","job":"j-1"}"#, short), "{short}");
        }
    }

    #[test]
    fn debug_output_does_not_contain_the_key() {
        assert_eq!(format!("{:?}", WorkKey::new(b"key".to_vec())), "WorkKey");
    }
}
