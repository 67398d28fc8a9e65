//! How messages follow each other on a socket: a four-byte little-endian length, and that many bytes of JSON.

use std::io::{Error, Read, Result, Write};

/// How many bytes the length takes.
const LENGTH: usize = 4;

/// A message with its length.
///
/// # Errors
/// When it is longer than 4 GB.
pub fn framed(text: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(text.len()).map_err(Error::other)?;
    let mut frame = Vec::with_capacity(LENGTH + text.len());
    frame.extend(length.to_le_bytes());
    frame.extend(text);
    Ok(frame)
}

/// Writes a message.
///
/// # Errors
/// When it is longer than 4 GB, or the other end is closed.
pub fn write(mut stream: impl Write, text: &[u8]) -> Result<()> {
    stream.write_all(&framed(text)?)
}

/// Waits for a message and reads it.
///
/// # Errors
/// When the other end is closed.
pub fn read(mut stream: impl Read) -> Result<Vec<u8>> {
    let mut length = [0; LENGTH];
    stream.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut text)?;
    Ok(text)
}

/// Takes the first message out of what has arrived, when it is there as a whole.
pub fn take(arrived: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (length, rest) = arrived.split_first_chunk::<LENGTH>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let text = rest.get(..length)?.to_vec();
    arrived.drain(..LENGTH + length);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_whole_or_in_pieces() {
        let mut sent = Vec::new();
        write(&mut sent, b"{}").unwrap();
        write(&mut sent, b"").unwrap();
        write(&mut sent, "ü".as_bytes()).unwrap();
        let mut stream = &sent[..];
        assert_eq!(read(&mut stream).unwrap(), b"{}");
        assert_eq!(read(&mut stream).unwrap(), b"");
        assert_eq!(read(&mut stream).unwrap(), "ü".as_bytes());
        assert!(read(&mut stream).is_err());

        let (mut arrived, mut taken) = (Vec::new(), Vec::new());
        for byte in sent {
            arrived.push(byte);
            taken.extend(take(&mut arrived));
        }
        assert_eq!(taken, [b"{}".as_slice(), b"", "ü".as_bytes()]);
        assert!(arrived.is_empty());
    }
}
