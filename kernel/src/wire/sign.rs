//! Signatures: HMAC-SHA256 over exactly the four JSON frames of a message.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Signs and verifies messages with the connection file's key.
#[derive(Clone)]
pub(crate) struct Signer {
    mac: Option<Hmac<Sha256>>,
}

impl Signer {
    /// An empty key switches signing off, as the protocol says.
    pub(crate) fn new(key: &str) -> Self {
        let mac = (!key.is_empty())
            .then(|| Hmac::new_from_slice(key.as_bytes()).ok())
            .flatten();
        Self { mac }
    }

    fn digest(&self, frames: &[Vec<u8>]) -> Option<Hmac<Sha256>> {
        let mut mac = self.mac.clone()?;
        for frame in frames {
            mac.update(frame);
        }
        Some(mac)
    }

    /// The signature in lower-case hexadecimal digits; empty when signing is off.
    pub(crate) fn sign(&self, frames: &[Vec<u8>; 4]) -> String {
        let Some(mac) = self.digest(frames) else {
            return String::new();
        };
        mac.finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Compares in constant time. The signature of a message that is good; `Some(None)` when signing is off.
    pub(crate) fn verify(&self, frames: &[Vec<u8>], signature: &[u8]) -> Option<Option<[u8; 32]>> {
        let Some(mac) = self.digest(frames) else {
            return Some(None);
        };
        let bytes = decode_hex(signature)?;
        mac.verify_slice(&bytes).ok()?;
        bytes.try_into().ok().map(Some)
    }
}

fn decode_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> [Vec<u8>; 4] {
        [
            b"{\"a\":1}".to_vec(),
            b"{}".to_vec(),
            b"{}".to_vec(),
            b"{\"code\":\"1\"}".to_vec(),
        ]
    }

    #[test]
    fn signature_is_the_one_python_makes() {
        // hmac.new(b"secret", b'{"a":1}' + b"{}" + b"{}" + b'{"code":"1"}', "sha256").hexdigest()
        let expected = "4cd721348272a9d38f52e40f18755f0c1547d1172085474a01e7af8f3442da14";
        assert_eq!(Signer::new("secret").sign(&frames()), expected);
    }

    #[test]
    fn a_changed_frame_a_short_and_an_odd_signature_are_refused() {
        let signer = Signer::new("secret");
        let signature = signer.sign(&frames());
        let good =
            |frames: &[Vec<u8>], signature: &[u8]| signer.verify(frames, signature).is_some();
        assert!(good(&frames(), signature.as_bytes()));
        let mut changed = frames();
        changed[3] = b"{\"code\":\"2\"}".to_vec();
        assert!(!good(&changed, signature.as_bytes()));
        assert!(!good(&frames(), &signature.as_bytes()[..10]));
        assert!(!good(&frames(), b"abc"));
        assert!(!good(&frames(), "é€".as_bytes()));
        assert!(!good(&frames(), b""));
    }

    #[test]
    fn an_empty_key_switches_signing_off() {
        let signer = Signer::new("");
        assert_eq!(signer.sign(&frames()), "");
        assert_eq!(signer.verify(&frames(), b"anything"), Some(None));
    }
}
