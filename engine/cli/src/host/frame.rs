//! Messages on the socket: four bytes that say how long one is, the largest first, and that much JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// The longest message in bytes: the largest parameters that `run` takes, or the largest result, with all that is around them.
pub(super) const MOST: usize = 96 << 20;

/// The longest first message in bytes, from whoever may have nothing to do with us.
pub(super) const MOST_GREETING: usize = 64 << 10;

/// Sends a message.
pub(super) fn send(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    to.write_all(&packed(message)?)
}

/// A message as it goes over the socket.
pub(super) fn packed(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    let size = u32::try_from(length).ok().filter(|_| length <= MOST).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("a message of {length} bytes is more than the host takes"))
    })?;
    bytes[..4].copy_from_slice(&size.to_be_bytes());
    Ok(bytes)
}

/// Receives a message of at most `most` bytes; `None` where the other side is gone. Takes no more memory than has come.
pub(super) fn receive<T: DeserializeOwned>(from: &mut impl Read, most: usize) -> io::Result<Option<T>> {
    let mut size = [0; 4];
    match from.read_exact(&mut size) {
        Ok(()) => {}
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    }
    let size = u32::from_be_bytes(size) as usize;
    if size > most {
        return Err(invalid(format!("a message of {size} bytes, where {most} is the most")));
    }
    let mut bytes = Vec::new();
    let read = from.by_ref().take(size as u64).read_to_end(&mut bytes)?;
    if read < size {
        return Ok(None);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| invalid(error.to_string()))
}

/// Whether an error says no more than that nobody is there.
pub(super) fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn received(bytes: &[u8], most: usize) -> io::Result<Option<Value>> {
        receive(&mut &*bytes, most)
    }

    #[test]
    fn a_message_comes_back_as_it_was() {
        let bytes = packed(&json!({"a": [1, "ü"]})).unwrap();
        assert_eq!(received(&bytes, 100).unwrap(), Some(json!({"a": [1, "ü"]})));
    }

    #[test]
    fn what_is_cut_off_is_nobody_there_and_what_makes_no_sense_is_an_error() {
        let bytes = packed(&json!({"a": 1})).unwrap();
        for end in 0..bytes.len() {
            assert_eq!(received(&bytes[..end], 100).unwrap(), None, "{end}");
        }
        assert!(received(&bytes, 3).unwrap_err().to_string().contains("where 3 is the most"));
        assert!(received(b"\0\0\0\x02{x", 100).is_err());
        assert!(received(b"\xff\xff\xff\xff", MOST).is_err(), "nothing is set aside for what is only announced");
    }
}
