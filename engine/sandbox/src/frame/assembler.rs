use super::Malformed;

/// How much room there is at first: a new worker has to touch each page of it.
const CHUNK: usize = 16 << 10;

/// Puts frames together from the bytes of a stream, in whatever pieces they come.
///
/// What it holds is what was sent and one chunk: a length that is only announced takes no memory.
#[derive(Debug, Default)]
pub struct Assembler {
    buffer: Vec<u8>,
    /// Where what was sent and not yet taken begins and ends.
    start: usize,
    end: usize,
}

impl Assembler {
    /// One that holds nothing.
    pub fn new() -> Assembler {
        Assembler::default()
    }

    /// Where to put what is read next.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            // A frame of megabytes was the exception.
            if self.buffer.len() > 16 * CHUNK {
                self.buffer = Vec::new();
            }
        }
        if self.buffer.len() - self.end < CHUNK / 4 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let length = (2 * self.end).clamp(CHUNK, self.end + (16 << 20));
            if self.buffer.len() < length {
                self.buffer.resize(length, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// Says how much was put there.
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// The next frame, without its length, once all of it is there. `most` says how long one of a kind may be.
    ///
    /// # Errors
    /// Where it is empty or longer than that.
    pub fn next(&mut self, most: impl FnOnce(u8) -> usize) -> Result<Option<&[u8]>, Malformed> {
        let held = &self.buffer[self.start..self.end];
        let Some((length, rest)) = held.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length == 0 {
            return Err(Malformed("a message is empty"));
        }
        let Some(kind) = rest.first() else { return Ok(None) };
        if length > most(*kind) {
            return Err(Malformed("a message is longer than it may be"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let from = self.start + 4;
        self.start = from + length;
        Ok(Some(&self.buffer[from..from + length]))
    }

    /// Whether part of a frame is there.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}
