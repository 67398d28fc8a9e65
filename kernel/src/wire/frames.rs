//! Multipart frames: `[identities.., <IDS|MSG>, signature, header, parent, metadata, content, buffers..]`.

use serde_json::{Map, Value};

use super::message::Message;
use super::replay::Seen;
use super::sign::Signer;

const DELIMITER: &[u8] = b"<IDS|MSG>";

/// Why a message was dropped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the message has no <IDS|MSG> delimiter among its {found} frames")]
    NoDelimiter { found: usize },
    #[error(
        "the message has {found} frames after its delimiter, expected a signature and 4 JSON frames"
    )]
    TooFew { found: usize },
    #[error("the message's signature does not fit its frames and the connection file's key")]
    BadSignature,
    #[error("the message has come before: it runs once")]
    Repeated,
    #[error("the message's {part} is not a JSON object: {reason}")]
    BadJson { part: &'static str, reason: String },
    #[error("the message's header has no {field}")]
    MissingField { field: &'static str },
}

/// Where the delimiter is; the count of frames is checked before anything is sliced.
fn delimiter(frames: &[Vec<u8>]) -> Result<usize, FrameError> {
    let found = frames.len();
    let delimiter = frames
        .iter()
        .position(|frame| frame == DELIMITER)
        .ok_or(FrameError::NoDelimiter { found })?;
    if found - delimiter < 6 {
        return Err(FrameError::TooFew {
            found: found - delimiter - 1,
        });
    }
    Ok(delimiter)
}

/// Whether somebody with the key has sent this message, and for the first time. Nothing is parsed before that.
///
/// # Errors
/// [`FrameError`] says which rule the message breaks.
pub(crate) fn verify(frames: &[Vec<u8>], signer: &Signer, seen: &Seen) -> Result<(), FrameError> {
    let rest = &frames[delimiter(frames)?..];
    let signature = signer
        .verify(&rest[2..6], &rest[1])
        .ok_or(FrameError::BadSignature)?;
    if signature.is_some_and(|signature| !seen.is_new(signature)) {
        return Err(FrameError::Repeated);
    }
    Ok(())
}

/// Reads a message that [`verify`] has let through.
///
/// # Errors
/// [`FrameError`] says which rule the message breaks.
pub(crate) fn parse(mut frames: Vec<Vec<u8>>) -> Result<Message, FrameError> {
    let mut rest = frames.split_off(delimiter(&frames)?);
    let buffers = rest.split_off(6);
    let header = object(&rest[2], "header")?;
    for field in ["msg_id", "msg_type"] {
        if !header.get(field).is_some_and(Value::is_string) {
            return Err(FrameError::MissingField { field });
        }
    }
    Ok(Message {
        identities: frames,
        header,
        parent_header: object(&rest[3], "parent header")?,
        metadata: object(&rest[4], "metadata")?,
        content: Value::Object(object(&rest[5], "content")?),
        buffers,
    })
}

/// Both, for tests.
#[cfg(test)]
pub(crate) fn decode(
    frames: Vec<Vec<u8>>,
    signer: &Signer,
    seen: &Seen,
) -> Result<Message, FrameError> {
    verify(&frames, signer, seen)?;
    parse(frames)
}

/// Some clients write `null` for an empty object.
fn object(frame: &[u8], part: &'static str) -> Result<Map<String, Value>, FrameError> {
    match serde_json::from_slice(frame) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(other) => Err(FrameError::BadJson {
            part,
            reason: format!("it is {}", kind(&other)),
        }),
        Err(error) => Err(FrameError::BadJson {
            part,
            reason: error.to_string(),
        }),
    }
}

/// What a value is, however large it may be.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Writes a message as signed frames. Buffers are not part of the signature.
pub(crate) fn encode(message: Message, signer: &Signer) -> Vec<Vec<u8>> {
    let json =
        |map: &Map<String, Value>| serde_json::to_vec(map).unwrap_or_else(|_| b"{}".to_vec());
    let parts = [
        json(&message.header),
        json(&message.parent_header),
        json(&message.metadata),
        serde_json::to_vec(&message.content).unwrap_or_else(|_| b"{}".to_vec()),
    ];
    let signature = signer.sign(&parts);
    let mut frames = message.identities;
    frames.push(DELIMITER.to_vec());
    frames.push(signature.into_bytes());
    frames.extend(parts);
    frames.extend(message.buffers);
    frames
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(frames: Vec<Vec<u8>>, signer: &Signer) -> Result<Message, FrameError> {
        decode(frames, signer, &Seen::default())
    }

    fn message() -> Message {
        let mut message = Message::new(
            "session",
            "execute_request",
            None,
            &json!({"code": "1 + 1 // ü 🛰"}),
        );
        message.identities = vec![vec![0, 1, 2], vec![]];
        message.header.insert("subshell_id".to_owned(), json!("s1"));
        message.buffers = vec![vec![0, 255], vec![]];
        message
    }

    #[test]
    fn encode_then_decode_is_the_identity() {
        let signer = Signer::new("key");
        let sent = message();
        assert_eq!(read(encode(sent.clone(), &signer), &signer).unwrap(), sent);
    }

    #[test]
    fn too_few_frames_are_refused_at_every_length() {
        let signer = Signer::new("key");
        let frames = encode(
            Message::new("s", "kernel_info_request", None, &json!({})),
            &signer,
        );
        assert_eq!(frames.len(), 6);
        for length in 0..6 {
            let error = read(frames[..length].to_vec(), &signer).unwrap_err();
            assert!(
                matches!(
                    error,
                    FrameError::NoDelimiter { .. } | FrameError::TooFew { .. }
                ),
                "{length} frames gave {error}"
            );
        }
    }

    #[test]
    fn a_bad_signature_is_found_before_bad_json() {
        let signer = Signer::new("key");
        let mut frames = encode(message(), &signer);
        let content = frames.len() - 3;
        frames[content] = b"not json".to_vec();
        assert!(matches!(
            read(frames, &signer),
            Err(FrameError::BadSignature)
        ));
    }

    #[test]
    fn null_stands_for_an_empty_object_and_a_list_is_refused() {
        let signer = Signer::new("");
        let mut frames = encode(
            Message::new("s", "kernel_info_request", None, &json!({})),
            &signer,
        );
        frames[3] = b"null".to_vec();
        assert!(
            read(frames.clone(), &signer)
                .unwrap()
                .parent_header
                .is_empty()
        );
        frames[5] = b"[1]".to_vec();
        assert!(matches!(
            read(frames, &signer),
            Err(FrameError::BadJson {
                part: "content",
                ..
            })
        ));
    }

    #[test]
    fn a_signed_message_is_taken_once_and_unsigned_ones_always() {
        for (key, again) in [("key", false), ("", true)] {
            let (signer, seen) = (Signer::new(key), Seen::default());
            let frames = encode(message(), &signer);
            assert!(decode(frames.clone(), &signer, &seen).is_ok());
            assert_eq!(decode(frames.clone(), &signer, &seen).is_ok(), again);
            // Capital digits are the same signature.
            let mut capital = frames;
            capital[3].make_ascii_uppercase();
            assert_eq!(decode(capital, &signer, &seen).is_ok(), again);
        }
    }
}
