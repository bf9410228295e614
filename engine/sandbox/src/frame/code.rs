use serde_json::{Map, Number, Value};
use skills_core::value::{ELEMENT_COST, MAX_DEPTH};
use std::time::Duration;

/// Bytes that are no message, or not one that may come now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// For how many elements room is made before they are there.
const RESERVED: usize = 1024;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const POSITIVE: u8 = 3;
const NEGATIVE: u8 = 4;
const FLOAT: u8 = 5;
const STRING: u8 = 6;
const ARRAY: u8 = 7;
const OBJECT: u8 = 8;

/// Writes one frame.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// A frame with a tag.
    pub fn new(tag: u8) -> Writer {
        Writer { out: vec![0, 0, 0, 0, tag] }
    }

    /// The whole frame, its length in front.
    ///
    /// # Errors
    /// Where it is longer than a length can say.
    pub fn finish(mut self) -> Result<Vec<u8>, Malformed> {
        let length = u32::try_from(self.out.len() - 4).map_err(|_| Malformed("a message is longer than 4 GB"))?;
        self.out[..4].copy_from_slice(&length.to_le_bytes());
        Ok(self.out)
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A number, in seven bits a byte.
    pub fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.out.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.out.push(n as u8);
    }

    /// Yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.byte(flag.into());
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Bytes with their number before them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// A number that may be missing.
    pub fn perhaps(&mut self, n: Option<u64>) {
        self.flag(n.is_some());
        if let Some(n) = n {
            self.number(n);
        }
    }

    /// A time that may be missing, in nanoseconds.
    pub fn time(&mut self, time: Option<Duration>) {
        self.perhaps(time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)));
    }

    /// A value. What is nested deeper than the other side reads comes from the host only where the host let it pass.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(NULL),
            Value::Bool(false) => self.byte(FALSE),
            Value::Bool(true) => self.byte(TRUE),
            Value::Number(number) => self.json_number(number),
            Value::String(text) => {
                self.byte(STRING);
                self.text(text);
            }
            Value::Array(items) => {
                self.byte(ARRAY);
                self.number(items.len() as u64);
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(map) => {
                self.byte(OBJECT);
                self.map(map);
            }
        }
    }

    /// Members with their names.
    pub fn map(&mut self, map: &Map<String, Value>) {
        self.number(map.len() as u64);
        for (key, item) in map {
            self.text(key);
            self.value(item);
        }
    }

    fn json_number(&mut self, number: &Number) {
        if let Some(n) = number.as_u64() {
            self.byte(POSITIVE);
            self.number(n);
        } else if let Some(n) = number.as_i64() {
            self.byte(NEGATIVE);
            self.number(!n as u64);
        } else {
            self.byte(FLOAT);
            self.out.extend_from_slice(&number.as_f64().unwrap_or(0.0).to_le_bytes());
        }
    }
}

/// Reads one frame, and makes nothing that it has no room for.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    room: u64,
    /// What an element counts for beside its text.
    element: u64,
    deepest: usize,
}

impl<'a> Reader<'a> {
    /// Reads a frame without its length, which may hold values of at most `room`: each element and member counts as the
    /// limit on a result counts it, and so does the text of strings and names.
    pub fn new(frame: &'a [u8], room: u64) -> Reader<'a> {
        Reader { rest: frame, room, element: ELEMENT_COST as u64, deepest: MAX_DEPTH }
    }

    /// Reads a frame of someone who is believed.
    pub fn trusting(frame: &'a [u8]) -> Reader<'a> {
        const DEEPEST: usize = 1024;
        Reader { deepest: DEEPEST, ..Reader::new(frame, u64::MAX) }
    }

    /// Sets anew how much the values to come may hold, and what each element counts for.
    pub fn room(&mut self, room: u64, element: usize) {
        (self.room, self.element) = (room, element as u64);
    }

    /// Fails where anything is left.
    pub fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed("a message goes on after its end")) }
    }

    fn charge(&mut self, bytes: u64) -> Result<(), Malformed> {
        self.room = self.room.checked_sub(bytes).ok_or(Malformed("a message holds more than it may"))?;
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed("a message is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            n |= bits << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(Malformed("a number has too many digits"))
    }

    /// How many of something follow, each of which takes at least a byte.
    fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.number()?;
        if count > self.rest.len() as u64 {
            return Err(Malformed("a message announces more than it holds"));
        }
        self.charge(count.saturating_mul(self.element))?;
        Ok(count as usize)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a flag is neither yes nor no")),
        }
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// Bytes with their number before them.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed("a text is too long"))?;
        let bytes = self.take(length)?;
        self.charge(length as u64)?;
        Ok(bytes)
    }

    /// A number that may be missing.
    pub fn perhaps(&mut self) -> Result<Option<u64>, Malformed> {
        if self.flag()? { self.number().map(Some) } else { Ok(None) }
    }

    /// A time that may be missing.
    pub fn time(&mut self) -> Result<Option<Duration>, Malformed> {
        Ok(self.perhaps()?.map(Duration::from_nanos))
    }

    /// A value, nested at most as deep as values of scripts may.
    pub fn value(&mut self) -> Result<Value, Malformed> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Result<Value, Malformed> {
        Ok(match self.byte()? {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            POSITIVE => self.number()?.into(),
            NEGATIVE => {
                let n = i64::try_from(self.number()?).map_err(|_| Malformed("a number is too small"))?;
                (!n).into()
            }
            FLOAT => {
                let bytes = self.take(8)?.try_into().map_err(|_| Malformed("a message is cut short"))?;
                let number = Number::from_f64(f64::from_le_bytes(bytes));
                Value::Number(number.ok_or(Malformed("a number is not finite"))?)
            }
            STRING => Value::String(self.text()?.to_owned()),
            ARRAY => {
                let inside = self.deeper(depth)?;
                let count = self.count()?;
                let mut items = Vec::with_capacity(count.min(RESERVED));
                for _ in 0..count {
                    items.push(self.nested(inside)?);
                }
                Value::Array(items)
            }
            OBJECT => Value::Object(self.members(depth)?),
            _ => return Err(Malformed("a value is of no known type")),
        })
    }

    /// Members with their names.
    pub fn map(&mut self) -> Result<Map<String, Value>, Malformed> {
        self.members(0)
    }

    fn members(&mut self, depth: usize) -> Result<Map<String, Value>, Malformed> {
        let inside = self.deeper(depth)?;
        let count = self.count()?;
        let mut map = Map::with_capacity(count.min(RESERVED));
        for _ in 0..count {
            let key = self.text()?.to_owned();
            map.insert(key, self.nested(inside)?);
        }
        Ok(map)
    }

    fn deeper(&self, depth: usize) -> Result<usize, Malformed> {
        if depth >= self.deepest { Err(Malformed("a value is nested too deep")) } else { Ok(depth + 1) }
    }

    /// Several values.
    pub fn values(&mut self) -> Result<Vec<Value>, Malformed> {
        self.several(|input| input.nested(0))
    }

    /// Several of what `read` reads, each of which takes at least a byte.
    pub fn several<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let count = self.count()?;
        let mut items = Vec::with_capacity(count.min(RESERVED));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }
}
