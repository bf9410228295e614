//! What a host and its workers say to each other, as frames over a stream socket.
//!
//! A frame is its length in four bytes (the lowest first), a tag, and the parts of the message one after another. Values are
//! in a binary form: a JSON text would lose the last digit of some numbers, and its size says little of what it takes to
//! read it.
//!
//! The host believes nothing of what a worker sends. [`Assembler`] holds no more than was really sent, and refuses a length
//! beyond what the state of the conversation allows; [`FromWorker::decode`] charges each element before it makes it,
//! bounds nesting, and takes a message only when it ends where the frame does. Whatever is wrong is one [`Malformed`],
//! after which there is no way to go on.

mod assembler;
mod bounds;
mod code;
mod functions;
mod live;
mod messages;
mod parts;
#[cfg(test)]
mod tests;

pub use assembler::Assembler;
pub use code::{Malformed, Reader, Writer};
pub use live::{Ask, Live, Packed, Told};
pub use messages::{Asked, FromWorker, Open, Reply, ToWorker};
pub use parts::{module_from_value, module_to_value};

/// The most that a worker may say before it was asked to run anything, in bytes.
pub const MOST_BEFORE: usize = 64 << 10;

/// The most that the arguments of one host call may take, in bytes and as [`Reader`] charges them.
pub const MOST_CALL: u64 = 64 << 20;

/// The longest path of a file that a script imports, in bytes.
pub const MOST_PATH: usize = 4 << 10;

/// The most that a result may take where no limit is set for it.
pub const MOST_RESULT: u64 = 256 << 20;

/// The longest text that a worker sends in one piece.
pub const MOST_PRINT: usize = 64 << 10;

/// The most bytes of a snapshot that travel in one piece.
pub const MOST_PART: usize = 1 << 20;

/// The largest snapshot, in bytes.
pub const MOST_SNAPSHOT: u64 = 256 << 20;

/// The most that lists and texts of an answer may take, beside the value of a script.
pub const MOST_TOLD: u64 = 16 << 20;
